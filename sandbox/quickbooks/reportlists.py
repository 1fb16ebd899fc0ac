"""Reports that list transactions: general ledger, transaction list with the bank's cleared state."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.kernel.ledger import ZERO, Entry
from sandbox.quickbooks import faults
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Record
from sandbox.quickbooks.registry import RULES
from sandbox.quickbooks.reportparts import (
    Column,
    Row,
    asked_date,
    cell,
    data_row,
    frame,
    period,
    section,
    two,
)
from sandbox.quickbooks.times import wire_epoch

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

TYPE_NAMES = {
    "JournalEntry": "Journal Entry", "BillPayment": "Bill Payment (Check)", "CreditMemo": "Credit Memo",
    "VendorCredit": "Vendor Credit", "SalesReceipt": "Sales Receipt", "RefundReceipt": "Refund",
    "PurchaseOrder": "Purchase Order",
}  # fmt: skip
COLUMNS: dict[str, Column] = {
    "tx_date": ("Date", "Date", "tx_date"),
    "txn_type": ("Transaction Type", "String", "txn_type"),
    "doc_num": ("Num", "String", "doc_num"),
    "is_no_post": ("Posting", "String", "is_no_post"),
    "name": ("Name", "String", "name"),
    "memo": ("Memo/Description", "String", "memo"),
    "account_name": ("Account", "String", "account_name"),
    "other_account": ("Split", "String", "other_account"),
    "is_cleared": ("Clr", "String", "is_cleared"),
    "olb_status": ("Online Banking", "String", "olb_status"),
    "due_date": ("Due Date", "Date", "due_date"),
    "create_date": ("Create Date", "Date", "create_date"),
    "last_mod_date": ("Last Modified", "Date", "last_mod_date"),
    "subt_nat_amount": ("Amount", "Money", "subt_nat_amount"),
    "rbal_nat_amount": ("Balance", "Money", "rbal_nat_amount"),
    "debt_amt": ("Debit", "Money", "debt_amt"),
    "credit_amt": ("Credit", "Money", "credit_amt"),
}
LIST_DEFAULT = (
    "tx_date",
    "txn_type",
    "doc_num",
    "is_no_post",
    "name",
    "memo",
    "account_name",
    "other_account",
    "subt_nat_amount",
)
LEDGER_DEFAULT = (
    "tx_date",
    "txn_type",
    "doc_num",
    "name",
    "memo",
    "other_account",
    "subt_nat_amount",
    "rbal_nat_amount",
)
CLEARED_MARKS = {"Cleared": "C", "Reconciled": "R"}
BANK_TYPES = ("Bank", "Credit Card")


def type_name(entity: str, record: Record) -> str:
    """Return the name a report gives a kind of transaction."""
    body = record.body
    if entity == "Purchase":
        kind = body["PaymentType"]
        if kind == "CreditCard":
            return "Credit Card Credit" if body.get("Credit") else "Credit Card Expense"
        return "Check" if kind == "Check" else "Expense"
    if entity == "BillPayment" and body["PayType"] == "CreditCard":
        return "Bill Payment (Credit Card)"
    return TYPE_NAMES.get(entity, entity)


def _asked_columns(call: Call, default: tuple[str, ...]) -> list[str]:
    text = call.query.get("columns", "")
    if not text:
        return list(default)
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in COLUMNS:
            raise faults.invalid_choice("columns", name)
    return names


def _split(company: Company, entry: Entry, own: str) -> str:
    others = dict.fromkeys(posting.account for posting in entry.postings if posting.account != own)
    if len(others) != 1:
        return "-Split-" if others else ""
    record = company.find("Account", next(iter(others)))
    return "" if record is None else str(record.body["FullyQualifiedName"])


def _cleared(company: Company, entity: str, record: Record) -> set[str]:
    """The states of a transaction's bank lines: each account's statement clears its own line."""
    if any(source == "Deposit" for source, _ in company.applied(entity, record.id)):
        return {"Deposited"}
    kept = company.path("_cleared")
    whole = str(company.store.get(kept, f"{entity}:{record.id}") or "Uncleared")
    banks = [
        posting.account
        for posting in record.effects.postings
        if (account := company.find("Account", posting.account)) is not None
        and account.body.get("AccountType") in BANK_TYPES
    ]
    return {
        str(company.store.get(kept, f"{entity}:{record.id}:{account}") or whole) for account in banks
    } or {whole}


def _cells(call: Call, entity: str, record: Record, names: list[str], facts: dict[str, Row]) -> list[Row]:
    body = record.body
    party = body.get("CustomerRef") or body.get("VendorRef") or body.get("EntityRef") or {}
    states = _cleared(call.company, entity, record)
    # One row cannot show two states.
    state = next(iter(states)) if len(states) == 1 else "Uncleared"
    shows_state = call.company.switch("report_cleared") == "column_and_filter"
    values: dict[str, Row] = {
        "tx_date": cell(body["TxnDate"]),
        "txn_type": cell(type_name(entity, record), record.id),
        "doc_num": cell(str(body.get("DocNumber") or body.get("PaymentRefNum") or "")),
        "is_no_post": cell("Yes" if record.effects.postings else "No"),
        "name": cell(str(party.get("name", "")), str(party.get("value", ""))),
        "memo": cell(str(body.get("PrivateNote", ""))),
        "is_cleared": cell(CLEARED_MARKS.get(state, "") if shows_state else ""),
        "olb_status": cell("Matched" if state in CLEARED_MARKS else ""),
        "due_date": cell(str(body.get("DueDate", ""))),
        "create_date": cell(str(body["MetaData"]["CreateTime"])),
        "last_mod_date": cell(wire_epoch(record.epoch)),
        **facts,
    }
    return [values.get(name, cell("")) for name in names]


def _transactions(company: Company) -> Iterator[tuple[str, Record]]:
    for entity, rules in RULES.items():
        if rules.is_transaction:
            for record in company.table(entity).rows.values():
                yield entity, record


def transaction_list(call: Call) -> Row:
    """Every transaction of a period, with the bank's cleared state."""
    start, end = period(call)
    company = call.company
    names = _asked_columns(call, LIST_DEFAULT)
    wanted = call.query.get("cleared", "")
    if wanted and wanted not in ("Cleared", "Uncleared", "Reconciled", "Deposited"):
        raise faults.invalid_choice("cleared", wanted)
    modified = asked_date(call, "start_moddate")
    rows: list[tuple[str, int, Row]] = []
    for entity, record in _transactions(company):
        on = record.effects.on
        if on is None or not start <= on <= end:
            continue
        if wanted and wanted not in _cleared(company, entity, record):
            continue
        if modified is not None and record.body["MetaData"]["LastUpdatedTime"][:10] < modified.isoformat():
            continue
        if not _passes(call, entity, record):
            continue
        cells = _cells(call, entity, record, names, _list_facts(company, entity, record))
        rows.append((on.isoformat(), int(record.id), data_row(*cells)))
    rows.sort(key=lambda each: each[:2])
    return frame(
        call, "TransactionList", start, end, [COLUMNS[name] for name in names], [row for _, _, row in rows]
    )


