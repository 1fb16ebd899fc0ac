"""Money against documents: payment on invoices, bill payment on bills."""

from __future__ import annotations

from decimal import Decimal

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.lines import line_amount, name_value, two_places
from sandbox.quickbooks.records import Body, Link, Record
from sandbox.quickbooks.rules import Draft, TransactionRules, cents, voided_note
from sandbox.quickbooks.sales import refuse_deposited


def sole_link(line: Body, *, place: int) -> tuple[str, str]:
    """Return the one transaction a payment line settles."""
    links = line.get("LinkedTxn")
    if not links:
        raise faults.required(f"Line[{place}].LinkedTxn")
    if len(links) > 1:
        raise faults.business("A line can be linked to one transaction only", element="LinkedTxn")
    link = links[0]
    if link.get("TxnId") is None:
        raise faults.required("LinkedTxn.TxnId")
    if link.get("TxnType") is None:
        raise faults.required("LinkedTxn.TxnType")
    return str(link["TxnType"]), str(link["TxnId"])


def journal_share(record: Record, party_entity: str, party: str | None) -> dict[str, Decimal]:
    """Return a journal entry's open sums on receivables or payables: party → amount, debit positive."""
    sums: dict[str, Decimal] = {}
    for posting in record.effects.postings:
        who = posting.party
        if who is not None and who.startswith(f"{party_entity}:") and party in (None, who.partition(":")[2]):
            sums[who] = sums.get(who, ZERO) + posting.amount
    return sums


class SettlementRules(TransactionRules):
    """What payments and bill payments share: lines that settle other transactions."""

    party_field = "CustomerRef"
    party_entity = "Customer"
    debts: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()
    read_only_links: frozenset[str] = frozenset()

    def settle_lines(self, draft: Draft) -> tuple[Decimal, Decimal]:
        """Check each line against what is open; return the sums of debts and of credits settled."""
        debts = credits_used = ZERO
        lines: list[Body] = []
        used: set[tuple[str, str]] = set()
        for place, line in enumerate(draft.body.get("Line") or [], start=1):
            kind, number = sole_link(line, place=place)
            amount = line_amount(line, place=place)
            if amount <= 0:
                raise faults.business("The amount of a line must be greater than 0", element="Amount")
            if (kind, number) in used:
                raise faults.cannot_link(f"{kind} {number} is linked by more than one line")
            used.add((kind, number))
            record = self._target(draft, kind, number)
            is_credit = self._is_credit(kind, record)
            open_amount = self.open_of(draft, kind, record)
            if amount > open_amount:
                raise faults.business(
                    f"The amount applied ({amount}) is more than the open balance ({open_amount}) of {kind} {number}",
                    element="Amount",
                )
            if self.leaves_unapplied(draft, record):
                continue
            draft.links.append(Link(kind, number, amount))
            self.post_line(draft, record, -amount if is_credit else amount)
            if is_credit:
                credits_used += amount
            else:
                debts += amount
            lines.append(self.wire_line(kind, record, amount, open_amount))
        draft.body["Line"] = lines
        return debts, credits_used

    def _target(self, draft: Draft, kind: str, number: str) -> Record:
        if kind in self.read_only_links or kind not in (*self.debts, *self.credits, "JournalEntry"):
            raise faults.cannot_link(f"A {kind} cannot be linked to a {self.entity}")
        record = draft.company.find(kind, number)
        if record is None:
            raise faults.invalid_reference("Transaction", number, "LinkedTxn")
        return record

    def _is_credit(self, kind: str, record: Record) -> bool:
        if kind != "JournalEntry":
            return kind in self.credits
        share = sum(journal_share(record, self.party_entity, None).values(), ZERO)
        return share < 0 if self.party_entity == "Customer" else share > 0

    def open_of(self, draft: Draft, kind: str, record: Record) -> Decimal:
        """Return what of a transaction this draft may settle."""
        if kind == "JournalEntry":
            share = sum(journal_share(record, self.party_entity, None).values(), ZERO)
            taken = draft.company.applied(kind, record.id)
            mine = (self.entity, draft.id)
            return abs(share) - sum((a for source, a in taken.items() if source != mine), ZERO)
        return draft.open_amount(kind, record)

    def leaves_unapplied(self, draft: Draft, record: Record) -> bool:
        """Refuse a transaction of another party, or say that it stays unapplied."""
        raise NotImplementedError

    def post_line(self, draft: Draft, record: Record, amount: Decimal) -> None:
        """Post the settling of one debt (positive) or credit (negative)."""
        raise NotImplementedError

    def wire_line(self, kind: str, record: Record, amount: Decimal, open_amount: Decimal) -> Body:
        """Return the line as it is read back."""
        raise NotImplementedError

    def voided(self, draft: Draft) -> None:
        """Amounts to zero, lines cleared."""
        draft.body["Line"] = []
        draft.body["TotalAmt"] = ZERO
        voided_note(draft.body)


