"""The long fuzzing run: `.venv/bin/python -m tests.api.fuzz [cases]` sends 50,000 requests over all routes."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.repository import ROOT

CASES = 50_000


def main() -> int:
    """Spread the cases over the routes and run the fuzz tests with them."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    from tests.api.test_fuzz import OPERATIONS

    per_route = -(-cases // len(OPERATIONS))
    print(f"{per_route} cases for each of {len(OPERATIONS)} routes: {per_route * len(OPERATIONS):,} in all")
    environment = {**os.environ, "TESTS_FUZZ_CASES_PER_ROUTE": str(per_route)}
    command = [sys.executable, "-m", "pytest", "-q", "--timeout", "7200", "tests/api/test_fuzz.py"]
    return subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
