"""An organisation's lists by id, state and amounts: as light as each list can be asked for, a thousand rows a call.

Xero says nothing of some changes and keeps no tombstone for what a person deletes for good, so its lists are counted.
What somebody is still drafting is not in the books and is not counted; nor are receipts whose every payment is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from resources.xero.client import PAGE_SIZE, Client, rows_in
from resources.xero.read import UNAPPROVED, Reader, state_of
from resources.xero.receipts import (
    CREDITS,
    batch_deposit,
    credit,
    grouped,
    received_deposit,
    transfer_deposit,
)
from resources.xero.words import TYPES, decimal_of
from sync.ports import CensusPage, Headcount
from sync.records import Entity, RemoteRecord

Json = Mapping[str, Any]

# Lists that come whole in one answer.
_WHOLE = frozenset({"Accounts", "BatchPayments", "BankTransfers"})
_MORE: Mapping[str, Mapping[str, str]] = {
    "Contacts": {"includeArchived": "true"},
    "Invoices": {"summaryOnly": "true", "includeArchived": "true"},
    "BankTransfers": {"includeDeleted": "true"},
}
_ENTITIES: Mapping[str, Entity] = {kind: entity for entity, kind in TYPES.items()}
_RECEIPTS = (Entity.PAYMENT, Entity.BILL_PAYMENT)
CENSUS_LISTS: Mapping[str, Collection[Entity]] = {
    "Accounts": (Entity.ACCOUNT,),
    "Contacts": (Entity.CUSTOMER, Entity.VENDOR),
    "Invoices": (Entity.INVOICE, Entity.BILL),
    "ManualJournals": (Entity.JOURNAL_ENTRY,),
    "Payments": _RECEIPTS,
    **dict.fromkeys(CREDITS, _RECEIPTS),
    "BatchPayments": (Entity.DEPOSIT,),
    "BankTransactions": (Entity.DEPOSIT,),
    "BankTransfers": (Entity.DEPOSIT,),
}


def census_page(
    client: Client, name: str, after: str | None, *, reader: Reader, home_currency: str
) -> CensusPage:
    """Read one page of one list; `after` is the number of the page."""
    more = dict(_MORE.get(name, {}))
    page = int(after or 1)
    if name not in _WHOLE:
        more |= {"page": str(page), "pageSize": str(PAGE_SIZE)}
    rows = list(rows_in(client.read(name, more), name))
    counted = _counted(name, rows, reader=reader, home=home_currency)
    is_last = name in _WHOLE or len(rows) < PAGE_SIZE
    return CensusPage(counted, None if is_last else str(page + 1))


def _counted(name: str, rows: Sequence[Json], *, reader: Reader, home: str) -> list[Headcount]:
    if name in ("Accounts", "Contacts"):
        return [_seen(record) for row in rows for record in reader.listed(name, row)]
    if name == "Invoices":
        return [_document(row) for row in rows if row.get("Status") not in UNAPPROVED]
    if name == "ManualJournals":
        return [
            Headcount(Entity.JOURNAL_ENTRY, str(row["ManualJournalID"]), state=state_of(row))
            for row in rows
            if row.get("Status") not in UNAPPROVED
        ]
    if name == "Payments":
        live = grouped(row for row in rows if row.get("Status") == "AUTHORISED")
        return [Headcount(entity, remote_id) for entity, remote_id in live]
    make: Callable[[Json], RemoteRecord | None]
    if name in CREDITS:

        def make(row: Json) -> RemoteRecord | None:
            return credit(name, row, home_currency=home)
    elif name == "BatchPayments":

        def make(row: Json) -> RemoteRecord | None:
            return batch_deposit(row, (), home_currency=home)
    elif name == "BankTransactions":

        def make(row: Json) -> RemoteRecord | None:
            return received_deposit(row, home_currency=home)
    else:

        def make(row: Json) -> RemoteRecord | None:
            return transfer_deposit(row, home_currency=home)

    found = (make(row) for row in rows)
    return [
        Headcount(Entity(record.entity), record.remote_id, state=record.state)
        for record in found
        if record is not None
    ]


def _seen(record: RemoteRecord) -> Headcount:
    return Headcount(Entity(record.entity), record.remote_id, version=record.version, state=record.state)


def _document(row: Json) -> Headcount:
    return Headcount(
        _ENTITIES[str(row["Type"])],
        str(row["InvoiceID"]),
        state=state_of(row),
        total=decimal_of(row.get("Total")),
        balance=decimal_of(row.get("AmountDue")),
    )
