"""Many builders, each connected to a company of its own in one QuickBooks sandbox process.

One builder goes through the product's consent and first syncs; the others are its copies, row by row under ids derived
from theirs, with companies, grants and sealed tokens of their own. Two thousand first syncs would measure something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import psycopg
from psycopg import sql

from resources.http import token_client
from resources.oauth import OAuth, TokenSet, new_verifier
from resources.postgres.urls import for_psycopg
from resources.quickbooks.spec import SPEC
from resources.settings import Settings
from tests.flows.quickbooks_world import QuickBooksWorld

REDIRECT = "http://127.0.0.1/callback"
# What happened to the first builder is nobody else's history.
HISTORY = ("audit_log", "oauth_attempts", "sync_runs", "v2_sync_log", "v2_sync_records")
COLUMNS = """
select c.table_name, array_agg(c.column_name::text order by c.ordinal_position),
       array_agg(c.udt_name::text order by c.ordinal_position)
from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
group by c.table_name
having bool_or(c.column_name = 'builder_id') or c.table_name = 'v2_builders'
order by c.table_name
"""


@dataclass(frozen=True, slots=True)
class Twin:
    """One of the many."""

    builder_id: str
    connection_id: str
    realm: str


def superuser(settings: Settings) -> psycopg.Connection[tuple[object, ...]]:
    """A connection that sees the rows of every builder; each statement is a transaction."""
    return psycopg.connect(for_psycopg(settings.database_url.get_secret_value()), autocommit=True)


def multiply(world: QuickBooksWorld, settings: Settings, count: int) -> list[Twin]:
    """Make so many copies of a settled builder, and connect each."""
    realms = {str(uuid4()): str(uuid4().int)[:16] for _ in range(count)}
    _companies(world.sandbox_url, list(realms.values()))
    with superuser(settings) as connection, connection.transaction():
        # Copies are as consistent as what they are copied from: no trigger has to look at them.
        connection.execute("set local session_replication_role = replica")
        connection.execute("create temporary table twins (builder_id uuid, realm text) on commit drop")
        with connection.cursor().copy("copy twins from stdin") as copy:
            for each in realms.items():
                copy.write_row(each)
        for table, names, types in connection.execute(COLUMNS).fetchall():
            if table not in HISTORY:
                connection.execute(_copied(str(table), names, types), {"template": world.builder_id})  # type: ignore[arg-type]
        made = connection.execute(
            "update v2_integration_connections c set provider_tenant_id = t.realm, next_due_at = null"
            " from twins t where t.builder_id = c.builder_id returning t.builder_id::text, c.id::text, t.realm"
        ).fetchall()
    with superuser(settings) as connection:
        connection.execute("analyze")
    twins = [Twin(*map(str, row)) for row in made]
    _grant(world, settings, twins)
    return twins


def _companies(sandbox_url: str, realms: list[str]) -> None:
    """Open the companies yesterday, so that to the copies' cursors nothing of theirs is new."""
    with httpx.Client(base_url=f"{sandbox_url}/_sandbox", timeout=60) as control:
        control.post("/clock", json={"shift_seconds": -86_400}).raise_for_status()
        for realm in realms:
            made = control.post("/companies", json={"realm": realm, "name": f"Larch Books {realm}"})
            assert made.is_success, made.text
        control.post("/clock", json={"reset": True}).raise_for_status()


def _copied(table: str, names: list[str], types: list[str]) -> sql.Composed:
    builder = "id" if table == "v2_builders" else "builder_id"
    values: list[sql.Composable] = []
    for name, kind in zip(names, types, strict=True):
        column = sql.Identifier("r", name)
        if name == builder:
            values.append(sql.SQL("t.builder_id"))
        elif kind == "uuid":
            values.append(sql.SQL("md5({}::text || t.builder_id::text)::uuid").format(column))
        elif (table, name) == ("v2_integration_connections", "provider_tenant_id"):
            # Unique among all builders, and set below together with the rest.
            values.append(sql.SQL("t.realm"))
        else:
            values.append(column)
    return sql.SQL(
        "insert into {} ({}) select {} from {} r cross join twins t where r.{} = %(template)s"
    ).format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(values),
        sql.Identifier(table),
        sql.Identifier(builder),
    )


def _grant(world: QuickBooksWorld, settings: Settings, twins: list[Twin]) -> None:
    """Let each company's owner consent, and store the tokens sealed to their places."""
    with token_client() as http, superuser(settings) as connection, connection.cursor() as cursor:
        oauth = OAuth(SPEC.endpoints(world.tieout.settings), http=http, clock=world.tieout.clock)
        for twin in twins:
            tokens = consented(oauth, http, twin.realm)
            place = {"builder_id": twin.builder_id, "connection_id": twin.connection_id}
            cursor.execute(
                "update v2_integration_connections set access_token_encrypted = %s, refresh_token_encrypted = %s,"
                " token_expires_at = %s where id = %s",
                (
                    world.tieout.vault.seal(tokens.access_token, **place, field="access_token"),
                    world.tieout.vault.seal(tokens.refresh_token, **place, field="refresh_token"),
                    tokens.expires_at,
                    twin.connection_id,
                ),
            )


def consented(oauth: OAuth, http: httpx.Client, realm: str) -> TokenSet:
    """Let a company's owner consent, and return the tokens."""
    verifier = new_verifier()
    url = oauth.authorization_url(state="s", verifier=verifier, redirect_uri=REDIRECT)
    answer = http.get(f"{url}&sandbox_consent=auto&sandbox_realm={realm}")
    code = dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]
    return oauth.exchange(code, verifier=verifier, redirect_uri=REDIRECT)
