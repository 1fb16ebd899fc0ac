"""What is bought: bill, vendor credit, purchase (check, cash, card), purchase order."""

from __future__ import annotations

from decimal import Decimal

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.lines import expense_lines, name_value
from sandbox.quickbooks.records import Body, Link
from sandbox.quickbooks.rules import Draft, TransactionRules, cents, voided_note

PURCHASE_TYPES = {"Check": "3", "CreditCard": "1", "Cash": "54"}
CARD_REFUND_TYPE = "11"


class PayableRules(TransactionRules):
    """What bills and vendor credits share: a vendor, the payables account, an open balance."""

    sign = 1  # +1: the vendor is owed more

    def settle_payable(self, draft: Draft) -> Decimal:
        """Check vendor, account and lines, and post them; return the total."""
        vendor = self.own_vendor(draft)
        self.begin(draft)
        account = self.account_of(draft, "APAccountRef", "Accounts Payable")
        party = f"Vendor:{vendor['value']}"
        total = cents(expense_lines(draft, sign=self.sign, party=party))
        if total < 0:
            raise faults.business("Transaction amount must be 0 or greater", element="TotalAmt")
        draft.body["TotalAmt"] = total
        draft.post(account["value"], -self.sign * total, party)
        return total

    def settle_balance(self, draft: Draft, total: Decimal) -> Decimal:
        """Return what is open; 6000 when more has been applied than the new total."""
        applied = sum(draft.company.applied(self.entity, draft.id).values(), ZERO) if draft.old else ZERO
        if total < applied:
            raise faults.business("The amount is less than what has already been applied to this transaction")
        if applied and draft.old_value("VendorRef")["value"] != draft.body["VendorRef"]["value"]:
            raise faults.cannot_link("The vendor of a transaction with payments cannot be changed")
        return cents(total - applied)

    def check_removal(self, draft: Draft) -> None:
        """Strictly, a paid document must be unlinked first."""
        if draft.company.applied(self.entity, draft.id) and draft.company.switch("delete_linked") == "refuse":
            raise faults.business(
                f"You must unlink the transactions that are linked to this {self.entity} before deleting it"
            )


class BillRules(PayableRules):
    """Bills."""

    entity = "Bill"
    read_only = frozenset({"TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt"})

    def complete(self, draft: Draft) -> None:
        """Due date, balance, and links to orders and payments."""
        body = draft.body
        total = self.settle_payable(draft)
        self.due_date(draft, "SalesTermRef", 0)
        body["Balance"] = self.settle_balance(draft, total)
        links = self._order_links(draft)
        for _entity, number in draft.company.applied("Bill", draft.id) if draft.old else ():
            links.append({"TxnId": number, "TxnType": "BillPaymentCheck"})
        body.pop("LinkedTxn", None)
        if links:
            body["LinkedTxn"] = links
        vendor = draft.company.find("Vendor", body["VendorRef"]["value"])
        address = vendor.body.get("BillAddr") if vendor is not None else None
        if body.get("VendorAddr") is None and address is not None:
            body["VendorAddr"] = address

    def _order_links(self, draft: Draft) -> list[Body]:
        orders: dict[str, None] = {}
        for line in draft.body["Line"]:
            for link in line.get("LinkedTxn") or ():
                kind, number = link.get("TxnType"), link.get("TxnId")
                if kind == "ReimburseCharge":
                    continue
                if kind != "PurchaseOrder":
                    raise faults.cannot_link(f"A {kind} cannot be linked to a bill line")
                if link.get("TxnLineId") is None:
                    raise faults.required("LinkedTxn.TxnLineId")
                order = draft.company.find("PurchaseOrder", number or "")
                if order is None:
                    raise faults.invalid_reference("Transaction", number, "LinkedTxn")
                if order.body["VendorRef"]["value"] != draft.body["VendorRef"]["value"]:
                    raise faults.cannot_link("The purchase order belongs to another vendor")
                draft.links.append(Link("PurchaseOrder", order.id, line["Amount"]))
                orders[order.id] = None
        return [{"TxnId": number, "TxnType": "PurchaseOrder"} for number in orders]


