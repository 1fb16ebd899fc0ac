"""Turning documents into answer bytes: dates, twins, the envelope, and a cache of rendered documents.

A stored document is never changed in place, so a rendered text stays good as long as the document and those its
view looks at are the same objects. That is what makes a page of a thousand documents quick.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime
from decimal import Decimal
from json.encoder import encode_basestring as quote
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.resource import Resource
from sandbox.xero.table import Document
from sandbox.xero.wire import day_ms, day_text, dump, instant_ms, instant_text

RENDERED_MAX = 60_000
# UpdatedDateUTCString exists since 16.1.0 on these only.
TWINS = frozenset({"Invoices", "CreditNotes", "Payments", "Overpayments", "Prepayments"})
_DAY_TWINS = {"Date": "DateString", "DueDate": "DueDateString"}


def number_text(value: Decimal) -> str:
    """A number as Xero prints it: no exponent, at least one decimal."""
    text = format(value, "f")
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def to_text(value: Any, *, has_twins: bool = False) -> str:
    """Native types to JSON text in one pass, with Xero's dates and their string twins; None is left out of objects."""
    kind = type(value)
    if kind is dict:
        return _object_text(value, has_twins=has_twins)
    if kind is list or kind is tuple:
        return f"[{','.join([to_text(inner) for inner in value])}]"
    if kind is str:
        return quote(value)
    if kind is Decimal:
        return number_text(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is date:
        return f'"{day_ms(value)}"'
    if kind is datetime:
        return f'"{instant_ms(value)}"'
    return "null" if value is None else str(int(value))


def _object_text(value: Document, *, has_twins: bool) -> str:
    parts: list[str] = []
    for name, inner in value.items():
        if inner is None:
            continue
        kind = type(inner)
        if kind is str:
            parts.append(f'"{name}":{quote(inner)}')
        elif kind is Decimal:
            parts.append(f'"{name}":{number_text(inner)}')
        elif kind is bool:
            parts.append(f'"{name}":true' if inner else f'"{name}":false')
        elif kind is date:
            twin = _DAY_TWINS.get(name)
            if twin is not None:
                parts.append(f'"{twin}":"{day_text(inner)}"')
            parts.append(f'"{name}":"{day_ms(inner)}"')
        elif kind is datetime and has_twins and name == "UpdatedDateUTC":
            parts.append(
                f'"UpdatedDateUTCString":"{instant_text(inner)}","UpdatedDateUTC":"{instant_ms(inner)}"'
            )
        else:
            parts.append(f'"{name}":{to_text(inner)}')
    return f"{{{','.join(parts)}}}"


class Renderer:
    """Renders documents to JSON text, remembering the pages' form."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], tuple[Document, tuple[object, ...], str]] = (
            OrderedDict()
        )

    def text(self, books: Books, resource: Resource, document: Document, mode: str) -> str:
        """One document as JSON text."""
        if mode not in ("full", "listed", "summary") or resource.name in _LIVE_VIEWS:
            return render(books, resource, document, mode)
        beside = resource.beside(books, document)
        key = (resource.name, document[resource.id_field], mode)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is document and kept[1] == beside:
            return kept[2]
        text = render(books, resource, document, mode)
        self._kept[key] = (document, beside, text)
        if len(self._kept) > RENDERED_MAX:
            self._kept.popitem(last=False)
        return text

    def forget(self) -> None:
        """Drop everything (accounts or tracking were renamed, or another world was loaded)."""
        self._kept.clear()


# Their views look at other documents than those `beside` names.
_LIVE_VIEWS = frozenset({"BatchPayments", "Organisation"})


def render(books: Books, resource: Resource, document: Document, mode: str) -> str:
    """One document as JSON text, without the cache."""
    return to_text(resource.view(books, document, mode), has_twins=resource.name in TWINS)


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
