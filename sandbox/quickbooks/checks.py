"""Adds up a company's books again: ledger, stated balances, open amounts, links."""

from __future__ import annotations

from dataclasses import replace

from sandbox.kernel.ledger import ZERO, LedgerCheck
from sandbox.quickbooks.change import stated_balances
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Record

SIGNS = {"Invoice": 1, "CreditMemo": -1, "Bill": -1, "VendorCredit": 1}


def check_company(company: Company) -> LedgerCheck:
    """Return the ledger's check, with every stated balance that is not the sum of its postings."""
    problems: list[str] = []
    for entity in ("Account", "Customer", "Vendor"):
        for number, record in company.table(entity).rows.items():
            for name, value in stated_balances(company, entity, number).items():
                if record.body.get(name) != value:
                    problems.append(
                        f"{entity} {number} states {name} {record.body.get(name)}, its postings say {value}"
                    )
    for entity in SIGNS:
        for record in company.table(entity).rows.values():
            problems += _open_problems(company, entity, record)
    for record in company.table("Payment").rows.values():
        problems += _payment_problems(record)
    problems += _party_problems(company)
    check = company.ledger.check()
    return replace(check, problems=(*check.problems, *problems))


def _open_problems(company: Company, entity: str, record: Record) -> list[str]:
    body = record.body
    settled = sum(company.applied(entity, record.id).values(), ZERO)
    expected = body["TotalAmt"] - body.get("Deposit", ZERO) - settled
    problems: list[str] = []
    if body["Balance"] != expected:
        problems.append(f"{entity} {record.id} states Balance {body['Balance']}, but {expected} is open")
    if body["Balance"] < 0:
        problems.append(f"{entity} {record.id} has a negative balance {body['Balance']}")
    party = sum((p.amount for p in record.effects.postings if p.party is not None), ZERO)
    if SIGNS[entity] * (body["TotalAmt"] - body.get("Deposit", ZERO)) != party and not _has_control_lines(
        record
    ):
        problems.append(f"{entity} {record.id} posts {party} to its party for a total of {body['TotalAmt']}")
    return problems


def _has_control_lines(record: Record) -> bool:
    """A line of a bill may itself be on receivables or payables."""
    return sum(1 for posting in record.effects.postings if posting.party is not None) > 1


def _payment_problems(record: Record) -> list[str]:
    posted = sum((p.amount for p in record.effects.postings if p.party is not None), ZERO)
    if posted != -record.body["TotalAmt"]:
        return [f"Payment {record.id} of {record.body['TotalAmt']} posts {posted} to receivables"]
    return []


def _party_problems(company: Company) -> list[str]:
    """Receivables must be the sum of customers' balances, payables of vendors'."""
    problems: list[str] = []
    for kind, entity, sign in (("Accounts Receivable", "Customer", 1), ("Accounts Payable", "Vendor", -1)):
        control = sum(
            (company.ledger.balance(number) for number in company.kinds_of_account.get(kind, ())), ZERO
        )
        parties = sum((record.body["Balance"] for record in company.table(entity).rows.values()), ZERO)
        if control != sign * parties:
            problems.append(f"{kind} {control} is not the sum of its {entity} balances {sign * parties}")
    return problems
