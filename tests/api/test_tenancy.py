"""Two builders: whatever one of them asks, by whatever route or query, nothing of the other is seen or changed."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from resources.connections import Connections
from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from resources.store.api_keys import Caller, make_api_key
from resources.store.app_access import Issued, exchange_code, find_code, give, new_code, new_pair
from resources.store.apps import Wanted as AppWanted
from resources.store.apps import find_app, register_app
from resources.store.database import Database
from resources.store.notices import raise_notifications
from resources.store.queries import Query, named_queries
from resources.store.sessions import make_link, open_session, use_token
from resources.store.webhooks import Wanted, add_endpoint, write_events
from tests.api.test_access import OPEN_ROUTES
from tests.api.world import NOW, ROOT, House, World
from tests.support.bodies import body_naming, place_naming, query_naming
from tests.support.query_vet import NOT_PREPARED, TEMPORARY, numbered

# In every text of theirs, and in nothing that anybody else ever sends.
MARK = "Zebra Secret"
TENANT_TABLES = """
    select c.oid::regclass::text from pg_class c
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'builder_id' and not a.attisdropped)
    order by 1
"""


def furnish(house: House) -> None:
    """Put a little of everything into a builder's tables."""
    house.a_cost_code("99-001", MARK)
    house.an_account("84", MARK, "cost_of_goods_sold")
    log = house.a_log(sync_run_id=house.a_run(error_summary=MARK, completed_at=NOW), error_summary=MARK)
    house.a_waiting_record(label=MARK, error_message=MARK, sync_log_id=log)
    house.a_waiting_record("held", label=MARK, error_message=MARK, sync_log_id=log)
    house.a_conflict(label=MARK, error_message=MARK, sync_log_id=log)
    for table in ("v2_vendors", "v2_clients"):
        house.sql(f"insert into {table} (builder_id, name) values (%(builder)s, %(mark)s)", mark=MARK)
    house.sql(
        "insert into tie_outs (builder_id, connection_id, is_tied, difference, lines)"
        " values (%(builder)s, %(connection)s, false, 1, %(lines)s::jsonb)",
        lines=json.dumps([{"label": MARK}]),
    )
    database, vault = house.world.database, house.world.tieout.vault
    more: dict[str, Any] = {"scopes": None, "expires_at": None, "created_by": MARK}
    make_api_key(database, house.id, name=MARK, role="owner", **more)
    with database.builder_tx(house.id) as tx:
        wanted = Wanted(f"https://{uuid4()}.example/hook", description=MARK)
        add_endpoint(tx, vault, house.id, wanted, actor=MARK, now=NOW)
    person = Caller(house.id, None, MARK, "owner")
    open_session(database, person, came_by="link", lasts=timedelta(hours=1), now=NOW)
    make_link(database, house.id, person=MARK, role="owner", now=NOW)
    use_token(database, house.id, fingerprint=MARK, expires_at=NOW, now=NOW)
    let_an_app_in(database, person)
    raise_notifications(database, house.id, now=NOW)
    write_events(database, house.id, now=NOW)


def let_an_app_in(database: Database, person: Caller) -> None:
    """Give an app tokens, as a consent does."""
    scopes = ("sync:read",)
    app_id = register_app(
        database,
        person.builder_id,
        AppWanted(MARK, ("https://a.example",), scopes),
        registered_by=MARK,
        now=NOW,
    ).id
    app, text = find_app(database, str(app_id)), new_code()
    assert app is not None
    give(database, person, app=app, scopes=scopes, issued=Issued(text, "https://a.example", MARK), now=NOW)
    code = find_code(database, text, now=NOW)
    assert code is not None
    assert exchange_code(database, code, new_pair(), now=NOW)


@pytest.fixture(scope="module")
def shared_world(settings: Settings, database: Database) -> Iterator[World]:
    """The application over real connections: a fake one would disconnect anybody."""
    with asyncio.Runner() as runner:
        world = World(settings, database, runner)
        real = Connections(database, settings, vault=world.tieout.vault, clock=world.clock)
        world.tieout.connections = real  # type: ignore[assignment]  # the protocol's other implementation
        yield world
        real.close()


@pytest.fixture(scope="module")
def houses(shared_world: World) -> tuple[House, House]:
    """Ours, and theirs that has everything."""
    ours = shared_world.a_house("Ours")
    theirs = shared_world.a_house(f"{MARK} Homes", provider_company_name=MARK, status_reason=MARK)
    furnish(theirs)
    return ours, theirs


@pytest.fixture(scope="module")
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        yield connection


