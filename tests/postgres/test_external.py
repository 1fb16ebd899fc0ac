"""A PostgreSQL of one's own, by one URL: Tieout takes on its roles, or says what an administrator has to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from resources.postgres import PostgresError, database_urls, prepare_cluster
from resources.postgres.migrate import migrate
from resources.postgres.urls import for_psycopg, with_database
from resources.settings import Settings, load_settings
from resources.store.database import Database
from tests.support.postgres import SessionServer

ALogin = Callable[[str], Settings]


@pytest.fixture
def a_login(postgres_server: SessionServer, tmp_path: Path) -> Iterator[ALogin]:
    """Settings whose URL logs in as a new role with the given attributes; its databases go with it."""
    suffix = uuid4().hex[:8]
    login, product, dagster = f"login_{suffix}", f"product_{suffix}", f"dagster_{suffix}"

    def make(attributes: str) -> Settings:
        run(postgres_server, f"create role {login} login {attributes}")
        host = database_urls(postgres_server.settings).admin.split("?host=")[1]
        url = f"postgresql://{login}@/{product}?host={host}"
        return load_settings(_env_file=None, home=tmp_path, database_url=url, dagster_database=dagster)

    yield make
    for database in (product, dagster):
        run(postgres_server, f"drop database if exists {database} with (force)")
    run(postgres_server, f"drop role if exists {login}")


def run(server: SessionServer, statement: str) -> None:
    with psycopg.connect(for_psycopg(server.admin_url), autocommit=True) as connection:
        connection.execute(sql.SQL(statement))


def who_the_application_is(settings: Settings) -> tuple[str, str]:
    with Database(database_urls(settings)) as database, database.builder_tx(uuid4()) as transaction:
        row = transaction.connection.exec_driver_sql("select current_user, current_setting('timezone')").one()
    return row[0], row[1]


def test_a_superuser_s_url_is_enough_and_the_application_gives_its_power_up(a_login: ALogin) -> None:
    settings = a_login("superuser")
    prepare_cluster(settings)
    migrate(database_urls(settings).owner)
    assert who_the_application_is(settings) == ("tieout_app", "UTC")


def test_a_login_that_may_create_databases_and_has_the_roles_is_enough(
    a_login: ALogin, postgres_server: SessionServer
) -> None:
    settings = a_login("createdb")
    login = database_urls(settings).admin.split("//")[1].split("@")[0]
    run(postgres_server, f"grant tieout_owner, tieout_app, tieout_scheduler, tieout_dagster to {login}")
    prepare_cluster(settings)
    prepare_cluster(settings)
    migrate(database_urls(settings).owner)
    assert who_the_application_is(settings) == ("tieout_app", "UTC")


def test_a_login_without_rights_is_told_what_to_ask_for(a_login: ALogin) -> None:
    settings = a_login("nocreaterole nocreatedb")
    with pytest.raises(
        PostgresError, match=r"may not create Tieout's roles; ask an administrator to run sql/cluster"
    ):
        prepare_cluster(settings)


def test_a_login_that_may_not_create_databases_is_told_which_one_is_missing(
    a_login: ALogin, postgres_server: SessionServer
) -> None:
    settings = a_login("nocreatedb")
    login = database_urls(settings).admin.split("//")[1].split("@")[0]
    run(postgres_server, f"grant tieout_owner, tieout_app, tieout_scheduler, tieout_dagster to {login}")
    with pytest.raises(PostgresError, match=r"may not create the database product_"):
        prepare_cluster(settings)


def test_a_server_that_is_down_ends_in_one_sentence(tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None, home=tmp_path, database_url="postgresql://me:hunter2@127.0.0.1:1/tieout"
    )
    with pytest.raises(PostgresError, match="Connection refused") as caught:
        prepare_cluster(settings)
    assert "hunter2" not in str(caught.value)
    assert "Check TIEOUT_DATABASE_URL" in str(caught.value)


def test_addresses_name_their_driver_and_keep_what_was_given() -> None:
    given = "postgres://me:p%40ss@db.example.com:5433/books?sslmode=require&options=-c%20x%3D1"
    urls = database_urls(load_settings(_env_file=None, database_url=given))
    assert urls.dagster.startswith(
        "postgresql+psycopg2://me:p%40ss@db.example.com:5433/dagster?sslmode=require"
    )
    for url, role in (
        (urls.app, "tieout_app"),
        (urls.owner, "tieout_owner"),
        (urls.scheduler, "tieout_scheduler"),
    ):
        assert url.startswith(
            "postgresql+psycopg://me:p%40ss@db.example.com:5433/books?sslmode=require&options="
        )
        assert f"role%3D{role}" in url
    assert "p%40ss" not in repr(urls)


def test_a_login_that_is_the_application_s_role_already_stays_it() -> None:
    urls = database_urls(load_settings(_env_file=None, database_url="postgresql://tieout_app@h/books"))
    assert urls.app == "postgresql+psycopg://tieout_app@h/books"


def test_another_database_of_a_socket_address_keeps_the_socket() -> None:
    url = "postgresql+psycopg://me@/one?host=/run/here"
    assert with_database(url, "two") == "postgresql+psycopg://me@/two?host=/run/here"
