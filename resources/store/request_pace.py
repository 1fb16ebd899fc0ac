"""How often a caller of the API may still ask, counted in the database for all its processes.

Requests are given out in blocks, so that most of them cost no statement; `api.limits` keeps what a process was given.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from resources.store.database import Database

# What a process is given of a caller's minute at once: at most so many, and at most this part of what is left.
BLOCK_MAX = 10
PART_OF_REST = 20


@dataclass(frozen=True, slots=True)
class Given:
    """How many requests a process was given, and how many (or which part of one) are left for all to ask for."""

    count: int
    remaining: float


class RequestPace:
    """The counts of one database."""

    def __init__(self, database: Database) -> None:
        """Count in this database."""
        self._database = database

    def take(self, caller: str, *, per_minute: int, now: datetime) -> Given:
        """Ask for a block of a caller's requests; none where the minute is used up.

        Raises SQLAlchemy's OperationalError or TimeoutError where the database does not answer.
        """
        with self._database.shared_tx() as tx:
            row = tx.row(
                "request_pace_take",
                # The row does not tell who it is about.
                caller=hashlib.sha256(caller.encode()).hexdigest(),
                per_minute=per_minute,
                first_block=max(1, min(BLOCK_MAX, per_minute // PART_OF_REST)),
                block_max=BLOCK_MAX,
                now=now,
            )
        assert row is not None, "the statement makes the row it does not find"
        return Given(row["granted"], row["remaining"])
