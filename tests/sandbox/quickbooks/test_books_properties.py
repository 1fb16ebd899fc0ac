"""Whatever is called, right or wrong: the ledger balances and every balance is the sum of its postings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app
from tests.sandbox.quickbooks.driver import Books, Refused, cost_line, journal_line, sales_line

AMOUNTS = st.integers(-50_00, 9_000_00).map(lambda cents: str(Decimal(cents) / 100))
STEPS = st.tuples(st.integers(0, 23), st.integers(0, 40), st.integers(0, 40), AMOUNTS)
Step = Callable[["Player", int, int, str], Any]


class Player:
    """Plays a step against the books; remembers what was made, so that later steps can reach it."""

    def __init__(self, books: Books, made: dict[str, list[str]]) -> None:
        self.books = books
        self.made = {entity: list(numbers) for entity, numbers in made.items()}

    def number(self, entity: str, pick: int) -> str:
        known = self.made.get(entity)
        return known[pick % len(known)] if known and pick % 13 else "424242"

    def current(self, entity: str, pick: int) -> dict[str, Any]:
        return self.books.get(entity, self.number(entity, pick))

    def post(self, entity: str, body: dict[str, Any], **params: str) -> dict[str, Any]:
        answer = self.books.post(entity, body, **params)
        if (
            "Id" in answer
            and answer.get("status") != "Deleted"
            and answer["Id"] not in self.made.setdefault(entity, [])
        ):
            self.made[entity].append(answer["Id"])
        return answer

    def play(self, step: tuple[int, int, int, str]) -> None:
        kind, first, second, amount = step
        ACTIONS[kind % len(ACTIONS)](self, first, second, amount)

    def status_of(self, step: tuple[int, int, int, str]) -> int:
        try:
            self.play(step)
        except Refused as refused:
            return refused.status
        return 200


def invoice(player: Player, first: int, second: int, amount: str) -> None:
    lines = [sales_line(amount, item=str(1 + first % 9)), sales_line("10.01")][: 1 + second % 2]
    player.post("Invoice", {"CustomerRef": {"value": str(1 + first % 2)}, "Line": lines})


def bill(player: Player, first: int, second: int, amount: str) -> None:
    lines = [cost_line(amount, account=str(1 + first % 62)), cost_line("7.77")][: 1 + second % 2]
    player.post("Bill", {"VendorRef": {"value": str(5 + second % 7)}, "Line": lines})


def credit(player: Player, first: int, _second: int, amount: str) -> None:
    if first % 2:
        player.post(
            "CreditMemo", {"CustomerRef": {"value": str(1 + first % 2)}, "Line": [sales_line(amount)]}
        )
    else:
        player.post("VendorCredit", {"VendorRef": {"value": str(5 + first % 6)}, "Line": [cost_line(amount)]})


def payment(player: Player, first: int, second: int, amount: str) -> None:
    target = player.current("Invoice", first)
    paid = target["Balance"] if second % 3 else Decimal(amount)
    line = {"Amount": paid, "LinkedTxn": [{"TxnId": target["Id"], "TxnType": "Invoice"}]}
    body = {"CustomerRef": target["CustomerRef"], "TotalAmt": paid + second % 2, "Line": [line]}
    player.post("Payment", {**body, "DepositToAccountRef": {"value": "5"}} if second % 5 == 0 else body)


def apply_credit(player: Player, first: int, second: int, _amount: str) -> None:
    target, memo = player.current("Invoice", first), player.current("CreditMemo", second)
    used = min(target["Balance"], memo["Balance"])
    lines = [
        {"Amount": used, "LinkedTxn": [{"TxnId": target["Id"], "TxnType": "Invoice"}]},
        {"Amount": used, "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]},
    ]
    player.post("Payment", {"CustomerRef": target["CustomerRef"], "TotalAmt": 0, "Line": lines})


def bill_payment(player: Player, first: int, second: int, amount: str) -> None:
    target = player.current("Bill", first)
    paid = target["Balance"] if second % 3 else Decimal(amount)
    card = {"PayType": "CreditCard", "CreditCardPayment": {"CCAccountRef": {"value": "20"}}}
    check = {"PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": str(5 + second % 4)}}}
    line = {"Amount": paid, "LinkedTxn": [{"TxnId": target["Id"], "TxnType": "Bill"}]}
    body = {"VendorRef": target["VendorRef"], "TotalAmt": paid, "Line": [line]}
    player.post("BillPayment", {**body, **(card if second % 4 == 0 else check)})


def deposit(player: Player, first: int, second: int, amount: str) -> None:
    paid = player.current("Payment", first)
    link = {"TxnId": paid["Id"], "TxnType": "Payment", "TxnLineId": "0"}
    lines: list[dict[str, Any]] = [{"Amount": paid["TotalAmt"], "LinkedTxn": [link]}]
    if second % 2:
        detail = {"AccountRef": {"value": str(1 + second)}, "Entity": {"value": "1", "type": "CUSTOMER"}}
        lines.append(
            {"Amount": Decimal(amount), "DetailType": "DepositLineDetail", "DepositLineDetail": detail}
        )
    body: dict[str, Any] = {"DepositToAccountRef": {"value": "5"}, "Line": lines}
    if second % 3 == 0:
        body["CashBack"] = {"AccountRef": {"value": "7"}, "Amount": 1}
    player.post("Deposit", body)


def purchase(player: Player, first: int, second: int, amount: str) -> None:
    kind, account = (("Check", "5"), ("CreditCard", "20"), ("Cash", "8"))[first % 3]
    body = {
        "PaymentType": kind,
        "AccountRef": {"value": account},
        "Line": [cost_line(amount, str(1 + second))],
    }
    player.post("Purchase", {**body, "Credit": True} if second % 2 else body)


def journal(player: Player, first: int, second: int, amount: str) -> None:
    party = {"Entity": {"Type": "Customer", "EntityRef": {"value": str(1 + first % 5)}}}
    vendor = {"Entity": {"Type": "Vendor", "EntityRef": {"value": str(5 + first % 6)}}}
    sides = [
        journal_line(amount, "Debit", str(1 + first), **(party if second % 2 else vendor)),
        journal_line(amount if second % 7 else "1", "Credit", str(1 + second)),
    ]
    player.post("JournalEntry", {"Line": sides})


def transfer(player: Player, first: int, second: int, amount: str) -> None:
    body = {
        "FromAccountRef": {"value": str(4 + first % 9)},
        "ToAccountRef": {"value": str(4 + second % 9)},
        "Amount": amount,
    }
    player.post("Transfer", body)


CHANGEABLE = (
    "Invoice",
    "Bill",
    "Payment",
    "BillPayment",
    "CreditMemo",
    "VendorCredit",
    "Deposit",
    "Purchase",
    "JournalEntry",
)


def resize(player: Player, first: int, second: int, amount: str) -> None:
    entity = CHANGEABLE[first % len(CHANGEABLE)]
    body = player.current(entity, second)
    lines = [line for line in body["Line"] if line.get("DetailType") != "SubTotalLineDetail"]
    if lines:
        lines[0] = {**lines[0], "Amount": Decimal(amount)}
    is_settlement = entity.endswith("Payment")
    new: dict[str, Any] = {**body, "sparse": True, "Line": lines}
    if is_settlement:
        new["TotalAmt"] = Decimal(amount)
    player.post(entity, new)


def annotate(player: Player, first: int, second: int, amount: str) -> None:
    entity = CHANGEABLE[first % len(CHANGEABLE)]
    body = player.current(entity, second)
    token = body["SyncToken"] if first % 3 else "99"
    player.post(entity, {**body, "SyncToken": token, "sparse": True, "PrivateNote": amount})


def delete(player: Player, first: int, second: int, _amount: str) -> None:
    entity = CHANGEABLE[first % len(CHANGEABLE)]
    body = player.current(entity, second)
    player.books.post(entity, {"Id": body["Id"], "SyncToken": body["SyncToken"]}, operation="delete")


def void(player: Player, first: int, second: int, _amount: str) -> None:
    entity = ("Invoice", "Payment", "BillPayment", "Purchase", "Bill")[first % 5]
    body = player.current(entity, second)
    params = (
        {"operation": "void"} if entity in ("Invoice", "Bill") else {"operation": "update", "include": "void"}
    )
    player.books.post(entity, {"Id": body["Id"], "SyncToken": body["SyncToken"], "sparse": True}, **params)


def replace(player: Player, first: int, second: int, amount: str) -> None:
    body = player.current("Bill", first)
    full = {"Id": body["Id"], "SyncToken": body["SyncToken"], "VendorRef": {"value": str(5 + second % 6)}}
    player.post("Bill", {**full, "Line": [cost_line(amount)]})


def inactivate(player: Player, first: int, second: int, _amount: str) -> None:
    entity = ("Customer", "Vendor", "Account", "Item")[first % 4]
    found = player.books.get(entity, str(1 + second % 10))
    wanted = not found["Active"]
    player.books.post(
        entity, {"Id": found["Id"], "SyncToken": found["SyncToken"], "sparse": True, "Active": wanted}
    )


def merge(player: Player, first: int, second: int, _amount: str) -> None:
    body = {
        "realm": player.books.realm,
        "entity": "Vendor",
        "keep": str(5 + first % 6),
        "lose": str(5 + second % 6),
    }
    player.books.control("/merge", body)


def leniency(player: Player, first: int, second: int, _amount: str) -> None:
    switch, values = (
        ("delete_linked", ("refuse", "unlink")),
        ("payment_of_other_customer", ("refuse", "unapplied")),
    )[first % 2]
    player.books.control("/switches", {switch: values[second % 2]})


ACTIONS: tuple[Step, ...] = (
    invoice, bill, credit, payment, apply_credit, bill_payment, deposit, purchase, journal, transfer, resize, annotate,
    delete, void, replace, inactivate, merge, leniency, invoice, bill, payment, bill_payment, resize, delete,
)  # fmt: skip


World = tuple[Books, dict[str, list[str]]]


def furnish(books: Books) -> dict[str, list[str]]:
    """Make a few of everything, paid, part paid and open, so that each step has something to reach."""
    invoices = [books.an_invoice(str(n * 111), str(1 + n % 2)) for n in range(1, 7)]
    bills = [books.a_bill(str(n * 77)) for n in range(1, 7)]
    payments = [
        books.a_payment(invoices[0]),
        books.a_payment(invoices[1], "50"),
        books.a_payment(invoices[2], "5"),
    ]
    paid = [books.a_bill_payment(bills[0]), books.a_bill_payment(bills[1], "20")]
    made = {
        "Invoice": invoices,
        "Bill": bills,
        "Payment": payments,
        "BillPayment": paid,
        "Deposit": [books.a_deposit(payments[2])],
        "CreditMemo": [
            books.post("CreditMemo", {"CustomerRef": {"value": number}, "Line": [sales_line("80")]})
            for number in "12"
        ],
        "VendorCredit": [
            books.post("VendorCredit", {"VendorRef": {"value": "5"}, "Line": [cost_line("30")]})
        ],
        "JournalEntry": [books.a_journal()],
    }
    return {entity: [each["Id"] for each in documents] for entity, documents in made.items()}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with ServerThread(create_app()) as server:
        driver = Books(server.url)
        made = furnish(driver)
        driver.control("/snapshots/furnished", {})
        yield driver, made
        driver.close()


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, min_size=8, max_size=30))
def test_the_books_hold_after_every_call(world: World, steps: list[tuple[int, int, int, str]]) -> None:
    books, made = world
    books.control("/reset", {"snapshot": "furnished"})
    player = Player(books, made)
    for step in steps:
        assert player.status_of(step) in (200, 400), step
        state = books.control("/ledger")
        assert state["balanced"], (step, state)
