"""Everything that changed since a cursor, deletes included; or, without one, everything there is.

One change-data-capture call answers for all entities, as long as less than 1,000 objects changed in less than 30 days.
Beyond that, entities are asked one by one, and in stable pages where even that is too much; a query cannot tell what
was deleted, so such a look is marked as one that may have missed something, and a census follows. What was deleted within
the days that QuickBooks does look back is heard of even then: a write that nobody confirmed may have made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from resources.quickbooks.chart import rows_of
from resources.quickbooks.client import Client
from resources.quickbooks.faults import error_of, fault_in
from resources.quickbooks.words import ENTITIES, LISTS
from sync.clock import Clock
from sync.errors import RejectedByProvider
from sync.ports import ChangePage
from sync.records import RemoteRecord

Json = Mapping[str, Any]

ANSWER_OBJECTS_MAX = 1000
# A day less than QuickBooks looks back.
LOOK_BACK = timedelta(days=29)
# An object is stamped when its transaction begins and seen when it ends.
OVERLAP = timedelta(minutes=5)

log = structlog.get_logger(__name__)

# Names before the documents that use them, documents before the money that pays them.
ORDER = (
    "Account", "Customer", "Vendor", "Item", "Invoice", "Bill", "JournalEntry", "Payment", "BillPayment", "Deposit",
)  # fmt: skip


class Changes:
    """Reads one company's changes."""

    def __init__(
        self,
        client: Client,
        *,
        clock: Clock,
        record: Callable[[str, Json], RemoteRecord | None],
        on_whole: Callable[[str], None],
    ) -> None:
        """`record` turns an object into a record; `on_whole` hears of each entity that was read completely."""
        self._client = client
        self._clock = clock
        self._record = record
        self._on_whole = on_whole

    def since(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield pages; the last one carries the next cursor."""
        if cursor is None:
            yield from self._everything()
            return
        since, reach = datetime.fromisoformat(cursor), self._clock.now() - LOOK_BACK
        if since >= reach:
            yield from self._captured_since(since)
            return
        for page in self._by_query(since, ORDER):
            yield replace(page, cursor=None)
        for page in self._captured_since(reach):
            yield replace(page, may_miss=True)

    def _captured_since(self, since: datetime) -> Iterator[ChangePage]:
        try:
            body = self._captured(ORDER, since)
        except RejectedByProvider as error:
            # Most likely the company's clock says that the cursor is older than QuickBooks looks back. Whatever it is,
            # asking entity by entity works, and the census finds the deletions that it cannot show.
            log.warning(
                "changes_refused", code=error.details.get("provider_code"), sentence=error.user_message
            )
            yield from self._by_query(since, ORDER)
            return
        next_cursor = self._next(since)
        if _count(body) < ANSWER_OBJECTS_MAX:
            yield ChangePage(self._records(body), next_cursor)
            return
        may_miss = False
        for name in ORDER:
            for page in self._one_entity(name, since):
                may_miss |= page.may_miss
                yield page
        yield ChangePage((), next_cursor, may_miss=may_miss)

    def _everything(self) -> Iterator[ChangePage]:
        cursor: str | None = None
        for name in ORDER:
            for rows in rows_of(self._client, name, is_list=ENTITIES[name] in LISTS):
                cursor = cursor or self._next(None)
                yield ChangePage(self._of(name, rows), None)
            cursor = cursor or self._next(None)
            self._on_whole(name)
        yield ChangePage((), cursor)

    def _one_entity(self, name: str, since: datetime) -> Iterator[ChangePage]:
        body = self._captured((name,), since)
        yield ChangePage(self._records(body), None)
        if _count(body) >= ANSWER_OBJECTS_MAX:
            for rows in self._rows_since(name, since):
                yield ChangePage(self._of(name, rows), None, may_miss=True)

    def _by_query(self, since: datetime, names: Sequence[str]) -> Iterator[ChangePage]:
        cursor: str | None = None
        for name in names:
            for rows in self._rows_since(name, since):
                cursor = cursor or self._next(since)
                yield ChangePage(self._of(name, rows), None)
            cursor = cursor or self._next(since)
        yield ChangePage((), cursor, may_miss=True)

    def _rows_since(self, name: str, since: datetime) -> Iterator[list[dict[str, Any]]]:
        where = f"MetaData.LastUpdatedTime >= '{_wire(since)}'"
        return rows_of(self._client, name, where=where, is_list=ENTITIES[name] in LISTS)

    def _captured(self, names: Sequence[str], since: datetime) -> Json:
        return self._client.read("cdc", {"entities": ",".join(names), "changedSince": _wire(since)})

    def _records(self, body: Json) -> list[RemoteRecord]:
        found: dict[tuple[str, str], RemoteRecord] = {}
        for group in _groups(body):
            fault = fault_in(group)
            if fault is not None:
                raise error_of(fault, label="the list of changes", is_write=False)
            for name in ORDER:
                for record in self._of(name, group.get(name) or ()):
                    # The last mention counts: a record deleted and told of twice is deleted.
                    found[record.entity, record.remote_id] = record
        return list(found.values())

    def _of(self, name: str, rows: Sequence[Json]) -> list[RemoteRecord]:
        records = (self._record(name, row) for row in rows)
        return [record for record in records if record is not None]

    def _next(self, since: datetime | None) -> str:
        """The cursor after the answer just read: its own time, less the overlap, and never before the last one."""
        answered = self._client.answered_at or self._clock.now()
        cursor = answered - OVERLAP
        return (max(cursor, since) if since is not None else cursor).astimezone(UTC).isoformat()


def _groups(body: Json) -> list[Json]:
    return [
        group
        for answer in body.get("CDCResponse") or ()
        for group in answer.get("QueryResponse") or (answer,)
    ]


def _count(body: Json) -> int:
    return sum(len(group.get(name) or ()) for group in _groups(body) for name in ORDER)


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
