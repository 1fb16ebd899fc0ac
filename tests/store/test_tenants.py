"""Row-level security: every table with builder data is behind it, and the application's role is subject to it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg

TENANT_TABLES = """
    select c.oid::regclass::text, c.relrowsecurity, c.relforcerowsecurity
    from pg_class c
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
      and exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'builder_id' and not a.attisdropped
      )
"""
POLICIES = """
    select tablename, qual, with_check from pg_policies
    where schemaname = 'public' and permissive = 'PERMISSIVE' and roles && array['public', 'tieout_app']::name[]
"""
INDEXES_FOR_BUILDERS = """
    select i.indexrelid::regclass::text
    from pg_index i
    join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = %s::regclass and a.attname = 'builder_id'
"""
NO_BUILDER_OF_THEIR_OWN = {"alembic_version", "v2_builders"}


@pytest.fixture
def admin(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        yield connection


def test_every_table_with_a_builder_is_behind_forced_row_level_security(admin: psycopg.Connection) -> None:
    rows = admin.execute(TENANT_TABLES).fetchall()
    assert len(rows) > 20
    assert [name for name, is_enabled, is_forced in rows if not (is_enabled and is_forced)] == []


def test_every_table_with_a_builder_has_a_policy_that_names_it(admin: psycopg.Connection) -> None:
    tables = {row[0] for row in admin.execute(TENANT_TABLES)}
    bound = {
        table
        for table, using, check in admin.execute(POLICIES)
        if all("builder_id" in (text or "") and "app.builder_id" in (text or "") for text in (using, check))
    }
    assert tables - bound == set()


def test_every_policy_of_the_application_names_the_builder(admin: psycopg.Connection) -> None:
    # Policies add up: one that lets everything through would undo the others.
    open_to_all = [
        table for table, using, _ in admin.execute(POLICIES) if "app.builder_id" not in (using or "")
    ]
    assert open_to_all == []


def test_no_other_table_holds_builder_data(admin: psycopg.Connection) -> None:
    every = (
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace"
    )
    tables = {row[0] for row in admin.execute(every)}
    tenant = {row[0] for row in admin.execute(TENANT_TABLES)}
    without_builder = tables - tenant - NO_BUILDER_OF_THEIR_OWN
    references = """
        select 1 from pg_constraint
        where contype = 'f' and conrelid = %s::regclass and confrelid::regclass::text = any(%s)
    """
    leaks = [
        name
        for name in without_builder
        if admin.execute(references, [name, [*tenant, "v2_builders"]]).fetchone()
    ]
    assert leaks == []


def test_a_shared_token_set_is_seen_through_a_connection_alone(
    admin: psycopg.Connection, urls: DatabaseUrls
) -> None:
    walls = "select relrowsecurity, relforcerowsecurity from pg_class where oid = 'token_sets'::regclass"
    assert admin.execute(walls).fetchone() == (True, True)
    bound = [(using, check) for table, using, check in admin.execute(POLICIES) if table == "token_sets"]
    assert len(bound) == 1
    for text in bound[0]:
        assert "c.token_set_id = token_sets.id" in text
        assert "c.builder_id" in text
    with psycopg.connect(for_psycopg(urls.app), autocommit=True) as connection:
        made = (
            "insert into token_sets (id, provider, app, person, consented_at, access_token_encrypted,"
            " refresh_token_encrypted, token_expires_at, created_at, updated_at)"
            " values (gen_random_uuid(), 'xero', 'a', 'p', now(), 'x', 'x', now(), now(), now())"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute(made)


@pytest.mark.parametrize("role", ["tieout_app", "tieout_scheduler", "tieout_owner", "tieout_dagster"])
def test_no_role_of_ours_may_ignore_row_level_security(admin: psycopg.Connection, role: str) -> None:
    row = admin.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = %s", [role]
    ).fetchone()
    assert row == (False, False, False, False)


def test_the_application_owns_no_table(admin: psycopg.Connection) -> None:
    owners = "select distinct tableowner from pg_tables where schemaname = 'public'"
    assert {row[0] for row in admin.execute(owners)} == {"tieout_owner"}


def test_every_tenant_table_can_be_read_by_builder_without_a_full_scan(admin: psycopg.Connection) -> None:
    tables = [row[0] for row in admin.execute(TENANT_TABLES)]
    assert [table for table in tables if not admin.execute(INDEXES_FOR_BUILDERS, [table]).fetchall()] == []


def test_every_read_of_the_application_is_filtered_by_builder(
    admin: psycopg.Connection, urls: DatabaseUrls
) -> None:
    # The plan shows what the server will do, rows or none; an unfiltered table would show no trace of the setting.
    tables = [row[0] for row in admin.execute(TENANT_TABLES)]
    with psycopg.connect(for_psycopg(urls.app), autocommit=True) as connection:
        plans = {
            table: str(connection.execute(f"explain (verbose) select * from {table}").fetchall())
            for table in tables
        }
    assert [table for table, plan in plans.items() if "app.builder_id" not in plan] == []
    whole = str(admin.execute("explain (verbose) select * from v2_bills").fetchall())
    assert "app.builder_id" not in whole, "the superuser's plan shows that the test can tell the difference"


def test_the_scheduler_reads_only_what_is_due(urls: DatabaseUrls, admin: psycopg.Connection) -> None:
    grants = """
        select distinct table_name from information_schema.column_privileges
        where grantee = 'tieout_scheduler' and table_schema = 'public'
    """
    writes = """
        select count(*) from information_schema.role_table_grants
        where grantee = 'tieout_scheduler' and privilege_type <> 'SELECT'
    """
    readable = {row[0] for row in admin.execute(grants)}
    assert not readable & {
        "v2_bills",
        "v2_invoices",
        "v2_vendors",
        "v2_clients",
        "v2_journal_entries",
        "mirror",
    }
    secrets = """
        select column_name from information_schema.column_privileges
        where grantee = 'tieout_scheduler' and column_name ~ 'encrypted|verifier'
    """
    assert admin.execute(secrets).fetchall() == []
    assert admin.execute(writes).fetchone() == (0,)