class VendorCreditRules(PayableRules):
    """Vendor credits."""

    entity = "VendorCredit"
    sign = -1
    read_only = frozenset({"TotalAmt", "Balance"})

    def complete(self, draft: Draft) -> None:
        """Total, remaining credit and links."""
        total = self.settle_payable(draft)
        draft.body["Balance"] = self.settle_balance(draft, total)
        draft.body["LinkedTxn"] = [
            {"TxnId": number, "TxnType": "BillPaymentCheck"}
            for (_entity, number) in (draft.company.applied("VendorCredit", draft.id) if draft.old else ())
        ]


class PurchaseOrderRules(TransactionRules):
    """Purchase orders: no posting."""

    entity = "PurchaseOrder"
    read_only = frozenset({"TotalAmt"})

    def complete(self, draft: Draft) -> None:
        """Total, status and links."""
        vendor = self.own_vendor(draft)
        self.begin(draft)
        self.account_of(draft, "APAccountRef", "Accounts Payable")
        draft.body["TotalAmt"] = cents(expense_lines(draft, sign=1, party=f"Vendor:{vendor['value']}"))
        draft.postings.clear()
        draft.default("POStatus", "Open")
        draft.body["LinkedTxn"] = draft.old_value("LinkedTxn") or []

    def check_removal(self, draft: Draft) -> None:
        """An order with bills must be unlinked first."""
        if draft.company.applied(self.entity, draft.id) and draft.company.switch("delete_linked") == "refuse":
            raise faults.business("You must unlink the bills of this purchase order before deleting it")


class PurchaseRules(TransactionRules):
    """Money spent at once: check, cash, credit card, or a card refund."""

    entity = "Purchase"
    void_style = "include"
    read_only = frozenset({"TotalAmt", "PurchaseEx"})

    def complete(self, draft: Draft) -> None:
        """Check account, payee and lines, and post them."""
        body = draft.body
        draft.require("PaymentType", "AccountRef")
        kind = body["PaymentType"]
        if kind not in PURCHASE_TYPES:
            raise faults.invalid_choice("PaymentType", kind)
        self.begin(draft)
        types = ("Credit Card",) if kind == "CreditCard" else ("Bank", "Other Current Asset")
        account = self.account_of(draft, "AccountRef", *types)
        is_refund = bool(body.get("Credit"))
        if is_refund and kind != "CreditCard":
            raise faults.business("Credit is allowed for credit cards only", element="Credit")
        body.pop("Credit", None)
        if kind == "CreditCard":
            body["Credit"] = is_refund
        sign = -1 if is_refund else 1
        total = cents(expense_lines(draft, sign=sign, party=self._payee(draft)))
        if total < 0:
            raise faults.business("Transaction amount must be 0 or greater", element="TotalAmt")
        body["TotalAmt"] = total
        draft.post(account["value"], -sign * total)
        number = CARD_REFUND_TYPE if is_refund else PURCHASE_TYPES[kind]
        body["PurchaseEx"] = {"any": [name_value("TxnType", number)]}
        if body.get("PaymentMethodRef") is not None:
            draft.refer("PaymentMethodRef", "PaymentMethod")

    def _payee(self, draft: Draft) -> str | None:
        ref = draft.body.get("EntityRef")
        if ref is None:
            return None
        entity = ref.get("type") or "Vendor"
        if entity not in ("Vendor", "Customer", "Employee"):
            raise faults.invalid_choice("EntityRef.type", entity)
        checked = draft.company.reference(entity, ref, "EntityRef", kept=draft.old_value("EntityRef"))
        draft.body["EntityRef"] = {**(checked or {}), "type": entity}
        return f"{entity}:{ref['value']}"

    def voided(self, draft: Draft) -> None:
        """Zero all amounts."""
        draft.body["Line"] = [
            {**line, "Amount": ZERO} if "Amount" in line else line for line in draft.body["Line"]
        ]
        draft.body["TotalAmt"] = ZERO
        voided_note(draft.body)
