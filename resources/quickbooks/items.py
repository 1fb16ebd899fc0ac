"""Items: an invoice line of QuickBooks names an item, and the item names the account.

For each mapped account the Service item that posts to it is used; where there is none, one is made, named after the
account. Its request id depends on company, account and the items there already are, so that two processes make one
item between them, and an item that was renamed or pointed elsewhere since is not answered with once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from resources.quickbooks.catalogue import NOT_FOUND, TITLE
from resources.quickbooks.chart import Chart, rows_of
from resources.quickbooks.client import Client
from sync.errors import OutcomeUnknown, ProviderUnavailable, RejectedByProvider, Remedy
from sync.naming import ById
from sync.records import Entity

ITEM_NAME_LENGTH_MAX = 100
# How often an item is asked for anew where QuickBooks answers with one from before.
REPLAYS_MAX = 3

Json = Mapping[str, Any]


class Items:
    """The company's items, read once, when a write or a line without an account first needs them."""

    def __init__(self, client: Client, chart: Chart, *, company_id: str) -> None:
        self._client = client
        self._chart = chart
        self._company_id = company_id
        self._by_id: dict[str, Json] = {}
        self._is_complete = False

    def remember(self, body: Json) -> None:
        """Take note of an item that was read anyway."""
        if "Name" in body:
            self._by_id[str(body["Id"])] = body

    def is_whole(self) -> None:
        """Say that all items have been remembered."""
        self._is_complete = True

    def account_of(self, item_id: str, side: str) -> str | None:
        """Return the account an item posts to when it is sold ("income") or bought ("expense")."""
        if item_id not in self._by_id:
            self._read()
        item = self._by_id.get(item_id, {})
        reference = item.get("IncomeAccountRef" if side == "income" else "ExpenseAccountRef") or {}
        return str(reference["value"]) if reference.get("value") else None

    def name_of(self, item_id: str) -> str:
        """Return an item's name, as far as it is known."""
        item = self._by_id.get(item_id, {})
        return str(item.get("FullyQualifiedName") or item.get("Name") or item_id)

    def for_account(self, account_id: str, *, label: str) -> str:
        """Return the id of a Service item that posts to this account, making one where there is none."""
        self._read()
        found = self._found(account_id)
        return found if found is not None else self._make(account_id, label=label)

    def _found(self, account_id: str) -> str | None:
        fitting = [
            item_id
            for item_id, item in self._by_id.items()
            if item.get("Type") == "Service" and _fits(item, account_id)
        ]
        # The oldest: the same answer in every process, and the one the bookkeeper knows.
        return min(fitting, key=_age, default=None)

    def _make(self, account_id: str, *, label: str) -> str:
        account = self._chart.account(account_id)
        if account is None or not account.is_active:
            what = (
                "is not in QuickBooks any more"
                if account is None
                else f"({account.path}) is inactive in QuickBooks"
            )
            error = RejectedByProvider(
                f"{label} was not sent because the account {account_id} of a line {what}."
                " Choose another one under Account mapping; then retry.",
                provider=TITLE,
                label=label,
                by_id=ById(f"the account {account_id}", (Entity.ACCOUNT,), account_id),
            )
            error.remedy = Remedy.FIX_MAPPING
            raise error
        name = self._free_name(account.path, account_id)
        for _ in range(REPLAYS_MAX):
            item = self._send(name, account_id)
            if _fits(item, account_id):
                return str(item["Id"])
        raise RejectedByProvider(
            f"{label} was not sent because QuickBooks did not make an item for the account {account.path}. Make a"
            " Service item there that posts to this account; then retry.",
            provider=TITLE,
            label=label,
        )

    def _send(self, name: str, account_id: str) -> Json:
        """Ask for an item and return it as it is now."""
        body = {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": account_id}}
        request_id = item_request_id(self._company_id, account_id, name, known=self._by_id)
        label = f"the item {name}"
        try:
            answer = self._client.send("item", body, params={"requestid": request_id}, label=label)
        except OutcomeUnknown as error:
            # The document was not sent. Next time the item is found, or the same request id tells what became of it.
            reason = f"{label} was not confirmed"
            raise ProviderUnavailable(provider=TITLE, reason=reason) from error
        except RejectedByProvider as error:
            if error.details.get("provider_code") != "6240":
                raise
            return self._made_by_another(account_id, error)
        item = self._as_it_is(answer["Item"], label=label)
        self.remember(item)
        return item

    def _as_it_is(self, answered: Json, *, label: str) -> Json:
        """Read an item again: a repeated request is answered with what was answered the first time."""
        try:
            now: Json = self._client.read(f"item/{answered['Id']}", label=label)["Item"]
        except RejectedByProvider as error:
            if error.details.get("provider_code") != NOT_FOUND and error.details.get("http_status") != 404:
                raise
            return {**answered, "Active": False}
        return now

    def _made_by_another(self, account_id: str, error: RejectedByProvider) -> Json:
        self._is_complete = False
        self._read()
        found = self._found(account_id)
        if found is None:
            raise error
        return self._by_id[found]

    def _free_name(self, path: str, account_id: str) -> str:
        taken = {str(item["Name"]).casefold() for item in self._by_id.values()}
        name = item_name(path)
        return name if name.casefold() not in taken else item_name(path, suffix=f" ({account_id})")

    def _read(self) -> None:
        if self._is_complete:
            return
        for page in rows_of(self._client, "Item", is_list=True):
            for body in page:
                self.remember(body)
        self._is_complete = True


def item_name(path: str, *, suffix: str = "") -> str:
    """Return the name of the item made for an account: its path, as far as an item's name can hold it."""
    plain = " ".join(path.replace(":", " - ").split())
    return plain[: ITEM_NAME_LENGTH_MAX - len(suffix)].rstrip() + suffix


def item_request_id(company_id: str, account_id: str, name: str, *, known: Iterable[str]) -> str:
    """Return the request id of making an item beside the items that are known; the same in every process.

    An item that was made is among them from then on, so that the next one is another request.
    """
    ids = ",".join(sorted(known))
    return hashlib.sha256(f"item|{company_id}|{account_id}|{name}|{ids}".encode()).hexdigest()[:36]


def _fits(item: Json, account_id: str) -> bool:
    """Say whether an item can be sold and posts to this account."""
    posts_to = (item.get("IncomeAccountRef") or {}).get("value")
    return bool(item.get("Active", True)) and posts_to == account_id


def _age(item_id: str) -> tuple[int, str]:
    return (int(item_id), "") if item_id.isdigit() else (2**63, item_id)
