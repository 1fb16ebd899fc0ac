"""What Xero is known to refuse, said before it is asked. No calls are made here.

A sentence follows "Invoice 1001 waits: " and ends without a point: what is wrong, where, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from resources.xero.chart import Chart
from resources.xero.words import ACCOUNT_TYPE_NAMES
from sync.money import parse_amount
from sync.records import Canonical, Entity

NUMBER_LENGTH_MAX = 255
REFERENCE_LENGTH_MAX = 255
NAME_LENGTH_MAX = 255
ACCOUNT_NAME_LENGTH_MAX = 150
ACCOUNT_CODE_LENGTH_MAX = 10
ACCOUNT_DESCRIPTION_LENGTH_MAX = 4000
DESCRIPTION_LENGTH_MAX = 4000
# 4,000 for the narration, of which the number and our mark take the last line.
NARRATION_LENGTH_MAX = 3900
# Our mark follows the reference.
PAYMENT_REFERENCE_LENGTH_MAX = 200
PHONE_LENGTH_MAX = 50
EMAIL_LENGTH_MAX = 255
AMOUNT_LIMIT = Decimal(10) ** 12

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CONTROL_ACCOUNTS = {
    "accounts_receivable": ("accounts receivable", "send it as an invoice or a credit note instead"),
    "accounts_payable": ("accounts payable", "send it as a bill or a credit note instead"),
}


def refusal(entity: Entity, canonical: Canonical, *, chart: Chart, payment_account: str | None) -> str | None:
    """Return why Xero will refuse this record, or None; the first reason is enough."""
    checks: Mapping[Entity, Callable[[], str | None]] = {
        Entity.ACCOUNT: lambda: _account(canonical),
        Entity.CUSTOMER: lambda: _party(canonical),
        Entity.VENDOR: lambda: _party(canonical),
        Entity.INVOICE: lambda: _document(canonical, "invoice", chart),
        Entity.BILL: lambda: _document(canonical, "bill", chart),
        Entity.JOURNAL_ENTRY: lambda: _journal(canonical, chart),
        Entity.PAYMENT: lambda: _payment(canonical, "invoice", payment_account),
        Entity.BILL_PAYMENT: lambda: _payment(canonical, "bill", payment_account),
        Entity.DEPOSIT: _deposit,
    }
    return checks[entity]()


def _account(canonical: Canonical) -> str | None:
    name = str(canonical.get("name") or "")
    if not name.strip():
        return "it has no name; enter one"
    if len(name) > ACCOUNT_NAME_LENGTH_MAX:
        return f"the account name has {len(name)} characters and Xero takes {ACCOUNT_NAME_LENGTH_MAX}; shorten it"
    number = canonical.get("number") or ""
    if len(number) > ACCOUNT_CODE_LENGTH_MAX:
        return f"the account number {_quoted(number)} has more than {ACCOUNT_CODE_LENGTH_MAX} characters; shorten it"
    if len(canonical.get("description") or "") > ACCOUNT_DESCRIPTION_LENGTH_MAX:
        return (
            f"the account's description has more than {ACCOUNT_DESCRIPTION_LENGTH_MAX} characters; shorten it"
        )
    return None


def new_account(canonical: Canonical) -> str | None:
    """Return why an account of this type cannot be made through the API, or None."""
    kind = str(canonical.get("type"))
    if kind in ACCOUNT_TYPE_NAMES:
        return None
    if kind in ("bank", "credit_card"):
        return "Xero opens a bank or card account only with its number at the bank; add it there (Accounting > Bank accounts)"
    return "Xero keeps one account for receivables and one for payables by itself; use those under Account mapping"


def _party(canonical: Canonical) -> str | None:
    name = str(canonical.get("name") or "")
    if not name.strip():
        return "it has no name; enter one"
    if len(name) > NAME_LENGTH_MAX:
        return f"the name has {len(name)} characters and Xero takes {NAME_LENGTH_MAX}; shorten it"
    email = canonical.get("email")
    if email and (not _EMAIL.fullmatch(email) or len(email) > EMAIL_LENGTH_MAX):
        return f"the e-mail address {_quoted(email)} is not one Xero accepts; correct it or leave it empty"
    if len(canonical.get("phone") or "") > PHONE_LENGTH_MAX:
        return f"the phone number has more than {PHONE_LENGTH_MAX} characters; shorten it"
    return None


def _document(canonical: Canonical, word: str, chart: Chart) -> str | None:
    lines = canonical.get("lines") or []
    reason = _header(canonical) or _lines(lines)
    if reason is not None:
        return reason
    if not canonical.get("party"):
        return f"it names no {'customer' if word == 'invoice' else 'vendor'}; choose one"
    total = parse_amount(canonical.get("total") or "0")
    added = sum((parse_amount(line["amount"]) for line in lines), Decimal(0))
    if added != total:
        return (
            f"its lines add up to {added:.2f} and its total says {total:.2f}; correct the lines or the total"
        )
    if total < 0:
        return f"its total is negative ({total:.2f}) and Xero takes that only as a credit note; enter it there as one, or correct the lines"
    reasons = (_document_line(position, line, chart) for position, line in enumerate(lines, start=1))
    return next((found for found in reasons if found is not None), None)


def _document_line(position: int, line: Canonical, chart: Chart) -> str | None:
    amount = parse_amount(line["amount"])
    if amount != amount.quantize(Decimal("0.01")):
        return f"line {position} has a part of a cent ({amount}), which Xero rounds away; round it to cents"
    if abs(amount) >= AMOUNT_LIMIT:
        return f"the amount of line {position} is larger than Xero takes; correct it"
    account = chart.known(line.get("account"))
    if account is not None and (account.is_bank or account.kind in _CONTROL_ACCOUNTS):
        return f"line {position} posts to {account.shown}, a bank or control account, which Xero does not take on a line; choose another account under Account mapping"
    if account is not None and not account.is_active:
        return f"line {position} posts to {account.shown}, which is archived in Xero; choose another account under Account mapping"
    return None


def _journal(canonical: Canonical, chart: Chart) -> str | None:
    lines = canonical.get("lines") or []
    reason = _lines(lines)
    if reason is not None:
        return reason
    if len(canonical.get("memo") or "") + len(canonical.get("number") or "") > NARRATION_LENGTH_MAX:
        return f"its memo has more than {NARRATION_LENGTH_MAX} characters; shorten it"
    debits = sum((parse_amount(line["debit"]) for line in lines), Decimal(0))
    credited = sum((parse_amount(line["credit"]) for line in lines), Decimal(0))
    if debits != credited:
        return f"its debits are {debits:.2f} and its credits {credited:.2f}, a difference of {abs(debits - credited):.2f}; correct the lines until both are equal"
    if len(lines) < 2:
        return "it has one line and needs at least a debit and a credit; add the other side"
    for position, line in enumerate(lines, start=1):
        if parse_amount(line["debit"]) and parse_amount(line["credit"]):
            return f"line {position} has a debit and a credit; split it into two lines"
        refused = _journal_account(position, line, chart)
        if refused is not None:
            return refused
    return None


def _journal_account(position: int, line: Canonical, chart: Chart) -> str | None:
    account = chart.known(line.get("account"))
    if account is None:
        # Xero may leave such a line out without a word, and the journal would no longer balance.
        return (
            f"line {position} posts to an account Xero does not have any more; choose another one on that line"
            if chart.is_known
            else None
        )
    if account.kind in _CONTROL_ACCOUNTS:
        name, instead = _CONTROL_ACCOUNTS[account.kind]
        return f"line {position} posts to {name} ({account.shown}), which Xero does not take in a manual journal; {instead}, or choose a clearing account on that line"
    if account.is_bank:
        return f"line {position} posts to the bank account {account.shown}, which Xero does not take in a manual journal; enter it in Xero as money spent, received or transferred, or choose a clearing account on that line"
    if not account.is_active:
        return f"line {position} posts to {account.shown}, which is archived in Xero; choose another account on that line"
    return None


def _payment(canonical: Canonical, word: str, payment_account: str | None) -> str | None:
    applications = canonical.get("applications") or []
    if parse_amount(canonical.get("amount") or "0") < 0:
        return "its amount is negative, which Xero does not take; correct it"
    if len(canonical.get("reference") or "") > PAYMENT_REFERENCE_LENGTH_MAX:
        return f"its reference has more than {PAYMENT_REFERENCE_LENGTH_MAX} characters; shorten it"
    applied = sum((parse_amount(item["amount"]) for item in applications), Decimal(0))
    if not applications or applied != parse_amount(canonical.get("amount") or "0"):
        return f"a part of it pays no {word}, which Xero keeps as an overpayment of a bank transaction; enter the payment in Xero, or apply all of it"
    if payment_account is None:
        return "Xero needs to know which bank account it went through; set the payment account of this connection, or enter the payment in Xero"
    return None


def _deposit() -> str:
    return "Xero books a payment straight into its bank account, so there is no deposit to make of it; enter other money there as received"


def _header(canonical: Canonical) -> str | None:
    number = canonical.get("number") or ""
    if len(number) > NUMBER_LENGTH_MAX:
        return f"the number {_quoted(number)} has {len(number)} characters and Xero takes {NUMBER_LENGTH_MAX}; shorten it"
    if len(canonical.get("memo") or "") > REFERENCE_LENGTH_MAX:
        return f"its memo has {len(canonical['memo'])} characters and Xero's reference takes {REFERENCE_LENGTH_MAX}; shorten it"
    return None


def _lines(lines: list[Canonical]) -> str | None:
    if not lines:
        return "it has no lines; add at least one"
    for position, line in enumerate(lines, start=1):
        if len(line.get("description") or "") > DESCRIPTION_LENGTH_MAX:
            return f"the description of line {position} has more than {DESCRIPTION_LENGTH_MAX} characters; shorten it"
    return None


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return f"'{plain}'" if len(plain) <= 60 else f"'{plain[:57]}...'"
