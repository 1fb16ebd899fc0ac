from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.processes import (
    Child,
    Household,
    ProcessError,
    free_port,
    last_lines,
    listens,
    lives,
    require_free_ports,
)

SERVE = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(60)"
PARENT = (
    "import subprocess, sys, time;"
    "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True);"
    "time.sleep(60)"
)
SAY_AND_END = "print('first words'); print('last words'); raise SystemExit(3)"
WAIT_FOR_GO = "import sys, time; sys.stdin.read(); print('begun', flush=True); time.sleep(60)"


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    with Household(tmp_path / "logs", environment=os.environ) as household:
        yield household


def running(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(log: Path, text: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if log.exists() and text in log.read_text():
            return log.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{log} never said {text!r}")


def test_a_child_is_waited_for_until_it_answers(household: Household) -> None:
    port = free_port()
    household.start(Child("Server", running(SERVE, str(port)), listens(port)))
    household.wait("Server")
    assert listens(port)()


def test_a_child_that_ends_instead_shows_its_last_words(household: Household, tmp_path: Path) -> None:
    household.start(Child("Big Server", running(SAY_AND_END), listens(free_port())))
    with pytest.raises(ProcessError) as caught:
        household.wait("Big Server")
    assert str(caught.value) == (
        f"Big Server ended by itself (status 3). Its log, {tmp_path}/logs/big-server.log, ends with:\n"
        "    first words\n    last words"
    )


def test_a_child_that_never_answers_is_given_up_with_its_last_words(household: Household) -> None:
    household.start(Child("Server", running("import time; time.sleep(60)"), listens(free_port())))
    with pytest.raises(ProcessError, match="Server has not answered for 0 seconds"):
        household.wait("Server", seconds=0.3)


def test_stopping_takes_along_what_a_child_started_itself(tmp_path: Path) -> None:
    with Household(tmp_path, environment=os.environ) as household:
        household.start(Child("Parent", running(PARENT), lives))
        grandchild = int(wait_for(tmp_path / "parent.log", "\n"))
        assert is_alive(grandchild)
    deadline = time.monotonic() + 5
    while is_alive(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(grandchild)


def test_children_are_stopped_when_a_step_fails(tmp_path: Path) -> None:
    port = free_port()

    def fail() -> None:
        with Household(tmp_path, environment=os.environ) as household:
            household.start(Child("Server", running(SERVE, str(port)), listens(port)))
            household.wait("Server")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not listens(port)()


def test_a_child_that_waits_begins_when_it_is_told_to(household: Household, tmp_path: Path) -> None:
    household.start(Child("Daemon", running(WAIT_FOR_GO), lives, waits_for_go=True))
    time.sleep(0.3)
    log = tmp_path / "logs" / "daemon.log"
    assert log.read_text() == ""
    household.go("Daemon")
    wait_for(log, "begun")


def test_a_child_ends_on_sigterm_although_the_shell_had_signals_ignored(tmp_path: Path) -> None:
    """A shell starts `command &` with SIGINT ignored; a child that inherited that would never stop."""
    code = (
        "import os, sys, pathlib;"
        "from pipelines.processes import Child, Household, lives, stop_on_signals;"
        "stop_on_signals();"
        "household = Household(pathlib.Path(sys.argv[1]), environment=os.environ);"
        "household.start(Child('Inner', [sys.executable, '-c', "
        "'import signal, time; print(signal.getsignal(signal.SIGINT), flush=True); time.sleep(60)'], lives));"
        "import time;\n"
        "try: time.sleep(60)\n"
        "except KeyboardInterrupt: household.stop(); print('stopped')"
    )
    ignoring = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    with subprocess.Popen(
        [*ignoring, *running(code, str(tmp_path))], stdout=subprocess.PIPE, text=True
    ) as process:
        said = wait_for(tmp_path / "inner.log", "\n")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert "default_int_handler" in said
    assert output == "stopped\n"


def test_all_ports_in_use_are_named_with_their_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("127.0.0.1", 0)) as second:
        ports = [server.getsockname()[1] for server in (first, second)]
        with pytest.raises(ProcessError) as caught:
            require_free_ports(
                [
                    ("the API", "127.0.0.1", ports[0], "TIEOUT_API_PORT"),
                    ("nothing", "127.0.0.1", free_port(), "TIEOUT_OTHER_PORT"),
                    ("Dagster", "127.0.0.1", ports[1], "TIEOUT_DAGSTER_PORT"),
                ]
            )
    lines = str(caught.value).splitlines()
    assert [line.split()[1] for line in lines] == [str(port) for port in ports]
    assert lines[0].endswith("stop that program or set TIEOUT_API_PORT to a free port.")


def test_a_log_that_was_never_written_says_nothing(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.log").strip() == "(nothing)"
