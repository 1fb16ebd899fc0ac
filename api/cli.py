"""The command line, `tieout`.

Every command imports what it needs when it runs, so that `--help` is quick; what needs Dagster or a sandbox is
another program, which takes this process's place.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.cli_apps import apps
from api.cli_export import export_command
from api.cli_import import import_command
from api.cli_import import imports as imports_group
from api.cli_keyring import keyring
from api.cli_keys import keys
from api.cli_prune import prune
from api.cli_sessions import signin, signout
from api.cli_sync import sync_command

if TYPE_CHECKING:
    from resources.settings import Settings

app = typer.Typer(
    name="tieout",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Keeps a construction platform's books and its builders' accounting systems in agreement.\n\n"
    "To see it work: tieout demo --once. For your own installation: put your settings into a .env file, "
    "then tieout doctor, tieout migrate, tieout serve.",
)
db = typer.Typer(
    no_args_is_help=True, help="Start, stop or look at the embedded PostgreSQL under TIEOUT_HOME."
)
app.add_typer(db, name="db")
app.add_typer(keys, name="keys")
app.add_typer(apps, name="apps")
app.add_typer(keyring, name="keyring")
app.command("import")(import_command)
app.command("export")(export_command)
app.command()(signin)
app.command()(signout)
app.command("sync")(sync_command)
app.command()(prune)
app.add_typer(imports_group, name="imports")

KEEP_ALIVE_SECONDS = 75
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def main() -> None:
    """Run a command; what a user can mend ends in one sentence and status 1, never in a traceback."""
    from resources.postgres.errors import PostgresError
    from resources.settings import SettingsError
    from sync.errors import SyncError

    try:
        app()
    except (SettingsError, PostgresError, SyncError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; starts the embedded PostgreSQL when it is stopped.

    Safe to run at any time and from two machines at once. On a PostgreSQL of your own it also makes the roles
    tieout_owner, tieout_app, tieout_scheduler and tieout_dagster, when its user may create roles.
    """
    from resources.postgres import database_urls, prepare_cluster, start_embedded
    from resources.postgres.migrate import migrate as run_migrations

    settings = _settings()
    if settings.is_embedded:
        start_embedded(settings)
    else:
        prepare_cluster(settings)
    report = run_migrations(database_urls(settings).owner)
    for name in report.applied:
        print(f"applied {name}")
    print(f"The database is at {report.stands_at}.")


@app.command()
def doctor() -> None:
    """Look over settings, data folder, database and ports; ends with status 1 when something is wrong."""
    from resources.doctor import Verdict, examine

    is_wrong = False
    for finding in examine(_settings()):
        is_wrong = is_wrong or finding.verdict is Verdict.WRONG
        print(f"{finding.verdict:<5} {finding.subject:<18} {finding.sentence}")
    if is_wrong:
        raise typer.Exit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else TIEOUT_API_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else TIEOUT_API_PORT.")] = None,
) -> None:
    """Run the API and the builders' pages until Ctrl-C."""
    import uvicorn

    from api.metrics import counted_together
    from resources.logging import configure_logging

    settings = _settings()
    _require_database(settings)
    configure_logging(settings)
    with counted_together(settings.api_processes):
        uvicorn.run(
            "api.app:create_app",
            factory=True,
            host=host or settings.api_host,
            port=port or settings.api_port,
            workers=settings.api_processes,
            # Longer than the minute after which balancers end an idle connection: whoever sends ends it, so that no request
            # is lost on a connection that is being closed from this side.
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            log_config=None,
            access_log=False,
            server_header=False,
        )


@app.command()
def deliver(
    once: Annotated[bool, typer.Option("--once", help="Send what is due now, then end.")] = False,
) -> None:
    """Send what is due, webhooks and mails about notices, until Ctrl-C. Several may run; each thing is sent by one of them."""
    from resources.delivery import Deliverer, deliver_until_stopped
    from resources.logging import configure_logging
    from resources.webhooks import WebhookSender
    from resources.wiring import Tieout

    settings = _settings()
    _require_database(settings)
    configure_logging(settings)
    with Tieout(settings) as tieout:
        sender = WebhookSender(tieout.database, settings, vault=tieout.vault, clock=tieout.clock)
        deliverer = Deliverer(tieout.database, settings, clock=tieout.clock, webhooks=sender)
        if once:
            print(deliverer.deliver_once())
        else:
            deliver_until_stopped(deliverer)


