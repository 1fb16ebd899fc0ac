"""Adding everything up again: the ledger, and every balance a document states against its postings."""

from __future__ import annotations

from decimal import Decimal

from sandbox.kernel.ledger import LedgerCheck
from sandbox.xero.books import Books
from sandbox.xero.documents import LIVE

ZERO = Decimal(0)


def check(books: Books) -> LedgerCheck:
    """The ledger's own check, widened by documents against ledger."""
    found = books.ledger.check()
    problems = [*found.problems, *_documents(books), *_control_accounts(books)]
    return LedgerCheck(found.entries, found.debits, found.credits, tuple(problems))


def _documents(books: Books) -> list[str]:
    problems = []
    for key, invoice in books["Invoices"].rows.items():
        if invoice["Status"] not in LIVE:
            continue
        paid = sum(
            (p["Amount"] for p in books["Payments"].find("document", key) if p["Status"] == "AUTHORISED"),
            ZERO,
        )
        credited = sum((a["Amount"] for a in books["Allocations"].find("invoice", key)), ZERO)
        if (paid, credited) != (invoice["AmountPaid"], invoice["AmountCredited"]):
            problems.append(f"invoice {key} says {invoice['AmountPaid']} paid, its payments sum to {paid}")
        if invoice["Total"] != invoice["AmountDue"] + paid + credited:
            problems.append(f"invoice {key}: total is not due + paid + credited")
        if (invoice["Status"] == "PAID") != (invoice["AmountDue"] == 0) and invoice["Total"]:
            problems.append(f"invoice {key} is {invoice['Status']} with {invoice['AmountDue']} due")
    for table in ("CreditNotes", "Prepayments", "Overpayments"):
        for key, credit in books[table].rows.items():
            if credit["Status"] not in LIVE:
                continue
            used = sum((a["Amount"] for a in books["Allocations"].find("source", key)), ZERO)
            paid = sum(
                (p["Amount"] for p in books["Payments"].find("document", key) if p["Status"] == "AUTHORISED"),
                ZERO,
            )
            if credit["RemainingCredit"] != credit["Total"] - used - paid:
                problems.append(
                    f"{table} {key} says {credit['RemainingCredit']} left, it should be {credit['Total'] - used - paid}"
                )
    return problems


def _control_accounts(books: Books) -> list[str]:
    """What contacts owe by documents must be what stands on DEBTORS and CREDITORS (one currency only)."""
    if len(books["Currencies"].rows) > 1:
        return []
    debtors = creditors = ZERO
    for invoice in books["Invoices"].rows.values():
        if invoice["Status"] in LIVE:
            if invoice["Type"] == "ACCREC":
                debtors += invoice["AmountDue"]
            else:
                creditors += invoice["AmountDue"]
    for table in ("CreditNotes", "Overpayments"):
        for credit in books[table].rows.values():
            if credit["Status"] in LIVE:
                if credit["Type"].startswith(("ACCREC", "RECEIVE")):
                    debtors -= credit["RemainingCredit"]
                else:
                    creditors -= credit["RemainingCredit"]
    problems = []
    for name, stated, sign in (("DEBTORS", debtors, 1), ("CREDITORS", creditors, -1)):
        posted = sign * books.ledger.balance(books.system_account(name)["AccountID"])
        if posted != stated:
            problems.append(f"{name} stands at {posted}, the open documents sum to {stated}")
    return problems
