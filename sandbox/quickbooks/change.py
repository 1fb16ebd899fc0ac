"""One unit of work on a company: what it writes, whose balances it moves, and which events it causes.

Everything a request changes happens inside one `Change`, in one store transaction. At its end the balances of
the accounts, customers and vendors it touched are brought up to date (their LastUpdatedTime moves, their
SyncToken does not, as recorded from the real service).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.kernel.ledger import ZERO
from sandbox.kernel.wire import money
from sandbox.quickbooks.company import PROFIT_TYPES, Company
from sandbox.quickbooks.records import NOTHING, Body, Effects, Record
from sandbox.quickbooks.times import wire_epoch

Event = tuple[str, str, str]
ID_STARTS = {
    "Account": 1_150_040_000, "Class": 5_000_000_000_000_000_000, "Department": 0,
    "Attachable": 5_000_010_000_000_000_000, "SalesNumber": 1000,
}  # fmt: skip
PARTY_ENTITIES = ("Customer", "Vendor", "Employee")


class Change:
    """What one request does to a company."""

    def __init__(
        self, company: Company, *, allow_duplicate_numbers: bool = False, is_own_hand: bool = False
    ) -> None:
        self.company = company
        self.now: datetime = company.clock.now()
        self.epoch = int(self.now.timestamp())
        self.allow_duplicate_numbers = allow_duplicate_numbers
        # The bookkeeper at the window sends nothing twice and forgets no reference.
        self.is_own_hand = is_own_hand
        self.events: list[Event] = []
        self.touched: dict[tuple[str, str], None] = {}

    def next_id(self, space: str) -> str:
        """Return the next id of a space (transactions share one, customers and vendors another)."""
        counters = dict(self.company.store.get(self.company.path("_meta"), "ids") or {})
        counters[space] = int(counters.get(space, ID_STARTS.get(space, 0))) + 1
        self.company.store.put(self.company.path("_meta"), "ids", counters)
        return str(counters[space])

    def next_number(self) -> str:
        """Return the next number for sales forms."""
        return self.next_id("SalesNumber")

    def seen_number(self, text: str) -> None:
        """Let automatic numbering go on after a number that was sent."""
        counters = self.company.store.get(self.company.path("_meta"), "ids") or {}
        if text.isdecimal() and len(text) < 10 and int(text) > int(counters.get("SalesNumber", 0)):
            changed = dict(counters, SalesNumber=int(text))
            self.company.store.put(self.company.path("_meta"), "ids", changed)

    def put(
        self,
        entity: str,
        body: Body,
        *,
        old: Record | None,
        effects: Effects = NOTHING,
        event: str | None = None,
    ) -> Record:
        """Store a new state of an object: SyncToken +1 on a change, times set, touched balances noted."""
        company = self.company
        created = wire_epoch(self.epoch) if old is None else old.body["MetaData"]["CreateTime"]
        meta: Body = {"CreateTime": created}
        if entity in ("Invoice", "Bill", "Estimate", "CreditMemo"):
            meta["LastModifiedByRef"] = {"value": f"{company.realm}"}
        meta["LastUpdatedTime"] = wire_epoch(self.epoch)
        body["SyncToken"] = "0" if old is None else str(int(old.body["SyncToken"]) + 1)
        body["MetaData"] = meta
        body["domain"] = "QBO"
        body["sparse"] = False
        record = Record(body, epoch=self.epoch, sequence=company.last_sequence + 1, effects=effects)
        company.store.put(company.path(entity), body["Id"], record)
        self._touch(old, record)
        self.events.append((entity, body["Id"], event or ("Create" if old is None else "Update")))
        return record

    def remove(self, entity: str, record: Record) -> None:
        """Delete an object for good, leaving a stub for change data capture."""
        company = self.company
        company.store.remove(company.path(entity), record.id)
        stub = {"entity": entity, "Id": record.id, "epoch": self.epoch}
        company.store.put(company.path("_deleted"), f"{entity}:{record.id}", stub)
        self._touch(record, None)
        self.events.append((entity, record.id, "Delete"))

    def refresh(self, entity: str, record: Record, body: Body, *, bumps: bool = True) -> None:
        """Store a body the system itself changed (a balance, a link), with or without a new SyncToken."""
        if bumps:
            body["SyncToken"] = str(int(record.body["SyncToken"]) + 1)
            body["MetaData"] = {**record.body["MetaData"], "LastUpdatedTime": wire_epoch(self.epoch)}
            fresh = record.with_body(body, epoch=self.epoch, sequence=self.company.last_sequence + 1)
            self.events.append((entity, record.id, "Update"))
        else:
            fresh = record.with_body(body)
        self.company.store.put(self.company.path(entity), record.id, fresh)

    def finish(self) -> None:
        """Bring the balances of all touched accounts and names up to date."""
        company = self.company
        for entity, number in list(self.touched):
            record = company.find(entity, number)
            while record is not None and (parent := record.body.get("ParentRef")) is not None:
                if (entity, parent["value"]) in self.touched:
                    break
                self.touched[entity, parent["value"]] = None
                record = company.find(entity, parent["value"])
        for entity, number in self.touched:
            record = company.find(entity, number)
            if record is None:
                continue
            balances = stated_balances(company, entity, number)
            if any(record.body.get(name) != value for name, value in balances.items()):
                meta = {**record.body["MetaData"], "LastUpdatedTime": wire_epoch(self.epoch)}
                body = {**record.body, **balances, "MetaData": meta}
                fresh = record.with_body(body, epoch=self.epoch, sequence=company.last_sequence + 1)
                company.store.put(company.path(entity), number, fresh)
        self.touched.clear()

    def _touch(self, old: Record | None, new: Record | None) -> None:
        before = old.effects.postings if old is not None else ()
        after = new.effects.postings if new is not None else ()
        if before == after:
            return
        for posting in (*before, *after):
            self.touched["Account", posting.account] = None
            if posting.party is not None:
                entity, _, number = posting.party.partition(":")
                self.touched[entity, number] = None


def stated_balances(company: Company, entity: str, number: str) -> Body:
    """Return the balance properties an account, customer or vendor should show, from the ledger alone."""
    if entity == "Account":
        if company.account_type(number) in PROFIT_TYPES:
            return {"CurrentBalance": ZERO, "CurrentBalanceWithSubAccounts": ZERO}
        return {
            "CurrentBalance": money(company.ledger.balance(number)),
            "CurrentBalanceWithSubAccounts": money(_tree(company, entity, number, company.ledger.balance)),
        }
    if entity == "Customer":
        return {
            "Balance": money(_party(company, "Customer", number)),
            "BalanceWithJobs": money(
                _tree(company, entity, number, lambda each: _party(company, "Customer", each))
            ),
        }
    if entity == "Vendor":
        return {"Balance": money(-_party(company, "Vendor", number))}
    return {}


def _party(company: Company, entity: str, number: str) -> Decimal:
    return sum(company.ledger.party_balances(f"{entity}:{number}").values(), ZERO)


def _tree(company: Company, entity: str, number: str, of: Callable[[str], Decimal]) -> Decimal:
    below = company.children.get((entity, number), {})
    return of(number) + sum((_tree(company, entity, child, of) for child in below), ZERO)


@contextmanager
def changing(company: Company, **options: Any) -> Iterator[Change]:
    """Run one unit of work: all of it is kept, or none."""
    change = Change(company, **options)
    with company.store.transaction():
        yield change
        change.finish()
