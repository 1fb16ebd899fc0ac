"""`tieout prune`: forgets closed history."""

from __future__ import annotations


def prune() -> None:
    """Forget closed history older than TIEOUT_HISTORY_DAYS, and syncs that found nothing after TIEOUT_IDLE_HISTORY_DAYS.

    Uploaded files go after TIEOUT_IMPORT_FILE_DAYS.

    Dagster does this every night (nightly_retention). What waits for somebody and the audit log always stay.
    """
    from resources.retention import forget_history
    from resources.settings import load_settings
    from resources.wiring import Tieout

    settings = load_settings()
    with Tieout(settings) as tieout:
        print(forget_history(tieout.database, settings, now=tieout.clock.now()).sentence)
