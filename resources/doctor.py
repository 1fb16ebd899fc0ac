"""Looks over an installation: settings, data folder, database, ports, and says in a sentence what is wrong."""

from __future__ import annotations

import importlib.metadata
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import psycopg

from resources.postgres import PostgresError, database_urls, embedded_status
from resources.postgres.errors import connection_problem
from resources.postgres.migrate import pending_migrations
from resources.postgres.statements import cluster_statement
from resources.postgres.urls import for_psycopg
from resources.settings import Settings, unknown_variables

FREE_BYTES_MIN = 500_000_000
PYTHON_MIN = (3, 11)


class Verdict(StrEnum):
    """How a finding is meant."""

    FINE = "ok"
    WARNING = "warn"
    WRONG = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what there is to say about it."""

    verdict: Verdict
    subject: str
    sentence: str


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, in the order in which a person would look."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _settings,
        _data_folder,
        _database,
        _providers,
        _ports,
    )
    for check in checks:
        yield from check(settings)


def _python(_settings: Settings) -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < PYTHON_MIN:
        yield Finding(Verdict.WRONG, "python", f"Python {version} is too old; Tieout needs 3.11 or later.")
    else:
        tieout = importlib.metadata.version("tieout")
        yield Finding(Verdict.FINE, "python", f"Python {version}, Tieout {tieout}.")


def _settings(_settings: Settings) -> Iterator[Finding]:
    sentences = unknown_variables()
    for sentence in sentences:
        yield Finding(Verdict.WARNING, "settings", sentence)
    if not sentences:
        yield Finding(Verdict.FINE, "settings", "Every TIEOUT_ variable is one Tieout knows.")


def _data_folder(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    if not home.exists():
        yield Finding(Verdict.FINE, "data folder", f"{home} does not exist yet; the first start makes it.")
        return
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES_MIN:
        yield Finding(
            Verdict.WARNING, "data folder", f"{home} has only {free // 1_000_000} MB left; make room."
        )
    else:
        yield Finding(Verdict.FINE, "data folder", f"{home}, {free // 1_000_000_000} GB free.")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.is_embedded and embedded_status(settings) is None:
        yield Finding(
            Verdict.WARNING, "database", "The embedded PostgreSQL is stopped; 'tieout db start' starts it."
        )
        return
    urls = database_urls(settings)
    try:
        with psycopg.connect(for_psycopg(urls.app), autocommit=True, connect_timeout=5) as connection:
            version = connection.info.server_version
            row = connection.execute(cluster_statement("role_is_bound")).fetchone()
    except psycopg.OperationalError as error:
        yield Finding(
            Verdict.WRONG,
            "database",
            f"{connection_problem(error)}; run 'tieout migrate', which prepares roles and databases.",
        )
        return
    kind = "embedded" if settings.is_embedded else "your own"
    yield Finding(Verdict.FINE, "database", f"PostgreSQL {version // 10_000}.{version % 10_000}, {kind}.")
    if row is None or not row[0]:
        yield Finding(
            Verdict.WRONG,
            "tenants",
            "The application's role ignores row-level security; use a login without SUPERUSER and BYPASSRLS.",
        )
    else:
        yield Finding(Verdict.FINE, "tenants", f"Row-level security applies to {row[1]}.")
    yield _migrations(urls.owner)


def _migrations(owner_url: str) -> Finding:
    try:
        pending = pending_migrations(owner_url)
    except PostgresError as error:
        return Finding(Verdict.WRONG, "migrations", str(error))
    if pending:
        return Finding(Verdict.WRONG, "migrations", f"{len(pending)} not applied yet; run 'tieout migrate'.")
    return Finding(Verdict.FINE, "migrations", "The database is up to date.")


def _providers(settings: Settings) -> Iterator[Finding]:
    for provider, name in (("quickbooks", "QuickBooks Online"), ("xero", "Xero")):
        identity = getattr(settings, f"{provider}_client_id")
        secret = getattr(settings, f"{provider}_client_secret").get_secret_value()
        prefix = f"TIEOUT_{provider.upper()}_CLIENT"
        if identity and secret:
            yield Finding(Verdict.FINE, name, f"The app {identity[:4]}… is set.")
        elif identity or secret:
            yield Finding(Verdict.WRONG, name, f"Set both {prefix}_ID and {prefix}_SECRET, or neither.")
        else:
            yield Finding(
                Verdict.WARNING,
                name,
                f"Cannot be connected until {prefix}_ID and {prefix}_SECRET are set (the demo sets its own).",
            )


def _ports(settings: Settings) -> Iterator[Finding]:
    for subject, port in (("API", settings.api_port), ("Dagster", settings.dagster_port)):
        with socket.socket() as probe:
            probe.settimeout(1)
            is_taken = probe.connect_ex(("127.0.0.1", port)) == 0
        sentence = (
            f"Port {port} is in use: {subject} runs, or something else does."
            if is_taken
            else f"Port {port} is free."
        )
        yield Finding(Verdict.FINE, f"{subject} port", sentence)
