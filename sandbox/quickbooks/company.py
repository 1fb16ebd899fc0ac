"""One company file: its objects, the indexes over them, and its ledger, kept in step with the store.

Indexes follow the store through `follow`, which hears of every change (also of roll-backs and of loading), so
nothing here can disagree with what is stored.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.ledger import ZERO, Ledger
from sandbox.kernel.store import Store
from sandbox.quickbooks import faults
from sandbox.quickbooks.records import Body, Record
from sandbox.quickbooks.times import PACIFIC

ASSET_TYPES = frozenset({"Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset", "Other Asset"})
PROFIT_TYPES = frozenset({"Income", "Cost of Goods Sold", "Expense", "Other Income", "Other Expense"})
REF_NAMES = {"Customer": "DisplayName", "Vendor": "DisplayName", "Employee": "DisplayName"}
PARENTED = frozenset({"Account", "Customer", "Item", "Class", "Department"})
REF_WORDS = {
    "Customer": "Names", "Vendor": "Names", "Employee": "Names", "Account": "Accounts", "Item": "Items",
}  # fmt: skip


class Table:
    """All objects of one entity: by id in order of creation, and by time of last change."""

    def __init__(self, rows: Mapping[str, Record]) -> None:
        self.rows = rows
        self.by_change: list[tuple[int, int, str]] = []
        self.by_id: list[int] = []
        self.version = 0

    def follow(self, key: str, old: Record | None, new: Record | None) -> None:
        """Keep both orders in step."""
        self.version += 1
        if old is None and new is not None:
            _enter(self.by_id, int(key))
        elif old is not None and new is None:
            del self.by_id[bisect_left(self.by_id, int(key))]
        if old is not None:
            place = bisect_left(self.by_change, (old.epoch, old.sequence, key))
            if place < len(self.by_change) and self.by_change[place][2] == key:
                del self.by_change[place]
        if new is not None:
            entry = (new.epoch, new.sequence, key)
            if not self.by_change or self.by_change[-1] < entry:
                self.by_change.append(entry)
            else:
                insort(self.by_change, entry)


def _enter(numbers: list[int], number: int) -> None:
    if not numbers or numbers[-1] < number:
        numbers.append(number)
    else:
        insort(numbers, number)


class Company:
    """The books of one realm."""

    def __init__(self, realm: str, store: Store, clock: MovableClock, switch: Callable[[str], str]) -> None:
        self.realm = realm
        self.store = store
        self.clock = clock
        self.switch = switch
        self.ledger = Ledger()
        self.tables: dict[str, Table] = {}
        self.keys: dict[str, dict[tuple[str, str], None]] = {}
        self.settled: dict[tuple[str, str], dict[tuple[str, str], Decimal]] = {}
        self.children: dict[tuple[str, str], dict[str, None]] = {}
        self.kinds_of_account: dict[str, dict[str, None]] = {}
        self.last_sequence = 0
        # The last few sorted results, so that the pages of one query are cut from one sort.
        self.sorted_results: dict[Any, tuple[int, list[Record]]] = {}

    # --- reading ---------------------------------------------------------------------------------

    def table(self, entity: str) -> Table:
        """Return the table of an entity."""
        table = self.tables.get(entity)
        if table is None:
            table = self.tables[entity] = Table(self.store.rows(self.path(entity)))
        return table

    def path(self, entity: str) -> str:
        """Return the store's name for a table."""
        return f"{self.realm}/{entity}"

    def find(self, entity: str, number: str) -> Record | None:
        """Return an object, or None."""
        return self.table(entity).rows.get(number)

    def today(self) -> date:
        """Return the company's date."""
        return self.clock.now().astimezone(PACIFIC).date()

    def preference(self, section: str, name: str) -> Any:
        """Return one preference, or None."""
        record = self.find("Preferences", "1")
        return None if record is None else record.body.get(section, {}).get(name)

    def reference(
        self, entity: str, ref: Body | None, field: str, *, kept: Body | None = None
    ) -> Body | None:
        """Check a reference and return it with its name; inactive is allowed only where it already stood."""
        if ref is None:
            return None
        record = self.find(entity, ref["value"])
        if record is None:
            raise faults.invalid_reference(REF_WORDS.get(entity, entity), ref["value"], field)
        was_there = kept is not None and kept.get("value") == ref["value"]
        if record.body.get("Active") is False and not was_there:
            raise faults.not_found()
        return {"value": ref["value"], "name": self.ref_name(entity, record)}

    def ref_name(self, entity: str, record: Record) -> str:
        """Return the name a reference to an object shows."""
        body = record.body
        name = REF_NAMES.get(entity, "FullyQualifiedName")
        return str(body.get(name) or body.get("Name") or "")

    def account_of_type(self, *types: str, subtype: str | None = None) -> Record | None:
        """Return the first active account of a type (and subtype)."""
        for kind in types:
            for number in self.kinds_of_account.get(kind, ()):
                record = self.find("Account", number)
                if record is None or record.body.get("Active") is False:
                    continue
                if subtype is None or record.body.get("AccountSubType") == subtype:
                    return record
        return None

    def account_type(self, number: str) -> str:
        """Return an account's type."""
        record = self.find("Account", number)
        return "" if record is None else str(record.body["AccountType"])

    def holders(self, key: str) -> Iterator[tuple[str, str]]:
        """Yield the objects that hold an index key (a name, a number)."""
        yield from self.keys.get(key, {})

    def applied(self, entity: str, number: str) -> dict[tuple[str, str], Decimal]:
        """Return what settles a transaction: source → amount."""
        return self.settled.get((entity, number), {})

    # --- following the store ---------------------------------------------------------------------

    def follow(self, entity: str, key: str, old: Any, new: Any) -> None:
        """Bring every index and the ledger in step with one change."""
        if not isinstance(new, Record) and not isinstance(old, Record):
            return
        self.table(entity).follow(key, old, new)
        if new is not None and new.sequence > self.last_sequence:
            self.last_sequence = new.sequence
        self._follow_keys(entity, key, old, new)
        self._follow_links(entity, key, old, new)
        if entity in PARENTED:
            self._follow_tree(entity, key, old, new)
        self._follow_ledger(f"{entity}:{key}", old, new)

    def _follow_keys(self, entity: str, key: str, old: Record | None, new: Record | None) -> None:
        if old is not None and new is not None and old.effects.keys == new.effects.keys:
            return
        for name in old.effects.keys if old is not None else ():
            holders = self.keys.get(name)
            if holders is not None:
                holders.pop((entity, key), None)
                if not holders:
                    del self.keys[name]
        for name in new.effects.keys if new is not None else ():
            self.keys.setdefault(name, {})[entity, key] = None

    def _follow_links(self, entity: str, key: str, old: Record | None, new: Record | None) -> None:
        if old is not None and new is not None and old.effects.links == new.effects.links:
            return
        for link in old.effects.links if old is not None else ():
            sources = self.settled.get((link.entity, link.id))
            if sources is not None:
                sources.pop((entity, key), None)
                if not sources:
                    del self.settled[link.entity, link.id]
        for link in new.effects.links if new is not None else ():
            sources = self.settled.setdefault((link.entity, link.id), {})
            sources[entity, key] = sources.get((entity, key), ZERO) + link.amount

    def _follow_tree(self, entity: str, key: str, old: Record | None, new: Record | None) -> None:
        before = (old.body.get("ParentRef") or {}).get("value") if old is not None else None
        after = (new.body.get("ParentRef") or {}).get("value") if new is not None else None
        if before != after:
            if before is not None:
                self.children.get((entity, before), {}).pop(key, None)
            if after is not None:
                self.children.setdefault((entity, after), {})[key] = None
        if entity == "Account":
            was = old.body["AccountType"] if old is not None else None
            now = new.body["AccountType"] if new is not None else None
            if was != now:
                if was is not None:
                    self.kinds_of_account.get(was, {}).pop(key, None)
                if now is not None:
                    self.kinds_of_account.setdefault(now, {})[key] = None

    def _follow_ledger(self, document: str, old: Record | None, new: Record | None) -> None:
        if old is not None and new is not None and old.effects[:2] == new.effects[:2]:
            return
        if new is None or new.effects.on is None or not new.effects.postings:
            self.ledger.unpost(document)
        else:
            self.ledger.post(document, on=new.effects.on, postings=new.effects.postings)
