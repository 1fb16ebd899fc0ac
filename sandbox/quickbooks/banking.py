"""Bank and journal: deposit, transfer, journal entry."""

from __future__ import annotations

from decimal import Decimal

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.company import ASSET_TYPES
from sandbox.quickbooks.lines import (
    detail_of,
    line_amount,
    lines_of,
    number_lines,
    old_detail,
    refer,
    settle_tracking,
)
from sandbox.quickbooks.payments import sole_link
from sandbox.quickbooks.records import Body, Link, Record
from sandbox.quickbooks.rules import Draft, TransactionRules, cents

PARTY_TYPES = {"CUSTOMER": "Customer", "VENDOR": "Vendor", "EMPLOYEE": "Employee"}
DEPOSITABLE = ("Payment", "SalesReceipt", "RefundReceipt", "JournalEntry", "Transfer", "BillPayment")


class DepositRules(TransactionRules):
    """Bank deposits: money lines, and payments taken out of undeposited funds."""

    entity = "Deposit"
    checks_number = False
    read_only = frozenset({"TotalAmt", "HomeTotalAmt", "LinkedTxn"})

    def complete(self, draft: Draft) -> None:
        """Check both kinds of lines, cash back and total, and post them."""
        body = draft.body
        draft.require("DepositToAccountRef")
        lines = lines_of(draft)
        self.begin(draft)
        target = self.account_of(draft, "DepositToAccountRef", "Bank", "Other Current Asset")
        total = ZERO
        direct: list[Body] = []
        order: list[Body | None] = []
        for place, line in enumerate(lines, start=1):
            if line.get("LinkedTxn"):
                linked = self._linked_line(draft, line, place)
                order.append(linked)
                total += linked["Amount"]
            else:
                direct.append(self._direct_line(draft, line, place))
                order.append(None)
                total += direct[-1]["Amount"]
        numbered = iter(number_lines(draft, direct))
        body["Line"] = [next(numbered) if line is None else line for line in order]
        total -= self._cash_back(draft)
        total = cents(total)
        if total < 0:
            raise faults.business("The total of a deposit must be 0 or greater", element="TotalAmt")
        body["TotalAmt"] = total
        draft.post(target["value"], total)
        body["TxnTaxDetail"] = {}

    def _linked_line(self, draft: Draft, line: Body, place: int) -> Body:
        # Recorded: a linked line has no DetailType; with one, the service asks for its account.
        if (
            line.get("DetailType") is not None
            and (line.get("DepositLineDetail") or {}).get("AccountRef") is None
        ):
            raise faults.required("DepositLineDetail.AccountRef")
        kind, number = sole_link(line, place=place)
        if line["LinkedTxn"][0].get("TxnLineId") is None:
            raise faults.required("LinkedTxn.TxnLineId")
        if kind not in DEPOSITABLE:
            raise faults.cannot_link(f"A {kind} cannot be linked to a deposit")
        record = draft.company.find(kind, number)
        if record is None:
            raise faults.invalid_reference("Transaction", number, "LinkedTxn")
        holders = draft.company.applied(kind, number)
        if any(entity == "Deposit" and holder != draft.id for entity, holder in holders):
            raise faults.cannot_link(f"{kind} {number} has already been deposited")
        account, funds = self._funds(draft, record)
        amount = line_amount(line, place=place)
        if amount != funds:
            raise faults.business(
                f"The amount of a linked line ({amount}) must be the amount of the transaction ({funds})",
                element="Amount",
            )
        if any(link.entity == kind and link.id == number for link in draft.links):
            raise faults.cannot_link(f"{kind} {number} is linked by more than one line")
        draft.links.append(Link(kind, number, amount))
        draft.post(account, -amount)
        result: Body = {"Amount": amount, "LinkedTxn": [{"TxnId": number, "TxnType": kind, "TxnLineId": "0"}]}
        detail: Body = {}
        if record.body.get("PaymentMethodRef"):
            detail["PaymentMethodRef"] = {"value": record.body["PaymentMethodRef"]["value"]}
        if record.body.get("PaymentRefNum"):
            detail["CheckNum"] = record.body["PaymentRefNum"]
        if detail:
            result["DepositLineDetail"] = detail
        return result

    def _funds(self, draft: Draft, record: Record) -> tuple[str, Decimal]:
        for number in draft.company.kinds_of_account.get("Other Current Asset", ()):
            account = draft.company.find("Account", number)
            if account is None or account.body.get("AccountSubType") != "UndepositedFunds":
                continue
            funds = sum((p.amount for p in record.effects.postings if p.account == number), ZERO)
            if funds:
                return number, cents(funds)
        raise faults.cannot_link("Only money in Undeposited Funds can be deposited")

    def _direct_line(self, draft: Draft, line: Body, place: int) -> Body:
        kind, detail = detail_of(line, place=place, allowed=("DepositLineDetail",))
        amount = line_amount(line, place=place)
        kept = old_detail(draft, line)
        ref = refer(draft, detail, "AccountRef", "Account", kept)
        if ref is None:
            raise faults.required("DepositLineDetail.AccountRef")
        party = None
        if detail.get("Entity") is not None:
            wanted = str(detail["Entity"].get("type") or "CUSTOMER").upper()
            if wanted not in PARTY_TYPES:
                raise faults.invalid_choice("DepositLineDetail.Entity.type", wanted)
            checked = draft.company.reference(
                PARTY_TYPES[wanted], detail["Entity"], "Entity", kept=kept.get("Entity")
            )
            detail["Entity"] = {**(checked or {}), "type": wanted}
            party = f"{PARTY_TYPES[wanted]}:{detail['Entity']['value']}"
        refer(draft, detail, "PaymentMethodRef", "PaymentMethod", kept)
        settle_tracking(draft, detail, kept)
        post_with_party(draft, ref["value"], -amount, party)
        return {**line, "Amount": amount, kind: detail}

    def _cash_back(self, draft: Draft) -> Decimal:
        cash = draft.body.get("CashBack")
        if cash is None:
            draft.body.pop("CashBack", None)
            return ZERO
        if cash.get("AccountRef") is None:
            raise faults.required("CashBack.AccountRef")
        if cash.get("Amount") is None:
            raise faults.required("CashBack.Amount")
        amount = cents(cash["Amount"])
        if amount < 0:
            raise faults.business("Cash back must be 0 or greater", element="CashBack")
        ref = draft.company.reference(
            "Account",
            cash["AccountRef"],
            "CashBack.AccountRef",
            kept=(draft.old_value("CashBack") or {}).get("AccountRef"),
        )
        draft.body["CashBack"] = {**cash, "AccountRef": ref, "Amount": amount}
        post_with_party(draft, cash["AccountRef"]["value"], amount, None)
        return amount


