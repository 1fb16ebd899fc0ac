"""What QuickBooks is known to refuse, said before it is asked. No calls are made here.

A sentence follows "Invoice 1001 waits: " and ends without a point: what is wrong, where, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from sync.money import parse_amount
from sync.records import Canonical, Entity

NUMBER_LENGTH_MAX = 21
NAME_LENGTH_MAX = 500
ACCOUNT_NAME_LENGTH_MAX = 100
ACCOUNT_DEPTH_MAX = 5
ACCOUNT_DESCRIPTION_LENGTH_MAX = 100
# QuickBooks' limit depends on the country: 7 in the US, 20 in Australia and Canada.
ACCOUNT_NUMBER_LENGTH_MAX = 20
ACCOUNT_NUMBER_LENGTH_MAX_US = 7
LINES_MAX = 10_000
DESCRIPTION_LENGTH_MAX = 4000
# 4,000 for the note, of which our mark takes a line.
MEMO_LENGTH_MAX = 3960
AMOUNT_LIMIT = Decimal(10) ** 10
EMAIL_LENGTH_MAX = 100
PHONE_LENGTH_MAX = 30

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CONTROL = re.compile(r"[\t\n\r]")

AccountType = Callable[[str], str | None]


def refusal(
    entity: Entity, canonical: Canonical, *, account_type: AccountType, country: str | None = None
) -> str | None:
    """Return why QuickBooks will refuse this record, or None; the first reason is enough."""
    checks: Mapping[Entity, Callable[[], str | None]] = {
        Entity.ACCOUNT: lambda: _account(canonical, country),
        Entity.CUSTOMER: lambda: _party(canonical),
        Entity.VENDOR: lambda: _party(canonical),
        Entity.INVOICE: lambda: _document(canonical, "invoice", account_type),
        Entity.BILL: lambda: _document(canonical, "bill", account_type),
        Entity.JOURNAL_ENTRY: lambda: _journal_entry(canonical, account_type),
        Entity.PAYMENT: lambda: _money(canonical),
        Entity.BILL_PAYMENT: lambda: _money(canonical),
        Entity.DEPOSIT: lambda: _money(canonical),
    }
    return checks[entity]()


def _account(canonical: Canonical, country: str | None) -> str | None:
    name = str(canonical.get("name") or "")
    if not name.strip():
        return "it has no name; enter one"
    if '"' in name or _CONTROL.search(name):
        return f"the account name {_quoted(name)} contains a quotation mark or a line break, which QuickBooks does not allow; remove it"
    parts = name.split(":")
    if any(not part.strip() for part in parts):
        return f"the account name {_quoted(name)} has nothing on one side of a colon; in QuickBooks a colon means 'below', so remove it or name both accounts"
    if any(len(part) > ACCOUNT_NAME_LENGTH_MAX for part in parts):
        return f"the account name has more than {ACCOUNT_NAME_LENGTH_MAX} characters; shorten it"
    if len(parts) > ACCOUNT_DEPTH_MAX:
        return f"the account {_quoted(name)} lies {len(parts)} levels deep and QuickBooks has {ACCOUNT_DEPTH_MAX}; move it up"
    number = canonical.get("number") or ""
    longest = ACCOUNT_NUMBER_LENGTH_MAX_US if country in ("US", "USA") else ACCOUNT_NUMBER_LENGTH_MAX
    if len(number) > longest or ":" in number:
        return (
            f"the account number {_quoted(number)} has more than {longest} characters or a colon; shorten it"
        )
    if len(canonical.get("description") or "") > ACCOUNT_DESCRIPTION_LENGTH_MAX:
        return (
            f"the account's description has more than {ACCOUNT_DESCRIPTION_LENGTH_MAX} characters; shorten it"
        )
    return None


def _party(canonical: Canonical) -> str | None:
    name = str(canonical.get("name") or "")
    if not name.strip():
        return "it has no name; enter one"
    if ":" in name:
        return f"the name {_quoted(name)} contains a colon, which QuickBooks does not allow in names; replace it, for example by a dash"
    if _CONTROL.search(name):
        return f"the name {_quoted(name)} contains a tab or a line break, which QuickBooks does not allow; remove it"
    if len(name) > NAME_LENGTH_MAX:
        return f"the name has {len(name)} characters and QuickBooks takes {NAME_LENGTH_MAX}; shorten it"
    email = canonical.get("email")
    if email and (not _EMAIL.fullmatch(email) or len(email) > EMAIL_LENGTH_MAX):
        return (
            f"the e-mail address {_quoted(email)} is not one QuickBooks accepts; correct it or leave it empty"
        )
    if len(canonical.get("phone") or "") > PHONE_LENGTH_MAX:
        return f"the phone number has more than {PHONE_LENGTH_MAX} characters; shorten it"
    return None


def _document(canonical: Canonical, word: str, account_type: AccountType) -> str | None:
    lines = canonical.get("lines") or []
    amounts = [parse_amount(line["amount"]) for line in lines]
    total = parse_amount(canonical.get("total") or "0")
    reason = _header(canonical) or _lines(lines)
    if reason is not None:
        return reason
    if not canonical.get("party"):
        return f"it names no {'customer' if word == 'invoice' else 'vendor'}; choose one"
    if sum(amounts, Decimal(0)) != total:
        return f"its lines add up to {sum(amounts, Decimal(0)):.2f} and its total says {total:.2f}; correct the lines or the total"
    if total < 0:
        other = "credit memo" if word == "invoice" else "vendor credit"
        return f"its total is negative ({total:.2f}) and QuickBooks takes that only as a {other}; enter it there as one, or correct the lines"
    if any(abs(amount) >= AMOUNT_LIMIT for amount in (*amounts, total)):
        return (
            "an amount has more than 10 digits before the point, which QuickBooks does not take; correct it"
        )
    for position, line in enumerate(lines, start=1):
        if (account_type(line.get("account") or "") or "") in ("Accounts Receivable", "Accounts Payable"):
            return f"line {position} posts to a receivable or payable account, which QuickBooks does not allow on a line; choose another account under Account mapping"
    return None


def _journal_entry(canonical: Canonical, account_type: AccountType) -> str | None:
    lines = canonical.get("lines") or []
    reason = _header(canonical) or _lines(lines)
    if reason is not None:
        return reason
    debits = sum((parse_amount(line["debit"]) for line in lines), Decimal(0))
    credit_sum = sum((parse_amount(line["credit"]) for line in lines), Decimal(0))
    if debits != credit_sum:
        return f"its debits are {debits:.2f} and its credits {credit_sum:.2f}, a difference of {abs(debits - credit_sum):.2f}; correct the lines until both are equal"
    if len(lines) < 2:
        return "it has one line and needs at least a debit and a credit; add the other side"
    for position, line in enumerate(lines, start=1):
        if parse_amount(line["debit"]) and parse_amount(line["credit"]):
            return f"line {position} has a debit and a credit; split it into two lines"
        kind = account_type(line.get("account") or "")
        wanted = {"Accounts Receivable": "customer", "Accounts Payable": "vendor"}.get(kind or "")
        if wanted is not None and (line.get("party_kind") != wanted or not line.get("party")):
            return f"line {position} posts to {str(kind).lower()} and names no {wanted}; choose the {wanted} on that line"
    return None


def _money(canonical: Canonical) -> str | None:
    if len(canonical.get("reference") or "") > NUMBER_LENGTH_MAX:
        return f"the reference {_quoted(str(canonical['reference']))} has more than {NUMBER_LENGTH_MAX} characters; shorten it"
    if parse_amount(canonical.get("amount") or "0") < 0:
        return "its amount is negative, which QuickBooks does not take; correct it"
    return _memo(canonical)


def _header(canonical: Canonical) -> str | None:
    number = canonical.get("number") or ""
    if len(number) > NUMBER_LENGTH_MAX:
        return f"the number {_quoted(number)} has {len(number)} characters and QuickBooks takes {NUMBER_LENGTH_MAX}; shorten it"
    return _memo(canonical)


def _memo(canonical: Canonical) -> str | None:
    memo = canonical.get("memo") or ""
    if len(memo) > MEMO_LENGTH_MAX:
        return f"its memo has {len(memo)} characters and there is room for {MEMO_LENGTH_MAX}; shorten it"
    return None


def _lines(lines: list[Canonical]) -> str | None:
    if not lines:
        return "it has no lines; add at least one"
    if len(lines) > LINES_MAX:
        return f"it has {len(lines)} lines and QuickBooks takes {LINES_MAX}; split it"
    for position, line in enumerate(lines, start=1):
        if len(line.get("description") or "") > DESCRIPTION_LENGTH_MAX:
            return f"the description of line {position} has more than {DESCRIPTION_LENGTH_MAX} characters; shorten it"
    return None


def _quoted(text: str) -> str:
    plain = " ".join(text.split())
    return f"'{plain}'" if len(plain) <= 60 else f"'{plain[:57]}...'"
