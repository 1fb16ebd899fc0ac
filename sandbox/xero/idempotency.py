"""What Xero remembers of an Idempotency-Key: the whole answer, about six minutes, errors included."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from sandbox.xero.refusals import validation

KEY_LENGTH_MAX = 128
MEMORY_SECONDS = 360
KEYS_MAX = 20_000


@dataclass(frozen=True)
class Answer:
    """A finished answer: status, body, content type."""

    status: int
    body: bytes
    media_type: str | None


class IdempotencyMemory:
    """Answers by key, on sandbox time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[float, str, Answer]] = OrderedDict()

    def recall(self, owner: str, key: str, *, fingerprint: str, now: float) -> Answer | None:
        """The remembered answer; a different request under a live key is refused."""
        kept = self._kept.get((owner, key))
        if kept is None or not 0 <= now - kept[0] <= MEMORY_SECONDS:
            return None
        if kept[1] != fingerprint:
            raise validation(f"Idempotency Key '{key}' is used with a different request.")
        return kept[2]

    def keep(self, owner: str, key: str, *, fingerprint: str, now: float, answer: Answer) -> None:
        """Remember an answer."""
        self._kept[owner, key] = (now, fingerprint, answer)
        self._kept.move_to_end((owner, key))
        while len(self._kept) > KEYS_MAX:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


def fingerprint_of(method: str, url: str, body: bytes) -> str:
    """What makes a request the same request."""
    return hashlib.sha256(b"\n".join((method.encode(), url.encode(), body))).hexdigest()


def check_key(key: str) -> None:
    """Refuse keys that are too long."""
    if len(key) > KEY_LENGTH_MAX:
        raise validation(f"The Idempotency-Key must not be longer than {KEY_LENGTH_MAX} characters.")
