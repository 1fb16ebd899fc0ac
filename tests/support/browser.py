"""Finds the Chromium that browser tests drive, or installs one: `python -m tests.support.browser`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_CHROME = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
REMEDY = (
    "Browser tests need a Chromium, and none is installed here. Install one (on Debian: apt-get install chromium), "
    "name one in TESTS_CHROMIUM, or leave those tests out with 'make test-fast'."
)


def chromium_path() -> str | None:
    """The Chromium of this machine, or None."""
    named = os.environ.get("TESTS_CHROMIUM")
    candidates = [named, *(shutil.which(name) for name in NAMES), str(MAC_CHROME), _downloaded()]
    return next((path for path in candidates if path and _runs(path)), None)


def main() -> int:
    """Install a Chromium when there is none; 1 with a sentence when that cannot be done."""
    if chromium_path() is None:
        for command in _installations():
            print(f"Installing a browser: {' '.join(command)}", flush=True)
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment)
            if chromium_path() is not None:
                break
    if chromium_path() is None:
        print(REMEDY, file=sys.stderr)
        return 1
    return 0


def _installations() -> list[list[str]]:
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        return [
            [apt, "-qq", "install", "-y", "--no-install-recommends", "chromium"],
            # Once more with fresh lists: on a new machine they are empty or point to files that are gone.
            [apt, "-qq", "update"],
            [apt, "-qq", "install", "-y", "--no-install-recommends", "chromium"],
        ]
    return [[sys.executable, "-m", "playwright", "install", "chromium"]]


def _downloaded() -> str | None:
    """A browser that `playwright install` put into its own cache."""
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(cache.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def _runs(path: str) -> bool:
    # Ubuntu's package is a script that only says to install something else.
    try:
        return (
            subprocess.run([path, "--version"], check=False, capture_output=True, timeout=60).returncode == 0
        )
    except OSError:
        return False


if __name__ == "__main__":
    raise SystemExit(main())
