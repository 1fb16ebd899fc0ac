"""The lines of documents in QuickBooks' JSON: each starts from the line with the same id, and is told what is new.

An invoice line names an item, a bill line an account or, where items stand for cost codes, an item, a journal line an
account. Whatever a line carries besides (class, location, job, tax code) is set only where it is told.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.chart import Chart
from resources.quickbooks.items import Items
from resources.quickbooks.lines import (
    ACCOUNT_EXPENSE,
    DISCOUNT,
    ITEM_EXPENSE,
    JOURNAL,
    SALES,
    TAX_LINE,
)
from resources.quickbooks.read import Reader
from resources.quickbooks.taxes import TaxCodes
from sync.errors import RejectedByProvider, Remedy
from sync.money import parse_amount, round_cents
from sync.ports import Write
from sync.records import Canonical, Entity

Json = dict[str, Any]


class LineWriter:
    """Builds the lines of one company's documents. Building may look up accounts, items and tax codes."""

    def __init__(
        self, *, chart: Chart, items: Items, reader: Reader, tax_codes: TaxCodes, is_domestic: bool
    ) -> None:
        self._chart = chart
        self._items = items
        self._reader = reader
        self._tax_codes = tax_codes
        self._is_domestic = is_domestic

    def lines(self, write: Write, previous: Json) -> list[Json]:
        """Return a document's lines, those it had before as they were but for what changed."""
        before = {str(line["Id"]): line for line in previous.get("Line") or () if line.get("Id") is not None}
        lines: list[Json] = []
        for position, line in enumerate(write.canonical["lines"], start=1):
            if line.get("id") == TAX_LINE:
                continue
            base = before.get(str(line.get("id")), {})
            where = f"line {position}"
            match write.entity:
                case Entity.INVOICE:
                    lines.append(self._invoice_line(write, line, base, where=where))
                case Entity.BILL:
                    lines.append(self._bill_line(write, line, base, where=where))
                case _:
                    lines.append(self._journal_line(write, line, base, where=where))
        return lines

    def _invoice_line(self, write: Write, line: Canonical, base: Json, *, where: str) -> Json:
        amount = parse_amount(line["amount"])
        made: Json = {**base, "Description": line.get("description") or "", "Amount": amount}
        kind = base.get("DetailType")
        if kind == DISCOUNT:
            return made | {"Amount": -amount}
        account = line.get("account")
        if account is None and kind != SALES:
            if amount:
                raise impossible(
                    write.label, f"{where} names no account; map its cost code under Account mapping"
                )
            made.pop("Amount")
            return made | {"DetailType": "DescriptionOnly"}
        detail: Json = dict(base.get(SALES) or {})
        item = self._item(write, line, "income", where=where)
        if item is not None or (
            account is not None and account != self._account_before(Entity.INVOICE, base)
        ):
            detail.pop("ItemAccountRef", None)
            detail["ItemRef"] = {"value": item or self._items.for_account(str(account), label=write.label)}
        self._carry(write, line, detail)
        _quantity(detail, line, amount)
        return made | {"DetailType": SALES, SALES: detail}

    def _bill_line(self, write: Write, line: Canonical, base: Json, *, where: str) -> Json:
        amount = parse_amount(line["amount"])
        made: Json = {**base, "Description": line.get("description") or "", "Amount": amount}
        account = line.get("account")
        item = self._item(write, line, "expense", where=where)
        is_same_account = base.get("DetailType") == ITEM_EXPENSE and account == self._account_before(
            Entity.BILL, base
        )
        if is_same_account or item is not None:
            detail: Json = dict(base.get(ITEM_EXPENSE) or {})
            if item is not None:
                made = _without_other_detail(made, ITEM_EXPENSE)
                detail.pop("ItemAccountRef", None)
                detail["ItemRef"] = {"value": item}
            self._carry(write, line, detail)
            _quantity(detail, line, amount)
            return made | {"DetailType": ITEM_EXPENSE, ITEM_EXPENSE: _billable(detail)}
        if account is None:
            raise impossible(
                write.label, f"{where} names no account; map its cost code under Account mapping"
            )
        if base.get("DetailType") != ACCOUNT_EXPENSE:
            # An item line that becomes an account line is a new line to QuickBooks.
            kept = base.get(str(base.get("DetailType"))) or {}
            made = _without_other_detail(made, ACCOUNT_EXPENSE)
            detail = {
                key: kept[key]
                for key in ("CustomerRef", "BillableStatus", "ClassRef", "TaxCodeRef")
                if key in kept
            }
        else:
            detail = dict(base[ACCOUNT_EXPENSE])
        detail["AccountRef"] = {"value": account}
        self._carry(write, line, detail)
        return made | {"DetailType": ACCOUNT_EXPENSE, ACCOUNT_EXPENSE: _billable(detail)}

    def _journal_line(self, write: Write, line: Canonical, base: Json, *, where: str) -> Json:
        account = line.get("account")
        if account is None:
            raise impossible(write.label, f"{where} names no account; choose one on that line")
        debit, credit = parse_amount(line["debit"]), parse_amount(line["credit"])
        self._check_party(write, line, account, where=where)
        detail: Json = dict(base.get(JOURNAL) or {})
        detail["PostingType"] = "Credit" if credit else "Debit"
        detail["AccountRef"] = {"value": account}
        detail.pop("BillableStatus", None)
        kind, party = line.get("party_kind"), line.get("party")
        before = detail.get("Entity") or {}
        if kind == "customer" and party and before and self._reader.party(before, "EntityRef") == party:
            # The same client, or a job of it.
            pass
        elif kind and party:
            detail["Entity"] = {"Type": str(kind).capitalize(), "EntityRef": {"value": party}}
        elif (detail.get("Entity") or {}).get("Type") != "Employee":
            detail.pop("Entity", None)
        self._carry(write, line, detail)
        made: Json = {**base, "Description": line.get("description") or "", "Amount": credit or debit}
        return made | {"DetailType": JOURNAL, JOURNAL: detail}

    def _item(self, write: Write, line: Canonical, side: str, *, where: str) -> str | None:
        """Return the item that stands for the line's cost code, where items do; it must post to the line's account."""
        item: str | None = (line.get("dimensions") or {}).get("item")
        if item is None:
            return None
        posts_to = self._items.account_of(item, side)
        if posts_to == line.get("account"):
            return item
        wanted, found = (
            self._chart.account(str(one)) if one else None for one in (line.get("account"), posts_to)
        )
        error = impossible(
            write.label,
            f"{where} uses the item {self._items.name_of(item)}, which posts to"
            f" {found.path if found else 'no account'} in QuickBooks when it is"
            f" {'sold' if side == 'income' else 'bought'}, and the mapping says"
            f" {wanted.path if wanted else 'another account'}; change the account of the item there, or map its cost code"
            " to the same one",
        )
        error.remedy = Remedy.FIX_MAPPING
        raise error

    def _carry(self, write: Write, line: Canonical, detail: Json) -> None:
        """Put on a line's detail what it carries besides its account; what is not told stays as it is."""
        told = line.get("dimensions") or {}
        if "class" in told:
            detail["ClassRef"] = {"value": told["class"]}
        if "location" in told and write.entity is Entity.JOURNAL_ENTRY:
            detail["DepartmentRef"] = {"value": told["location"]}
        if "sub_customer" in told and write.entity is Entity.BILL:
            detail["CustomerRef"] = {"value": told["sub_customer"]}
        if (
            "sub_customer" in told
            and write.entity is Entity.JOURNAL_ENTRY
            and line.get("party_kind") != "vendor"
        ):
            detail["Entity"] = {"Type": "Customer", "EntityRef": {"value": told["sub_customer"]}}
        if line.get("tax_code"):
            code = self._tax_codes.find(line["tax_code"], is_domestic=self._is_domestic, label=write.label)
            detail["TaxCodeRef"] = {"value": code}

    def _check_party(self, write: Write, line: Canonical, account_id: str, *, where: str) -> None:
        account = self._chart.account(account_id)
        wanted = {"Accounts Receivable": "customer", "Accounts Payable": "vendor"}.get(
            account.type if account else ""
        )
        if (
            wanted is not None
            and account is not None
            and (line.get("party_kind") != wanted or not line.get("party"))
        ):
            raise impossible(
                write.label,
                f"{where} posts to {account.path} and names no {wanted}; choose the {wanted} on that line",
            )

    def _account_before(self, entity: Entity, base: Json) -> str | None:
        found = self._reader.lines(entity, {"Line": [base]}) if base else []
        return found[0]["account"] if found else None


