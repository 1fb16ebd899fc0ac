"""When something is tried again: exponential backoff with jitter, at most 5 tries within 2 hours (requirement §8)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sync.errors import RateLimited, Remedy, SyncError

TRIES_MAX = 5
GIVE_UP_AFTER = timedelta(hours=2)
FIRST_WAIT_SECONDS = 60
WAIT_SECONDS_MAX = 3600

# What came due while a sync ran is not taken up by a next one that follows on its heels.
RETRIED_APART = timedelta(minutes=1)

# While a provider is away its connections are parked and probed; what had waited goes out with the first that works.
FIRST_PROBE = timedelta(minutes=2)
PROBE_EVERY_MAX = timedelta(minutes=30)
FAILURES_COUNTED_MAX = 8

# A write that was not confirmed may still be at work in the provider for this long (Intuit cuts a call at 120 s).
PROVIDER_TIMEOUT = timedelta(seconds=150)

# What is sent is begun this soon after it was staged, or not at all: after a wait (for the gate, or because the provider
# asked for a pause) it is staged anew. With the connection's making (10 s) and the provider's own limit that is in time.
BEGIN_WITHIN = timedelta(seconds=20)

RETRIED = frozenset({Remedy.RETRY_LATER, Remedy.REFRESH_TOKEN})


def next_try(
    *, error: SyncError, tries: int, first_failed_at: datetime, now: datetime, key: str
) -> datetime | None:
    """Return when to try again after the given number of tries, or None: it goes to the dead letters (or a person).

    The jitter (up to a fifth of the wait) comes from the key, so that a replayed world waits the same.
    """
    if error.remedy not in RETRIED:
        return None
    if tries >= TRIES_MAX or now - first_failed_at >= GIVE_UP_AFTER:
        return None
    wait = min(FIRST_WAIT_SECONDS * 2 ** (tries - 1), WAIT_SECONDS_MAX)
    if isinstance(error, RateLimited):
        wait = max(wait, int(error.details.get("wait_seconds", 0)))
    digest = hashlib.sha256(f"{key}|{tries}".encode()).digest()
    return now + timedelta(seconds=wait * (1 + 0.2 * digest[0] / 255))


def is_sent_in_vain(*, sendings: int, first_sent_at: datetime, last_sent_at: datetime) -> bool:
    """Say whether what was sent and never confirmed has used up its tries, counted as those of a failure are."""
    return sendings >= TRIES_MAX or last_sent_at - first_sent_at >= GIVE_UP_AFTER


def next_probe(failures: int, *, now: datetime) -> datetime:
    """Return when a connection whose last syncs failed is looked at again: soon, and less often the longer it lasts.

    A sync that cannot reach the provider ends at its first call, so that a probe costs one question and no record a try.
    """
    assert failures > 0, "a connection that works is not probed"
    doublings: int = 2 ** min(failures - 1, FAILURES_COUNTED_MAX)
    return now + min(FIRST_PROBE * doublings, PROBE_EVERY_MAX)


def is_dead(*, error: SyncError, at: datetime | None) -> bool:
    """Say whether a failure that would be retried has used up its tries."""
    return error.remedy in RETRIED and at is None
