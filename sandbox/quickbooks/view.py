"""What the bookkeeper's page shows of a company."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.kernel.emulator import MischiefButton, Page, PageTable
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Record
from sandbox.quickbooks.registry import RULES

DOCUMENTS_MAX = 40


def company_page(
    company: Company | None, realm: str, choices: Sequence[tuple[str, str]], buttons: Sequence[MischiefButton]
) -> Page:
    """Return the page of one company."""
    if company is None:
        return Page(choices, realm, (), buttons)
    return Page(choices, realm, (_accounts(company), _documents(company), _names(company)), buttons)


def _accounts(company: Company) -> PageTable:
    rows = [
        (
            record.body.get("AcctNum", ""),
            record.body["FullyQualifiedName"],
            record.body["AccountType"],
            f"{company.ledger.balance(number):,.2f}",
        )
        for number, record in company.table("Account").rows.items()
    ]
    rows.sort(key=lambda row: (row[0], row[1]))
    check = company.ledger.check()
    state = "balances" if check.is_balanced else "does NOT balance: " + "; ".join(check.problems[:3])
    note = f"{check.entries} entries, debits {check.debits:,.2f}, credits {check.credits:,.2f}; the ledger {state}."
    return PageTable("Accounts", ("Number", "Account", "Type", "Balance (debit +)"), rows, note, (3,))


def _documents(company: Company) -> PageTable:
    newest: list[tuple[int, int, str, Record]] = []
    for entity, rules in RULES.items():
        if rules.is_transaction:
            table = company.table(entity)
            for epoch, sequence, key in table.by_change[-DOCUMENTS_MAX:]:
                newest.append((epoch, sequence, entity, table.rows[key]))
    newest.sort(key=lambda each: each[:2], reverse=True)
    rows = [_document(entity, record) for _, _, entity, record in newest[:DOCUMENTS_MAX]]
    columns = ("Kind", "Id", "Version", "Number", "Date", "Name", "Total", "Open", "Changed")
    return PageTable("Documents, last changed first", columns, rows, numbers=(6, 7))


def _document(entity: str, record: Record) -> tuple[Any, ...]:
    body = record.body
    party = (body.get("CustomerRef") or body.get("VendorRef") or body.get("EntityRef") or {}).get("name", "")
    total = (
        body.get("TotalAmt")
        or body.get("Amount")
        or sum(p.amount for p in record.effects.postings if p.amount > 0)
    )
    open_amount = body.get("Balance", body.get("UnappliedAmt", ""))
    return (
        entity,
        record.id,
        body["SyncToken"],
        body.get("DocNumber", ""),
        body["TxnDate"],
        party,
        f"{total:,.2f}",
        "" if open_amount == "" else f"{open_amount:,.2f}",
        body["MetaData"]["LastUpdatedTime"],
    )


def _names(company: Company) -> PageTable:
    rows = [
        (entity, number, record.body["DisplayName"], f"{record.body['Balance']:,.2f}")
        for entity in ("Customer", "Vendor")
        for number, record in company.table(entity).rows.items()
        if record.body["Balance"]
    ]
    return PageTable("Open balances", ("Kind", "Id", "Name", "Balance"), rows[:200], numbers=(3,))
