"""Document lines: ids, amounts, sales items and expenses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.kernel.ledger import ZERO
from sandbox.kernel.wire import money
from sandbox.quickbooks import faults
from sandbox.quickbooks.records import Body
from sandbox.quickbooks.rules import Draft, cents

NO_TAX = {"value": "NON"}
_ORDER = ("Id", "LineNum", "Description", "Amount", "LinkedTxn", "DetailType")


def lines_of(draft: Draft) -> list[Body]:
    """Return the request's lines; 2020 when there are none."""
    lines = draft.body.get("Line")
    if not lines:
        raise faults.required("Line")
    return list(lines)


def number_lines(draft: Draft, lines: list[Body], *, first: int = 1, has_numbers: bool = True) -> list[Body]:
    """Give each line its id (known ids stay, others are new) and return them in wire order."""
    known = {line["Id"] for line in draft.old_value("Line") or [] if "Id" in line}
    used: set[str] = set()
    highest = max((int(number) for number in known if number.isdecimal()), default=first - 1)
    result: list[Body] = []
    for place, line in enumerate(lines, start=1):
        number = line.get("Id")
        if number is None or number not in known or number in used:
            highest += 1
            number = str(highest)
        used.add(number)
        named: Body = {**line, "Id": number}
        if has_numbers:
            named["LineNum"] = place
        else:
            named.pop("LineNum", None)
        ordered = {name: named[name] for name in _ORDER if named.get(name) is not None}
        ordered |= {name: value for name, value in named.items() if name not in ordered and value is not None}
        ordered["CustomExtensions"] = []
        result.append(ordered)
    return result


def line_amount(line: Body, *, place: int) -> Decimal:
    """Return a line's amount in cents; 2020 when absent."""
    amount = line.get("Amount")
    if amount is None:
        raise faults.required(f"Line[{place}].Amount")
    return cents(amount)


def check_product(line: Body, detail: Body) -> None:
    """6070 when quantity times price is not the amount."""
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    if not quantity and not price:
        # python-quickbooks sends 0 for both where its user set neither, and the real service takes it so.
        detail.pop("Qty", None)
        detail.pop("UnitPrice", None)
        return
    if quantity is None or price is None:
        return
    if cents(quantity * price) != cents(line["Amount"]):
        raise faults.FaultError(
            "6070",
            "Amount calculation incorrect in the request",
            f"Amount is not equal to UnitPrice * Qty. Supplied value:{line['Amount']}",
            element="Amount",
        )


def detail_of(line: Body, *, place: int, allowed: tuple[str, ...]) -> tuple[str, Body]:
    """Return a line's detail type and detail; 2020 or 2170 when they do not fit."""
    kind = line.get("DetailType")
    if kind is None:
        raise faults.required(f"Line[{place}].DetailType")
    if kind not in allowed:
        raise faults.invalid_choice("DetailType", kind)
    detail = line.get(kind)
    if detail is None:
        raise faults.required(f"Line[{place}].{kind}")
    return kind, dict(detail)


def old_detail(draft: Draft, line: Body) -> Body:
    """Return the detail a line had before, so that inactive references may stay where they stood."""
    for before in draft.old_value("Line") or []:
        if before.get("Id") == line.get("Id") and before.get("DetailType") is not None:
            return dict(before.get(before["DetailType"]) or {})
    return {}


def refer(draft: Draft, detail: Body, field: str, entity: str, kept: Body) -> Body | None:
    """Check a reference inside a line's detail and complete its name."""
    if detail.get(field) is None:
        detail.pop(field, None)
        return None
    ref = draft.company.reference(entity, detail[field], field, kept=kept.get(field))
    detail[field] = ref
    return ref


def settle_tracking(draft: Draft, detail: Body, kept: Body) -> None:
    """Honour, drop or refuse class and department on a line, as preferences and switch say."""
    if detail.get("ClassRef") is not None:
        if draft.company.preference("AccountingInfoPrefs", "ClassTrackingPerTxnLine"):
            refer(draft, detail, "ClassRef", "Class", kept)
        elif draft.company.switch("class_without_tracking") == "refuse":
            raise faults.business(
                "Class tracking per line is switched off for this company", element="ClassRef"
            )
        else:
            detail.pop("ClassRef")
    refer(draft, detail, "DepartmentRef", "Department", kept)


def settle_tax_code(draft: Draft, detail: Body) -> None:
    """Default the tax code and check one that was sent."""
    code = detail.get("TaxCodeRef")
    if code is None or code["value"] in ("NON", "TAX"):
        detail["TaxCodeRef"] = NO_TAX if code is None else {"value": code["value"]}
    elif draft.company.find("TaxCode", code["value"]) is None:
        raise faults.invalid_reference("TaxCode", code["value"], "TaxCodeRef")
    else:
        detail["TaxCodeRef"] = {"value": code["value"]}


