"""What a server needs before migrations can run: roles, the two databases, and rights on the schema.

Done by the login itself, safe to run again and from two processes at once; on a server where Tieout's login may not
create roles or databases, an administrator does it once with the files in sql/cluster/.
"""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from resources.postgres.errors import PostgresError, connection_problem
from resources.postgres.statements import cluster_statement
from resources.postgres.urls import (
    DAGSTER_ROLE,
    OWNER_ROLE,
    database_name,
    database_urls,
    for_psycopg,
    with_database,
)
from resources.settings import Settings

VERSION_NUMBER_MIN = 150_000
CONNECT_SECONDS_MAX = 10


def prepare_cluster(settings: Settings) -> None:
    """Make roles, databases and schema rights exist; says in one sentence what an administrator must do."""
    admin = database_urls(settings).admin
    product = database_name(admin)
    with _connected_to_any(admin) as connection:
        _make_roles(connection)
        _make_database(connection, product, OWNER_ROLE)
        owner = DAGSTER_ROLE if settings.is_embedded else connection.info.user
        _make_database(connection, settings.dagster_database, owner)
    with _connected(admin) as connection:
        _grant_schema(connection, product)


def _connected_to_any(admin: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the product's database, or to `postgres` as long as that does not exist."""
    try:
        return _connected(admin)
    except psycopg.OperationalError as error:
        # Whether the database is missing is said in the server's own language; so the other one is simply tried.
        try:
            return _connected(with_database(admin, "postgres"))
        except psycopg.OperationalError:
            raise PostgresError(_unreachable(admin, error)) from error


def _connected(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(for_psycopg(url), autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)


def _unreachable(url: str, error: psycopg.OperationalError) -> str:
    parts = urlsplit(url)
    return (
        f"The database at {parts.hostname or 'the local socket'} cannot be used by {parts.username}: {connection_problem(error)}. "
        "Check TIEOUT_DATABASE_URL, and that the server is up."
    )


def _make_roles(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    row = connection.execute(cluster_statement("roles_ready")).fetchone()
    version, are_ready = row or (0, False)
    if isinstance(version, int) and version < VERSION_NUMBER_MIN:
        raise PostgresError(
            f"The database server is PostgreSQL {version // 10_000}, and Tieout needs 15 or later; "
            "point TIEOUT_DATABASE_URL to a newer one."
        )
    if are_ready:
        return
    try:
        connection.execute(cluster_statement("roles"))
    except psycopg.errors.InsufficientPrivilege as error:
        user = connection.info.user
        raise PostgresError(
            f"The database user {user} may not create Tieout's roles; ask an administrator to run "
            f"sql/cluster/roles.sql and then: grant tieout_owner, tieout_app, tieout_scheduler, tieout_dagster to {user}."
        ) from error


def _make_database(connection: psycopg.Connection[tuple[object, ...]], database: str, owner: str) -> None:
    found = connection.execute(cluster_statement("database_exists"), {"database": database}).fetchone()
    if found and found[0]:
        return
    template = sql.SQL(cluster_statement("database_create"))
    try:
        connection.execute(template.format(database=sql.Identifier(database), owner=sql.Identifier(owner)))
    except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
        return  # made by another process in the meantime
    except psycopg.errors.InsufficientPrivilege as error:
        raise PostgresError(
            f"The database user {connection.info.user} may not create the database {database}; ask an administrator "
            f"to create it, owned by {owner}."
        ) from error


def _grant_schema(connection: psycopg.Connection[tuple[object, ...]], database: str) -> None:
    if _are_grants_held(connection):
        return
    with suppress(psycopg.errors.InsufficientPrivilege):
        connection.execute(cluster_statement("database_grants"))
    # Asked again: a grant by someone who may not give it is only a warning.
    if not _are_grants_held(connection):
        raise PostgresError(
            f"The database user {connection.info.user} may not give rights in the database {database}; ask an "
            "administrator to run sql/cluster/database_grants.sql there."
        )


def _are_grants_held(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    row = connection.execute(cluster_statement("database_grants_held")).fetchone()
    return row is not None and bool(row[0])
