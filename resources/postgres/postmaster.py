"""Which process, if any, is the running server of a data directory.

"A process with that id exists" is not enough: the id may belong to a zombie (a killed server nobody has waited
for yet) or, after a container restart on a kept volume, to some other program altogether.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from resources.postgres.places import Places


def running_pid(places: Places) -> int | None:
    """The server's process id, or None when no living server owns this data directory."""
    pid = _written_pid(places.pid_file)
    if pid is None or not _is_server_of(pid, places.data):
        return None
    return pid


def forget_dead_server(places: Places) -> None:
    """Remove the pid file of a server that is gone; PostgreSQL would take a reused id for a living server."""
    if running_pid(places) is None:
        places.pid_file.unlink(missing_ok=True)


def _written_pid(pid_file: Path) -> int | None:
    try:
        first_line = pid_file.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return int(first_line) if first_line.isdigit() else None


def _is_server_of(pid: int, data: Path) -> bool:
    process = Path("/proc") / str(pid)
    if process.parent.joinpath("self").exists():
        return _is_server_by_proc(process, data)
    return _is_server_by_ps(pid, data)


def _is_server_by_proc(process: Path, data: Path) -> bool:
    try:
        arguments = process.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A zombie has no command line left.
    return Path(arguments[0]).name == "postgres" and str(data) in arguments


def _is_server_by_ps(pid: int, data: Path) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    shown = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    ).stdout.strip()
    return not shown.startswith("Z") and "postgres" in shown and str(data) in shown