class TransferRules(TransactionRules):
    """Money moved between the company's own accounts."""

    entity = "Transfer"
    checks_number = False

    def complete(self, draft: Draft) -> None:
        """Check both accounts and post."""
        draft.require("FromAccountRef", "ToAccountRef", "Amount")
        self.begin(draft)
        amount = draft.body["Amount"] = cents(draft.body["Amount"])
        if amount <= 0:
            raise faults.business("The amount of a transfer must be greater than 0", element="Amount")
        for field, sign in (("FromAccountRef", -1), ("ToAccountRef", 1)):
            ref = draft.refer(field, "Account")
            kind = draft.company.account_type(ref["value"]) if ref is not None else ""
            is_allowed = kind in ASSET_TYPES - {"Accounts Receivable"}
            if draft.company.switch("transfer_accounts") == "any_balance_sheet":
                is_allowed = is_allowed or kind in (
                    "Credit Card",
                    "Other Current Liability",
                    "Long Term Liability",
                    "Equity",
                )
            if ref is None or not is_allowed:
                raise faults.business(f"{field} must be an asset account", element=field)
            draft.post(ref["value"], sign * amount)
        if draft.body["FromAccountRef"]["value"] == draft.body["ToAccountRef"]["value"]:
            raise faults.business("A transfer needs two different accounts", element="ToAccountRef")


