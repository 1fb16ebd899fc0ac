"""The long fuzzing run: `.venv/bin/python -m tests.api.fuzz [cases] [--from n]` sends 50,000 requests over all routes.

Prints each route as it is done, so that a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from tests.support.repository import ROOT

CASES = 50_000


def main() -> int:
    """Spread the cases over the routes and run the fuzz tests with them."""
    parser = argparse.ArgumentParser(prog="tests.api.fuzz", description=__doc__)
    parser.add_argument("cases", nargs="?", type=int, default=CASES, help="how many for all routes together")
    parser.add_argument(
        "--from", dest="first", type=int, default=1, help="begin at this route of all, from 1"
    )
    given = parser.parse_args()
    from tests.api.test_fuzz import documented

    routes = documented()
    if not 1 <= given.first <= len(routes):
        parser.error(f"there are {len(routes)} routes: begin at one of 1 to {len(routes)}")
    per_route = -(-given.cases // len(routes))
    left = len(routes) - given.first + 1
    print(f"{per_route} cases for each of {left} of {len(routes)} routes: {per_route * left:,} in all")
    environment = {
        **os.environ,
        "TESTS_FUZZ_CASES_PER_ROUTE": str(per_route),
        "TESTS_FUZZ_FIRST_ROUTE": str(given.first),
    }
    command = [sys.executable, "-m", "pytest", "-v", "--timeout", "7200", "tests/api/test_fuzz.py"]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
