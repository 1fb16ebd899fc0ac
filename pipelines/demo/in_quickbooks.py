"""The bookkeeper's hands in the QuickBooks sandbox."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from pipelines.demo.ledger import Books, Document, Entered, Json, LedgerRefused, SandboxLedger, Tell

MARK = "tieout:"
_SMALL_WORDS = {"of"}
_NAME_TAKEN = re.compile(r"6240 .*Id=(?P<id>\d+)")
# The platform's word → the ledger's entity and its party.
_ENTITIES = {"invoice": ("Invoice", "CustomerRef"), "bill": ("Bill", "VendorRef")}


class QuickBooksLedger(SandboxLedger):
    """One company of the QuickBooks sandbox."""

    title = "QuickBooks"

    @classmethod
    def found(cls, base_url: str, *, name: str) -> Self:
        """Found a new company with a chart of accounts and nothing else."""
        ledger = cls(base_url, "")
        made = ledger._ask("POST", "/_sandbox/companies", {"name": name, "scenario": "empty"})
        ledger.company = made["realm"]
        return ledger

    @property
    def clicks(self) -> Mapping[str, str]:
        """Consent for this company."""
        return {"sandbox_consent": "auto", "sandbox_realm": self.company}

    # ------------------------------------------------------------------ before the first sync

    def open_books(self, manifest: Json) -> int:
        """Enter what the bookkeeper had before anybody connected anything."""
        books = manifest["ledger"]
        accounts = {account["name"]: self._enter_account(account) for account in books["accounts"]}
        customers = {
            row["name"]: self._create("Customer", {"DisplayName": row["name"]})["Id"]
            for row in books["customers"]
        }
        for row in books["vendors"]:
            self._create("Vendor", {"DisplayName": row["name"]})
        income = accounts[manifest["mapping"]["revenue"]]
        item = self._create(
            "Item", {"Name": "Contract billing", "Type": "Service", "IncomeAccountRef": {"value": income}}
        )["Id"]
        for row in books["invoices"]:
            detail = {"ItemRef": {"value": item}}
            line = {
                "Amount": Decimal(row["total"]),
                "Description": "As billed",
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": detail,
            }
            self._create(
                "Invoice",
                {
                    "CustomerRef": {"value": customers[row["customer"]]},
                    "DocNumber": row["number"],
                    "TxnDate": row["date"],
                    "DueDate": row["due_date"],
                    "Line": [line],
                },
            )
        return sum(1 for account_id in accounts.values() if account_id) + sum(
            len(books[kind]) for kind in ("customers", "vendors", "invoices")
        )

    def _enter_account(self, account: Json) -> str:
        """Enter an account; the ones every company starts with are there, some under another type or number."""
        words = account["type"].split("_")
        body = {
            "Name": account["name"],
            "AccountType": " ".join(word if word in _SMALL_WORDS else word.capitalize() for word in words),
        }
        taken: re.Match[str] | None = None
        # The name may be free where the number is not.
        for number in ({"AcctNum": account["number"]}, {}):
            try:
                return str(self._create("Account", {**body, **number})["Id"])
            except LedgerRefused as refusal:
                taken = _NAME_TAKEN.search(str(refusal))
                refused = refusal
        if taken is None:
            raise refused
        found = self._read("Account", taken["id"])
        if found["AccountType"] != body["AccountType"]:
            self._change("Account", taken["id"], {**body, "AccountSubType": None})
        return str(taken["id"])

    # ------------------------------------------------------------------ after it

    def document(self, entity: str, remote_id: str) -> Document:
        """Look up an invoice or a bill."""
        name, party = _ENTITIES[entity]
        found = self._read(name, remote_id)
        is_unpaid = found["Balance"] == found["TotalAmt"]
        return Document(str(found.get("DocNumber")), found[party]["name"], is_unpaid, found)

    def enter(self, wanted: Json, books: Books, *, tell: Tell) -> Entered:
        """Enter payments into Undeposited Funds, bill payments, and deposits of some of those payments."""
        received = {
            row["reference"]: paid for row in wanted["payments"] if (paid := self._payment(row, books))
        }
        tell(f"{len(received)} payments received")
        made = [paid for row in wanted["bill_payments"] if (paid := self._bill_payment(row, books))]
        tell(f"{len(made)} bills paid")
        deposits = [self._deposit(row, received, books) for row in wanted["deposits"]]
        return Entered(len(received), len(made), sum(1 for deposit in deposits if deposit))

    def correct_bill(self, bill: Json, *, amount: Decimal, memo: str) -> None:
        """Change a bill of one line, and its note; the product's mark in the note stays."""
        marks = [line for line in bill.get("PrivateNote", "").splitlines() if line.startswith(MARK)]
        body = {
            "VendorRef": bill["VendorRef"],
            "PrivateNote": "\n".join([memo, *marks]),
            "Line": [{**bill["Line"][0], "Amount": amount}],
        }
        self._change("Bill", bill["Id"], body)

    def _payment(self, row: Json, books: Books) -> Json | None:
        invoice = books.unpaid("invoice", row["invoice"], row["customer"])
        if invoice is None:
            return None
        return self._create(
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

    def _bill_payment(self, row: Json, books: Books) -> Json | None:
        bill = books.unpaid("bill", row["bill"], row["vendor"])
        if bill is None:
            return None
        return self._create(
            "BillPayment",
            {
                "VendorRef": bill["VendorRef"],
                "TotalAmt": Decimal(row["amount"]),
                "TxnDate": row["date"],
                "DocNumber": row["reference"],
                "PayType": "Check",
                "CheckPayment": {"BankAccountRef": {"value": books.accounts[row["account"]]}},
                "Line": [_paying(row["amount"], "Bill", bill["Id"])],
            },
        )

    def _deposit(self, row: Json, received: dict[str, Json], books: Books) -> Json | None:
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
        return self._create(
            "Deposit",
            {
                "DepositToAccountRef": {"value": books.accounts[row["account"]]},
                "TxnDate": row["date"],
                "PrivateNote": row["memo"],
                "Line": lines,
            },
        )

    # ------------------------------------------------------------------ the window

    def _create(self, entity: str, body: Json) -> Json:
        return self._act(entity, "create", body)

    def _change(self, entity: str, remote_id: str, body: Json) -> Json:
        """Change something that is there; what the body leaves out stays as it is."""
        return self._act(entity, "update", {"Id": remote_id, **body})

    def _read(self, entity: str, remote_id: str) -> Json:
        return self._ask("GET", f"/_sandbox/objects/{self.company}/{entity}/{remote_id}")

    def _act(self, entity: str, operation: str, body: Json) -> Json:
        wanted = {"realm": self.company, "entity": entity, "operation": operation, "body": body}
        return self._ask("POST", "/_sandbox/act", wanted)


def _paying(amount: str, kind: str, remote_id: str) -> Json:
    return {"Amount": Decimal(amount), "LinkedTxn": [{"TxnId": remote_id, "TxnType": kind}]}
