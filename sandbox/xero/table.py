"""One resource's documents: look-ups by any key, and the order in which they last changed.

The store keeps the values; this hears of each change (roll-backs and loading too) and keeps its indexes and the
change order in step, so that If-Modified-Since and paging never sort the whole table.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sandbox.kernel.store import Store

Document = dict[str, Any]
KeysOf = Callable[[Document], Iterable[str]]
STALE_MAX = 2_000


class Table:
    """The documents of one resource in one organisation."""

    def __init__(self, store: Store, *, prefix: str, name: str, indexes: Mapping[str, KeysOf]) -> None:
        self._store = store
        self.name = name
        self.store_name = prefix + name
        self.rows: Mapping[str, Document] = store.rows(self.store_name)
        self.version = 0
        self._keys_of = dict(indexes)
        self._indexes: dict[str, dict[str, dict[str, None]]] = {name: {} for name in indexes}
        self._order: list[tuple[datetime, str]] = []
        self._stale = 0
        self._stamps: dict[str, int] = {}

    def get(self, key: str) -> Document | None:
        """The document of that id."""
        return self.rows.get(key)

    def put(self, key: str, document: Document) -> None:
        """Enter or replace a document; the dict must not be changed afterwards."""
        self._store.put(self.store_name, key, document)

    def remove(self, key: str) -> None:
        """Remove a document altogether (most resources keep a status instead)."""
        self._store.remove(self.store_name, key)

    def find(self, index: str, value: str) -> list[Document]:
        """All documents with that key in the index, oldest first."""
        return [self.rows[key] for key in self._indexes[index].get(value, ())]

    def first(self, index: str, value: str) -> Document | None:
        """The first document with that key in the index."""
        for key in self._indexes[index].get(value, ()):
            return self.rows[key]
        return None

    def count(self, index: str, value: str) -> int:
        """How many documents have that key in the index."""
        return len(self._indexes[index].get(value, ()))

    def contact_stamp(self, contact_id: str) -> int:
        """A number that moves whenever a document of that contact changes."""
        return self._stamps.get(contact_id, 0)

    def changed(self, *, since: datetime | None = None, is_inclusive: bool = True) -> Iterator[Document]:
        """Documents in order of their last change, from a moment on."""
        start = 0
        if since is not None:
            start = bisect_left(self._order, (since, "" if is_inclusive else "\uffff"))
        rows = self.rows
        for moment, key in self._order[start:] if start else self._order:
            document = rows.get(key)
            if document is not None and document["UpdatedDateUTC"] == moment:
                yield document

    def window(
        self, *, since: datetime | None, is_inclusive: bool, offset: int, size: int
    ) -> tuple[list[Document], int]:
        """One page of `changed` and the number of all, without walking the rest."""
        if self._stale:
            self._compact()
        start = 0
        if since is not None:
            start = bisect_left(self._order, (since, "" if is_inclusive else "\uffff"))
        part = self._order[start + offset : start + offset + size]
        return [self.rows[key] for _, key in part], len(self._order) - start

    def heard(self, key: str, old: Document | None, new: Document | None) -> None:
        """Keep indexes and change order in step with one change of the store."""
        self.version += 1
        for name, keys_of in self._keys_of.items():
            index = self._indexes[name]
            before = dict.fromkeys(keys_of(old)) if old is not None else {}
            after = dict.fromkeys(keys_of(new)) if new is not None else {}
            if name == "contact":
                self._stamps.update(dict.fromkeys([*before, *after], self.version))
            for value in before:
                if value not in after:
                    held = index[value]
                    held.pop(key, None)
                    if not held:
                        del index[value]
            for value in after:
                if value not in before:
                    index.setdefault(value, {})[key] = None
        before_moment = None if old is None else old.get("UpdatedDateUTC")
        moment = None if new is None else new.get("UpdatedDateUTC")
        if moment != before_moment:
            self._stale += before_moment is not None
            if moment is not None:
                self._enter(moment, key)

    def _enter(self, moment: datetime, key: str) -> None:
        entry = (moment, key)
        order = self._order
        if not order or order[-1] < entry:
            order.append(entry)
        else:
            at = bisect_left(order, entry)
            if at < len(order) and order[at] == entry:
                self._stale -= 1  # A roll-back makes an entry live again that was never taken out.
            else:
                order.insert(at, entry)
        if self._stale > len(self.rows) + STALE_MAX:
            self._compact()

    def _compact(self) -> None:
        """Take out entries of documents that have changed again since, or are gone."""
        rows = self.rows
        self._order = [
            (moment, key)
            for moment, key in self._order
            if (doc := rows.get(key)) and doc["UpdatedDateUTC"] == moment
        ]
        self._stale = 0
