"""What QuickBooks would refuse is said before it is asked, as one sentence with what to do."""

from __future__ import annotations

from typing import Any

import pytest

from resources.quickbooks.check import refusal
from sync.records import Entity

TYPES = {"84": "Accounts Receivable", "33": "Accounts Payable", "45": "Income"}


def a_line(amount: str = "100.00", **values: Any) -> dict[str, Any]:
    return {
        "description": "Framing",
        "amount": amount,
        "quantity": None,
        "unit_price": None,
        "account": "45",
    } | values


def a_document(**values: Any) -> dict[str, Any]:
    return {
        "number": "1001",
        "date": "2026-05-04",
        "due_date": None,
        "party": "1",
        "currency": "USD",
        "memo": "",
        "total": "100.00",
        "lines": [a_line()],
    } | values


def an_entry_line(debit: str = "0.00", credit: str = "0.00", **values: Any) -> dict[str, Any]:
    return {
        "description": "",
        "debit": debit,
        "credit": credit,
        "account": "45",
        "party_kind": None,
        "party": None,
    } | values


def an_entry(*lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    chosen = list(lines) or [an_entry_line(debit="10.00"), an_entry_line(credit="10.00")]
    return {"number": "JE-1", "date": "2026-05-31", "currency": "USD", "memo": "", "lines": chosen} | values


def a_name(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "email": None, "phone": None, "address": None} | values


def an_account(name: str, **values: Any) -> dict[str, Any]:
    return {"name": name, "number": None, "type": "expense", "description": None} | values


CASES: list[tuple[str, Entity, dict[str, Any], str | None]] = [
    ("a good invoice", Entity.INVOICE, a_document(), None),
    ("a number of 21", Entity.INVOICE, a_document(number="N" * 21), None),
    ("a number of 22", Entity.INVOICE, a_document(number="N" * 22), "has 22 characters and QuickBooks takes 21; shorten it"),
    ("a bill's number of 22", Entity.BILL, a_document(number="N" * 22), "22 characters"),
    ("an entry's number of 22", Entity.JOURNAL_ENTRY, an_entry(number="N" * 22), "22 characters"),
    ("a bill without a number", Entity.BILL, a_document(number=None), None),
    ("no customer", Entity.INVOICE, a_document(party=None), "names no customer; choose one"),
    ("no vendor", Entity.BILL, a_document(party=None), "names no vendor; choose one"),
    ("no lines", Entity.INVOICE, a_document(lines=[], total="0.00"), "has no lines; add at least one"),
    ("lines that do not add up", Entity.BILL, a_document(total="90.00"), "add up to 100.00 and its total says 90.00"),
    ("a negative invoice", Entity.INVOICE, a_document(lines=[a_line("-5.00")], total="-5.00"), "credit memo"),
    ("a negative bill", Entity.BILL, a_document(lines=[a_line("-5.00")], total="-5.00"), "vendor credit"),
    ("retainage that leaves a rest", Entity.INVOICE, a_document(lines=[a_line(), a_line("-10.00")], total="90.00"), None),
    ("an amount of 11 digits", Entity.BILL, a_document(lines=[a_line("10000000000.00")], total="10000000000.00"), "more than 10 digits"),
    ("a line on receivables", Entity.INVOICE, a_document(lines=[a_line(account="84")]), "line 1 posts to a receivable"),
    ("a long memo", Entity.INVOICE, a_document(memo="x" * 3961), "memo has 3961 characters"),
    ("a long description", Entity.BILL, a_document(lines=[a_line(description="x" * 4001)]), "description of line 1"),
    ("too many lines", Entity.INVOICE, a_document(lines=[a_line("0.00")] * 10_001, total="0.00"), "has 10001 lines"),
    ("a good entry", Entity.JOURNAL_ENTRY, an_entry(), None),
    ("an unbalanced entry", Entity.JOURNAL_ENTRY, an_entry(an_entry_line("10.00"), an_entry_line(credit="9.99")), "debits are 10.00 and its credits 9.99, a difference of 0.01"),
    ("an entry without lines", Entity.JOURNAL_ENTRY, an_entry(lines=[]), "has no lines"),
    ("an entry of one line", Entity.JOURNAL_ENTRY, an_entry(an_entry_line()), "at least a debit and a credit"),
    ("both sides on one line", Entity.JOURNAL_ENTRY, an_entry(an_entry_line("1.00", "1.00"), an_entry_line()), "split it into two lines"),
    ("receivables without a customer", Entity.JOURNAL_ENTRY, an_entry(an_entry_line("1.00", account="84"), an_entry_line(credit="1.00")), "choose the customer on that line"),
    ("payables with a customer", Entity.JOURNAL_ENTRY, an_entry(an_entry_line("1.00", account="33", party_kind="customer", party="1"), an_entry_line(credit="1.00")), "choose the vendor on that line"),
    ("receivables with a customer", Entity.JOURNAL_ENTRY, an_entry(an_entry_line("1.00", account="84", party_kind="customer", party="1"), an_entry_line(credit="1.00")), None),
    ("a good name", Entity.CUSTOMER, a_name("Amy's Bird Sanctuary"), None),
    ("a name with a colon", Entity.CUSTOMER, a_name("Smith: Kitchen"), "contains a colon"),
    ("a vendor with a colon", Entity.VENDOR, a_name("Smith: Kitchen"), "contains a colon"),
    ("a name with a tab", Entity.VENDOR, a_name("Norton\tLumber"), "tab or a line break"),
    ("a name with a line break", Entity.VENDOR, a_name("Norton\nLumber"), "tab or a line break"),
    ("a name of 500", Entity.VENDOR, a_name("x" * 500), None),
    ("a name of 501", Entity.VENDOR, a_name("x" * 501), "501 characters and QuickBooks takes 500"),
    ("no name", Entity.CUSTOMER, a_name("  "), "has no name"),
    ("a mail address without a point", Entity.CUSTOMER, a_name("Amy", email="amy@home"), "'amy@home' is not one QuickBooks accepts"),
    ("a long phone number", Entity.CUSTOMER, a_name("Amy", phone="1" * 31), "phone number"),
    ("a good account", Entity.ACCOUNT, an_account("Job Materials"), None),
    ("an account below another", Entity.ACCOUNT, an_account("Job Expenses:Job Materials"), None),
    ("an account with half a colon", Entity.ACCOUNT, an_account("Framing:"), "nothing on one side of a colon"),
    ("an account with a quote", Entity.ACCOUNT, an_account('2" lumber'), "quotation mark"),
    ("an account too deep", Entity.ACCOUNT, an_account("a:b:c:d:e:f"), "6 levels deep"),
    ("an account name of 101", Entity.ACCOUNT, an_account("x" * 101), "more than 100 characters"),
    ("an account number of 8", Entity.ACCOUNT, an_account("Job", number="12345678"), "more than 7 characters"),
    ("a long account description", Entity.ACCOUNT, an_account("Job", description="x" * 101), "description has more than 100"),
    ("a negative payment", Entity.PAYMENT, {"date": "2026-05-04", "amount": "-1.00", "reference": None, "memo": ""}, "negative"),
    ("a long reference", Entity.DEPOSIT, {"date": "2026-05-04", "amount": "1.00", "reference": "x" * 22, "memo": ""}, "reference"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("entity", "canonical", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_quickbooks_would_refuse(entity: Entity, canonical: dict[str, Any], words: str | None) -> None:
    reason = refusal(entity, canonical, account_type=TYPES.get, country="USA")
    if words is None:
        assert reason is None
    else:
        assert reason is not None
        assert words in reason
        assert not reason.endswith(".")


def test_a_long_account_number_is_allowed_where_the_country_allows_it() -> None:
    canonical = an_account("Job", number="12345678")
    assert refusal(Entity.ACCOUNT, canonical, account_type=TYPES.get, country="AU") is None
