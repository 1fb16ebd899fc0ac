"""Migrations: in order, once each, whole or not at all, and one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from resources.postgres import PostgresError, database_urls
from resources.postgres.migrate import migrate, pending_migrations
from resources.postgres.statements import cluster_statement
from resources.postgres.urls import for_psycopg
from tests.support.postgres import SessionServer, settings_for

Migrations = Callable[..., Path]


@pytest.fixture
def owner_url(postgres_server: SessionServer, tmp_path: Path) -> Iterator[str]:
    """An empty database, prepared but not migrated."""
    with postgres_server.fresh_database(template="template0") as url:
        with psycopg.connect(for_psycopg(url), autocommit=True) as connection:
            connection.execute(cluster_statement("database_grants"))
        yield database_urls(settings_for(url, tmp_path)).owner


@pytest.fixture
def migrations(tmp_path: Path) -> Migrations:
    """Writes files into one folder: migrations(first="create table …")."""

    def write(**files: str) -> Path:
        folder = tmp_path / "migrations"
        folder.mkdir(exist_ok=True)
        for number, (name, text) in enumerate(files.items(), start=1):
            folder.joinpath(f"{number:04}_{name}.sql").write_text(text)
        return folder

    return write


def tables(url: str) -> set[str]:
    with psycopg.connect(for_psycopg(url)) as connection:
        return {
            row[0]
            for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")
        }


def test_files_run_in_order_and_once(owner_url: str, migrations: Migrations) -> None:
    folder = migrations(
        first="create table a (x int); create table b (x int);", second="insert into a values (1);"
    )
    assert pending_migrations(owner_url, folder=folder) == ["0001_first", "0002_second"]
    assert migrate(owner_url, folder=folder).applied == ("0001_first", "0002_second")
    again = migrate(owner_url, folder=folder)
    assert (again.applied, again.stands_at) == ((), "0002")
    assert tables(owner_url) == {"a", "b", "alembic_version"}


def test_a_later_file_is_added_to_what_is_there(owner_url: str, migrations: Migrations) -> None:
    migrate(owner_url, folder=migrations(first="create table a (x int);"))
    folder = migrations(first="create table a (x int);", second="create table b (x int);")
    assert migrate(owner_url, folder=folder).applied == ("0002_second",)


def test_a_file_that_fails_changes_nothing_and_says_where(owner_url: str, migrations: Migrations) -> None:
    folder = migrations(first="create table a (x int);", second="create table b (x int);\n\nselect nonsense;")
    with pytest.raises(PostgresError, match=r"0002_second failed and changed nothing: .*nonsense.*line 3"):
        migrate(owner_url, folder=folder)
    assert tables(owner_url) == {"a", "alembic_version"}
    assert pending_migrations(owner_url, folder=folder) == ["0002_second"]


def test_percent_signs_and_colons_are_left_alone(owner_url: str, migrations: Migrations) -> None:
    folder = migrations(first="create table a (x text check (x like '%(a)s%' or x::text = ':b'));")
    migrate(owner_url, folder=folder)
    assert "a" in tables(owner_url)


def test_an_index_can_be_built_without_a_transaction(owner_url: str, migrations: Migrations) -> None:
    index = "-- tieout: no transaction\ncreate index concurrently a_x on a (x);"
    report = migrate(owner_url, folder=migrations(first="create table a (x int);", second=index))
    assert report.stands_at == "0002"


def test_a_gap_in_the_numbers_is_refused(owner_url: str, migrations: Migrations) -> None:
    folder = migrations(first="select 1;")
    folder.joinpath("0003_third.sql").write_text("select 1;")
    with pytest.raises(PostgresError, match="the next migration is named 0002_"):
        migrate(owner_url, folder=folder)


def test_a_database_of_a_newer_tieout_is_refused(
    owner_url: str, migrations: Migrations, tmp_path: Path
) -> None:
    migrate(owner_url, folder=migrations(first="select 1;", second="select 2;"))
    older = tmp_path / "older"
    older.mkdir()
    older.joinpath("0001_first.sql").write_text("select 1;")
    with pytest.raises(PostgresError, match="migrated to 0002 by a newer Tieout"):
        migrate(owner_url, folder=older)


def test_two_processes_migrating_at_once_do_the_work_once(owner_url: str, migrations: Migrations) -> None:
    folder = migrations(first="create table a (x int); select pg_sleep(0.3);")
    reports: list[tuple[str, ...]] = []
    threads = [
        threading.Thread(target=lambda: reports.append(migrate(owner_url, folder=folder).applied))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(reports) == [(), ("0001_first",)]


def test_a_database_that_cannot_be_reached_ends_in_one_sentence(migrations: Migrations) -> None:
    with pytest.raises(PostgresError, match=r"cannot be reached: .*Connection refused"):
        migrate("postgresql+psycopg://me@127.0.0.1:1/tieout", folder=migrations(first="select 1;"))


def test_the_product_s_own_migrations_apply_to_an_empty_database(owner_url: str) -> None:
    report = migrate(owner_url)
    assert report.applied[0] == "0001_first"
    assert {"v2_integration_connections", "v2_account_mappings", "v2_sync_log", "v2_sync_records"} <= tables(
        owner_url
    )
