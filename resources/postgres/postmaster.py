"""Which process, if any, is the running server of a data directory.

"A process with that id exists" is not enough: the id may belong to a zombie (a killed server nobody has waited
for yet) or, after a container restart on a kept volume, to some other program altogether.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from resources.postgres.places import SOCKET_FILE, SOCKET_LOCK_FILE, Places

ORPHAN_SECONDS_MAX = 10


def running_pid(places: Places) -> int | None:
    """The server's process id, or None when no living server owns this data directory."""
    pid = _written_pid(places.pid_file)
    if pid is None or not _is_server_of(pid, places.data):
        return None
    return pid


def forget_dead_server(places: Places) -> None:
    """Clear away what a server that is gone left behind and the next one would stumble over.

    PostgreSQL deals with its lock files itself as long as their process id is free; it cannot know that an id in use
    belongs to a zombie or to another program. The server's own children are waited for first: they notice its death
    and end, and until then the data is theirs.
    """
    pid = _written_pid(places.pid_file)
    if pid is None or running_pid(places) is not None:
        return
    deadline = time.monotonic() + ORPHAN_SECONDS_MAX
    while _has_orphans(places.data) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _exists(pid):
        places.pid_file.unlink(missing_ok=True)
        for name in (SOCKET_LOCK_FILE, SOCKET_FILE):
            places.socket_folder.joinpath(name).unlink(missing_ok=True)


def _has_orphans(data: Path) -> bool:
    """Whether a server's child still works in the data folder, on systems that can tell."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.joinpath("cwd").readlink() == data:
                return True
        except OSError:  # gone by now, or somebody else's
            continue
    return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


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
    shown = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    ).stdout.strip()
    return not shown.startswith("Z") and "postgres" in shown and str(data) in shown
