"""What can go wrong and where: every input or output of a sync is a fault point, a seed decides which of them strike."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from random import Random


class Death(BaseException):
    """The process ends here, as by kill -9: nothing after this line runs, open transactions are rolled back."""


class Fault(StrEnum):
    """One kind of trouble at one fault point."""

    # on the wire
    NO_CONNECTION = "wire: no connection, nothing sent"
    LOST_REQUEST = "wire: request lost, no answer"
    LOST_REPLY = "wire: executed, answer lost"
    CUT_REPLY = "wire: executed, answer cut in the middle"
    LATE = "wire: no answer, executed two minutes later"
    THROTTLED = "wire: 429"
    ERROR_BEFORE = "wire: 5xx, not executed"
    ERROR_AFTER = "wire: 5xx, executed"
    # of the provider
    TOKEN_EXPIRED = "provider: the token has expired"
    REVOKED = "provider: the consent is withdrawn"
    FORGOTTEN = "provider: its memory of request ids is gone"
    OUTAGE = "provider: out for hours"
    # of people
    INTERFERENCE = "bookkeeper: acts between our look and our write"
    SAME_RECORD = "bookkeeper: changes the very record that is being written (stale version)"
    # of the process
    PAUSED = "process: stands still for ten minutes before sending, while another sync is tried"
    DEATH_BEFORE_SEND = "process: dies before sending"
    DEATH_AFTER_SEND = "process: dies after sending"
    DEATH_BEFORE_COMMIT = "process: dies before a commit"
    DEATH_AFTER_COMMIT = "process: dies after a commit"
    # of webhooks
    HINT_LOST = "webhook: lost"
    HINT_DOUBLED = "webhook: delivered twice"
    HINT_LATE = "webhook: late, and so out of order"


COMMIT_FAULTS = (Fault.DEATH_BEFORE_COMMIT, Fault.DEATH_AFTER_COMMIT)
HINT_FAULTS = (Fault.HINT_LOST, Fault.HINT_DOUBLED, Fault.HINT_LATE)
# What strikes less often, because the world stands still for long after it.
RARE = (Fault.REVOKED, Fault.OUTAGE)
_NOT_OFTEN = frozenset({*COMMIT_FAULTS, *HINT_FAULTS, *RARE})
WRITE_FAULTS = (*(fault for fault in Fault if fault not in _NOT_OFTEN), Fault.PAUSED, Fault.PAUSED)
READ_FAULTS = (
    Fault.NO_CONNECTION,
    Fault.LOST_REPLY,
    Fault.CUT_REPLY,
    Fault.THROTTLED,
    Fault.ERROR_BEFORE,
    Fault.TOKEN_EXPIRED,
    Fault.INTERFERENCE,
    Fault.DEATH_BEFORE_SEND,
    Fault.DEATH_AFTER_SEND,
)
RARE_SHARE = 0.02


class FaultPlan:
    """Decides at each fault point whether something goes wrong; counts which points were passed and struck."""

    def __init__(self, random: Random, *, rate: float) -> None:
        """`rate` is the chance per fault point while faults are on."""
        self.dice = random
        self._rate = rate
        self.is_on = False
        self.struck: Counter[tuple[Fault, str]] = Counter()
        self.passed: Counter[str] = Counter()
        # Strikes at the next writes that are sure, before any that the dice choose; where `sure_words` are given, only
        # at writes whose point has one of them.
        self.sure: list[Fault] = []
        self.sure_words: tuple[str, ...] = ()

    def at_write(self, point: str) -> Fault | None:
        """Decide about a write on the wire."""
        is_meant = not self.sure_words or any(word in point.lower() for word in self.sure_words)
        if self.sure and is_meant:
            fault = self.sure.pop(0)
            self.struck[fault, point] += 1
            return fault
        return self._draw(WRITE_FAULTS, self._rate * 2, point)

    def at_read(self, point: str) -> Fault | None:
        """Decide about a read on the wire."""
        return self._draw(READ_FAULTS, self._rate / 2, point)

    def at_commit(self, point: str) -> Fault | None:
        """Decide about a commit."""
        # Few of a sync's commits are those that move a cursor; a death there is worth more than another.
        rate = self._rate / (4 if "pull" in point else 15)
        return self._draw(COMMIT_FAULTS, rate, point)

    def at_hint(self) -> Fault | None:
        """Decide about a webhook on its way."""
        return self._strike(HINT_FAULTS, "webhook") if self.dice.random() < 0.6 else None

    def _draw(self, kinds: tuple[Fault, ...], rate: float, point: str) -> Fault | None:
        if not self.is_on:
            return None
        self.passed[point] += 1
        if self.dice.random() >= rate:
            return None
        is_rare = kinds is not COMMIT_FAULTS and self.dice.random() < RARE_SHARE
        return self._strike(RARE if is_rare else kinds, point)

    def _strike(self, kinds: tuple[Fault, ...], point: str) -> Fault:
        fault = self.dice.choice(kinds)
        self.struck[fault, point] += 1
        return fault
