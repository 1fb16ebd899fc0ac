"""The chart of accounts as this object last saw it: one call reads it whole, because Xero does not page it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.xero.words import account_type

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """What writing needs to know of an account."""

    id: str
    code: str | None
    name: str
    kind: str | None
    system: str
    is_bank: bool
    is_active: bool
    takes_payments: bool

    @property
    def shown(self) -> str:
        """What a bookkeeper would call it."""
        return f"{self.code} {self.name}" if self.code else self.name


class Chart:
    """Accounts by id and by code."""

    def __init__(self, read: Callable[[], Sequence[Json]]) -> None:
        """`read` makes the call; it is made when a question first needs the chart."""
        self._read = read
        self._by_id: dict[str, Account] = {}
        self._is_read = False
        # Codes of accounts that are being made: by us, under the request id, or as the platform numbers them.
        self._given: dict[str, str] = {}
        self._spoken_for: set[str] = set()

    def fill(self, bodies: Sequence[Json]) -> None:
        """Take note of the whole chart that was read anyway."""
        self._by_id = {account.id: account for account in map(_account, bodies)}
        self._is_read = True

    def remember(self, body: Json) -> None:
        """Take note of one account."""
        account = _account(body)
        self._by_id[account.id] = account

    def known(self, account_id: str | None) -> Account | None:
        """Return an account if it happens to be known; makes no call."""
        return self._by_id.get(account_id or "")

    @property
    def is_known(self) -> bool:
        """Whether the whole chart was read."""
        return self._is_read

    def account(self, account_id: str) -> Account | None:
        """Return an account, reading the chart if need be."""
        self._ensure()
        return self._by_id.get(account_id)

    def of_code(self, code: str) -> Account | None:
        """Return the account with this code."""
        self._ensure()
        return next(
            (one for one in self._by_id.values() if (one.code or "").casefold() == code.casefold()), None
        )

    def all(self) -> list[Account]:
        """Return every account."""
        self._ensure()
        return list(self._by_id.values())

    def system(self, name: str) -> Account | None:
        """Return one of the accounts Xero keeps by itself."""
        self._ensure()
        return next((one for one in self._by_id.values() if one.system == name), None)

    def speak_for(self, codes: Iterable[str]) -> None:
        """Say which codes accounts are about to get, so that none of them is given away."""
        self._spoken_for.update(code.casefold() for code in codes)

    def free_code(self, request_id: str) -> str:
        """Return a code that nobody uses or is about to; Xero asks for one on every account but a bank's.

        The same request gets the same one; elements of several accounts are built before the first of them is sent.
        """
        if request_id not in self._given:
            taken = {(one.code or "").casefold() for one in self.all()} | self._spoken_for
            taken.update(code.casefold() for code in self._given.values())
            self._given[request_id] = next(
                code for number in range(1, 10_000) if (code := f"T{number:03d}").casefold() not in taken
            )
        return self._given[request_id]

    def forget(self) -> None:
        """Read the chart again before the next question."""
        self._is_read = False

    def _ensure(self) -> None:
        if not self._is_read:
            self.fill(self._read())


def _account(body: Json) -> Account:
    kind = account_type(body)
    return Account(
        id=str(body["AccountID"]),
        code=str(body["Code"]) if body.get("Code") else None,
        name=str(body["Name"]),
        kind=kind,
        system=str(body.get("SystemAccount") or ""),
        is_bank=body.get("Type") == "BANK",
        is_active=body.get("Status") == "ACTIVE",
        takes_payments=body.get("Type") == "BANK" or bool(body.get("EnablePaymentsToAccount")),
    )
