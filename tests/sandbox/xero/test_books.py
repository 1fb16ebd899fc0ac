"""Whatever is asked of it, valid or not, the ledger balances and every balance is the sum of its postings."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.xero.direct import Direct, pick

Json = dict[str, Any]
# What a move returns when there was nothing to move.
NOTHING = 0


@pytest.fixture(scope="module")
def direct() -> Iterator[Direct]:
    made = Direct()
    made.emulator.store.take_snapshot("empty")
    yield made
    made.close()


class Bookkeeper:
    """Makes random calls, most of them sensible, some of them not."""

    def __init__(self, direct: Direct, dice: random.Random) -> None:
        self.direct = direct
        self.dice = dice
        self.books = direct.emulator.books[direct.tenant]
        self.moves: list[Callable[[], int]] = [
            self.document,
            self.document,
            self.pay,
            self.pay,
            self.unpay,
            self.edit,
            self.end,
            self.allocate,
            self.release,
            self.bank,
            self.refund,
            self.transfer,
            self.journal,
            self.lock,
            self.batch,
            self.archive,
            self.foreign,
            self.unbatch,
        ]

    def step(self) -> tuple[str, int]:
        move = self.dice.choice(self.moves)
        return move.__name__, move()

    def amount(self) -> str:
        return str(
            self.dice.choice(
                [Decimal(self.dice.randrange(1, 90_000)) / 100, 0, -5, Decimal("0.005"), Decimal("33.333")]
            )
            if self.dice.random() < 0.2
            else Decimal(self.dice.randrange(1, 90_000)) / 100
        )

    def day(self) -> str:
        return f"2026-{self.dice.randrange(1, 12):02d}-{self.dice.randrange(1, 29):02d}"

    def line(self) -> Json:
        line: Json = {
            "Description": "work",
            "Quantity": self.dice.choice([1, 2, 0.5, 1.3333]),
            "UnitAmount": self.amount(),
            "AccountCode": self.dice.choice(
                ["200", "300", "310", "429", "710", "835", "820", "090", "610", "zz"][
                    : self.dice.choice([7, 10])
                ]
            ),
        }
        if self.dice.random() < 0.3:
            line["TaxType"] = self.dice.choice(["OUTPUT2", "INPUT2", "NONE", "ZERORATED", "BAD"])
        if self.dice.random() < 0.1:
            line["TaxAmount"] = self.amount()
        if self.dice.random() < 0.1:
            line["DiscountRate"] = self.dice.choice([10, 33.3, 100, 101])
        return line

    def header(self) -> Json:
        made: Json = {
            "Contact": {"Name": self.dice.choice(["Ann", "Bob"])},
            "Date": self.day(),
            "DueDate": self.day(),
            "Status": self.dice.choice(
                ["AUTHORISED", "AUTHORISED", "AUTHORISED", "DRAFT", "SUBMITTED", "PAID"]
            ),
            "LineAmountTypes": self.dice.choice(["Exclusive", "Inclusive", "NoTax"]),
            "LineItems": [self.line() for _ in range(self.dice.randrange(0, 4))],
        }
        if self.dice.random() < 0.2:
            made |= {
                "CurrencyCode": "USD",
                "CurrencyRate": self.dice.choice(["0.61", "0.7", "0", "-1", None]),
            }
        return made

    def send(self, method: str, path: str, body: Any = None) -> int:
        return self.direct.call(method, path, body)[0]

    def some(self, table: str, **fields: str) -> Json | None:
        rows = self.books[table].rows.values()
        return pick(self.dice, [row for row in rows if all(row.get(n) == v for n, v in fields.items())])

    def document(self) -> int:
        name, kinds = self.dice.choice(
            [("Invoices", ["ACCREC", "ACCPAY"]), ("CreditNotes", ["ACCRECCREDIT", "ACCPAYCREDIT"])]
        )
        bodies = [
            self.header() | {"Type": self.dice.choice(kinds)} for _ in range(self.dice.choice([1, 1, 3]))
        ]
        flag = self.dice.choice(["", "?summarizeErrors=false"])
        status, _ = self.direct.call(
            self.dice.choice(["PUT", "POST"]),
            name,
            {name: bodies},
            **({"summarizeErrors": "false"} if flag else {}),
        )
        return status

    def money(self, table: str, key: str, document: Json, due: Decimal) -> int:
        part = self.dice.choice([due, due / 2, due + 1, Decimal(0)]) if due else Decimal(1)
        names = {
            "Invoices": "Invoice",
            "CreditNotes": "CreditNote",
            "Prepayments": "Prepayment",
            "Overpayments": "Overpayment",
        }
        body: Json = {
            names[table]: {key: document[key]},
            "Account": {"Code": self.dice.choice(["090", "091", "615", "200"])},
            "Date": self.day(),
            "Amount": str(part),
        }
        if self.dice.random() < 0.2:
            body["CurrencyRate"] = "0.5"
        return self.send("PUT", "Payments", {"Payments": [body]})

    def pay(self) -> int:
        invoice = self.some("Invoices")
        return self.money("Invoices", "InvoiceID", invoice, invoice["AmountDue"]) if invoice else NOTHING

    def refund(self) -> int:
        table = self.dice.choice(["CreditNotes", "Prepayments", "Overpayments"])
        credit = self.some(table)
        return self.money(table, f"{table[:-1]}ID", credit, credit["RemainingCredit"]) if credit else NOTHING

    def unpay(self) -> int:
        payment = self.some("Payments")
        return (
            self.send("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
            if payment
            else NOTHING
        )

    def edit(self) -> int:
        table = self.dice.choice(["Invoices", "CreditNotes", "BankTransactions"])
        document = self.some(table)
        if document is None:
            return NOTHING
        change = {
            name: value
            for name, value in self.header().items()
            if self.dice.random() < 0.5 and not (name == "Status" and table == "BankTransactions")
        }
        return self.send("POST", f"{table}/{document[table[:-1] + 'ID']}", change)

    def end(self) -> int:
        table = self.dice.choice(["Invoices", "CreditNotes", "BankTransactions", "ManualJournals"])
        document = self.some(table)
        status = self.dice.choice(["VOIDED", "DELETED", "AUTHORISED"])
        return (
            self.send("POST", f"{table}/{document[table[:-1] + 'ID']}", {"Status": status})
            if document
            else NOTHING
        )

    def allocate(self) -> int:
        table = self.dice.choice(["CreditNotes", "Prepayments", "Overpayments"])
        credit = self.some(table)
        wanted = {"ContactID": credit["ContactID"]} if credit and self.dice.random() < 0.7 else {}
        invoice = self.some("Invoices", Status="AUTHORISED", **wanted)
        if credit is None or invoice is None:
            return NOTHING
        most = min(credit["RemainingCredit"], invoice["AmountDue"])
        amount = self.dice.choice([most, most / 3, most + 1])
        body = {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": str(amount), "Date": self.day()}
        return self.send("PUT", f"{table}/{credit[table[:-1] + 'ID']}/Allocations", {"Allocations": [body]})

    def release(self) -> int:
        allocation = self.some("Allocations")
        if allocation is None:
            return NOTHING
        return self.send(
            "DELETE",
            f"{allocation['SourceTable']}/{allocation['SourceID']}/Allocations/{allocation['AllocationID']}",
        )

    def bank(self) -> int:
        side = self.dice.choice(["RECEIVE", "SPEND"])
        kind = self.dice.choice(["", "", "-PREPAYMENT", "-OVERPAYMENT"])
        body = self.header() | {
            "Type": side + kind,
            "BankAccount": {"Code": self.dice.choice(["090", "091", "200"])},
        }
        del body["Status"]
        if kind == "-OVERPAYMENT":
            body["LineItems"] = [{"Description": "too much", "UnitAmount": self.amount()}]
        return self.send("PUT", "BankTransactions", {"BankTransactions": [body]})

    def transfer(self) -> int:
        old = self.some("BankTransfers", Status="AUTHORISED")
        if old is not None and self.dice.random() < 0.4:
            return self.send("POST", f"BankTransfers/{old['BankTransferID']}", {"Status": "DELETED"})
        body = {
            "FromBankAccount": {"Code": "090"},
            "ToBankAccount": {"Code": self.dice.choice(["091", "090"])},
            "Amount": self.amount(),
            "Date": self.day(),
        }
        return self.send("PUT", "BankTransfers", {"BankTransfers": [body]})

    def journal(self) -> int:
        amount = Decimal(self.amount())
        off = self.dice.choice([0, 0, 0, 1])
        lines = [
            {
                "LineAmount": str(amount),
                "AccountCode": self.dice.choice(["300", "800", "825"]),
                "TaxType": "INPUT2",
            },
            {"LineAmount": str(-amount + off), "AccountCode": "310", "TaxType": "INPUT2"},
        ]
        body = {
            "Narration": "n",
            "Date": self.day(),
            "Status": self.dice.choice(["DRAFT", "POSTED"]),
            "LineAmountTypes": self.dice.choice(["NoTax", "Exclusive", "Inclusive"]),
            "JournalLines": lines,
        }
        return self.send("PUT", "ManualJournals", {"ManualJournals": [body]})

    def lock(self) -> int:
        from sandbox.xero.bookkeeper import set_lock
        from sandbox.xero.wire import parse_day

        day = parse_day(self.day()) if self.dice.random() < 0.3 else None
        set_lock(self.direct.emulator.store, self.books, day=day)
        return 200

    def batch(self) -> int:
        found = [self.some("Invoices", Status="AUTHORISED") for _ in range(2)]
        parts = [
            {"Invoice": {"InvoiceID": one["InvoiceID"]}, "Amount": str(one["AmountDue"])}
            for one in found
            if one
        ]
        body = {"Account": {"Code": "090"}, "Date": self.day(), "Payments": parts}
        return self.send("PUT", "BatchPayments", {"BatchPayments": [body]})

    def unbatch(self) -> int:
        batch = self.some("BatchPayments")
        return (
            self.send("POST", f"BatchPayments/{batch['BatchPaymentID']}", {"Status": "DELETED"})
            if batch
            else NOTHING
        )

    def archive(self) -> int:
        contact = self.some("Contacts")
        if contact is None:
            return NOTHING
        return self.send("POST", f"Contacts/{contact['ContactID']}", {"ContactStatus": "ARCHIVED"})

    def foreign(self) -> int:
        return self.send("PUT", "Currencies", {"Code": "USD"}) if self.dice.random() < 0.2 else NOTHING


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), steps=st.integers(5, 60))
def test_after_every_random_call_the_books_balance_and_balances_are_sums_of_postings(
    direct: Direct, seed: int, steps: int
) -> None:
    direct.emulator.store.restore_snapshot("empty")
    direct.connect()
    bookkeeper = Bookkeeper(direct, random.Random(seed))
    done: list[tuple[str, int]] = []
    for _ in range(steps):
        done.append(bookkeeper.step())
        assert done[-1][1] in (NOTHING, 200, 400, 404), done
        assert direct.problems() == [], done


def test_the_random_bookkeeper_really_gets_things_done(direct: Direct) -> None:
    direct.emulator.store.restore_snapshot("empty")
    direct.connect()
    bookkeeper = Bookkeeper(direct, random.Random(1))
    done = [bookkeeper.step() for _ in range(1_500)]
    fine = {name for name, status in done if status == 200}
    assert fine == {move.__name__ for move in bookkeeper.moves}
    assert {"batch", "edit", "end", "pay", "unpay"} <= {name for name, status in done if status == 400}
    assert sum(status == 200 for _, status in done) > 300
    status, answer = direct.call("GET", "Reports/TrialBalance")
    total = [cell["Value"] for cell in answer["Reports"][0]["Rows"][-1]["Rows"][0]["Cells"]]
    assert (status, total[3]) == (200, total[4])
    assert direct.problems() == []


def test_the_check_itself_finds_a_cooked_balance(direct: Direct) -> None:
    direct.emulator.store.restore_snapshot("empty")
    direct.connect()
    books = direct.emulator.books[direct.tenant]
    line = {"Description": "x", "UnitAmount": 5, "AccountCode": "200"}
    body = {
        "Type": "ACCREC",
        "Contact": {"Name": "A"},
        "Status": "AUTHORISED",
        "DueDate": "2026-01-01",
        "LineItems": [line],
        "LineAmountTypes": "NoTax",
    }
    direct.call("PUT", "Invoices", {"Invoices": [body]})
    invoice = next(iter(books["Invoices"].rows.values()))
    with direct.emulator.store.transaction():
        books["Invoices"].put(invoice["InvoiceID"], invoice | {"AmountDue": Decimal(4)})
    assert len(direct.problems()) == 2
    direct.emulator.store.restore_snapshot("empty")