@cache
def everything_in(admin: psycopg.Connection) -> str:
    """One statement for all tables: it is asked after every query of the product."""
    return " union all ".join(
        f"select '{table}', coalesce(string_agg(t::text, chr(10) order by t::text), '')"
        f" from {table} t where builder_id = %(builder)s"
        for (table,) in admin.execute(TENANT_TABLES).fetchall()
    )


def snapshot(admin: psycopg.Connection, house: House) -> dict[str, str]:
    """Every row of a builder, table by table, as the superuser sees them."""
    return dict(admin.execute(everything_in(admin), {"builder": house.id}).fetchall())


@pytest.fixture(scope="module")
def untouched(houses: tuple[House, House], admin: psycopg.Connection) -> dict[str, str]:
    """What is theirs, before anything was tried."""
    return snapshot(admin, houses[1])


@pytest.fixture(scope="module")
def foreign_by_table(houses: tuple[House, House], admin: psycopg.Connection) -> dict[str, list[UUID]]:
    """What names something of theirs: up to four ids of each table that has any."""
    with_id = """
        select c.table_name from information_schema.columns c
        join information_schema.columns b on b.table_schema = c.table_schema and b.table_name = c.table_name
        where c.table_schema = 'public' and c.column_name = 'id' and c.data_type = 'uuid' and b.column_name = 'builder_id'
    """
    found = "select id from {} where builder_id = %s order by id limit 4"
    ids = {
        table: [row[0] for row in admin.execute(found.format(table), [houses[1].id]).fetchall()]
        for (table,) in admin.execute(with_id).fetchall()
    }
    return {table: several for table, several in ids.items() if several}


@pytest.fixture(scope="module")
def foreign_ids(foreign_by_table: dict[str, list[UUID]]) -> list[UUID]:
    """All of them."""
    return [each for several in foreign_by_table.values() for each in several]


BODIES: dict[str, dict[str, Any]] = {
    "/mappings": {"version": 0, "rows": []},
    "/conflicts/{id}/resolve": {"chosen_value": "platform"},
    "/webhooks": {"url": "https://hook.example/ours"},
    "/webhooks/{id}": {"url": "https://hook.example/ours"},
    "/webhooks/{id}/replay": {"since": "2026-03-01T00:00:00Z"},
    "/hooks": {"target_url": "https://hook.example/ours", "event": "bill.paid"},
    "/keys": {"name": "ours", "role": "viewer"},
    "/apps": {"name": "ours", "redirect_uris": ["https://ours.example"], "scopes": ["sync:read"]},
    "/notifications/preferences": {"muted": []},
}


# Takes a file, and names nothing that is there already (test_imports.py).
UNREAD = {"POST /imports"}


def operations(world: World) -> list[tuple[str, str]]:
    return [
        (method.upper(), path.removeprefix(ROOT))
        for path, item in world.app.openapi()["paths"].items()
        for method in item
        if path not in OPEN_ROUTES
    ]


def bodies_for(world: World, method: str, path: str, foreign: UUID) -> list[Any]:
    """A body made from the description that names something of theirs wherever it takes an id, and one that is known to work."""
    operation = world.app.openapi()["paths"][f"{ROOT}{path}"][method.lower()]
    return [body_naming(world.app.openapi(), operation, foreign), *([BODIES[path]] if path in BODIES else [])]


@pytest.mark.timeout(400)  # thousands of requests: on a machine with other work they take minutes
def test_every_route_with_every_id_of_another_builder_shows_and_changes_nothing(
    shared_world: World,
    houses: tuple[House, House],
    admin: psycopg.Connection,
    untouched: dict[str, str],
    foreign_ids: list[UUID],
) -> None:
    ours, theirs = houses
    assert len(foreign_ids) > 15
    assert sum(MARK in rows for rows in untouched.values()) > 10, "there is something to see"
    client, asked, unread = ours.client(), 0, set()
    document = shared_world.app.openapi()
    for method, path in operations(shared_world):
        described = document["paths"][f"{ROOT}{path}"][method.lower()]
        for foreign in foreign_ids if "{id}" in path else foreign_ids[:3]:
            place = place_naming(document, path, described, foreign)
            for body in bodies_for(shared_world, method, path, foreign):
                query = query_naming(document, described, foreign)
                answer = client.call(method, place, json=body, params=query)
                asked += 1
                assert answer.status_code < 500, (method, place, answer.text)
                if '"request.invalid"' in answer.text:
                    unread.add(f"{method} {path}")
                assert MARK not in answer.text, (method, place)
                if "{id}" in path:
                    assert answer.status_code >= 400, (method, place, answer.text)
                if asked % 400 == 0:
                    client = ours.client()
    assert asked > 200
    assert unread <= UNREAD, "a refusal of the form says nothing about whose the id is"
    assert snapshot(admin, theirs) == untouched