class JournalEntryRules(TransactionRules):
    """Journal entries."""

    entity = "JournalEntry"
    read_only = frozenset({"TotalAmt", "HomeTotalAmt"})

    def complete(self, draft: Draft) -> None:
        """Check sides, parties and balance, and post."""
        body = draft.body
        lines: list[Body] = []
        debits = credited = ZERO
        sides: set[str] = set()
        control_lines = 0
        given = lines_of(draft)
        self.begin(draft)
        for place, line in enumerate(given, start=1):
            if line.get("DetailType") == "DescriptionOnly":
                lines.append(
                    {name: line[name] for name in ("Id", "Description", "DetailType") if name in line}
                )
                continue
            kind, detail = detail_of(line, place=place, allowed=("JournalEntryLineDetail",))
            amount = line_amount(line, place=place)
            if amount < 0:
                raise faults.business(
                    "The amount of a journal entry line must be 0 or greater", element="Amount"
                )
            side = detail.get("PostingType")
            if side is None:
                raise faults.required("JournalEntryLineDetail.PostingType")
            control_lines += self._post_line(draft, line, detail, amount if side == "Debit" else -amount)
            sides.add(side)
            debits += amount if side == "Debit" else ZERO
            credited += amount if side == "Credit" else ZERO
            lines.append({**line, "Amount": amount, kind: detail})
        if sides != {"Debit", "Credit"}:
            raise faults.business(
                "A journal entry needs at least one debit and one credit line", element="Line"
            )
        if debits != credited:
            raise faults.business(
                f"Please balance debits and credits: debits {debits}, credits {credited}", element="Line"
            )
        if control_lines > 1 and draft.company.switch("journal_control_lines") == "one":
            raise faults.business("A transaction can have only one A/R or A/P account.", element="Line")
        body["Line"] = number_lines(draft, lines, first=0, has_numbers=False)
        body["TotalAmt"] = ZERO
        draft.default("Adjustment", False)
        body["TxnTaxDetail"] = {}

    def _post_line(self, draft: Draft, line: Body, detail: Body, amount: Decimal) -> int:
        kept = old_detail(draft, line)
        ref = refer(draft, detail, "AccountRef", "Account", kept)
        if ref is None:
            raise faults.required("JournalEntryLineDetail.AccountRef")
        detail.pop("BillableStatus", None)
        party = self._party(draft, detail, kept)
        settle_tracking(draft, detail, kept)
        post_with_party(draft, ref["value"], amount, party)
        return int(draft.company.account_type(ref["value"]) in ("Accounts Receivable", "Accounts Payable"))

    def _party(self, draft: Draft, detail: Body, kept: Body) -> str | None:
        entity = detail.get("Entity")
        if not entity:
            detail.pop("Entity", None)
            return None
        kind = entity.get("Type")
        if kind not in ("Customer", "Vendor", "Employee"):
            raise faults.invalid_choice("Entity.Type", kind) if kind else faults.required("Entity.Type")
        if entity.get("EntityRef") is None:
            raise faults.required("Entity.EntityRef")
        before = (kept.get("Entity") or {}).get("EntityRef")
        ref = draft.company.reference(kind, entity["EntityRef"], "EntityRef", kept=before)
        detail["Entity"] = {"Type": kind, "EntityRef": ref}
        return f"{kind}:{entity['EntityRef']['value']}"

    def check_removal(self, draft: Draft) -> None:
        """6000 while something settles it."""
        if draft.company.applied(self.entity, draft.id) and draft.company.switch("delete_linked") == "refuse":
            raise faults.business(
                "You must unlink the transactions that are linked to this JournalEntry first"
            )


def post_with_party(draft: Draft, account: str, amount: Decimal, party: str | None) -> None:
    """Post; receivables need a customer, payables a vendor, other accounts keep no party."""
    kind = draft.company.account_type(account)
    if kind == "Accounts Receivable":
        if party is None or not party.startswith("Customer:"):
            raise faults.business(
                "When you use Accounts Receivable, you must choose a customer in the Name field."
            )
        draft.post(account, amount, party)
    elif kind == "Accounts Payable":
        if party is None or not party.startswith("Vendor:"):
            raise faults.business(
                "When you use Accounts Payable, you must choose a vendor in the Name field."
            )
        draft.post(account, amount, party)
    else:
        draft.post(account, amount)