def _passes(call: Call, entity: str, record: Record) -> bool:
    kind = call.query.get("transaction_type", "")
    if kind and kind.lower() not in (entity.lower(), type_name(entity, record).replace(" ", "").lower()):
        return False
    number = call.query.get("docnum", "")
    if number and str(record.body.get("DocNumber", "")) != number:
        return False
    amount = call.query.get("bothamount", "")
    if amount and amount != two(_total(record)):
        return False
    source = call.query.get("source_account_type", "")
    if not source:
        return True
    kinds = {
        call.company.account_type(posting.account).replace(" ", "") for posting in record.effects.postings
    }
    return source.replace(" ", "") in kinds


def _total(record: Record) -> Decimal:
    body = record.body
    fallback = sum((p.amount for p in record.effects.postings if p.amount > 0), ZERO)
    return Decimal(body.get("TotalAmt") or body.get("Amount") or fallback)


def _list_facts(company: Company, entity: str, record: Record) -> dict[str, Row]:
    entry = company.ledger.entry(f"{entity}:{record.id}")
    total = _total(record)
    if entry is None:
        return {"subt_nat_amount": cell(two(total))}
    main = next(
        (p for p in entry.postings if company.account_type(p.account) in BANK_TYPES),
        max(entry.postings, key=lambda posting: abs(posting.amount)),
    )
    account = company.find("Account", main.account)
    amount = main.amount if company.account_type(main.account) in BANK_TYPES else total
    return {
        "account_name": cell(
            "" if account is None else str(account.body["FullyQualifiedName"]), main.account
        ),
        "other_account": cell(_split(company, entry, main.account)),
        "subt_nat_amount": cell(two(amount)),
        "debt_amt": cell(two(amount) if amount > 0 else ""),
        "credit_amt": cell(two(-amount) if amount < 0 else ""),
    }


def general_ledger(call: Call) -> Row:
    """Every posting of a period by account, with running balances."""
    start, end = period(call)
    company = call.company
    names = _asked_columns(call, LEDGER_DEFAULT)
    wanted = {number for number in call.query.get("account", "").split(",") if number}
    sections: list[Row] = []
    for number, account in company.table("Account").rows.items():
        if wanted and number not in wanted:
            continue
        made = _ledger_section(call, number, account, names)
        if made is not None:
            sections.append(made)
    columns = [COLUMNS[name] for name in names]
    return frame(call, "GeneralLedger", start, end, columns, sections)


def _ledger_section(call: Call, number: str, account: Record, names: list[str]) -> Row | None:
    start, end = period(call)
    company = call.company
    running = sum(
        (
            p.amount
            for e in company.ledger.entries(number, end=end)
            if e.on < start
            for p in e.postings
            if p.account == number
        ),
        ZERO,
    )
    entries = sorted(company.ledger.entries(number, start=start, end=end), key=lambda entry: entry.on)
    if not entries and not running:
        return None
    title = str(account.body["FullyQualifiedName"])
    opening = {"memo": cell("Beginning Balance"), "rbal_nat_amount": cell(two(running))}
    rows = [data_row(*(opening.get(name, cell("")) for name in names))]
    total = ZERO
    for entry in entries:
        entity, _, txn = entry.document.partition(":")
        record = company.find(entity, txn)
        if record is None:
            continue
        for posting in entry.postings:
            if posting.account != number:
                continue
            running += posting.amount
            total += posting.amount
            facts = {
                "account_name": cell(title, number),
                "other_account": cell(_split(company, entry, number)),
                "subt_nat_amount": cell(two(posting.amount)),
                "rbal_nat_amount": cell(two(running)),
                "debt_amt": cell(two(posting.amount) if posting.amount > 0 else ""),
                "credit_amt": cell(two(-posting.amount) if posting.amount < 0 else ""),
            }
            rows.append(data_row(*_cells(call, entity, record, names, facts)))
    summary = [cell(f"Total for {title}")]
    summary += [cell(two(total)) if name == "subt_nat_amount" else cell("") for name in names[1:]]
    return section([cell(title, number)], rows, summary)
