"""Migrations: Alembic runs the hand-written files sql/migrations/NNNN_name.sql in order, forward only.

Alembic keeps the account of what was run (`alembic_version`) and gives each file a transaction of its own; a file
whose first line is `-- tieout: no transaction` (for `create index concurrently`) runs outside one and holds one
statement. There is no way back: a mistake is mended by the next file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

import psycopg
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import Revision, RevisionMap

from resources.postgres.errors import PostgresError, connection_problem
from resources.postgres.statements import SQL_FOLDER, cluster_statement
from resources.postgres.urls import for_psycopg

MIGRATIONS = SQL_FOLDER / "migrations"
FILE_NAME = re.compile(r"(?P<number>\d{4})_[a-z0-9_]+")
WITHOUT_TRANSACTION = "-- tieout: no transaction"


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a migration run did: the files it ran, and the number the database now stands at."""

    applied: tuple[str, ...]
    stands_at: str | None


def migrate(owner_url: str, *, folder: Path = MIGRATIONS) -> MigrationReport:
    """Bring a database to the newest migration; roles must exist already (see `prepare_cluster`)."""
    scripts = _scripts(folder)
    applied: list[str] = []
    with _one_at_a_time(owner_url), _connected(owner_url) as connection:
        context = MigrationContext.configure(
            connection, opts={"fn": partial(_steps, scripts), "transaction_per_migration": True}
        )
        _refuse_newer(context, scripts)
        context.run_migrations(context=context, applied=applied)
        return MigrationReport(tuple(applied), context.get_current_revision())


def pending_migrations(owner_url: str, *, folder: Path = MIGRATIONS) -> list[str]:
    """The files a migration run would apply, oldest first."""
    scripts = _scripts(folder)
    with _connected(owner_url) as connection:
        context = MigrationContext.configure(connection)
        _refuse_newer(context, scripts)
        return [Path(script.path).stem for script in _after(scripts, context.get_current_revision())]


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    try:
        connection = engine.connect()
    except sa.exc.OperationalError as error:
        raise PostgresError(
            f"The database cannot be reached: {connection_problem(error.orig)}. "
            "Start it with 'tieout db start', or check TIEOUT_DATABASE_URL."
        ) from error
    with connection:
        yield connection


@contextmanager
def _one_at_a_time(url: str) -> Iterator[None]:
    # On a connection of its own: the lock lasts as long as the connection, whatever the files do with transactions.
    try:
        holder = psycopg.connect(for_psycopg(url), autocommit=True)
    except psycopg.OperationalError as error:
        raise PostgresError(
            f"The database cannot be reached: {connection_problem(error)}. "
            "Start it with 'tieout db start', or check TIEOUT_DATABASE_URL."
        ) from error
    with holder:
        holder.execute(cluster_statement("migration_lock"))
        yield


def _scripts(folder: Path) -> ScriptDirectory:
    """Alembic's view of a folder of SQL files: one revision per file, each following the one before."""
    files = sorted(folder.glob("*.sql"))
    revisions: list[Script] = []
    for file in files:
        named = FILE_NAME.fullmatch(file.stem)
        number = f"{len(revisions) + 1:04}"
        if named is None or named["number"] != number:
            raise PostgresError(
                f"{file} is out of order: the next migration is named {number}_what_it_does.sql."
            )
        revisions.append(_revision(file, number, revisions[-1].revision if revisions else None))
    directory = ScriptDirectory(str(folder))

    def all_revisions() -> Iterator[Revision]:
        return iter(revisions)

    directory.revision_map = RevisionMap(all_revisions)
    return directory


def _revision(file: Path, number: str, previous: str | None) -> Script:
    module = ModuleType(file.stem, doc=file.stem)
    vars(module).update(revision=number, down_revision=previous, upgrade=_upgrade(file))
    return Script(module, number, str(file))


def _upgrade(file: Path) -> Callable[..., None]:
    def upgrade(*, context: MigrationContext, applied: list[str]) -> None:
        text = file.read_text(encoding="utf-8")
        try:
            if text.startswith(WITHOUT_TRANSACTION):
                with context.autocommit_block():
                    _run(context, text)
            else:
                _run(context, cluster_statement("migration_timeouts"))
                _run(context, text)
        except sa.exc.DBAPIError as error:
            raise PostgresError(_explain(file, text, error)) from error
        applied.append(file.stem)

    return upgrade


def _run(context: MigrationContext, text: str) -> None:
    assert context.connection is not None, "migrations always have a connection"
    # Without parameters the driver sends the file as it is: several statements, percent signs and all.
    context.connection.exec_driver_sql(text, execution_options={"no_parameters": True})


def _steps(
    scripts: ScriptDirectory, heads: tuple[str, ...], _context: MigrationContext
) -> list[MigrationStep]:
    current = next(iter(heads), None)
    return [
        MigrationStep.upgrade_from_script(scripts.revision_map, script) for script in _after(scripts, current)
    ]


def _after(scripts: ScriptDirectory, current: str | None) -> list[Script]:
    """The revisions above the current one, oldest first."""
    upwards = reversed(list(scripts.walk_revisions()))
    return [script for script in upwards if current is None or script.revision > current]


def _refuse_newer(context: MigrationContext, scripts: ScriptDirectory) -> None:
    current = context.get_current_revision()
    newest = scripts.get_current_head()
    if current is not None and (newest is None or current > newest):
        raise PostgresError(
            f"The database was migrated to {current} by a newer Tieout, and this one knows up to {newest}; "
            "install that Tieout again, or restore the backup made before."
        )


def _explain(file: Path, text: str, error: sa.exc.DBAPIError) -> str:
    cause = error.orig
    place = file.name
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return (
            f"Migration {file.stem} waited too long for a lock that somebody else holds, and changed nothing; "
            "run 'tieout migrate' again at a quieter moment."
        )
    if isinstance(cause, psycopg.Error) and cause.diag.statement_position:
        line = text.count("\n", 0, int(cause.diag.statement_position) - 1) + 1
        place = f"{file.name}, line {line}"
    return (
        f"Migration {file.stem} failed and changed nothing: {str(cause).strip().splitlines()[0]} ({place})."
    )
