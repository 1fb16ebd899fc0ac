"""One embedded server per test session, shared by all its processes, and databases cloned from one template."""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from resources.postgres import database_urls, start_embedded, stop_embedded
from resources.postgres.migrate import migrate
from resources.postgres.statements import cluster_statement
from resources.postgres.urls import for_psycopg, with_database
from resources.settings import Settings, load_settings

HOME_VARIABLE = "TESTS_POSTGRES_HOME"
TEMPLATE = "tieout_template"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class SessionServer:
    """The session's server, and how to get a database of one's own on it."""

    settings: Settings

    @property
    def admin_url(self) -> str:
        """The server's own `postgres` database, as its superuser."""
        return with_database(database_urls(self.settings).admin, "postgres")

    @contextmanager
    def fresh_database(self, *, template: str = TEMPLATE) -> Iterator[str]:
        """The superuser's address of a new database, dropped at the end."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        self._run(
            "create database {name} template {template} owner tieout_owner", name=name, template=template
        )
        try:
            yield with_database(self.admin_url, name)
        finally:
            self._run("drop database {name} with (force)", name=name)

    def _run(self, statement: str, **names: str) -> None:
        identifiers = {key: sql.Identifier(value) for key, value in names.items()}
        with psycopg.connect(for_psycopg(self.admin_url), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(**identifiers))


def reserve_home() -> None:
    """Choose the session's data folder once, in the process that the workers inherit from."""
    os.environ.setdefault(HOME_VARIABLE, tempfile.mkdtemp(prefix="tieout-tests-"))


def release_home() -> None:
    """Stop the session's server, if it was ever started, and remove its folder."""
    home = os.environ.pop(HOME_VARIABLE, None)
    if home:
        stop_embedded(_settings(home))
        shutil.rmtree(home, ignore_errors=True)


def session_server() -> SessionServer:
    """The session's server, started and with its template migrated by whichever process comes first."""
    home = os.environ[HOME_VARIABLE]
    settings = _settings(home)
    with Path(home, "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        start_embedded(settings, is_durable=False)
        server = SessionServer(settings)
        ready = Path(home, "template.ready")
        if not ready.exists():
            make_template(server)
            ready.touch()
    return server


def make_template(server: SessionServer) -> None:
    """The database every other one is cloned from: prepared and migrated once."""
    server._run("create database {name} template template0 owner tieout_owner", name=TEMPLATE)
    url = with_database(server.admin_url, TEMPLATE)
    with psycopg.connect(for_psycopg(url), autocommit=True) as connection:
        connection.execute(cluster_statement("database_grants"))
    migrate(with_database(database_urls(server.settings).owner, TEMPLATE))


def settings_for(url: str, home: Path, **more: object) -> Settings:
    """Settings of an installation that uses this database as a PostgreSQL of its own."""
    return load_settings(_env_file=None, home=home, database_url=url, **more)


def _settings(home: str) -> Settings:
    return load_settings(_env_file=None, home=Path(home))