def item_account(draft: Draft, detail: Body, field: str) -> str:
    """Return the account an item's line posts to."""
    item = draft.company.find("Item", detail["ItemRef"]["value"])
    if item is None:
        raise faults.invalid_reference("Items", detail["ItemRef"]["value"], "ItemRef")
    if item.body["Type"] == "Category":
        raise faults.business("A category cannot be used on a line", element="ItemRef")
    fields = ("AssetAccountRef", "ExpenseAccountRef") if field == "ExpenseAccountRef" else (field,)
    for name in (*fields, "IncomeAccountRef", "ExpenseAccountRef"):
        ref = item.body.get(name)
        if ref is not None:
            return str(ref["value"])
    raise faults.business("The item has no account", element="ItemRef")


def expense_lines(draft: Draft, *, sign: int, party: str | None) -> Decimal:
    """Check and post the lines of a bill, credit, purchase or order; return their sum.

    `sign` is +1 where a positive line is a debit. Retainage withheld is a negative line on its account.
    """
    lines: list[Body] = []
    total = ZERO
    for place, line in enumerate(lines_of(draft), start=1):
        if line.get("DetailType") == "DescriptionOnly":
            lines.append({name: line[name] for name in ("Id", "Description", "DetailType") if name in line})
            continue
        kind, detail = detail_of(
            line, place=place, allowed=("AccountBasedExpenseLineDetail", "ItemBasedExpenseLineDetail")
        )
        amount = line_amount(line, place=place)
        kept = old_detail(draft, line)
        account = _expense_account(draft, kind, line, detail, kept)
        customer = refer(draft, detail, "CustomerRef", "Customer", kept)
        _settle_billable(detail, customer, kept)
        settle_tracking(draft, detail, kept)
        settle_tax_code(draft, detail)
        _post_expense(draft, account, sign * amount, party, customer)
        total += amount
        new: Body = {**line, "Amount": amount, "LinkedTxn": line.get("LinkedTxn") or [], kind: detail}
        lines.append(new)
    draft.body["Line"] = number_lines(draft, lines)
    return total


def _expense_account(draft: Draft, kind: str, line: Body, detail: Body, kept: Body) -> str:
    if kind == "AccountBasedExpenseLineDetail":
        ref = refer(draft, detail, "AccountRef", "Account", kept)
        if ref is None:
            raise faults.required("AccountBasedExpenseLineDetail.AccountRef")
        return str(ref["value"])
    ref = refer(draft, detail, "ItemRef", "Item", kept)
    if ref is None:
        raise faults.required("ItemBasedExpenseLineDetail.ItemRef")
    check_product(line, detail)
    return item_account(draft, detail, "ExpenseAccountRef")


def _settle_billable(detail: Body, customer: Body | None, kept: Body) -> None:
    status = detail.get("BillableStatus")
    if status is None:
        detail["BillableStatus"] = "NotBillable"
    elif status == "HasBeenBilled" and kept.get("BillableStatus") != "HasBeenBilled":
        raise faults.invalid_choice("BillableStatus", status)
    elif status == "Billable" and customer is None:
        raise faults.business("A billable line needs a customer", element="CustomerRef")


def _post_expense(
    draft: Draft, account: str, amount: Decimal, party: str | None, customer: Body | None
) -> None:
    kind = draft.company.account_type(account)
    if kind == "Accounts Receivable":
        if customer is None:
            raise faults.business(
                "When you use Accounts Receivable, you must choose a customer in the Name field."
            )
        draft.post(account, amount, f"Customer:{customer['value']}")
    elif kind == "Accounts Payable":
        if party is None or not party.startswith("Vendor:"):
            raise faults.business(
                "When you use Accounts Payable, you must choose a vendor in the Name field."
            )
        draft.post(account, amount, party)
    else:
        draft.post(account, amount)


def name_value(name: str, value: Any) -> Body:
    """Return the odd wrapper in which QuickBooks sends extension values."""
    return {
        "name": "{http://schema.intuit.com/finance/v3}NameValue",
        "declaredType": "com.intuit.schema.finance.v3.NameValue",
        "scope": "javax.xml.bind.JAXBElement$GlobalScope",
        "value": {"Name": name, "Value": str(value)},
        "nil": False,
        "globalScope": True,
        "typeSubstituted": False,
    }


def two_places(amount: Decimal) -> str:
    """Return an amount as `387.00`."""
    return f"{money(amount):.2f}"
