"""Every page, whoever asks: another builder's things are not there, a viewer presses nothing, other websites change nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from fastapi.routing import APIRoute

from api.auth import access_of
from resources.connections import Connections
from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from resources.store.database import Database
from tests.api.test_pages import Browser
from tests.api.test_tenancy import MARK, furnish, snapshot
from tests.api.test_who_may import APP_ROUTES, OPEN_PAGES, all_routes
from tests.api.world import House, World, exact

ROUTES = [
    route
    for route in all_routes()
    if not route.include_in_schema
    and route.path.startswith("/integrations")
    and route.path not in OPEN_PAGES | APP_ROUTES
]
READ = [route for route in ROUTES if "GET" in route.methods]
WRITE = [route for route in ROUTES if "POST" in route.methods]
KINDS = {"provider": "quickbooks_online", "entity": "bill", "number": "1"}
# What a form must say to be read at all.
FORMS = {
    "fix_hold_page": {"cause": "hold.mapping_missing", "provider_account_id": "84"},
    "decide_outcome_page": {"outcome": "leave"},
    "answer_conflict_page": {"chosen_value": "platform"},
    "answer_alike_page": {"chosen_value": "platform", "version": "0"},
    "publish_draft_page": {"revision": "1"},
    "rebase_draft_page": {"revision": "1"},
    "roll_back_page": {"version": "0"},
    "end_connection_page": {"sure": "true"},
    "reject_page": {"reason": "no"},
    "decide_period_page": {"choice": "hold"},
}
# What was read and is wanted is each person's own.
PERSONAL = {"read_notifications_page", "save_preferences_page"}

QUERIES = {"held_records_page": "?cause=hold.mapping_missing", "alike_page": "?chosen_value=platform"}


def filled(route: APIRoute, connection_id: UUID, things: dict[str, str]) -> str:
    """The route's address with a connection, and the things of a builder."""
    known = {"connection_id": str(connection_id), **KINDS, **things}
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: known[found[1]], route.path)


def things_of(house: House) -> dict[str, str]:
    """One of each thing of a builder that an address can name."""
    return {
        "record_id": str(house.one("select max(id::text) from v2_sync_records where status <> 'conflict'")),
        "conflict_id": str(house.one("select max(id::text) from v2_sync_records where status = 'conflict'")),
        "log_id": str(house.one("select max(id::text) from v2_sync_log")),
        "draft_id": str(house.one("select max(id::text) from mapping_drafts")),
        "rehearsal_id": str(house.one("select max(id::text) from rehearsals")),
        "import_id": str(house.one("select max(id::text) from import_files")),
    }


@pytest.fixture(scope="module")
def shared_world(settings: Settings, database: Database) -> Iterator[World]:
    """The application over real connections: a fake one would disconnect anybody."""
    with asyncio.Runner() as runner:
        world = World(settings, database, runner)
        real = Connections(database, settings, vault=world.tieout.vault, clock=world.clock)
        world.tieout.connections = real  # type: ignore[assignment]  # the protocol's other implementation
        yield world
        real.close()


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world


@pytest.fixture(scope="module")
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def houses(shared_world: World) -> tuple[House, House]:
    ours = shared_world.a_house("Ours")
    theirs = shared_world.a_house(f"{MARK} Homes", provider_company_name=MARK, status_reason=MARK)
    furnish(theirs)
    exact(theirs.client().post("/mappings/drafts", {"note": MARK}))
    exact(theirs.client().post("/rehearsals"))
    file = {"file": ("v.csv", f"Vendor\n{MARK}\n".encode())}
    exact(theirs.client().call("POST", "/imports", files=file, data={"entity": "vendors"}))
    return ours, theirs


def test_there_are_pages_to_walk_over() -> None:
    assert len(READ) > 5
    assert len(WRITE) > 3


def test_no_page_shows_or_changes_anything_of_another_builder(
    world: World, houses: tuple[House, House], admin: psycopg.Connection
) -> None:
    ours, theirs = houses
    visitor = Browser(world)
    visitor.sign_in(ours)
    before, things = snapshot(admin, theirs), things_of(theirs)
    for route in ROUTES:
        is_named = any(name in route.path for name in things)
        # Theirs altogether, and theirs below a connection of ours.
        for connection_id in (theirs.connection_id, ours.connection_id):
            path = filled(route, connection_id, things) + QUERIES.get(route.name, "")
            if not is_named and str(theirs.connection_id) not in path:
                continue
            form = FORMS.get(route.name, {})
            answer = visitor.get(path) if "GET" in route.methods else visitor.post(path, form)
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
            assert answer.status_code != 422, (path, answer.text)
            assert MARK not in answer.text, path
    assert snapshot(admin, theirs) == before


@pytest.mark.parametrize("route", WRITE, ids=lambda route: route.path)
def test_a_viewer_and_another_website_change_nothing(
    world: World, houses: tuple[House, House], route: APIRoute
) -> None:
    ours, _ = houses
    path = filled(
        route,
        ours.connection_id,
        dict.fromkeys(
            ("record_id", "conflict_id", "log_id", "draft_id", "rehearsal_id", "import_id"), str(ours.id)
        ),
    )
    viewer, owner = Browser(world), Browser(world)
    viewer.sign_in(ours, role="viewer")
    owner.sign_in(ours)
    if route.name not in PERSONAL:
        refused = viewer.post(path, {})
        assert (refused.status_code, "access.not_allowed" in refused.text) == (403, True)
    foreign = owner.post(path, {}, {"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, "access.cross_site" in foreign.text) == (403, True)


def test_every_page_says_what_it_needs_of_the_person() -> None:
    assert [route.path for route in ROUTES if access_of(route) is None] == []
