"""Attempts in one transaction: every write is stored before the call and settled after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from resources.store.database import json_text
from resources.store.link_rows import attempt_view
from resources.store.work.part import WorkPart
from sync import requests as request_ids
from sync.errors import Category
from sync.ports import Operation
from sync.records import Entity, RemoteRecord
from sync.stored import AttemptView, NewAttempt


class AttemptsPart(WorkPart):
    """Stores, settles and finds attempts."""

    def serials(self, requests: Sequence[tuple[str, int, Operation]]) -> dict[str, int]:
        """Return link id → how many attempts of this revision and operation have ended."""
        rows = json_text([{"link_id": i, "revision": r, "operation": o} for i, r, o in requests])
        return {
            row["link_id"]: row["serial"]
            for row in self._tx.rows("attempt_serials", **self._builder, rows=rows)
        }

    def stage(self, entity: Entity, attempts: Sequence[NewAttempt]) -> datetime:
        """Store attempts as `sending` before the call, and return as of when."""
        if not attempts:
            return self._now
        rows = [
            {
                "link_id": each.link_id,
                "record_id": each.record_id,
                "revision": each.revision,
                "operation": each.operation,
                "serial": each.serial,
                "request_id": each.request_id,
                "marker": each.marker,
                "payload_hash": request_ids.payload_hash(each.canonical),
                "payload": each.canonical,
                "remote_id": each.remote_id,
                "remote_version": each.remote_version,
                "mapping_version_id": each.mapping_version_id,
                "details": each.evidence,
            }
            for each in attempts
        ]
        self._tx.run(
            "stage_attempts",
            **self._connection,
            entity=entity,
            sync_run_id=self._session.sync_run_id,
            rows=json_text(rows),
            now=self._now,
        )
        return self._now

    def settle_attempt(
        self,
        request_id: str,
        *,
        state: Literal["done", "rejected", "moved", "unknown"],
        message: str | None = None,
        code: str | None = None,
        category: Category | None = None,
        remote_id: str | None = None,
        remote_version: str | None = None,
    ) -> None:
        """Store how an attempt ended."""
        self._tx.run(
            "settle_attempt",
            **self._connection,
            request_id=request_id,
            state=state,
            message=message,
            code=code,
            category=category,
            remote_id=remote_id,
            remote_version=remote_version,
            now=self._now,
        )

    def uncount_sending(self, request_id: str) -> None:
        """Take back that an attempt was sent once more: it did not leave."""
        self._tx.run("uncount_sending", **self._connection, request_id=request_id)

    def confirm_attempts(self, written: Mapping[str, RemoteRecord]) -> None:
        """Store that writes were done, a batch in one statement."""
        if not written:
            return
        rows = [
            {"request_id": request_id, "remote_id": record.remote_id, "remote_version": record.version}
            for request_id, record in written.items()
        ]
        self._tx.run("confirm_attempts", **self._connection, rows=json_text(rows), now=self._now)

    def unsettled(self, entity: Entity) -> list[AttemptView]:
        """List attempts whose outcome nobody knows."""
        rows = self._tx.rows("unsettled_attempts", **self._connection, entity=entity)
        return [attempt_view(row) for row in rows]
