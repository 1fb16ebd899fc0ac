"""Books that outlive the sandbox's process."""

from __future__ import annotations

from pathlib import Path

from sandbox.xero.resource import make_guid
from sandbox.xero.world import XeroEmulator


def test_a_restart_over_kept_books_gives_no_id_a_second_time(tmp_path: Path) -> None:
    """Chaos seed 7: after a kill, new invoices got the ids of old ones and took their place."""
    first = XeroEmulator(data=tmp_path, seed="none")
    first.identity.ensure_default_app()
    ids = [make_guid(first.dice) for _ in range(50)]
    first.store.close()
    second = XeroEmulator(data=tmp_path, seed="none")
    again = [make_guid(second.dice) for _ in range(50)]
    second.store.close()
    assert set(ids).isdisjoint(again)
