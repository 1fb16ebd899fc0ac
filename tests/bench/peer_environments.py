"""Virtual environments for peers whose pins do not go with the product's, made on first use from locks with hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "tests" / "bench" / "peers"
# Not committed, and removed by `make clean`.
FOLDER = ROOT / ".benchmarks" / "peers"
INSTALL_SECONDS_MAX = 600


class NotInstalled(Exception):
    """A peer could not be installed; the text is one sentence that says why."""


def python_of(name: str, *, locks: Path = LOCKS, folder: Path = FOLDER) -> Path:
    """Return the interpreter of a peer's own environment, making it first where its lock has changed."""
    needed = [locks / "build.txt", locks / f"{name}.txt"]
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in needed) + sys.version.encode()).hexdigest()
    home = folder / name
    python, stamp = home / "bin" / "python", home / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(home, ignore_errors=True)
    _run(name, sys.executable, "-m", "venv", str(home))
    for lock in needed:
        # What builds the source archives is pinned too, and therefore not fetched by pip's own isolation.
        quiet = ("--quiet", "--no-input", "--disable-pip-version-check", "--retries", "1", "--timeout", "20")
        pinned = ("--require-hashes", "--no-build-isolation", "-r", str(lock))
        _run(name, str(python), "-m", "pip", "install", *quiet, *pinned)
    stamp.write_text(wanted)
    return python


def _run(name: str, *command: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(
            f"{name} could not be installed within {INSTALL_SECONDS_MAX} seconds; it is left out."
        ) from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if line.startswith("ERROR")] or said or ["no reason was given"]
        raise NotInstalled(f"{name} could not be installed ({errors[-1][:200]}); it is left out.")
