"""`python -m tests.chaos --kills 200`: kill the real servers again and again, and say what did not hold."""

from __future__ import annotations

import argparse
import json
import sys

import stamina
import structlog

from pipelines.processes import stop_on_signals
from tests.chaos.run import perform


def main() -> int:
    """Perform once; 0 when every promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="how many processes to kill")
    parser.add_argument(
        "--seed", type=int, default=1, help="of people and kills; the machine adds its own chance"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs and database")
    asked = parser.parse_args()
    stop_on_signals()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    stamina.instrumentation.set_on_retry_hooks([])
    found = perform(kills=asked.kills, seed=asked.seed, keep=asked.keep)
    for sentence in found.violations:
        sys.stdout.write(f"  {sentence}\n")
    shown = {
        "kills": sum(found.kills.values()),
        "by_kind": dict(found.kills.most_common()),
        "died_with_them": dict(found.deaths_of_their_own.most_common()),
        "actions_of_people": found.actions,
        "syncs_asked_for": found.syncs_asked,
        "writes_attempted": found.writes,
        "outcomes_looked_up": found.unknowns,
        "violations": len(found.violations),
        "seconds": round(found.seconds, 1),
    }
    sys.stdout.write(json.dumps(shown) + "\n")
    return 1 if found.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
