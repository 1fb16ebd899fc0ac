"""The builder's bookkeeper, who works in the ledger while the platform works on its side.

Before the first sync a few names and an invoice are in the ledger already; after it clients pay, vendors are paid,
money is taken to the bank, and one bill is corrected on both sides at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.demo.api import Json, TieoutApi
from pipelines.demo.builders import DemoBuilder
from pipelines.demo.ledger import LedgerRefused, SandboxLedger
from resources.store.demo import BillCorrection

MARK = "tieout:"
# The platform's word for a type of account → the ledger's.
_SMALL_WORDS = {"of"}
_NAME_TAKEN = re.compile(r"6240 .*Id=(?P<id>\d+)")

Tell = Callable[[str], None]


def open_books(ledger: SandboxLedger, manifest: dict[str, Any]) -> int:
    """Enter what the bookkeeper had before anybody connected anything; return how many things were entered."""
    books = manifest["ledger"]
    accounts = {account["name"]: _enter_account(ledger, account) for account in books["accounts"]}
    customers = {
        row["name"]: ledger.create("Customer", {"DisplayName": row["name"]})["Id"]
        for row in books["customers"]
    }
    for row in books["vendors"]:
        ledger.create("Vendor", {"DisplayName": row["name"]})
    income = accounts[manifest["mapping"]["revenue"]]
    item = ledger.create(
        "Item", {"Name": "Contract billing", "Type": "Service", "IncomeAccountRef": {"value": income}}
    )["Id"]
    for row in books["invoices"]:
        detail = {"ItemRef": {"value": item}}
        ledger.create(
            "Invoice",
            {
                "CustomerRef": {"value": customers[row["customer"]]},
                "DocNumber": row["number"],
                "TxnDate": row["date"],
                "DueDate": row["due_date"],
                "Line": [
                    {
                        "Amount": Decimal(row["total"]),
                        "Description": "As billed",
                        "DetailType": "SalesItemLineDetail",
                        "SalesItemLineDetail": detail,
                    }
                ],
            },
        )
    return sum(1 for account_id in accounts.values() if account_id) + sum(
        len(books[kind]) for kind in ("customers", "vendors", "invoices")
    )


def _enter_account(ledger: SandboxLedger, account: Json) -> str:
    """Enter an account; the ones every company starts with are there already, some under another type or number."""
    words = account["type"].split("_")
    body = {
        "Name": account["name"],
        "AccountType": " ".join(word if word in _SMALL_WORDS else word.capitalize() for word in words),
    }
    taken: re.Match[str] | None = None
    # The name may be free where the number is not.
    for number in ({"AcctNum": account["number"]}, {}):
        try:
            return str(ledger.create("Account", {**body, **number})["Id"])
        except LedgerRefused as refusal:
            taken = _NAME_TAKEN.search(str(refusal))
            refused = refusal
    if taken is None:
        raise refused
    found = ledger.read("Account", taken["id"])
    if found["AccountType"] != body["AccountType"]:
        ledger.change("Account", taken["id"], {**body, "AccountSubType": None})
    return str(taken["id"])


@dataclass(frozen=True, slots=True)
class Entered:
    """What the bookkeeper entered after the first sync."""

    payments: int
    bill_payments: int
    deposits: int


class Bookkeeper:
    """Works in one company's ledger with the documents that the first sync sent there."""

    def __init__(self, ledger: SandboxLedger, builder: DemoBuilder, accounts: dict[str, str]) -> None:
        self._ledger = ledger
        self._manifest = builder.manifest
        self._accounts = accounts
        self._documents: dict[tuple[str, str, str], Json] = {}

    def look_up(self, api: TieoutApi, run_id: str, *, tell: Tell) -> None:
        """Find the documents of the first sync in the ledger, by number and name."""
        for entity, remote, party in (("invoice", "Invoice", "CustomerRef"), ("bill", "Bill", "VendorRef")):
            for record in api.records(run_id, entity):
                if record["status"] == "synced" and record["provider_entity_id"]:
                    found = self._ledger.read(remote, record["provider_entity_id"])
                    self._documents[remote, str(found.get("DocNumber")), found[party]["name"]] = found
            tell(f"{len(self._documents)} documents found")

    def enter(self, *, tell: Tell) -> Entered:
        """Enter payments, bill payments and deposits."""
        wanted = self._manifest["bookkeeper"]
        received = {row["reference"]: paid for row in wanted["payments"] if (paid := self._payment(row))}
        tell(f"{len(received)} payments received")
        made = [paid for row in wanted["bill_payments"] if (paid := self._bill_payment(row))]
        tell(f"{len(made)} bills paid")
        deposits = [self._deposit(row, received) for row in wanted["deposits"]]
        return Entered(len(received), len(made), sum(1 for deposit in deposits if deposit))

    def correct_bill(self) -> BillCorrection | None:
        """Correct one bill in the ledger, and say how somebody on the platform corrects the same one otherwise."""
        wanted = self._manifest["conflict"]
        bill = self._documents.get(("Bill", wanted["bill"], wanted["vendor"]))
        if bill is None:
            return None
        theirs, ours = wanted["theirs"], wanted["ours"]
        marks = [line for line in bill.get("PrivateNote", "").splitlines() if line.startswith(MARK)]
        self._ledger.change(
            "Bill",
            bill["Id"],
            {
                "VendorRef": bill["VendorRef"],
                "PrivateNote": "\n".join([theirs["memo"], *marks]),
                "Line": [{**bill["Line"][0], "Amount": Decimal(theirs["amount"])}],
            },
        )
        return BillCorrection(wanted["bill"], wanted["vendor"], Decimal(ours["amount"]), ours["memo"])

    def _unpaid(self, remote: str, number: str, party: str) -> Json | None:
        """Return a document as long as nothing was paid on it: a day that was broken off goes on, not over again."""
        found = self._documents.get((remote, number, party))
        return found if found is not None and found["Balance"] == found["TotalAmt"] else None

    def _payment(self, row: Json) -> Json | None:
        invoice = self._unpaid("Invoice", row["invoice"], row["customer"])
        if invoice is None:
            return None
        return self._ledger.create(
            "Payment",
            {
                "CustomerRef": invoice["CustomerRef"],
                "TotalAmt": Decimal(row["amount"]),
                "TxnDate": row["date"],
                "PaymentRefNum": row["reference"],
                "PrivateNote": row["method"],
                "Line": [_paying(row["amount"], "Invoice", invoice["Id"])],
            },
        )

    def _bill_payment(self, row: Json) -> Json | None:
        bill = self._unpaid("Bill", row["bill"], row["vendor"])
        if bill is None:
            return None
        return self._ledger.create(
            "BillPayment",
            {
                "VendorRef": bill["VendorRef"],
                "TotalAmt": Decimal(row["amount"]),
                "TxnDate": row["date"],
                "DocNumber": row["reference"],
                "PayType": "Check",
                "CheckPayment": {"BankAccountRef": {"value": self._accounts[row["account"]]}},
                "Line": [_paying(row["amount"], "Bill", bill["Id"])],
            },
        )

    def _deposit(self, row: Json, received: dict[str, Json]) -> Json | None:
        payments = [received[reference] for reference in row["payments"] if reference in received]
        if not payments:
            return None
        lines = [
            {
                "Amount": payment["TotalAmt"],
                "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
            }
            for payment in payments
        ]
        return self._ledger.create(
            "Deposit",
            {
                "DepositToAccountRef": {"value": self._accounts[row["account"]]},
                "TxnDate": row["date"],
                "PrivateNote": row["memo"],
                "Line": lines,
            },
        )


def _paying(amount: str, kind: str, remote_id: str) -> Json:
    return {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": remote_id, "TxnType": kind}]}
