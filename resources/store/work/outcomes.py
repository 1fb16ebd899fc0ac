"""Outcomes in one transaction: the sync log, its records, the queues and the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from resources.store.database import json_text
from resources.store.link_rows import outcome_row
from resources.store.work.part import WorkPart
from sync.records import Entity
from sync.stored import Audit, LogDirection, Outcome


class OutcomesPart(WorkPart):
    """Writes down what happened to each record."""

    def open_log(self, entity: Entity, direction: LogDirection) -> str:
        """Begin a row of v2_sync_log for this run and return its id; the same row when asked again."""
        key = (entity, direction)
        if key not in self._session.logs:
            log_id = self._session.new_id()
            self._tx.run(
                "open_sync_log",
                **self._connection,
                log_id=log_id,
                sync_type=self._session.trigger,
                entity=entity,
                direction=direction,
                sync_run_id=self._session.sync_run_id,
                now=self._now,
            )
            self._session.logs[key] = log_id
        return self._session.logs[key]

    def quiet_logs(self, directions: Mapping[Entity, LogDirection]) -> None:
        """Write finished rows of v2_sync_log for entities in which nothing was to be done."""
        rows = [
            {"log_id": self._session.new_id(), "entity": entity, "direction": direction}
            for entity, direction in directions.items()
        ]
        self._tx.run(
            "insert_quiet_logs",
            **self._connection,
            sync_type=self._session.trigger,
            sync_run_id=self._session.sync_run_id,
            rows=json_text(rows),
            now=self._now,
        )

    def close_log(
        self, log_id: str, *, succeeded: int, failed: int, summary: Mapping[str, Any], error: str | None
    ) -> None:
        """Finish a row of v2_sync_log."""
        self._tx.run(
            "close_sync_log",
            **self._builder,
            log_id=log_id,
            succeeded=succeeded,
            failed=failed,
            summary=json_text(summary),
            error=error,
            now=self._now,
        )

    def close(self, link_ids: Sequence[str]) -> None:
        """Close the queue entries of links that need nothing any more, where there are any."""
        self._tx.run(
            "close_open_records", **self._builder, link_ids=list(link_ids), resolution="synced", now=self._now
        )

    def record(self, log_id: str, outcomes: Sequence[Outcome]) -> None:
        """Write v2_sync_records: one row per record; an open row of the same link is updated or closed."""
        entity = outcomes[0].link.entity
        through = [each for each in outcomes if each.status == "synced"]
        # A link may have gone through more than once in a batch, and may have ended in trouble after that.
        stuck = {each.link.id: each for each in outcomes if each.status != "synced"}
        settled = sorted({each.link.id for each in through})
        if settled:
            self._tx.run(
                "close_open_records", **self._builder, link_ids=settled, resolution="synced", now=self._now
            )
        told = [outcome_row(each) for each in through]
        where = {**self._connection, "log_id": log_id, "entity": entity, "now": self._now}
        if told:
            self._tx.run("insert_sync_records", **where, rows=json_text(told))
        if stuck:
            rows = json_text([outcome_row(each) for each in stuck.values()])
            self._tx.run("upsert_open_records", **where, rows=rows)

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log."""
        if entries:
            rows = [
                {
                    "action": each.action,
                    "reason": each.reason,
                    "link_id": each.link.id,
                    "entity": each.link.entity,
                    "record_id": each.link.record_id,
                    "remote_id": each.link.remote_id,
                    "before": each.before,
                    "after": each.after,
                    "strategy": each.strategy,
                    "mapping_version_id": each.mapping_version_id,
                }
                for each in entries
            ]
            self._tx.run(
                "append_audit",
                **self._connection,
                actor=self._session.actor,
                rows=json_text(rows),
                now=self._now,
            )
