"""`python -m tests.chaos --kills 200`: kill the real servers again and again, and say what did not hold."""

from __future__ import annotations

import argparse
import json
import sys

import stamina
import structlog

from pipelines.processes import ProcessError, stop_on_signals
from resources.postgres import PostgresError
from tests.chaos.run import perform


def main() -> int:
    """Perform once: 0 when every promise held, 1 when one did not, 2 when it showed nothing."""
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
    try:
        found = perform(kills=asked.kills, seed=asked.seed, keep=asked.keep)
    except (TimeoutError, PostgresError, ProcessError) as error:
        sys.stdout.write(f"BROKEN OFF, nothing is shown: {error}\n")
        return 2
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
    if not found.violations and (idle := found.idle()):
        sys.stdout.write(f"NOTHING IS SHOWN: {'; '.join(idle)}\n")
        return 2
    held = "HELD" if not found.violations else f"NOT HELD, {len(found.violations)} violations"
    sys.stdout.write(f"{held}: {sum(found.kills.values())} kills in {found.seconds / 60:.0f} minutes\n")
    return 1 if found.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
