"""The census in one transaction: what the provider's lists showed, against the mirror."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from resources.store.database import json_text
from resources.store.work.part import WorkPart
from resources.store.work.theirs import SYNCED_ENTITIES
from sync.ports import Headcount
from sync.records import Entity


class CensusPart(WorkPart):
    """Stores and compares a census."""

    def count_census(self, rows: Sequence[Headcount], *, number: int) -> None:
        """Store what a page of this census listed."""
        # A receipt may be told of on two pages or twice on one; it counts once.
        newest = {(row.entity, row.remote_id): row for row in rows}
        if newest:
            told = json_text([asdict(row) for row in newest.values()])
            self._tx.run("census_count", **self._connection, number=number, rows=told)

    def census_differences(
        self, *, number: int, begun_at: datetime, rows_max: int, without: Collection[Entity] = ()
    ) -> list[tuple[Entity, str]]:
        """List records that the mirror shows otherwise than this census."""
        rows = self._tx.rows(
            "census_differences",
            **self._connection,
            number=number,
            begun_at=begun_at,
            synced=[entity for entity in SYNCED_ENTITIES if entity not in without],
            rows_max=rows_max,
        )
        return [(Entity(row["entity"]), row["remote_id"]) for row in rows]

    def check_census(self, entity: Entity, remote_id: str, *, version: str | None, number: int) -> None:
        """Note that a difference was looked into."""
        self._tx.run(
            "census_check",
            **self._connection,
            entity=entity,
            remote_id=remote_id,
            version=version,
            number=number,
        )

    def pass_over_in_census(self, entity: Entity, remote_id: str, *, number: int) -> None:
        """Note that a difference could not be looked into in this census; the next one tries again."""
        self._tx.run(
            "census_pass_over", **self._connection, entity=entity, remote_id=remote_id, number=number
        )

    def end_census(self, *, number: int) -> None:
        """Forget what earlier censuses listed."""
        self._tx.run("census_end", **self._connection, number=number)
