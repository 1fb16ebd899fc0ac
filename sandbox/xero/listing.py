"""Reading lists: where, order, If-Modified-Since, ids, search, pages, and the light form without pages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.xero.refusals import query_invalid
from sandbox.xero.resource import Call, Resource
from sandbox.xero.table import Document
from sandbox.xero.where import Query, parse_order, parse_where
from sandbox.xero.wire import parse_instant

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 1_000
PAGE_MAX = 10_000_000
VOLUME_MAX = 100_000
REMEMBERED_MAX = 8
# What very large organisations may filter and order by; anything else is refused there.
OPTIMISED: dict[str, frozenset[str]] = {
    "Invoices": frozenset(
        {
            "status",
            "type",
            "contact.contactid",
            "contact.name",
            "contact.contactnumber",
            "reference",
            "invoicenumber",
            "invoiceid",
            "date",
            "duedate",
            "amountdue",
            "amountpaid",
            "updateddateutc",
        }
    ),
    "Payments": frozenset(
        {
            "paymenttype",
            "invoice.invoiceid",
            "invoice.contact.contactid",
            "paymentid",
            "updateddateutc",
            "date",
        }
    ),
    "BankTransactions": frozenset(
        {
            "type",
            "status",
            "date",
            "contact.contactid",
            "banktransactionid",
            "updateddateutc",
        }
    ),
}
VOLUME_TEXT = (
    "You are not filtering or ordering this endpoint efficiently, given the extremely high volume of data in this "
    "organisation."
)


@dataclass(frozen=True)
class Listed:
    """The documents of one answer, how to show them, and the page they are on."""

    documents: list[Document]
    mode: str
    pagination: dict[str, int] | None = None


class Lists:
    """Answers list queries, remembering the last few so that walking pages filters once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], list[Document]] = OrderedDict()

    def answer(self, call: Call, resource: Resource, *, modified_since: str | None) -> Listed:
        """Carry out one list query."""
        query = call.query
        is_summary = call.flag("summaryOnly") and resource.name in ("Invoices", "Contacts")
        is_paged = resource.is_paged and any(name in query for name in ("page", "pagesize", "statuses"))
        page = _whole(query.get("page"), "page", least=1, most=PAGE_MAX, default=1)
        size = _whole(
            query.get("pagesize"), "pageSize", least=1, most=PAGE_SIZE_MAX, default=PAGE_SIZE_DEFAULT
        )
        if is_summary and not is_paged:
            raise query_invalid("summaryOnly needs paging; send page=1.")
        since = _since(modified_since) if resource.takes_ims else None
        if not is_paged:
            found = self._found(call, resource, since)
            return Listed(found, "listed" if resource.list_is_light else "full")
        part, count = self._page(call, resource, since, offset=(page - 1) * size, size=size)
        pagination = None
        if "page" in query:
            pages = (count + size - 1) // size
            pagination = {"page": page, "pageSize": size, "pageCount": pages, "itemCount": count}
        return Listed(part, "summary" if is_summary else "full", pagination)

    def _page(
        self, call: Call, resource: Resource, since: datetime | None, *, offset: int, size: int
    ) -> tuple[list[Document], int]:
        """One page and the number of all; without filters it is cut out of the change order directly."""
        is_plain = not any(call.query.get(name, "").strip() for name in ("where", "searchterm"))
        if (
            is_plain
            and _is_change_order(call)
            and not resource.filters(call)
            and resource.lists_everything(call)
        ):
            is_inclusive = call.books.switches("ims_boundary") == "inclusive"
            rows = call.books[resource.name]
            return rows.window(since=since, is_inclusive=is_inclusive, offset=offset, size=size)
        found = self._found(call, resource, since)
        return found[offset : offset + size], len(found)

    def _found(self, call: Call, resource: Resource, since: datetime | None) -> list[Document]:
        books = call.books
        asked = tuple(
            sorted((k, v) for k, v in call.query.items() if k not in ("page", "pagesize", "unitdp"))
        )
        key = (
            books.organisation_id,
            resource.name,
            books[resource.name].version,
            books["Contacts"].version,
            since,
            call.app_id,
            asked,
            books.switches("ims_boundary"),
            books.switches("deleted_payments_listed"),
        )
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._run(call, resource, since)
            if len(self._kept) > REMEMBERED_MAX:
                self._kept.popitem(last=False)
        return kept

    def _run(self, call: Call, resource: Resource, since: datetime | None) -> list[Document]:
        books, columns = call.books, resource.columns(call.books)
        rows = books[resource.name]
        where = call.query.get("where")
        parsed = Query(lambda document: True)
        if where is not None and where.strip():
            parsed = parse_where(where, columns=columns, type_name=resource.type_name)
        order = call.query.get("order")
        arrange = (
            parse_order(order, columns=columns, type_name=resource.type_name)
            if order and order.strip()
            else None
        )
        if len(rows.rows) > VOLUME_MAX and resource.name in OPTIMISED:
            named = parsed.names | {
                part.split()[0].lower() for part in (order or "").split(",") if part.split()
            }
            if not named <= OPTIMISED[resource.name]:
                raise query_invalid(VOLUME_TEXT)
        tests = [*resource.filters(call), *_search(call, resource)]
        if where is not None and where.strip():
            tests.append(parsed.test)
        found = self._candidates(call, resource, parsed, since)
        kept = [
            document
            for document in found
            if resource.is_listed(call, document) and all(test(document) for test in tests)
        ]
        return kept if arrange is None else arrange(kept)

    def _candidates(
        self, call: Call, resource: Resource, parsed: Query, since: datetime | None
    ) -> Iterable[Document]:
        rows = call.books[resource.name]
        is_inclusive = call.books.switches("ims_boundary") == "inclusive"
        narrowed = resource.narrowed(call, parsed.must_equal)
        if narrowed is not None:
            if since is not None:
                narrowed = [
                    doc
                    for doc in narrowed
                    if _is_after(doc["UpdatedDateUTC"], since, is_inclusive=is_inclusive)
                ]
            return sorted(narrowed, key=lambda doc: doc["UpdatedDateUTC"])
        if resource.is_paged or since is not None:
            return rows.changed(since=since, is_inclusive=is_inclusive)
        return list(rows.rows.values())


def _is_change_order(call: Call) -> bool:
    """Whether documents are wanted as they come: no order, or the one they are kept in."""
    return call.query.get("order", "").lower().split() in ([], ["updateddateutc"], ["updateddateutc", "asc"])


def _is_after(moment: datetime, since: datetime, *, is_inclusive: bool) -> bool:
    return moment >= since if is_inclusive else moment > since


def _whole(text: str | None, name: str, *, least: int, most: int, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not least <= int(text) <= most:
        raise query_invalid(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _since(text: str | None) -> datetime | None:
    if text is None or not text.strip():
        return None
    moment = parse_instant(text)
    if moment is None:
        raise query_invalid(
            f"If-Modified-Since '{text[:60]}' is not a date and time such as 2026-01-31T10:00:00."
        )
    return moment


def _search(call: Call, resource: Resource) -> list[Callable[[Document], bool]]:
    text = call.query.get("searchterm")
    if text is None or not resource.search_fields:
        return []
    wanted = text.casefold()
    return [lambda doc: any(wanted in (doc.get(name) or "").casefold() for name in resource.search_fields)]
