"""Aged receivables and payables: what is open, by age."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.payments import journal_share
from sandbox.quickbooks.records import Record
from sandbox.quickbooks.reportparts import Row, asked_date, cell, data_row, frame, section, two

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

BUCKETS = ("Current", "1 - 30", "31 - 60", "61 - 90", "91 and over")


class OpenItem(NamedTuple):
    """One document with something open on a date; credits are negative."""

    entity: str
    record: Record
    party: str
    due: date
    amount: Decimal


def open_items(company: Company, party_entity: str, as_of: date) -> Iterator[OpenItem]:
    """Yield everything open on a date, as the ledger of that date shows it."""
    is_ar = party_entity == "Customer"
    debts, credit, settlement = (
        ("Invoice", "CreditMemo", "Payment") if is_ar else ("Bill", "VendorCredit", "BillPayment")
    )
    for entity in (debts, credit):
        sign = 1 if entity == debts else -1
        for record in company.table(entity).rows.values():
            if record.effects.on is not None and record.effects.on <= as_of:
                amount = sign * _left(
                    company, entity, record, record.body["TotalAmt"] - record.body.get("Deposit", ZERO), as_of
                )
                party = record.body["CustomerRef" if is_ar else "VendorRef"]["value"]
                due = date.fromisoformat(record.body.get("DueDate") or record.body["TxnDate"])
                yield OpenItem(entity, record, party, due, amount)
    for record in company.table(settlement).rows.values():
        if record.effects.on is not None and record.effects.on <= as_of:
            unapplied = _unapplied(company, record, credit, as_of)
            party = record.body["CustomerRef" if is_ar else "VendorRef"]["value"]
            yield OpenItem(settlement, record, party, record.effects.on, -unapplied)
    for entity in ("JournalEntry", "Deposit", "Purchase", "Bill"):
        for record in company.table(entity).rows.values():
            if record.effects.on is None or record.effects.on > as_of or (entity == debts):
                continue
            for party, share in journal_share(record, party_entity, None).items():
                signed = share if is_ar else -share
                open_amount = _left(company, entity, record, abs(signed), as_of)
                amount = open_amount if signed > 0 else -open_amount
                yield OpenItem(entity, record, party.partition(":")[2], record.effects.on, amount)


def _left(company: Company, entity: str, record: Record, total: Decimal, as_of: date) -> Decimal:
    for (source_entity, number), amount in company.applied(entity, record.id).items():
        source = company.find(source_entity, number)
        if (
            source_entity != "Deposit"
            and source is not None
            and source.effects.on
            and source.effects.on <= as_of
        ):
            total -= amount
    return total


def _unapplied(company: Company, record: Record, credit: str, as_of: date) -> Decimal:
    """A payment dated before the document it settles is open until that document's date."""
    total: Decimal = record.body["TotalAmt"]
    for link in record.effects.links:
        target = company.find(link.entity, link.id)
        if target is None or target.effects.on is None or target.effects.on > as_of:
            continue
        is_credit = link.entity == credit
        total += link.amount if is_credit else -link.amount
    return total


def _bucket(due: date, as_of: date) -> int:
    days = (as_of - due).days
    return 0 if days <= 0 else min(1 + (days - 1) // 30, 4)


def _aged(call: Call, name: str, party_entity: str) -> Row:
    as_of = asked_date(call, "report_date") or asked_date(call, "end_date") or call.company.today()
    sums: dict[str, list[Decimal]] = {}
    for item in open_items(call.company, party_entity, as_of):
        if item.amount:
            row = sums.setdefault(item.party, [ZERO] * 5)
            row[_bucket(item.due, as_of)] += item.amount
    totals = [sum((row[place] for row in sums.values()), ZERO) for place in range(5)]
    names = call.company.table(party_entity).rows
    rows = [
        data_row(
            cell(str(names[party].body["DisplayName"]), party),
            *(cell(two(a) if a else "") for a in row),
            cell(two(sum(row, ZERO))),
        )
        for party, row in sorted(sums.items(), key=lambda each: str(names[each[0]].body["DisplayName"]))
        if any(row)
    ]
    summary = [cell("TOTAL"), *(cell(two(total)) for total in totals), cell(two(sum(totals, ZERO)))]
    rows.append({"Summary": {"ColData": summary}, "type": "Section", "group": "GrandTotal"})
    kind = "Customer" if party_entity == "Customer" else "Vendor"
    columns = [("", kind, "cust_name" if kind == "Customer" else "vend_name")]
    columns += [
        (title, "Money", key) for title, key in zip(BUCKETS, ("current", "1", "2", "3", "4"), strict=True)
    ]
    return frame(call, name, as_of, as_of, [*columns, ("Total", "Money", "total")], rows)


def aged_receivables(call: Call) -> Row:
    """What customers owe, by age."""
    return _aged(call, "AgedReceivables", "Customer")


def aged_payables(call: Call) -> Row:
    """What is owed to vendors, by age."""
    return _aged(call, "AgedPayables", "Vendor")


def aged_receivable_detail(call: Call) -> Row:
    """Each open document of each customer."""
    as_of = asked_date(call, "report_date") or asked_date(call, "end_date") or call.company.today()
    groups: dict[int, list[OpenItem]] = {}
    for item in open_items(call.company, "Customer", as_of):
        if item.amount:
            groups.setdefault(_bucket(item.due, as_of), []).append(item)
    names = call.company.table("Customer").rows
    rows = []
    for place in sorted(groups):
        lines = [
            data_row(
                cell(item.record.body["TxnDate"]),
                cell(item.entity, item.record.id),
                cell(str(item.record.body.get("DocNumber", ""))),
                cell(str(names[item.party].body["DisplayName"]), item.party),
                cell(item.due.isoformat()),
                cell(two(item.amount)),
            )
            for item in groups[place]
        ]
        total = sum((item.amount for item in groups[place]), ZERO)
        blanks = [cell("")] * 4
        rows.append(
            section(
                [cell(BUCKETS[place])], lines, [cell(f"Total {BUCKETS[place]}"), *blanks, cell(two(total))]
            )
        )
    columns = [
        ("Date", "Date", "tx_date"), ("Transaction Type", "String", "txn_type"), ("Num", "String", "doc_num"),
        ("Customer", "Customer", "cust_name"), ("Due Date", "Date", "due_date"), ("Open Balance", "Money", "subt_open_bal"),
    ]  # fmt: skip
    return frame(call, "AgedReceivableDetail", as_of, as_of, columns, rows)
