"""`python -m pipelines.demo [--once]`, which `tieout demo` becomes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from pipelines.demo.ledger import LedgerRefused
from pipelines.demo.narrator import Narrator
from pipelines.demo.settings import demo_settings
from pipelines.demo.stage import Stage
from pipelines.demo.story import Story
from pipelines.processes import ProcessError, stop_on_signals
from resources.postgres import PostgresError
from resources.settings import SettingsError, load_settings
from sync.errors import SyncError

WATCH_SECONDS = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; what a user can mend ends in one sentence and status 1, Ctrl-C in status 0."""
    parser = argparse.ArgumentParser(prog="tieout demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the sync instead of staying up")
    chosen = parser.parse_args(arguments)
    stop_on_signals()
    narrator = Narrator()
    try:
        _run(narrator, once=chosen.once)
    except KeyboardInterrupt:
        narrator.show("Stopped.")
        return 130 if chosen.once else 0
    except (SettingsError, PostgresError, ProcessError, SyncError, LedgerRefused) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(narrator: Narrator, *, once: bool) -> None:
    settings = demo_settings(load_settings())
    began = time.monotonic()
    with Stage(settings) as stage:
        story = Story(stage, narrator)
        story.tell()
        narrator.show(f"Done in {time.monotonic() - began:.0f} s; everything is kept under {settings.home}.")
        if not once:
            stage.start_real_time()
            narrator.show(
                "",
                *(
                    f"  Sign in to the pages of {name} (once, within ten minutes):\n    {link}"
                    for name, link in story.sign_in_links()
                ),
                "",
                f"  API and pages        {stage.api_url}  (API keys: {settings.home / 'demo.json'})",
                f"  Dagster              {stage.dagster_url}",
                f"  QuickBooks sandbox   {stage.quickbooks_url}",
                f"  Xero sandbox         {stage.xero_url}",
                "",
                "Ctrl-C stops everything.",
            )
            while True:
                stage.watch()
                time.sleep(WATCH_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