def _quantity(detail: Json, line: Canonical, amount: Decimal) -> None:
    """Send quantity and price only where they multiply to the amount: otherwise QuickBooks refuses the line."""
    detail.pop("Qty", None)
    detail.pop("UnitPrice", None)
    if line.get("quantity") is None or line.get("unit_price") is None:
        return
    quantity, price = parse_amount(line["quantity"]), parse_amount(line["unit_price"])
    if round_cents(quantity * price) == amount:
        detail |= {"Qty": quantity, "UnitPrice": price}


def _billable(detail: Json) -> Json:
    # QuickBooks sets this state itself and refuses to be told.
    return {
        key: value for key, value in detail.items() if (key, value) != ("BillableStatus", "HasBeenBilled")
    }


def _without_other_detail(made: Json, kind: str) -> Json:
    """Return a line ready for another kind of detail: to QuickBooks that is a new line."""
    before = made.get("DetailType")
    if before is None or before == kind:
        return made
    return {name: value for name, value in made.items() if name not in ("Id", "DetailType", str(before))}


def impossible(label: str, reason: str) -> RejectedByProvider:
    """Return the refusal of a write that cannot be made, before anything is sent."""
    return RejectedByProvider(f"{label} was not sent: {reason}.", provider=TITLE, label=label, text=reason)
