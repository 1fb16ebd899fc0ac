"""Hints of providers: checked, told apart from repetitions, and turned into “look there now”. Nothing in them is data."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from resources.settings import Settings
from resources.spec import Hint, ProviderSpec
from resources.store.database import Database
from sync.errors import InvalidSetting
from sync.schedule import zone_of
from sync.window import read_window

# Xero replays up to 31 days back.
REMEMBERED = timedelta(days=35)


def is_signed(spec: ProviderSpec, body: bytes, *, signature: str, settings: Settings) -> bool:
    """Say whether the provider signed exactly these bytes; without a key of ours nothing is."""
    if spec.webhook is None:
        return False
    key = spec.webhook.key(settings).encode()
    wanted = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest())
    return bool(key) and hmac.compare_digest(wanted, signature.strip().encode("utf-8", "replace"))


def read_hints(spec: ProviderSpec, body: bytes) -> list[Hint]:
    """Return the hints in a signed body; none where it is not what the provider sends."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return list(spec.webhook.hints(value)) if spec.webhook is not None else []


def follow(database: Database, spec: ProviderSpec, hints: Sequence[Hint], *, now: datetime) -> int:
    """Make the companies' connections due for a look; return how many. A delivery that came before changes nothing."""
    if not hints:
        return 0
    digests = {_digest(spec.key, hint): hint for hint in hints}
    with database.shared_tx() as tx:
        known = {row["digest"] for row in tx.rows("hints_known", digests=list(digests))}
    companies = sorted({hint.company_id for digest, hint in digests.items() if digest not in known})
    if not companies:
        return 0
    with database.scheduler_tx() as tx:
        found = tx.rows("hint_connections", provider=spec.key, company_ids=companies)
    for row in found:
        builder_id: UUID = row["builder_id"]
        with database.builder_tx(builder_id) as tx:
            opens_at = _opens_at(row["sync_window"], row["time_zone"], now=now)
            tx.run(
                "hint_connection", builder_id=builder_id, connection_id=row["id"], opens_at=opens_at, now=now
            )
            tx.rows("hint_ring")
    # Remembered last: a process that dies before it lets the provider's repetition count.
    with database.shared_tx() as tx:
        tx.run("hints_remember", digests=list(digests), now=now)
        tx.run("hints_forget", before=now - REMEMBERED)
    return len(found)


def _digest(provider: str, hint: Hint) -> str:
    text = json.dumps([provider, hint.company_id, hint.event], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _opens_at(window: dict[str, Any] | None, time_zone: str, *, now: datetime) -> datetime:
    try:
        hours = read_window(window)
        return now if hours is None else hours.next_open(now, zone_of(time_zone))
    except InvalidSetting:
        return now
