"""Turning documents into answer bytes: dates, twins, the envelope, and a cache of rendered documents.

A stored document is never changed in place, so a rendered text stays good as long as the document and its contact
are the same objects. That is what makes a page of a thousand documents quick.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.resource import Resource
from sandbox.xero.table import Document
from sandbox.xero.wire import day_ms, day_text, dump, instant_ms, instant_text, plain

RENDERED_MAX = 60_000
# UpdatedDateUTCString exists since 16.1.0 on these only.
TWINS = frozenset({"Invoices", "CreditNotes", "Payments", "Overpayments", "Prepayments"})
_DAY_TWINS = {"Date": "DateString", "DueDate": "DueDateString"}


def to_wire(value: Any, *, has_twins: bool = False) -> Any:
    """Native types to JSON types, with Xero's dates and their string twins."""
    kind = type(value)
    if kind is dict:
        return _object(value, has_twins=has_twins)
    if kind is list or kind is tuple:
        return [to_wire(inner) for inner in value]
    if kind is Decimal:
        return plain(value)
    if kind is date:
        return day_ms(value)
    if kind is datetime:
        return instant_ms(value)
    return value


def _object(value: Document, *, has_twins: bool) -> Document:
    shown: Document = {}
    for name, inner in value.items():
        kind = type(inner)
        if inner is None:
            continue
        if kind is str or kind is bool or kind is int:
            shown[name] = inner
        elif kind is Decimal:
            shown[name] = plain(inner)
        elif kind is date:
            twin = _DAY_TWINS.get(name)
            if twin is not None:
                shown[twin] = day_text(inner)
            shown[name] = day_ms(inner)
        elif kind is datetime:
            if has_twins and name == "UpdatedDateUTC":
                shown["UpdatedDateUTCString"] = instant_text(inner)
            shown[name] = instant_ms(inner)
        else:
            shown[name] = to_wire(inner)
    return shown


class Renderer:
    """Renders documents to JSON text, remembering the pages' form."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[Document, Document | None, str]] = OrderedDict()

    def text(self, books: Books, resource: Resource, document: Document, mode: str) -> str:
        """One document as JSON text."""
        if mode not in ("full", "listed", "summary") or resource.name in _LIVE_VIEWS:
            return render(books, resource, document, mode)
        contact = books["Contacts"].get(document.get("ContactID", ""))
        key = (resource.name, document[resource.id_field], mode)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is document and kept[1] is contact:
            return kept[2]
        text = render(books, resource, document, mode)
        self._kept[key] = (document, contact, text)
        if len(self._kept) > RENDERED_MAX:
            self._kept.popitem(last=False)
        return text

    def forget(self) -> None:
        """Drop everything (accounts or tracking were renamed, or another world was loaded)."""
        self._kept.clear()


# Their views look at other documents than their own and their contact.
_LIVE_VIEWS = frozenset({"Contacts", "BatchPayments", "Payments", "Organisation"})


def render(books: Books, resource: Resource, document: Document, mode: str) -> str:
    """One document as JSON text, without the cache."""
    return dump(to_wire(resource.view(books, document, mode), has_twins=resource.name in TWINS))


def envelope(
    *,
    request_id: str,
    app_name: str,
    now: datetime,
    name: str,
    texts: list[str],
    pagination: dict[str, int] | None = None,
) -> bytes:
    """The answer around a list of documents."""
    head = {
        "Id": request_id,
        "Status": "OK",
        "ProviderName": app_name,
        "DateTimeUTC": instant_ms(now, offset=False),
    }
    if pagination is not None:
        head["pagination"] = pagination  # type: ignore[assignment]
    return f'{dump(head)[:-1]},"{name}":[{",".join(texts)}]}}'.encode()
