"""`python -m tests.bench [--full] [names]`: run the benchmarks, each in a process of its own; one JSON line per figure."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run the named benchmarks, or all."""
    known = sorted(file.stem.removeprefix("bench_") for file in HERE.glob("bench_*.py"))
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(known)}; none means all")
    parser.add_argument(
        "--full", action="store_true", help="the sizes of the specification, not the quick ones"
    )
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.names) - set(known))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; choose from {', '.join(known)}")
    status = 0
    for name in chosen.names or known:
        command = [sys.executable, "-m", f"tests.bench.bench_{name}", *(["--full"] if chosen.full else [])]
        status = subprocess.run(command, cwd=HERE.parents[1], check=False).returncode or status
    return status


if __name__ == "__main__":
    raise SystemExit(main())
