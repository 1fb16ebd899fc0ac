"""Everything that changed since a cursor; or, without one, everything there is.

Each list that can change is asked once with If-Modified-Since; the cursor overlaps, because it is not documented whether
the boundary counts. Some changes do not move UpdatedDateUTC (a due date of a part-paid document, reconciling, a
contact's roles), so once a week everything is read again. Pages are walked by time of change instead of by number: a row
that changes meanwhile moves to the end and is met again, and none is skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from resources.xero.chart import Chart
from resources.xero.client import PAGE_SIZE, Client, rows_in
from resources.xero.read import Reader
from resources.xero.receipts import (
    CREDITS,
    batch_deposit,
    credit,
    grouped,
    key_of,
    receipt,
    received_deposit,
    transfer_deposit,
)
from resources.xero.words import clause_of, instant
from sync.clock import Clock
from sync.ports import ChangePage
from sync.records import RemoteRecord

Json = Mapping[str, Any]

OVERLAP = timedelta(minutes=5)
SWEEP_EVERY = timedelta(days=7)
# Payments asked for by their batch or reference, in one call; the filter stays well below an address's length.
GROUPS_PER_CALL = 12
WALKS_MAX = 3

_DOCUMENTS = ("Contacts", "Invoices", "ManualJournals")
_MORE: Mapping[str, Mapping[str, str]] = {
    "Contacts": {"includeArchived": "true"},
    "Invoices": {"unitdp": "4"},
    "BankTransfers": {"includeDeleted": "true"},
}
# Sorting manual journals is reported to break their paging.
_UNSORTED = frozenset({"ManualJournals"})
_ID_FIELDS: Mapping[str, str] = {
    "Contacts": "ContactID",
    "Invoices": "InvoiceID",
    "ManualJournals": "ManualJournalID",
    "Payments": "PaymentID",
    "CreditNotes": "CreditNoteID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
    "BankTransactions": "BankTransactionID",
}


class Changes:
    """Reads one organisation's changes."""

    def __init__(
        self, client: Client, *, clock: Clock, reader: Reader, chart: Chart, home_currency: str
    ) -> None:
        self._client = client
        self._clock = clock
        self._reader = reader
        self._chart = chart
        self._home = home_currency

    def since(self, cursor: str | None) -> Iterator[ChangePage]:
        """Yield pages; the last one carries the next cursor."""
        since, swept = _read_cursor(cursor)
        is_sweep = since is None or swept is None or self._clock.now() - swept >= SWEEP_EVERY
        asked = None if is_sweep else since
        # The chart is read whole each time: one call either way, and pushing needs it.
        accounts = self._client.rows("Accounts")
        started = self._client.answered_at or self._clock.now()
        self._chart.fill(accounts)
        yield ChangePage(
            [record for body in accounts for record in self._reader.listed("Accounts", body)], None
        )
        for resource in _DOCUMENTS:
            for rows in self.walk(resource, asked):
                yield ChangePage(
                    [record for body in rows for record in self._reader.listed(resource, body)], None
                )
        yield from self._money(asked)
        begins = started - OVERLAP if since is None else max(since, started - OVERLAP)
        swept_at = started if is_sweep or swept is None else swept
        yield ChangePage((), json.dumps({"since": _wire(begins), "swept": _wire(swept_at)}))

    # ------------------------------------------------------------------ money

    def _money(self, since: datetime | None) -> Iterator[ChangePage]:
        payments = [row for rows in self.walk("Payments", since) for row in rows]
        for resource in CREDITS:
            for rows in self.walk(resource, since):
                found = (credit(resource, body, home_currency=self._home) for body in rows)
                yield ChangePage([record for record in found if record is not None], None)
        batches = {str(row["BatchPaymentID"]): row for row in self._client.rows("BatchPayments", since=since)}
        if since is not None:
            payments = self._whole(payments, set(batches))
        for batch_id in sorted(
            {str(one["BatchPaymentID"]) for one in payments if one.get("BatchPaymentID")} - batches.keys()
        ):
            batches |= {
                str(body["BatchPaymentID"]): body for body in self._client.rows(f"BatchPayments/{batch_id}")
            }
        for receipts in self._receipts(payments, batches):
            yield ChangePage(receipts, None)
        yield ChangePage(self._batches(batches, payments), None)
        for rows in self.walk("BankTransactions", since):
            deposits = (received_deposit(body, home_currency=self._home) for body in rows)
            yield ChangePage([record for record in deposits if record is not None], None)
        transfers = self._client.rows("BankTransfers", _MORE["BankTransfers"], since=since)
        yield ChangePage([transfer_deposit(body, home_currency=self._home) for body in transfers], None)

    def _receipts(
        self, payments: Sequence[Json], batches: Mapping[str, Json]
    ) -> Iterator[list[RemoteRecord]]:
        """Yield the receipts of all Payments by the page: they are stored one page at a time, like everything else."""
        found = iter(grouped(payments).items())
        while page := list(islice(found, PAGE_SIZE)):
            yield [
                receipt(
                    key,
                    members,
                    home_currency=self._home,
                    batch=batches.get(str(members[0].get("BatchPaymentID"))),
                )
                for key, members in page
            ]

    def _batches(self, batches: Mapping[str, Json], payments: Sequence[Json]) -> list[RemoteRecord]:
        members: dict[str, list[Json]] = {}
        for payment in payments:
            members.setdefault(str(payment.get("BatchPaymentID")), []).append(payment)
        found = (
            batch_deposit(body, members.get(batch_id, ()), home_currency=self._home)
            for batch_id, body in batches.items()
        )
        return [record for record in found if record is not None]

    def _whole(self, changed: Sequence[Json], batches: set[str]) -> list[Json]:
        """Add to changed Payments the others of their receipts, so that each receipt is whole."""
        wanted = {f'BatchPaymentID==Guid("{batch_id}")' for batch_id in batches}
        for payment in changed:
            wanted |= set(group_clauses(payment))
        clauses = sorted(wanted)
        rows = list(changed)
        for start in range(0, len(clauses), GROUPS_PER_CALL):
            rows += self.payments(" OR ".join(clauses[start : start + GROUPS_PER_CALL]))
        # The newer copy of a Payment counts.
        return list({str(row["PaymentID"]): row for row in rows}.values())

    def payments(self, where: str) -> list[Json]:
        """Return all Payments that a filter finds."""
        rows: list[Json] = []
        page = 1
        while True:
            part = self._client.rows(
                "Payments", {"where": where, "page": str(page), "pageSize": str(PAGE_SIZE)}
            )
            rows += part
            if len(part) < PAGE_SIZE:
                return rows
            page += 1

    # ------------------------------------------------------------------ pages

    def walk(self, resource: str, since: datetime | None) -> Iterator[list[Json]]:
        """Yield a list in pages that lose nothing when rows change meanwhile."""
        if resource in _UNSORTED:
            yield from self._by_number(resource, since)
        else:
            yield from self._by_time(resource, since)

    def _by_time(self, resource: str, since: datetime | None) -> Iterator[list[Json]]:
        seen: set[tuple[str, str]] = set()
        page = 1
        while True:
            rows, rest = self._page(resource, since, page, {"order": "UpdatedDateUTC ASC"})
            yield from self._new(resource, rows, seen)
            if rest <= 0 or not rows:
                return
            newest = instant(rows[-1].get("UpdatedDateUTC"))
            # A second earlier, because seconds are all that can be asked for and the boundary may not count.
            begins = newest.replace(microsecond=0) - timedelta(seconds=1) if newest is not None else None
            if begins is not None and (since is None or begins > since):
                since, page = begins, 1
            else:
                page += 1

    def _by_number(self, resource: str, since: datetime | None) -> Iterator[list[Json]]:
        seen: set[tuple[str, str]] = set()
        for _ in range(WALKS_MAX):
            page, count = 1, 0
            while True:
                rows, rest = self._page(resource, since, page, {})
                yield from self._new(resource, rows, seen)
                count += len(rows)
                if rest <= 0 or not rows:
                    break
                page += 1
            # A row that changed meanwhile moves, and another slips past the edge of a page: then once more.
            if page == 1 or len({key for key, _ in seen}) >= count:
                return

    def _page(
        self, resource: str, since: datetime | None, page: int, more: Mapping[str, str]
    ) -> tuple[list[Json], int]:
        """Return one page and how many rows are behind it."""
        params = {"page": str(page), "pageSize": str(PAGE_SIZE), **_MORE.get(resource, {}), **more}
        answer = self._client.read(resource, params, since=since)
        rows = rows_in(answer, resource)
        told = (answer.get("pagination") or {}).get("itemCount")
        if told is None:
            return list(rows), 1 if len(rows) == PAGE_SIZE else 0
        return list(rows), int(told) - (page - 1) * PAGE_SIZE - len(rows)

    @staticmethod
    def _new(resource: str, rows: Sequence[Json], seen: set[tuple[str, str]]) -> Iterator[list[Json]]:
        keys = [(str(row[_ID_FIELDS[resource]]), str(row.get("UpdatedDateUTC"))) for row in rows]
        new = [row for row, key in zip(rows, keys, strict=True) if key not in seen]
        seen.update(keys)
        if new:
            yield new


def group_clauses(payment: Json) -> list[str]:
    """Return the filter that finds the other Payments of the same receipt; none where it stands for itself."""
    key = key_of(payment)
    if key is None:
        return []
    kind, _, rest = key[1].partition("/")
    if kind == "batch":
        return [f'BatchPaymentID==Guid("{rest.partition("/")[0]}")']
    if kind == "receipt":
        _, _, day, reference = rest.split("/", 3)
        return [f'(Reference=="{reference}" AND Date=={clause_of(day)})']
    return []


def _read_cursor(cursor: str | None) -> tuple[datetime | None, datetime | None]:
    if cursor is None:
        return None, None
    told = json.loads(cursor)
    return datetime.fromisoformat(told["since"]), datetime.fromisoformat(told["swept"])


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
