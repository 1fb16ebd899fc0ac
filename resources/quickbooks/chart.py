"""The chart of accounts as this object last saw it: read once, when a write first needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resources.quickbooks.client import Client

PAGE_ROWS_MAX = 1000
# Rows read twice where two pages meet: if none of them comes back, rows were removed meanwhile and some were missed.
PAGE_OVERLAP = 20

Json = Mapping[str, Any]


def rows_of(
    client: Client, name: str, *, where: str = "", is_list: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """Yield all objects of one of QuickBooks' entities in pages that lose nothing when rows are removed meanwhile.

    Ordered by Id, because the default order follows the time of change and shifts while it is read.
    """
    conditions = [part for part in (where, "Active IN (true, false)" if is_list else "") if part]
    clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    seen: set[str] = set()
    start = 1
    while True:
        # QuickBooks' own query language; what comes from a user in `where` is escaped by who asks.
        statement = (
            f"SELECT * FROM {name}{clause} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE_ROWS_MAX}"  # noqa: S608
        )
        rows: list[dict[str, Any]] = client.query(statement).get(name) or []
        if seen and rows and not any(str(row["Id"]) in seen for row in rows) and start > 1:
            start = max(1, start - PAGE_ROWS_MAX // 2)
            continue
        new = [row for row in rows if str(row["Id"]) not in seen]
        seen.update(str(row["Id"]) for row in new)
        if new:
            yield new
        if len(rows) < PAGE_ROWS_MAX:
            return
        start += PAGE_ROWS_MAX - PAGE_OVERLAP


@dataclass(frozen=True, slots=True)
class Account:
    """What writing needs to know of an account."""

    id: str
    path: str
    type: str
    is_active: bool


class Chart:
    """Accounts by id and by path."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._by_id: dict[str, Account] = {}
        self._is_complete = False

    def remember(self, body: Json) -> None:
        """Take note of an account that was read anyway."""
        if "AccountType" not in body:
            return
        path = str(body.get("FullyQualifiedName") or body["Name"])
        account = Account(str(body["Id"]), path, str(body["AccountType"]), bool(body.get("Active", True)))
        self._by_id[account.id] = account

    def is_whole(self) -> None:
        """Say that all accounts have been remembered."""
        self._is_complete = True

    def known(self, account_id: str) -> Account | None:
        """Return an account if it happens to be known; makes no call."""
        return self._by_id.get(account_id)

    def account(self, account_id: str) -> Account | None:
        """Return an account, reading the chart if need be; None where the company has none of this id."""
        if account_id not in self._by_id:
            self._read()
        return self._by_id.get(account_id)

    def at(self, path: str) -> Account | None:
        """Return the active account with this path, upper and lower case alike."""
        self._read()
        wanted = path.casefold()
        return next(
            (one for one in self._by_id.values() if one.is_active and one.path.casefold() == wanted), None
        )

    def _read(self) -> None:
        if self._is_complete:
            return
        for page in rows_of(self._client, "Account", is_list=True):
            for body in page:
                self.remember(body)
        self._is_complete = True