class PaymentRules(SettlementRules):
    """Payments received."""

    entity = "Payment"
    void_style = "include"
    checks_number = False
    debts = ("Invoice",)
    credits = ("CreditMemo",)
    read_only_links = frozenset({"Expense", "Check", "CreditCardCredit"})
    read_only = frozenset({"UnappliedAmt", "LinkedTxn", "HomeTotalAmt"})

    def complete(self, draft: Draft) -> None:
        """Check, apply, post."""
        body = draft.body
        if draft.old is not None:
            refuse_deposited(draft)
        customer = self.own_customer(draft)
        draft.require("TotalAmt")
        total = body["TotalAmt"] = cents(body["TotalAmt"])
        if total < 0:
            raise faults.business("Transaction amount must be 0 or greater", element="TotalAmt")
        self.begin(draft)
        deposit_to = self._deposit_account(draft)
        ar = self.account_of(draft, "ARAccountRef", "Accounts Receivable")["value"]
        if "ARAccountRef" not in draft.sent and draft.old_value("ARAccountRef") is None:
            body.pop("ARAccountRef", None)
        draft.hidden["ar"] = ar
        invoices, credited = self.settle_lines(draft)
        unapplied = cents(total - invoices + credited)
        if unapplied < 0:
            raise faults.business(
                "The amount applied is more than the amount of the payment", element="TotalAmt"
            )
        body["UnappliedAmt"] = unapplied
        draft.post(deposit_to, total)
        draft.post(ar, -unapplied, f"Customer:{customer['value']}")
        draft.default("ProcessPayment", False)
        if body.get("PaymentMethodRef") is not None:
            draft.refer("PaymentMethodRef", "PaymentMethod")

    def _deposit_account(self, draft: Draft) -> str:
        body = draft.body
        if body.get("DepositToAccountRef") is None:
            funds = draft.company.account_of_type("Other Current Asset", subtype="UndepositedFunds")
            if funds is None:
                raise faults.required("DepositToAccountRef")
            body["DepositToAccountRef"] = {"value": funds.id}
            return funds.id
        ref = self.account_of(draft, "DepositToAccountRef", "Bank", "Other Current Asset")
        body["DepositToAccountRef"] = {"value": ref["value"]}
        return str(ref["value"])

    def leaves_unapplied(self, draft: Draft, record: Record) -> bool:
        """The same customer, or a child billed with its parent."""
        payer = draft.body["CustomerRef"]["value"]
        if "CustomerRef" not in record.body:
            if journal_share(record, "Customer", payer):
                return False
        elif self._is_family(draft, record.body["CustomerRef"]["value"], payer):
            return False
        if draft.company.switch("payment_of_other_customer") == "unapplied":
            return True
        raise faults.cannot_link(
            "The transaction belongs to another customer and cannot be linked to this payment"
        )

    def _is_family(self, draft: Draft, customer: str, payer: str) -> bool:
        while customer != payer:
            record = draft.company.find("Customer", customer)
            parent = record.body.get("ParentRef") if record is not None else None
            if record is None or parent is None or not record.body.get("BillWithParent"):
                return False
            customer = parent["value"]
        return True

    def post_line(self, draft: Draft, record: Record, amount: Decimal) -> None:
        """Credit the customer whose document it is."""
        party = (record.body.get("CustomerRef") or draft.body["CustomerRef"])["value"]
        account = record.effects.hidden.get("ar") or draft.hidden["ar"]
        draft.post(account, -amount, f"Customer:{party}")

    def wire_line(self, kind: str, record: Record, amount: Decimal, open_amount: Decimal) -> Body:
        """Return the line with its extension values, as recorded."""
        values = [name_value("txnId", record.id), name_value("txnOpenBalance", two_places(open_amount))]
        if record.body.get("DocNumber"):
            values.append(name_value("txnReferenceNumber", record.body["DocNumber"]))
        link = {"TxnId": record.id, "TxnType": kind}
        return {"Amount": amount, "LinkedTxn": [link], "LineEx": {"any": values}}

    def check_removal(self, draft: Draft) -> None:
        """6540 once it is deposited."""
        refuse_deposited(draft)

    def voided(self, draft: Draft) -> None:
        """Nothing is left unapplied either."""
        super().voided(draft)
        draft.body["UnappliedAmt"] = ZERO


