"""The bookkeeper's hands in the Xero sandbox.

Xero has no Undeposited Funds: payments that reach the bank together are one batch payment, which is their deposit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Self

from pipelines.demo.ledger import Books, Document, Entered, Json, SandboxLedger, Tell

LIST_MAX = 50
# The platform's type of account → the ledger's; it keeps receivables and payables by itself.
_TYPES = {
    "bank": "BANK",
    "other_current_asset": "CURRENT",
    "fixed_asset": "FIXED",
    "other_current_liability": "CURRLIAB",
    "income": "REVENUE",
    "cost_of_goods_sold": "DIRECTCOSTS",
    "expense": "EXPENSE",
}
_OWN = {"accounts_receivable": "DEBTORS", "accounts_payable": "CREDITORS"}


class XeroLedger(SandboxLedger):
    """One organisation of the Xero sandbox."""

    title = "Xero"

    @classmethod
    def found(cls, base_url: str, *, name: str) -> Self:
        """Found an American organisation; another one is there already, so that the consent has to choose."""
        ledger = cls(base_url, "")
        made = ledger._ask("POST", "/_sandbox/organisations", {"name": name, "version": "US"})
        ledger.company = made["id"]
        return ledger

    @property
    def clicks(self) -> Mapping[str, str]:
        """Consent for every organisation this person has; the product asks which one is meant."""
        return {"sandbox_consent": "all"}

    # ------------------------------------------------------------------ before the first sync

    def open_books(self, manifest: Json) -> int:
        """Enter what the bookkeeper had before anybody connected anything."""
        books = manifest["ledger"]
        there = self._act("GET", "Accounts")
        for account in books["accounts"]:
            self._enter_account(account, there)
        names = [row["name"] for kind in ("customers", "vendors") for row in books[kind]]
        contacts = {
            row["Name"]: row["ContactID"]
            for row in self._act("PUT", "Contacts", {"Contacts": [{"Name": name} for name in names]})
        }
        revenue = manifest["mapping"]["revenue"]
        code = next(row["number"] for row in books["accounts"] if row["name"] == revenue)
        invoices = [
            {
                "Type": "ACCREC",
                "Contact": {"ContactID": contacts[row["customer"]]},
                "InvoiceNumber": row["number"],
                "Date": row["date"],
                "DueDate": row["due_date"],
                "Status": "AUTHORISED",
                "LineAmountTypes": "NoTax",
                "LineItems": [
                    {
                        "Description": "As billed",
                        "Quantity": 1,
                        "UnitAmount": Decimal(row["total"]),
                        "AccountCode": code,
                    }
                ],
            }
            for row in books["invoices"]
        ]
        self._act("PUT", "Invoices", {"Invoices": invoices})
        return len(books["accounts"]) + len(names) + len(invoices)

    def _enter_account(self, account: Json, there: list[Json]) -> None:
        """Enter an account, or give the one that every organisation starts with its name and number."""
        body = {"Name": account["name"], "Code": account["number"]}
        own = _OWN.get(account["type"])
        found = next(
            (
                row
                for row in there
                if row["Name"] == account["name"] or (own and row.get("SystemAccount") == own)
            ),
            None,
        )
        if found is not None:
            self._act("POST", f"Accounts/{found['AccountID']}", {"Accounts": [body]})
            return
        body["Type"] = _TYPES[account["type"]]
        if body["Type"] == "BANK":
            body["BankAccountNumber"] = f"12-3456-00{account['number']}-00"
        self._act("PUT", "Accounts", body)

    # ------------------------------------------------------------------ after it

    def document(self, entity: str, remote_id: str) -> Document:
        """Look up an invoice or a bill."""
        found = self._ask("GET", f"/_sandbox/objects/{self.company}/Invoices/{remote_id}")["Invoices"][0]
        is_unpaid = found["AmountDue"] == found["Total"]
        return Document(str(found.get("InvoiceNumber")), found["Contact"]["Name"], is_unpaid, found)

    def enter(self, wanted: Json, books: Books, *, tell: Tell) -> Entered:
        """Enter a batch of payments per deposit, the other payments one by one, and the bill payments."""
        rows = {
            row["reference"]: (row, invoice)
            for row in wanted["payments"]
            if (invoice := books.unpaid("invoice", row["invoice"], row["customer"])) is not None
        }
        batches = [batch for slip in wanted["deposits"] if (batch := _batch(slip, rows, books)) is not None]
        for batch in batches:
            self._act("PUT", "BatchPayments", {"BatchPayments": [batch]})
        in_batches = {reference for slip in wanted["deposits"] for reference in slip["payments"]}
        bank = books.accounts[wanted["deposits"][0]["account"]]
        alone = [
            _payment(row, invoice, bank)
            for reference, (row, invoice) in rows.items()
            if reference not in in_batches
        ]
        tell(f"{len(rows)} payments received")
        paid = [
            _payment(row, bill, books.accounts[row["account"]])
            for row in wanted["bill_payments"]
            if (bill := books.unpaid("bill", row["bill"], row["vendor"])) is not None
        ]
        payments = [*alone, *paid]
        for start in range(0, len(payments), LIST_MAX):
            self._act("PUT", "Payments", {"Payments": payments[start : start + LIST_MAX]})
        tell(f"{len(paid)} bills paid")
        return Entered(len(rows), len(paid), len(batches))

    def correct_bill(self, bill: Json, *, amount: Decimal, memo: str) -> None:
        """Change a bill of one line; Xero's bills have no field for a note, so the line carries it."""
        kept = {name: bill["LineItems"][0][name] for name in ("LineItemID", "AccountCode")}
        line = {**kept, "Description": memo, "Quantity": 1, "UnitAmount": amount}
        body = {"InvoiceID": bill["InvoiceID"], "LineItems": [line]}
        self._act("POST", f"Invoices/{bill['InvoiceID']}", {"Invoices": [body]})

    # ------------------------------------------------------------------ the window

    def _act(self, method: str, path: str, body: Json | None = None) -> list[Json]:
        wanted = {"organisation": self.company, "method": method, "path": path, "body": body}
        found: list[Json] = self._ask("POST", "/_sandbox/act", wanted)[path.partition("/")[0]]
        return found


def _payment(row: Json, document: Json, account: str) -> Json:
    return {
        "Invoice": {"InvoiceID": document["InvoiceID"]},
        "Account": {"AccountID": account},
        "Date": row["date"],
        "Amount": Decimal(row["amount"]),
        "Reference": row["reference"],
    }


def _batch(slip: Json, rows: Mapping[str, tuple[Json, Json]], books: Books) -> Json | None:
    """Return the batch of those payments of a deposit slip that were received."""
    paid = [rows[reference] for reference in slip["payments"] if reference in rows]
    if not paid:
        return None
    return {
        "Account": {"AccountID": books.accounts[slip["account"]]},
        "Date": slip["date"],
        "Reference": slip["memo"],
        "Payments": [
            {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Amount": Decimal(row["amount"])}
            for row, invoice in paid
        ],
    }
