"""The embedded server: found again, started once, and recovered from whatever a crash left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from resources.postgres import PostgresError, database_urls, embedded_status, start_embedded, stop_embedded
from resources.postgres.places import Places
from resources.postgres.urls import for_psycopg
from resources.settings import Settings, load_settings
from tests.support.repository import ROOT

AnInstallation = Callable[[Path], Settings]

START = """
import sys
from pathlib import Path
from resources.postgres import start_embedded
from resources.settings import load_settings
print(start_embedded(load_settings(_env_file=None, home=Path(sys.argv[1])), is_durable=False).pid)
"""
START_AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
from resources.postgres import start_embedded, stop_embedded
from resources.settings import load_settings

def once(folder):
    settings = load_settings(_env_file=None, home=Path(folder))
    server = start_embedded(settings, is_durable=False)
    print(Path(f"/proc/{server.pid}").stat().st_uid if Path("/proc/self").exists() else os.geteuid())
    assert stop_embedded(settings)

if os.geteuid() == 0:
    # Once as root first: the interpreter's own files may be closed to the user this becomes.
    once(sys.argv[1])
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
once(sys.argv[2])
"""


@pytest.fixture
def an_installation(tmp_path: Path) -> Iterator[AnInstallation]:
    """Settings with a home of their own; what was started is stopped while that home still exists."""
    assert tmp_path.exists()
    made: list[Settings] = []

    def make(home: Path) -> Settings:
        settings = load_settings(_env_file=None, home=home)
        made.append(settings)
        return settings

    yield make
    for settings in made:
        stop_embedded(settings)


def setting(settings: Settings, name: str) -> str:
    with psycopg.connect(for_psycopg(database_urls(settings).app)) as connection:
        return str(connection.execute("select current_setting(%s)", [name]).fetchall()[0][0])


