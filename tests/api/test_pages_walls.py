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
from tests.api.test_tenancy import MARK, furnish, ids_of, snapshot
from tests.api.test_who_may import APP_ROUTES, OPEN_PAGES, all_routes
from tests.api.world import House, World

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


def filled(route: APIRoute, *, ours: UUID, theirs: UUID, is_ours: bool) -> str:
    """The address with their ids; the connection may be ours, so that what lies below it is theirs."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name == "connection_id":
            return str(ours if is_ours else theirs)
        return KINDS.get(name, str(theirs))

    return re.sub(r"\{(\w+)(?::\w+)?\}", value, route.path)


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
    before, ids = snapshot(admin, theirs), ids_of(admin, theirs)
    for route in ROUTES:
        names = re.findall(r"\{(\w+)", route.path)
        for foreign in (
            ids[::3]
            if "_id}" in route.path.replace(":uuid", "").replace("{connection_id}", "")
            else [theirs.connection_id]
        ):
            for is_ours in (False, True):
                if names == ["connection_id"] and is_ours:
                    continue
                path = filled(route, ours=ours.connection_id, theirs=foreign, is_ours=is_ours)
                answer = visitor.get(path) if "GET" in route.methods else visitor.post(path, {"sure": "true"})
                assert answer.status_code < 500, (path, answer.text)
                assert MARK not in answer.text, path
                if "connection_id" in names and not is_ours:
                    assert answer.status_code >= 400, path
    assert snapshot(admin, theirs) == before


@pytest.mark.parametrize("route", WRITE, ids=lambda route: route.path)
def test_a_viewer_and_another_website_change_nothing(
    world: World, houses: tuple[House, House], route: APIRoute
) -> None:
    ours, _ = houses
    path = filled(route, ours=ours.connection_id, theirs=ours.connection_id, is_ours=True)
    viewer, owner = Browser(world), Browser(world)
    viewer.sign_in(ours, role="viewer")
    owner.sign_in(ours)
    refused = viewer.post(path, {})
    assert (refused.status_code, "access.not_allowed" in refused.text) == (403, True)
    foreign = owner.post(path, {}, {"Sec-Fetch-Site": "cross-site"})
    assert (foreign.status_code, "access.cross_site" in foreign.text) == (403, True)


def test_every_page_says_what_it_needs_of_the_person() -> None:
    assert [route.path for route in ROUTES if access_of(route) is None] == []