@app.command(context_settings=PASSED_ON)
def demo(context: typer.Context) -> None:
    """Bring everything up with two made-up builders and run a first sync; --once ends after it."""
    _become("pipelines.demo", context.args)


@app.command()
def worker() -> None:
    """Send what is approved on the platform to the ledger at once, until Ctrl-C; several workers may run."""
    _require_database(_settings())
    _become("pipelines.worker", [])


@app.command(context_settings=PASSED_ON)
def sandbox(context: typer.Context) -> None:
    """Run a made-up provider on this machine: tieout sandbox quickbooks --port 8101, or xero."""
    _become("sandbox", context.args)


@db.command("start")
def db_start() -> None:
    """Start the embedded PostgreSQL; finds one that already runs."""
    from resources.postgres import start_embedded

    server = start_embedded(_settings())
    print(f"PostgreSQL {'started' if server.was_started else 'already runs'} (process {server.pid}).")


@db.command("stop")
def db_stop() -> None:
    """Stop the embedded PostgreSQL and wait for its end."""
    from resources.postgres import stop_embedded

    print("PostgreSQL stopped." if stop_embedded(_settings()) else "PostgreSQL was not running.")


@db.command("status")
def db_status() -> None:
    """Tell whether the embedded PostgreSQL runs; ends with status 3 when it does not."""
    from resources.postgres import embedded_status
    from resources.postgres.urls import database_urls

    settings = _settings()
    if not settings.is_embedded:
        print("TIEOUT_DATABASE_URL names a PostgreSQL of your own; 'tieout doctor' looks at it.")
        return
    server = embedded_status(settings)
    if server is None:
        print("PostgreSQL is stopped.")
        raise typer.Exit(3)
    psql = f"psql 'postgresql://{database_urls(settings).admin.split('://', 1)[1]}'"
    print(f"PostgreSQL runs (process {server.pid}). To look inside: {psql}")


@db.command("backup")
def db_backup(file: Annotated[Path, typer.Argument(help="Where to write it; must not exist yet.")]) -> None:
    """Write the product's database to a file; the server may go on working meanwhile.

    The key file under TIEOUT_HOME (or TIEOUT_KEYRING) is not in it: keep a copy apart, since stored tokens cannot be
    opened without it.
    """
    from resources.postgres.backup import back_up

    size = back_up(_embedded_settings(), file)
    print(f"Wrote {file} ({size:,} bytes). Keep the keys apart from it: see docs/operations.md.")


@db.command("restore")
def db_restore(
    file: Annotated[Path, typer.Argument(help="A backup made by 'tieout db backup'.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before the present data is replaced.")
    ] = False,
) -> None:
    """Replace the product's database by a backup, wholly or not at all; then run 'tieout migrate'."""
    from resources.postgres.backup import restore

    settings = _embedded_settings()
    if not yes:
        typer.confirm(f"Replace everything in the database under {settings.home} by {file}?", abort=True)
    restore(settings, file)
    print("Restored. Run 'tieout migrate' before anything else.")


def _embedded_settings() -> Settings:
    from resources.postgres import PostgresError

    settings = _settings()
    if not settings.is_embedded:
        raise PostgresError(
            "TIEOUT_DATABASE_URL names a PostgreSQL of your own; use its pg_dump and pg_restore."
        )
    return settings


def _settings() -> Settings:
    from resources.settings import load_settings

    return load_settings()


def _require_database(settings: Settings) -> None:
    """Start the embedded PostgreSQL when it is stopped; refuse a schema that waits for migrations."""
    from resources.postgres import PostgresError, database_urls, start_embedded
    from resources.postgres.migrate import pending_migrations

    if settings.is_embedded:
        start_embedded(settings)
    if pending := pending_migrations(database_urls(settings).owner):
        raise PostgresError(f"The database waits for {', '.join(pending)}; run 'tieout migrate' first.")


def _become(module: str, arguments: list[str]) -> NoReturn:
    # In this process's place, so that signals and the exit status need no passing on.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main()
