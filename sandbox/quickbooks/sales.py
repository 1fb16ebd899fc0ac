"""Sales forms: invoice, credit memo, estimate, sales receipt, refund receipt."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.lines import (
    check_product,
    detail_of,
    item_account,
    line_amount,
    lines_of,
    number_lines,
    old_detail,
    refer,
    settle_tax_code,
    settle_tracking,
)
from sandbox.quickbooks.records import Body
from sandbox.quickbooks.rules import Draft, TransactionRules, cents, voided_note

SALES_LINES = (
    "SalesItemLineDetail",
    "DiscountLineDetail",
    "DescriptionOnly",
    "SubTotalLineDetail",
    "GroupLineDetail",
)
SYSTEM_LINKS = ("Payment", "ReimburseCharge", "ChargeCredit", "StatementCharge")


class SalesRules(TransactionRules):
    """What all sales forms share."""

    sign: ClassVar[int] = 1  # +1: income is credited and the customer owes; -1: the reverse
    posts: ClassVar[bool] = True
    read_only = frozenset(
        {"TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt", "RemainingCredit", "InvoiceLink"}
    )
    settles: ClassVar[str] = "AR"

    def complete(self, draft: Draft) -> None:
        """Check and compute a sales form."""
        body = draft.body
        customer = self.own_customer(draft)
        self._settle_number(draft)
        self.begin(draft)
        subtotal = self._settle_lines(draft)
        discount = self._settle_discount(draft, subtotal)
        tax = self._settle_tax(draft)
        total = cents(subtotal - discount + tax)
        if total < 0:
            raise faults.business("Transaction amount must be 0 or greater", element="TotalAmt")
        body["TotalAmt"] = total
        self._settle_addresses(draft, customer["value"])
        if self.posts:
            self._post_total(draft, customer["value"], total, tax)
        self.finish(draft, total)

    def finish(self, draft: Draft, total: Decimal) -> None:
        """Add what only this kind of form has."""

    def _settle_number(self, draft: Draft) -> None:
        number = draft.body.get("DocNumber")
        if number is not None and number != "AUTO_GENERATE":
            draft.change.seen_number(number)
            return
        draft.body.pop("DocNumber", None)
        is_custom = draft.company.preference("SalesFormsPrefs", "CustomTxnNumbers") is True
        if draft.old is not None and draft.old.body.get("DocNumber") and not is_custom:
            draft.body["DocNumber"] = draft.old.body["DocNumber"]
        elif not is_custom or number == "AUTO_GENERATE":
            draft.body["DocNumber"] = draft.change.next_number()

    def _settle_lines(self, draft: Draft) -> Decimal:
        subtotal = ZERO
        lines: list[Body] = []
        for place, line in enumerate(lines_of(draft), start=1):
            kind = line.get("DetailType")
            if kind == "SubTotalLineDetail":
                continue
            if kind == "DescriptionOnly":
                lines.append(
                    {name: line[name] for name in ("Id", "Description", "DetailType") if name in line}
                )
                continue
            kind, detail = detail_of(line, place=place, allowed=SALES_LINES)
            if kind == "GroupLineDetail":
                raise faults.business("Bundle lines are not supported by this sandbox", element="DetailType")
            if kind == "DiscountLineDetail":
                lines.append({**line, kind: detail})
                continue
            amount = line_amount(line, place=place)
            self._settle_item(draft, line, detail, amount)
            subtotal += amount
            lines.append({**line, "Amount": amount, kind: detail})
        if not lines:
            raise faults.required("Line")
        draft.body["Line"] = [
            *number_lines(draft, lines),
            {"Amount": cents(subtotal), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        ]
        return subtotal

    def _settle_item(self, draft: Draft, line: Body, detail: Body, amount: Decimal) -> None:
        kept = old_detail(draft, line)
        ref = refer(draft, detail, "ItemRef", "Item", kept)
        if ref is None:
            if draft.company.switch("missing_item") == "refuse":
                raise faults.required("SalesItemLineDetail.ItemRef")
            detail["ItemRef"] = draft.company.reference("Item", {"value": "1"}, "ItemRef")
        check_product({**line, "Amount": amount}, detail)
        account = item_account(draft, detail, "IncomeAccountRef")
        record = draft.company.find("Account", account)
        if record is not None:
            detail["ItemAccountRef"] = {"value": account, "name": draft.company.ref_name("Account", record)}
        settle_tracking(draft, detail, kept)
        settle_tax_code(draft, detail)
        if self.posts:
            draft.post(account, -self.sign * amount)

    def _settle_discount(self, draft: Draft, subtotal: Decimal) -> Decimal:
        discount = ZERO
        for line in draft.body["Line"]:
            if line["DetailType"] != "DiscountLineDetail":
                continue
            detail = line["DiscountLineDetail"]
            if detail.get("PercentBased"):
                if detail.get("DiscountPercent") is None:
                    raise faults.required("DiscountLineDetail.DiscountPercent")
                line["Amount"] = cents(subtotal * detail["DiscountPercent"] / 100)
            amount = line_amount(line, place=0)
            if amount < 0:
                raise faults.business("A discount must be 0 or greater", element="Amount")
            ref = refer(draft, detail, "DiscountAccountRef", "Account", {})
            account = ref["value"] if ref is not None else self._discount_account(draft)
            if self.posts:
                draft.post(account, self.sign * amount)
            discount += amount
        return discount

    def _discount_account(self, draft: Draft) -> str:
        record = draft.company.account_of_type("Income", subtype="DiscountsRefundsGiven")
        record = record or draft.company.account_of_type("Income")
        if record is None:
            raise faults.required("DiscountLineDetail.DiscountAccountRef")
        return record.id

    def _settle_tax(self, draft: Draft) -> Decimal:
        detail = draft.body.get("TxnTaxDetail") or {}
        tax = cents(detail.get("TotalTax") or ZERO)
        if tax < 0:
            raise faults.business("Tax must be 0 or greater", element="TxnTaxDetail")
        kept: Body = {"TotalTax": tax}
        if detail.get("TxnTaxCodeRef") is not None:
            kept["TxnTaxCodeRef"] = detail["TxnTaxCodeRef"]
        draft.body["TxnTaxDetail"] = kept
        return tax

    def _settle_addresses(self, draft: Draft, customer: str) -> None:
        record = draft.company.find("Customer", customer)
        for field in ("BillAddr", "ShipAddr"):
            address = record.body.get(field) if record is not None else None
            if draft.body.get(field) is None and address is not None:
                draft.body[field] = address

    def _post_total(self, draft: Draft, customer: str, total: Decimal, tax: Decimal) -> None:
        party = f"Customer:{customer}"
        if self.settles == "AR":
            account = self.account_of(draft, "ARAccountRef", "Accounts Receivable")["value"]
            if "ARAccountRef" not in draft.sent and draft.old_value("ARAccountRef") is None:
                draft.body.pop("ARAccountRef", None)
            draft.hidden["ar"] = account
            draft.post(account, self.sign * total, party)
        else:
            account = self.account_of(draft, "DepositToAccountRef", "Other Current Asset", "Bank")["value"]
            draft.post(account, self.sign * total)
        if tax:
            payable = draft.company.account_of_type("Other Current Liability", subtype="SalesTaxPayable")
            if payable is None:
                raise faults.business("The company has no sales tax payable account")
            draft.post(payable.id, -self.sign * tax)


class OpenFormRules(SalesRules):
    """Forms with an open balance that payments settle."""

    def settle_balance(self, draft: Draft, total: Decimal) -> Decimal:
        """Return what is open after what is applied; 6000 when more is applied than the total."""
        applied = sum(draft.company.applied(self.entity, draft.id).values(), ZERO) if draft.old else ZERO
        open_amount = cents(total - applied)
        if open_amount < 0:
            raise faults.business("The amount is less than what has already been applied to this transaction")
        if applied and draft.old_value("CustomerRef")["value"] != draft.body["CustomerRef"]["value"]:
            raise faults.cannot_link("The customer of a transaction with payments cannot be changed")
        return open_amount

    def check_removal(self, draft: Draft) -> None:
        """Strictly, a paid form must be unlinked first."""
        if draft.company.applied(self.entity, draft.id) and draft.company.switch("delete_linked") == "refuse":
            raise faults.business(
                f"You must unlink the transactions that are linked to this {self.entity} before deleting it"
            )


class InvoiceRules(OpenFormRules):
    """Invoices."""

    entity = "Invoice"
    void_style = "void"

    def finish(self, draft: Draft, total: Decimal) -> None:
        """Due date, balance, flags and links."""
        body = draft.body
        self.due_date(draft, "SalesTermRef", 30)
        deposit = cents(body.get("Deposit") or ZERO)
        if deposit < 0 or deposit > total:
            raise faults.business("The deposit must be between 0 and the invoice's total", element="Deposit")
        body.pop("Deposit", None)
        if deposit:
            body["Deposit"] = deposit
            self._post_deposit(draft, deposit)
        body["Balance"] = self.settle_balance(draft, total - deposit)
        for flag in (
            "AllowIPNPayment",
            "AllowOnlinePayment",
            "AllowOnlineCreditCardPayment",
            "AllowOnlineACHPayment",
        ):
            draft.default(flag, False)
        draft.default("ApplyTaxAfterDiscount", False)
        draft.default("PrintStatus", "NeedToPrint")
        draft.default("EmailStatus", "NotSet")
        if body["EmailStatus"] == "NeedToSend" and body.get("BillEmail") is None:
            raise faults.required("BillEmail")
        draft.default("CustomField", [])
        body["LinkedTxn"] = self._links(draft)

    def _post_deposit(self, draft: Draft, deposit: Decimal) -> None:
        account = self.account_of(draft, "DepositToAccountRef", "Other Current Asset", "Bank")["value"]
        customer = draft.body["CustomerRef"]["value"]
        draft.post(draft.hidden["ar"], -deposit, f"Customer:{customer}")
        draft.post(account, deposit)

    def _links(self, draft: Draft) -> list[Body]:
        sent = [link for link in draft.body.get("LinkedTxn") or [] if link.get("TxnType") not in SYSTEM_LINKS]
        kept: list[Body] = []
        for link in sent:
            kind, number = link.get("TxnType"), link.get("TxnId")
            if kind not in ("Estimate", "TimeActivity"):
                raise faults.cannot_link(f"A {kind} cannot be linked to an invoice")
            if kind == "Estimate" and (number is None or draft.company.find("Estimate", number) is None):
                raise faults.invalid_reference("Transaction", number, "LinkedTxn")
            kept.append({"TxnId": number, "TxnType": kind})
        for entity, number in draft.company.applied("Invoice", draft.id) if draft.old else ():
            kept.append({"TxnId": number, "TxnType": entity})
        return kept

    def voided(self, draft: Draft) -> None:
        """Zero all amounts; payments become unapplied (done by the caller through the links)."""
        body = draft.body
        body["Line"] = [_zero_line(line) for line in body["Line"]]
        body["TxnTaxDetail"] = {"TotalTax": ZERO}
        body["TotalAmt"] = body["Balance"] = ZERO
        body.pop("Deposit", None)
        body["LinkedTxn"] = []
        draft.keys = list(draft.old.effects.keys) if draft.old else []
        voided_note(body)


class CreditMemoRules(OpenFormRules):
    """Credit memos."""

    entity = "CreditMemo"
    sign = -1

    def finish(self, draft: Draft, total: Decimal) -> None:
        """Remaining credit and flags."""
        body = draft.body
        body["Balance"] = body["RemainingCredit"] = self.settle_balance(draft, total)
        draft.default("ApplyTaxAfterDiscount", False)
        draft.default("PrintStatus", "NeedToPrint")
        draft.default("EmailStatus", "NotSet")
        draft.default("CustomField", [])


class EstimateRules(SalesRules):
    """Estimates: no posting."""

    entity = "Estimate"
    posts = False

    def finish(self, draft: Draft, total: Decimal) -> None:
        """Status and links to invoices."""
        body = draft.body
        status = draft.default("TxnStatus", "Pending")
        if status not in ("Pending", "Accepted", "Closed", "Rejected", "Converted"):
            raise faults.invalid_choice("TxnStatus", status)
        draft.default("ApplyTaxAfterDiscount", False)
        draft.default("PrintStatus", "NeedToPrint")
        draft.default("EmailStatus", "NotSet")
        draft.default("CustomField", [])
        body["LinkedTxn"] = draft.old_value("LinkedTxn") or []


class SalesReceiptRules(SalesRules):
    """Sales paid on the spot."""

    entity = "SalesReceipt"
    settles = "cash"
    void_style = "include"

    def finish(self, draft: Draft, total: Decimal) -> None:
        """Flags; nothing stays open."""
        body = draft.body
        body["Balance"] = ZERO
        draft.default("ApplyTaxAfterDiscount", False)
        draft.default("PrintStatus", "NeedToPrint")
        draft.default("EmailStatus", "NotSet")
        draft.default("CustomField", [])
        if body.get("PaymentMethodRef") is not None:
            draft.refer("PaymentMethodRef", "PaymentMethod")

    def check_removal(self, draft: Draft) -> None:
        """6540 once it is in a deposit."""
        refuse_deposited(draft)

    def voided(self, draft: Draft) -> None:
        """Zero all amounts."""
        draft.body["Line"] = [_zero_line(line) for line in draft.body["Line"]]
        draft.body["TotalAmt"] = ZERO
        draft.body["TxnTaxDetail"] = {"TotalTax": ZERO}
        voided_note(draft.body)


class RefundReceiptRules(SalesReceiptRules):
    """Money given back on the spot."""

    entity = "RefundReceipt"
    sign = -1
    void_style = ""

    def voided(self, draft: Draft) -> None:
        """Not offered."""
        raise faults.unsupported(f"Operation void is not supported for {self.entity} ({draft.id})")


def refuse_deposited(draft: Draft) -> None:
    """6540 when the transaction is part of a deposit."""
    if any(entity == "Deposit" for entity, _number in draft.company.applied(draft.entity, draft.id)):
        raise faults.FaultError(
            "6540",
            "Deposited Transaction cannot be changed",
            "Deposited Transaction cannot be changed : You cannot change or delete a transaction that has been"
            " deposited. Delete it from the deposit first.",
        )


def _zero_line(line: Body) -> Body:
    kind = line["DetailType"]
    if "Amount" not in line:
        return line
    detail = dict(line.get(kind) or {})
    if "Qty" in detail:
        detail["Qty"] = ZERO
    return {**line, "Amount": ZERO, kind: detail}
