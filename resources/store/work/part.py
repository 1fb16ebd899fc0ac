"""What all parts of one transaction of a sync share: the transaction, the sync it belongs to, and the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from uuid_utils.compat import uuid7

from resources.store.database import Transaction
from sync.records import Entity
from sync.stored import ConnectionFacts, LogDirection, Trigger


class SyncSession:
    """One sync of one connection of one builder, as its transactions know it."""

    def __init__(self, *, facts: ConnectionFacts, sync_run_id: str, trigger: Trigger, actor: str) -> None:
        """Begin with nothing written and no log opened."""
        self._facts = facts
        self.sync_run_id = sync_run_id
        self.trigger: Trigger = trigger
        self.actor = actor
        self.rows_written = 0
        self.logs: dict[tuple[Entity, LogDirection], str] = {}
        # The connection's cursors as they were when the first was asked for: nobody else moves them while its lock is
        # held. What this sync has moved since is read again.
        self.cursors: dict[str, str] | None = None
        self.moved_cursors: set[str] = set()

    @property
    def facts(self) -> ConnectionFacts:
        """The connection's settings as they were when this sync began."""
        return self._facts

    @property
    def takes_bulk(self) -> bool:
        """Say whether this sync takes what a large import brought; one in real time leaves it to a pass of its own."""
        return self.trigger != "real_time"

    def new_id(self) -> str:
        """Return a new record id (UUID, version 7)."""
        return str(uuid7())


class WorkPart:
    """A part of one transaction; several parts over the same transaction make the whole `sync.store.Work`."""

    def __init__(self, tx: Transaction, session: SyncSession, *, now: datetime) -> None:
        self._tx = tx
        self._session = session
        self._now = now
        self._is_by_index = tx.is_planned_once
        self._builder: Mapping[str, Any] = {"builder_id": session.facts.builder_id}
        self._connection: Mapping[str, Any] = {
            **self._builder,
            "connection_id": session.facts.connection_id,
        }
