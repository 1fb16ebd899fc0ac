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
    ERROR_BEFORE = "wire: 500, not executed"
    ERROR_AFTER = "wire: 500, executed"
    TOKEN_EXPIRED = "wire: 401, token expired"
    FORGOTTEN = "wire: the provider forgot its request ids"
    INTERFERENCE = "wire: the bookkeeper acts between our look and our write"
    # of the process
    DEATH_BEFORE_SEND = "process: dies before sending"
    DEATH_AFTER_SEND = "process: dies after sending"
    DEATH_BEFORE_COMMIT = "process: dies before a commit"
    DEATH_AFTER_COMMIT = "process: dies after a commit"


WRITE_FAULTS = tuple(
    fault for fault in Fault if fault.name not in ("DEATH_BEFORE_COMMIT", "DEATH_AFTER_COMMIT")
)
READ_FAULTS = (
    Fault.NO_CONNECTION,
    Fault.LOST_REPLY,
    Fault.CUT_REPLY,
    Fault.THROTTLED,
    Fault.ERROR_BEFORE,
    Fault.TOKEN_EXPIRED,
    Fault.DEATH_BEFORE_SEND,
    Fault.DEATH_AFTER_SEND,
)
COMMIT_FAULTS = (Fault.DEATH_BEFORE_COMMIT, Fault.DEATH_AFTER_COMMIT)


class FaultPlan:
    """Decides at each fault point whether something goes wrong; counts which points were struck."""

    def __init__(self, random: Random, *, rate: float) -> None:
        """`rate` is the chance per fault point while faults are on."""
        self._random = random
        self._rate = rate
        self.is_on = False
        self.struck: Counter[Fault] = Counter()

    def at_write(self) -> Fault | None:
        """Decide about a write on the wire."""
        return self._draw(WRITE_FAULTS, self._rate * 2)

    def at_read(self) -> Fault | None:
        """Decide about a read on the wire."""
        return self._draw(READ_FAULTS, self._rate / 2)

    def at_commit(self) -> Fault | None:
        """Decide about a commit."""
        return self._draw(COMMIT_FAULTS, self._rate / 25)

    def _draw(self, kinds: tuple[Fault, ...], rate: float) -> Fault | None:
        if not self.is_on or self._random.random() >= rate:
            return None
        fault = self._random.choice(kinds)
        self.struck[fault] += 1
        return fault
