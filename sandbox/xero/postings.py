"""What each document enters into the general ledger, in base currency, debit positive.

Pure: a document and the organisation's system accounts in, one balanced entry out. Foreign documents are turned
into base currency line by line; what rounding leaves goes to ROUNDING, what a change of rate leaves to
REALISEDCURRENCYGAIN.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.kernel.ledger import Entry, Posting
from sandbox.xero.wire import cents

if TYPE_CHECKING:
    from sandbox.xero.books import Books
    from sandbox.xero.table import Document

ZERO = Decimal(0)
ONE = Decimal(1)
POSTING_TABLES = frozenset(
    {
        "Invoices",
        "CreditNotes",
        "Payments",
        "Allocations",
        "BankTransactions",
        "BankTransfers",
        "ManualJournals",
    }
)
# Sign of the control account (DEBTORS, CREDITORS) or of the bank: +1 debit, -1 credit.
DOCUMENT_SIGNS = {
    "ACCREC": ("DEBTORS", 1),
    "ACCPAY": ("CREDITORS", -1),
    "ACCRECCREDIT": ("DEBTORS", -1),
    "ACCPAYCREDIT": ("CREDITORS", 1),
}
PAYMENT_SIGNS = {
    "ACCRECPAYMENT": ("DEBTORS", 1),
    "ACCPAYPAYMENT": ("CREDITORS", -1),
    "ARCREDITPAYMENT": ("DEBTORS", -1),
    "APCREDITPAYMENT": ("CREDITORS", 1),
    "AROVERPAYMENTPAYMENT": ("DEBTORS", -1),
    "APOVERPAYMENTPAYMENT": ("CREDITORS", 1),
    "ARPREPAYMENTPAYMENT": ("DEBTORS", -1),
    "APPREPAYMENTPAYMENT": ("CREDITORS", 1),
}
POSTED = frozenset({"AUTHORISED", "PAID"})


def to_base(books: Books, amount: Decimal, rate: Decimal | None) -> Decimal:
    """An amount in base currency, to the cent."""
    if rate is None or rate == ONE:
        return amount
    if books.switches("currency_rate_direction") == "document_per_base":
        return cents(amount / rate)
    return cents(amount * rate)


def line_net(document: Document, line: Document) -> Decimal:
    """What a line puts on its account: its amount without tax."""
    amount: Decimal = line.get("LineAmount", ZERO)
    if document["LineAmountTypes"] == "Inclusive":
        amount -= line.get("TaxAmount", ZERO)
    return amount


def postings_of(books: Books, table: str, document: Document) -> Entry | None:
    """The ledger entry of a document, or None when it does not post."""
    key = f"{table}/{_id_of(table, document)}"
    if table in ("Invoices", "CreditNotes"):
        postings = _trade(books, document)
    elif table == "BankTransactions":
        postings = _bank(books, document)
    elif table == "Payments":
        postings = _payment(books, document)
    elif table == "Allocations":
        postings = _allocation(books, document)
    elif table == "BankTransfers":
        postings = _transfer(document)
    else:
        postings = _journal(books, document)
    kept = tuple(posting for posting in postings if posting.amount)
    return Entry(key, document["Date"], kept) if kept else None


_IDS = {"Allocations": "AllocationID"}


def _id_of(table: str, document: Document) -> str:
    key: str = document[_IDS.get(table, f"{table[:-1]}ID")]
    return key


def _lines(books: Books, document: Document, sign: int) -> list[Posting]:
    rate = document.get("CurrencyRate")
    contact = document.get("ContactID")
    control = {books.system_account(name)["AccountID"] for name in ("DEBTORS", "CREDITORS")}
    found = []
    tax = ZERO
    for line in document["LineItems"]:
        account = line.get("AccountID")
        if account is not None:
            party = contact if account in control else None
            found.append(Posting(account, sign * to_base(books, line_net(document, line), rate), party))
        tax += line.get("TaxAmount", ZERO)
    if tax:
        found.append(Posting(books.system_account("GST")["AccountID"], sign * to_base(books, tax, rate)))
    return found


def _level(books: Books, postings: list[Posting]) -> list[Posting]:
    rest = sum((posting.amount for posting in postings), ZERO)
    if rest:
        postings.append(Posting(books.system_account("ROUNDING")["AccountID"], -rest))
    return postings


def _trade(books: Books, document: Document) -> list[Posting]:
    if document["Status"] not in POSTED:
        return []
    system, sign = DOCUMENT_SIGNS[document["Type"]]
    total = to_base(books, document["Total"], document.get("CurrencyRate"))
    control = Posting(books.system_account(system)["AccountID"], sign * total, document["ContactID"])
    return _level(books, [control, *_lines(books, document, -sign)])


def _bank(books: Books, document: Document) -> list[Posting]:
    if document["Status"] != "AUTHORISED" or document["Type"].endswith("-TRANSFER"):
        return []
    sign = 1 if document["Type"].startswith("RECEIVE") else -1
    total = to_base(books, document["Total"], document.get("CurrencyRate"))
    bank = Posting(document["BankAccountID"], sign * total)
    return _level(books, [bank, *_lines(books, document, -sign)])


def _gain(books: Books, postings: list[Posting]) -> list[Posting]:
    rest = sum((posting.amount for posting in postings), ZERO)
    if rest:
        postings.append(Posting(books.system_account("REALISEDCURRENCYGAIN")["AccountID"], -rest))
    return postings


def _payment(books: Books, document: Document) -> list[Posting]:
    if document["Status"] != "AUTHORISED":
        return []
    system, sign = PAYMENT_SIGNS[document["PaymentType"]]
    postings = [
        Posting(
            document["AccountID"], sign * to_base(books, document["Amount"], document.get("CurrencyRate"))
        )
    ]
    if document.get("Shares") is not None:
        postings += [Posting(account, amount) for account, amount in document["Shares"]]
    else:
        control = books.system_account(system)["AccountID"]
        cleared = to_base(books, document["Amount"], document.get("DocumentRate"))
        postings.append(Posting(control, -sign * cleared, document["ContactID"]))
    return _gain(books, postings)


def _allocation(books: Books, document: Document) -> list[Posting]:
    """Credit notes and overpayments already sit on the control account; prepayments come from their lines."""
    control = books.system_account("DEBTORS" if document["IsReceivable"] else "CREDITORS")["AccountID"]
    sign = -1 if document["IsReceivable"] else 1
    cleared = sign * to_base(books, document["Amount"], document.get("InvoiceRate"))
    postings = [Posting(control, cleared, document["ContactID"])]
    if document.get("Shares") is not None:
        postings += [Posting(account, amount) for account, amount in document["Shares"]]
    else:
        used = -sign * to_base(books, document["Amount"], document.get("SourceRate"))
        postings.append(Posting(control, used, document["ContactID"]))
    if all(posting.account == control for posting in postings) and not sum(
        (p.amount for p in postings), ZERO
    ):
        return []
    return _gain(books, postings)


def _transfer(document: Document) -> list[Posting]:
    if document["Status"] != "AUTHORISED":
        return []
    amount = document["Amount"]
    return [Posting(document["FromAccountID"], -amount), Posting(document["ToAccountID"], amount)]


def _journal(books: Books, document: Document) -> list[Posting]:
    if document["Status"] != "POSTED":
        return []
    postings = [Posting(line["AccountID"], line_net(document, line)) for line in document["LineItems"]]
    tax = sum((line.get("TaxAmount", ZERO) for line in document["LineItems"]), ZERO)
    if tax:
        postings.append(Posting(books.system_account("GST")["AccountID"], tax))
    return postings