class BillPaymentRules(SettlementRules):
    """Payments made."""

    entity = "BillPayment"
    void_style = "include"
    checks_number = False
    party_field = "VendorRef"
    party_entity = "Vendor"
    debts = ("Bill",)
    credits = ("VendorCredit",)
    read_only_links = frozenset({"Deposit"})
    read_only = frozenset({"HomeTotalAmt"})

    def complete(self, draft: Draft) -> None:
        """Check, apply, post."""
        body = draft.body
        vendor = self.own_vendor(draft)
        draft.require("TotalAmt", "PayType")
        total = body["TotalAmt"] = cents(body["TotalAmt"])
        if total < 0:
            raise faults.business("Transaction amount must be 0 or greater", element="TotalAmt")
        if not body.get("Line"):
            raise faults.required("Line")
        self.begin(draft)
        paid_from = self._pay_account(draft)
        ap = self.account_of(draft, "APAccountRef", "Accounts Payable")["value"]
        if "APAccountRef" not in draft.sent and draft.old_value("APAccountRef") is None:
            body.pop("APAccountRef", None)
        draft.hidden["ap"] = ap
        bills, credited = self.settle_lines(draft)
        excess = cents(total - bills + credited)
        if excess < 0:
            raise faults.business(
                "The amount applied is more than the amount of the payment", element="TotalAmt"
            )
        draft.post(paid_from, -total)
        draft.post(ap, excess, f"Vendor:{vendor['value']}")

    def _pay_account(self, draft: Draft) -> str:
        body = draft.body
        is_check = body["PayType"] == "Check"
        name, field = (
            ("CheckPayment", "BankAccountRef") if is_check else ("CreditCardPayment", "CCAccountRef")
        )
        detail = dict(body.get(name) or {})
        if detail.get(field) is None:
            raise faults.required(f"{name}.{field}")
        ref = draft.company.reference(
            "Account", detail[field], field, kept=(draft.old_value(name) or {}).get(field)
        )
        kind = "Bank" if is_check else "Credit Card"
        if ref is None or draft.company.account_type(ref["value"]) != kind:
            raise faults.business(f"{field} must be an account of type {kind}", element=field)
        detail[field] = ref
        if is_check:
            detail.setdefault("PrintStatus", "NeedToPrint")
        body[name] = detail
        body.pop("CreditCardPayment" if is_check else "CheckPayment", None)
        return str(ref["value"])

    def leaves_unapplied(self, draft: Draft, record: Record) -> bool:
        """Only the same vendor's documents."""
        vendor = draft.body["VendorRef"]["value"]
        if "VendorRef" not in record.body:
            if journal_share(record, "Vendor", vendor):
                return False
        elif record.body["VendorRef"]["value"] == vendor:
            return False
        raise faults.cannot_link(
            "The transaction belongs to another vendor and cannot be linked to this payment"
        )

    def post_line(self, draft: Draft, record: Record, amount: Decimal) -> None:
        """Debit the vendor on the account of the document."""
        account = (record.body.get("APAccountRef") or {}).get("value") or draft.hidden["ap"]
        draft.post(account, amount, f"Vendor:{draft.body['VendorRef']['value']}")

    def wire_line(self, kind: str, record: Record, amount: Decimal, open_amount: Decimal) -> Body:
        """Return the line as recorded: no id, no detail."""
        return {"Amount": amount, "LinkedTxn": [{"TxnId": record.id, "TxnType": kind}]}
