"""Where the embedded server keeps its things under TIEOUT_HOME, and where its socket can be.

A socket's whole path has to fit into 107 bytes, and libpq reads a comma in a host as a list; a folder that breaks
either rule gets its socket in the temporary directory instead.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_BYTES_MAX = 107
SOCKET_FILE = ".s.PGSQL.5432"
SOCKET_LOCK_FILE = f"{SOCKET_FILE}.lock"
PLAIN_PATH = re.compile(r"[A-Za-z0-9/_.+-]+")


@dataclass(frozen=True, slots=True)
class Places:
    """The embedded server's files, all derived from the data folder."""

    home: Path

    @property
    def folder(self) -> Path:
        """Everything that belongs to the server's operating-system user."""
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def unfinished_data(self) -> Path:
        """A data directory in the making; becomes `data` by one rename, so that a kill leaves no half of one."""
        return self.folder / "data.unfinished"

    @property
    def pid_file(self) -> Path:
        """The file PostgreSQL says it is running by."""
        return self.data / "postmaster.pid"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def lock(self) -> Path:
        """Held while one process starts or stops the server."""
        return self.home / "postgres.lock"

    @property
    def socket_folder(self) -> Path:
        """The folder of the server's socket."""
        near = self.folder / "socket"
        fits = len(str(near / SOCKET_LOCK_FILE).encode()) <= SOCKET_PATH_BYTES_MAX
        if fits and PLAIN_PATH.fullmatch(str(near)):
            return near
        name = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tieout-{name}"