@given(data=st.data())
@run_settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_no_mixture_of_filters_leads_across(
    shared_world: World, houses: tuple[House, House], foreign_ids: list[UUID], data: st.DataObject
) -> None:
    ours, _ = houses
    foreign = data.draw(st.sampled_from(foreign_ids))
    method, path = data.draw(st.sampled_from([each for each in operations(shared_world) if each[0] == "GET"]))
    described = shared_world.app.openapi()["paths"][f"{ROOT}{path}"]["get"].get("parameters", [])
    names = [each["name"] for each in described if each["in"] == "query"]
    values = st.sampled_from([str(foreign), MARK, "bill", "1", "true", "error", NOW.isoformat()])
    query = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=4)) if names else {}
    answer = ours.client().call(method, path.replace("{id}", str(foreign)), params=query)
    assert answer.status_code < 500
    # A refusal may repeat what was asked for; an answer may not know it.
    assert answer.status_code >= 400 or MARK not in answer.text


# ---------------------------------------------------------------- below the routes: every query of the product

STAGES = {found["table"] for each in named_queries().values() if (found := TEMPORARY.match(each.text))}
# A temporary table holds what its own transaction put there, and nothing of anybody else's.
STATEMENTS = sorted(
    name
    for name, query in named_queries().items()
    if not NOT_PREPARED.match(query.text)
    and not any(re.search(rf"\b{stage}\b", query.text) for stage in STAGES)
)
ACROSS_BUILDERS = re.compile(r"runs as the scheduler")


def given_values(
    admin: psycopg.Connection, query: Query, *, house: House, foreign: list[UUID]
) -> Iterator[list[Any]]:
    """Values for a query that all point at the other builder, one set per id."""
    admin.execute(f"prepare asked as {numbered(query)}")
    row = admin.execute(
        "select parameter_types::text[] from pg_prepared_statements where name = 'asked'"
    ).fetchone()
    admin.execute("deallocate asked")
    assert row is not None
    names = sorted(query.parameters)
    for other in foreign:
        yield [_value(name, kind, house=house, other=other) for name, kind in zip(names, row[0], strict=True)]


def _value(name: str, kind: str, *, house: House, other: UUID) -> Any:
    fixed: dict[str, Any] = {
        "uuid": house.id
        if name == "builder_id"
        else house.connection_id
        if name == "connection_id"
        else other,
        "uuid[]": [other, house.connection_id],
        "timestamp with time zone": NOW + timedelta(days=400),
        "interval": timedelta(days=400),
        "integer": 100,
        "bigint": 100,
        "numeric": 1,
        "boolean": False,
        "jsonb": "{}",
        "json": "{}",
        "date": NOW.date(),
        "text[]": ["error", "held", "conflict", "connected", "active", "account", "bill"],
    }
    return fixed.get(kind, "bill" if name == "entity" else str(other))


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_query_in_our_name_reaches_the_other_builder_s_rows(
    houses: tuple[House, House],
    admin: psycopg.Connection,
    urls: DatabaseUrls,
    untouched: dict[str, str],
    foreign_by_table: dict[str, list[UUID]],
    name: str,
) -> None:
    query = named_queries()[name]
    ours, theirs = houses
    one_of_each = [several[0] for several in foreign_by_table.values()]
    if "insert into" in query.text:
        # A row of ours made under the id of their connection would be read by later queries as if it were theirs.
        one_of_each.remove(theirs.connection_id)
    with psycopg.connect(for_psycopg(urls.app), autocommit=True) as connection:
        for values in given_values(admin, query, house=theirs, foreign=one_of_each):
            try:
                # The audit log keeps what is written to it, the made-up ids of this test as well: later reads would show them.
                is_kept = "audit_log" not in query.text
                with connection.transaction(force_rollback=not is_kept), connection.cursor() as cursor:
                    cursor.execute("select set_config('app.builder_id', %s, true)", [str(ours.id)])
                    text = re.sub(
                        r"\$(\d+)", lambda found: f"%(p{found[1]})s", numbered(query).replace("%", "%%")
                    )
                    cursor.execute(text, {f"p{place}": value for place, value in enumerate(values, start=1)})
                    shown = str(cursor.fetchall()) if cursor.description else ""
            except psycopg.Error:
                continue  # refused by the wall itself, or by a type: nothing was seen
            assert MARK not in shown, name
            assert (
                ACROSS_BUILDERS.search(query.purpose)
                or str(theirs.connection_id) not in shown
                or str(theirs.connection_id) in map(str, values)
            ), name
    assert snapshot(admin, theirs) == untouched