def start_in_another_process(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_running_server_is_found_again(an_installation: AnInstallation, tmp_path: Path) -> None:
    settings = an_installation(tmp_path)
    first = start_embedded(settings, is_durable=False)
    second = start_embedded(settings, is_durable=False)
    assert (first.was_started, second.was_started) == (True, False)
    assert first.pid == second.pid
    assert embedded_status(settings) is not None
    assert stop_embedded(settings)
    assert embedded_status(settings) is None
    assert not stop_embedded(settings)


def test_the_server_is_set_up_for_many_connections_in_utc(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    start_embedded(settings)
    assert setting(settings, "max_connections") == "200"
    assert setting(settings, "timezone") == "UTC"
    assert setting(settings, "listen_addresses") == ""
    assert setting(settings, "fsync") == "on"
    assert setting(settings, "server_encoding") == "UTF8"


def test_the_server_outlives_the_process_that_started_it(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    starter = start_in_another_process(tmp_path)
    output, _ = starter.communicate(timeout=60)
    server = embedded_status(settings)
    assert server is not None
    assert server.pid == int(output)
    assert setting(settings, "server_version_num") >= "180000"


def test_several_processes_starting_at_once_share_one_server(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    an_installation(tmp_path)
    starters = [start_in_another_process(tmp_path) for _ in range(3)]
    outputs = [starter.communicate(timeout=100)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert len(set(outputs)) == 1


def test_a_killed_server_starts_again_with_its_data(an_installation: AnInstallation, tmp_path: Path) -> None:
    settings = an_installation(tmp_path)
    server = start_embedded(settings)
    with psycopg.connect(for_psycopg(database_urls(settings).owner), autocommit=True) as connection:
        connection.execute("create table kept (x int)")
        connection.execute("insert into kept values (7)")
    os.kill(server.pid, signal.SIGKILL)
    again = start_embedded(settings)
    assert again.was_started
    assert again.pid != server.pid
    with psycopg.connect(for_psycopg(database_urls(settings).owner)) as connection:
        assert connection.execute("select x from kept").fetchall() == [(7,)]


def test_a_lock_left_by_a_process_id_that_is_somebody_elses_now_is_not_believed(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    start_embedded(settings, is_durable=False)
    stop_embedded(settings)
    places = Places(settings.home)
    # What a container that was cut off leaves on its volume: here, the id of this very test.
    places.pid_file.write_text(f"{os.getpid()}\n{places.data}\n1\n5432\n{places.socket_folder}\n\n\nready\n")
    assert embedded_status(settings) is None
    assert start_embedded(settings, is_durable=False).was_started
    assert setting(settings, "timezone") == "UTC"


def test_a_zombie_is_not_taken_for_a_living_server(an_installation: AnInstallation, tmp_path: Path) -> None:
    settings = an_installation(tmp_path)
    start_embedded(settings, is_durable=False)
    stop_embedded(settings)
    places = Places(settings.home)
    dead = subprocess.Popen(["true"])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{dead.pid}/cmdline").read_bytes() != b"" and time.monotonic() < deadline:
        time.sleep(0.01)
    places.pid_file.write_text(f"{dead.pid}\n{places.data}\n1\n5432\n{places.socket_folder}\n\n\nready\n")
    assert start_embedded(settings, is_durable=False).was_started
    dead.wait()


def test_a_data_folder_that_was_never_finished_is_made_anew(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    half = Places(settings.home).unfinished_data
    half.mkdir(parents=True)
    half.joinpath("PG_VERSION").write_text("18\n")
    assert start_embedded(settings, is_durable=False).was_started
    assert not half.exists()


@pytest.mark.parametrize("name", ["x" * 120, "with space, and comma", "häuser"])
def test_any_folder_name_will_do(an_installation: AnInstallation, tmp_path: Path, name: str) -> None:
    settings = an_installation(tmp_path / name)
    server = start_embedded(settings, is_durable=False)
    assert len(str(server.socket_folder)) < 100
    assert setting(settings, "timezone") == "UTC"


def test_root_gives_the_server_a_user_of_its_own_and_others_run_it_themselves(tmp_path: Path) -> None:
    # A folder anyone may write to, since the test process may become somebody else on the way.
    tmp_path.joinpath("ordinary").mkdir(mode=0o777)
    tmp_path.joinpath("ordinary").chmod(0o777)
    for folder in [tmp_path, *list(tmp_path.parents)[:2]]:
        folder.chmod(0o711)
    command = [
        sys.executable,
        "-c",
        START_AS_ORDINARY_USER,
        str(tmp_path / "root"),
        str(tmp_path / "ordinary"),
    ]
    result = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stderr
    owners = [int(line) for line in result.stdout.split()]
    assert 0 not in owners
    assert owners[-1] == (65534 if os.geteuid() == 0 else os.geteuid())


def test_data_of_another_postgresql_is_refused_with_the_remedy(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    data = Places(settings.home).data
    data.mkdir(parents=True)
    data.joinpath("PG_VERSION").write_text("16\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 16.*Upgrading PostgreSQL"):
        start_embedded(settings)


def test_a_data_folder_that_cannot_be_made_ends_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    settings = load_settings(_env_file=None, home=tmp_path / "file" / "home")
    with pytest.raises(PostgresError, match=r"cannot be made .* set TIEOUT_HOME"):
        start_embedded(settings)


def test_a_server_that_does_not_start_shows_what_its_log_says(
    an_installation: AnInstallation, tmp_path: Path
) -> None:
    settings = an_installation(tmp_path)
    start_embedded(settings, is_durable=False)
    stop_embedded(settings)
    with Places(settings.home).data.joinpath("postgresql.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'a lot'\n")
    with pytest.raises(PostgresError, match=r"(?s)did not start.*shared_buffers"):
        start_embedded(settings)


def test_a_postgresql_of_ones_own_is_neither_started_nor_stopped(tmp_path: Path) -> None:
    settings = load_settings(
        _env_file=None, home=tmp_path, database_url="postgresql+psycopg://me@127.0.0.1:1/tieout"
    )
    with pytest.raises(PostgresError, match="neither starts nor stops"):
        start_embedded(settings)
    assert not stop_embedded(settings)
