"""The operating-system user PostgreSQL runs as, and what it needs to reach its files.

PostgreSQL refuses to run as root. Started by root, it runs as a user of its own; started by anyone else, as them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from resources.postgres.errors import PostgresError

USER_NAME = "tieout-postgres"


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Whom the server runs as; `is_other` when that is not the user of this process."""

    uid: int
    gid: int
    is_other: bool

    def own(self, path: Path) -> None:
        """Give a file or folder to the server's user."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this user may read and start a program."""
        try:
            self.run([str(program), "--version"], timeout_seconds=20)
        except (OSError, subprocess.SubprocessError):
            return False
        return True

    def run(self, command: list[str], *, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        """Run a PostgreSQL program as this user; raises CalledProcessError with what it said."""
        # initdb fails on a locale that is not installed, and PG… variables would redirect the tools.
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
        environment |= {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            env=environment,
            cwd="/",
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
        )


def server_user() -> ServerUser:
    """The user the server runs as on this machine; as root, one is made when it is missing."""
    if os.geteuid() != 0:
        return ServerUser(uid=os.geteuid(), gid=os.getegid(), is_other=False)
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        _create_user()
        entry = pwd.getpwnam(USER_NAME)
    return ServerUser(uid=entry.pw_uid, gid=entry.pw_gid, is_other=True)


def _create_user() -> None:
    remedy = (
        "run Tieout as an ordinary user, or set TIEOUT_DATABASE_URL to a PostgreSQL of your own (15 or later)"
    )
    if shutil.which("useradd") is None:
        raise PostgresError(
            f"PostgreSQL does not run as root, and there is no useradd here to make a user for it; {remedy}."
        )
    command = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        USER_NAME,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    except subprocess.CalledProcessError as error:
        if error.returncode == 9:  # made by another process in the meantime
            return
        raise PostgresError(
            f"PostgreSQL does not run as root, and making the user {USER_NAME} failed "
            f"({error.stderr.strip()}); {remedy}."
        ) from error


def let_through(user: ServerUser, path: Path) -> None:
    """Let the server's user pass through the folders above `path`, without letting anyone list them."""
    if not user.is_other:
        return
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def let_read(user: ServerUser, tree: Path) -> None:
    """Let the server's user read and run an installation that a strict umask closed to others."""
    if not user.is_other:
        return
    for path in [tree, *tree.rglob("*")]:
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode:
            path.chmod(wanted)
