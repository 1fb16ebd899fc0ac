"""Items: the price list, keyed by Code."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.fields import FLAG, GUID, NUMBER, Fields, One, Spec, Text
from sandbox.xero.lines import account_message, find_account
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

_DETAILS: Spec = {"UnitPrice": NUMBER, "AccountCode": Text(), "COGSAccountCode": Text(), "TaxType": Text()}
ITEM_SPEC: Spec = {
    "ItemID": GUID,
    "Code": Text(30),
    "Name": Text(50),
    "IsSold": FLAG,
    "IsPurchased": FLAG,
    "Description": Text(4000),
    "PurchaseDescription": Text(4000),
    "SalesDetails": One(_DETAILS),
    "PurchaseDetails": One(_DETAILS),
    "InventoryAssetAccountCode": Text(),
}
_STORED = (
    "Code",
    "Name",
    "IsSold",
    "IsPurchased",
    "Description",
    "PurchaseDescription",
    "InventoryAssetAccountCode",
)


class Items(Resource):
    """`/Items`."""

    name = "Items"
    type_name = "Item"
    id_field = "ItemID"
    spec = ITEM_SPEC
    scope = "settings"
    has_history = True
    verbs = frozenset({"GET", "PUT", "POST", "DELETE"})

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            ItemID="guid",
            Code="text",
            Name="text",
            Description="text",
            PurchaseDescription="text",
            IsSold="flag",
            IsPurchased="flag",
            IsTrackedAsInventory="flag",
            UpdatedDateUTC="date",
        )

    def find(self, books: Books, key: str) -> Document | None:
        """By ItemID or Code."""
        return books["Items"].get(key.lower()) or books["Items"].first("code", key.casefold())

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By id, then by Code."""
        if fields.get("ItemID"):
            return self.require(call.books, fields["ItemID"])
        code = fields.get("Code")
        return call.books["Items"].first("code", code.casefold()) if code else None

    def create(self, call: Call, fields: Fields) -> Document:
        """A new item."""
        item: Document = {
            "ItemID": call.new_id(),
            "IsSold": True,
            "IsPurchased": True,
            "IsTrackedAsInventory": False,
        }
        return self._keep(call, item, fields)

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit."""
        return self._keep(call, dict(document), fields)

    def _keep(self, call: Call, item: Document, fields: Fields) -> Document:
        books = call.books
        messages = self.check_lengths(fields)
        code = fields.get("Code") or item.get("Code")
        if not code:
            messages.append("Price List Item Code must be supplied")
        else:
            other = books["Items"].first("code", code.casefold())
            if other is not None and other["ItemID"] != item["ItemID"]:
                messages.append(f"Price List Item with Code '{code}' already exists")
        for name in ("SalesDetails", "PurchaseDetails"):
            messages += _detail_problems(books, fields.get(name))
        if messages:
            raise ElementRefused(*messages, echo=fields)
        for name in _STORED:
            if fields.get(name) is not None:
                item[name] = fields[name]
        for name in ("SalesDetails", "PurchaseDetails"):
            if fields.get(name) is not None:
                item[name] = _details(fields[name], places=call.unit_places)
        # A side that is switched off loses what it said.
        if item["IsSold"] is False:
            item.pop("SalesDetails", None)
            item.pop("Description", None)
        if item["IsPurchased"] is False:
            item.pop("PurchaseDetails", None)
            item.pop("PurchaseDescription", None)
        item["UpdatedDateUTC"] = books.now()
        books["Items"].put(item["ItemID"], item)
        return item

    def delete(self, call: Call, document: Document) -> Document | None:
        """Gone; past lines keep their text."""
        call.books["Items"].remove(document["ItemID"])
        return None

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The item as the wire shows it."""
        return {"SalesDetails": {}, "PurchaseDetails": {}, **document}


def _details(fields: Fields, *, places: int) -> Document:
    shown: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    if "UnitPrice" in shown:
        shown["UnitPrice"] = plain(
            shown["UnitPrice"].quantize(Decimal(1).scaleb(-places), rounding="ROUND_HALF_UP")
        )
    return shown


def _detail_problems(books: Books, details: Fields | None) -> list[str]:
    messages = []
    for name in ("AccountCode", "COGSAccountCode"):
        code = (details or {}).get(name)
        if code:
            account = find_account(books, code=code, account_id=None)
            message = account_message(account, shown=code, system_accounts=())
            if message is not None:
                messages.append(message)
    tax = (details or {}).get("TaxType")
    if tax and books["TaxRates"].first("type", tax.casefold()) is None:
        messages.append(
            f"The TaxType code '{tax}' does not exist or cannot be used for this type of transaction."
        )
    return messages


ITEMS = Items()
