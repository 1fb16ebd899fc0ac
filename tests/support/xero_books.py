"""The bookkeeper's hands in Xero."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from resources.settings import Settings
from tests.support.books import DATE, Books, Json, Seen


class XeroBooks(Books):
    """Xero's books."""

    key = "xero"
    title = "Xero"
    idle_calls = 11
    writes_per_call = 50
    has_native_lock = False

    _TYPES: ClassVar[dict[str, str]] = {"invoice": "ACCREC", "bill": "ACCPAY"}

    def is_api(self, path: str) -> bool:
        return path.startswith("/api.xro/")

    def settings(self, base: Settings) -> Settings:
        return base.model_copy(
            update={
                "public_url": "http://localhost:8000",
                "xero_base_url": self.url,
                "xero_authorize_url": f"{self.url}/identity/connect/authorize",
                "xero_token_url": f"{self.url}/connect/token",
                "xero_revoke_url": f"{self.url}/connect/revocation",
                "xero_client_id": self.emulator.identity_default[0],
                "xero_client_secret": SecretStr(self.emulator.identity_default[1]),
            }
        )

    def open_company(self, name: str) -> str:
        self.company = str(self.control("POST", "/organisations", {"name": name, "version": "US"})["id"])
        self._token()
        return self.company

    def _token(self) -> None:
        answer = self.control(
            "POST", "/connect", {"organisations": [self.company], "client_id": self.bookkeeper()}
        )
        self.headers = {
            "Authorization": f"Bearer {answer['access_token']}",
            "Xero-tenant-id": self.company,
            "Accept": "application/json",
        }

    def bookkeeper(self) -> str:
        """An app of the bookkeeper's own, so that what they do does not count as ours."""
        if not hasattr(self, "_app"):
            self._app = str(self.control("POST", "/apps", {"name": "Bookkeeper"})["client_id"])
        return self._app

    def consent(self, url: str) -> dict[str, str]:
        return self.browse(url, sandbox_consent=self.company)

    def _send(self, method: str, path: str, body: Any = None, **query: str) -> list[Json]:
        answer = self._call(method, path, body, query)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token()
            answer = self._call(method, path, body, query)
        assert answer.status_code == httpx.codes.OK, f"{answer.status_code} {answer.text}"
        found = json.loads(answer.content, parse_float=Decimal)
        rows = found.get("Options" if "/Options" in path else path.partition("/")[0])
        return list(rows or [])

    def _call(self, method: str, path: str, body: Any, query: dict[str, str]) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": "application/json"}
        return self.http.request(
            method, f"/api.xro/2.0/{path}", content=content, params=query, headers=headers
        )

    def _rows(self, resource: str, **query: str) -> list[Json]:
        return self._send("GET", resource, **{"page": "1", "pageSize": "1000", **query})

    def rows(self, path: str, **query: str) -> list[Json]:
        """Read a list of the organisation as the bookkeeper does."""
        return self._send("GET", path, **query)

    def put(self, path: str, body: Json) -> Json:
        """Make something as the bookkeeper does."""
        return self._send("PUT", path, body)[0]

    def set_tracking(self, number: str, options: list[tuple[str, str]]) -> None:
        """Choose tracking options by name on the lines of a document."""
        (row,) = [one for one in self._rows("Invoices") if one.get("InvoiceNumber") == number]
        (whole,) = self._send("GET", f"Invoices/{row['InvoiceID']}")
        chosen = [{"Name": category, "Option": option} for category, option in options]
        kept = ("LineItemID", "Description", "AccountCode", "Quantity")
        lines = [
            {name: str(line[name]) for name in kept}
            | {"UnitAmount": str(line["UnitAmount"]), "Tracking": chosen}
            for line in whole["LineItems"]
        ]
        body = {"InvoiceID": row["InvoiceID"], "LineItems": lines}
        self._send("POST", f"Invoices/{row['InvoiceID']}", {"Invoices": [body]})

    def account(self, kind: str) -> str:
        code = {
            "income": "200",
            "cost": "300",
            "bank": "090",
            "receivable": "610",
            "payable": "800",
            "clearing": "825",
        }[kind]
        found: str = next(
            row["AccountID"] for row in self._send("GET", "Accounts") if row.get("Code") == code
        )
        return found

    def _contact(self, name: str) -> str:
        return str(self._send("PUT", "Contacts", {"Contacts": [{"Name": name}]})[0]["ContactID"])

    def customer(self, name: str) -> str:
        return self._contact(name)

    def vendor(self, name: str) -> str:
        return self._contact(name)

    def names(self, kind: str) -> list[str]:
        return sorted(row["Name"] for row in self._rows("Contacts"))

    def enter(
        self, kind: str, party: str, *, number: str, amount: str, memo: str = "", account: str | None = None
    ) -> str:
        booked = {"AccountID": account} if account else {"AccountCode": "200" if kind == "invoice" else "300"}
        body = {
            "Type": self._TYPES[kind],
            "Contact": {"ContactID": party},
            "InvoiceNumber": number,
            "Date": DATE,
            "DueDate": DATE,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "Reference": memo if kind == "invoice" else None,
            "LineItems": [{"Description": "Work 1", "Quantity": 1, "UnitAmount": amount, **booked}],
        }
        return str(self._send("PUT", "Invoices", {"Invoices": [body]})[0]["InvoiceID"])

    def documents(self, kind: str) -> list[Seen]:
        return [
            Seen(
                id=row["InvoiceID"],
                number=row.get("InvoiceNumber"),
                total=Decimal(row["Total"]),
                open=Decimal(row.get("AmountDue") or 0),
                party=row["Contact"]["ContactID"],
                memo=str(row.get("Reference") or ""),
                is_valid=row["Status"] in ("AUTHORISED", "PAID"),
                date=str(row["DateString"])[:10],
            )
            for row in self._rows("Invoices")
            if row["Type"] == self._TYPES[kind]
        ]

    def reprice(self, kind: str, remote_id: str, amount: str) -> None:
        (row,) = self._send("GET", f"Invoices/{remote_id}")
        line = row["LineItems"][0]
        kept = {name: line[name] for name in ("LineItemID", "Description", "AccountCode")}
        body = {"InvoiceID": remote_id, "LineItems": [{**kept, "Quantity": 1, "UnitAmount": amount}]}
        self._send("POST", f"Invoices/{remote_id}", {"Invoices": [body]})

    def end(self, kind: str, remote_id: str) -> None:
        self._send(
            "POST", f"Invoices/{remote_id}", {"Invoices": [{"InvoiceID": remote_id, "Status": "VOIDED"}]}
        )

    def rename(self, kind: str, remote_id: str, name: str) -> None:
        self._send("POST", f"Contacts/{remote_id}", {"Contacts": [{"ContactID": remote_id, "Name": name}]})

    def merge_vendors(self, *, keep: str, lose: str) -> None:
        self.control(
            "POST",
            "/bookkeeper",
            {"organisation": self.company, "action": "merge_contacts", "winner": keep, "loser": lose},
        )

    def pay(self, kind: str, parts: dict[str, str], *, reference: str) -> None:
        paid = [{"Invoice": {"InvoiceID": one}, "Amount": amount} for one, amount in parts.items()]
        header = {"Account": {"Code": "090"}, "Date": DATE, "Reference": reference}
        self._send("PUT", "Payments", {"Payments": [header | one for one in paid]})

    def unpay(self, kind: str, reference: str) -> None:
        for row in self._rows("Payments"):
            if row.get("Reference") == reference and row["Status"] == "AUTHORISED":
                self._send("POST", f"Payments/{row['PaymentID']}", {"Status": "DELETED"})

    def reconcile_part(self, reference: str) -> None:
        row = next(row for row in self._rows("Payments") if row.get("Reference") == reference)
        self.bookkeep("reconcile", id=row["PaymentID"])

    def reconcile(self, reference: str) -> None:
        for row in self._rows("Payments"):
            if row.get("Reference") == reference:
                self.bookkeep("reconcile", id=row["PaymentID"])

    def bookkeep(self, action: str, **more: Any) -> None:
        """Do what only a person in Xero's own pages can do."""
        self.control("POST", "/bookkeeper", {"organisation": self.company, "action": action, **more})

    def fill(self, size: int) -> None:
        self.control("POST", "/seed", {"organisation": self.company, "size": size})

    def touch_oldest(self) -> str:
        rows = [
            row for row in self._rows("Invoices", order="UpdatedDateUTC ASC") if row["Status"] == "AUTHORISED"
        ]
        key = str(rows[0]["InvoiceID"])
        self._send(
            "POST",
            f"Invoices/{key}",
            {"Invoices": [{"InvoiceID": key, "Url": "https://example.com/touched"}]},
        )
        return key

    def live_refresh_calls(self) -> int:
        return sum(entry.path.endswith("/connect/token") for entry in self.emulator.log.recent(5000))

    def deposit(self, amount: str, *, memo: str) -> None:
        line = {"Description": memo, "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}
        body = {
            "Type": "RECEIVE",
            "Contact": {"Name": "Sundry"},
            "BankAccount": {"Code": "090"},
            "Date": DATE,
            "LineAmountTypes": "NoTax",
            "LineItems": [line],
        }
        self._send("PUT", "BankTransactions", {"BankTransactions": [body]})

    def journals(self) -> list[tuple[str, Decimal]]:
        return [
            (
                row["Narration"],
                sum(
                    (max(Decimal(line["LineAmount"]), Decimal(0)) for line in row["JournalLines"]), Decimal(0)
                ),
            )
            for row in self._rows("ManualJournals")
            if row["Status"] == "POSTED"
        ]

    def enter_journal(self, number: str, amount: str) -> None:
        lines = [
            {"LineAmount": f"{sign}{amount}", "AccountCode": code}
            for sign, code in (("", "300"), ("-", "825"))
        ]
        body = {
            "Narration": number,
            "Date": DATE,
            "Status": "POSTED",
            "LineAmountTypes": "NoTax",
            "JournalLines": lines,
        }
        self._send("PUT", "ManualJournals", {"ManualJournals": [body]})

    def rename_account(self, account_id: str, name: str) -> None:
        self._send("POST", f"Accounts/{account_id}", {"Accounts": [{"Name": name}]})

    def accounts(self) -> list[str]:
        return [row["Name"] for row in self._send("GET", "Accounts")]

    def add_account(self, name: str, kind: str, *, number: str) -> str:
        types = {"income": "REVENUE", "cost": "DIRECTCOSTS", "asset": "CURRENT", "liability": "CURRLIAB"}
        body = {"Code": number, "Name": name, "Type": types[kind]}
        return str(self._send("PUT", "Accounts", body)[0]["AccountID"])

    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        body = {"AccountID": account_id, "Status": "ACTIVE" if is_active else "ARCHIVED"}
        self._send("POST", f"Accounts/{account_id}", body)

    def annotate(self, kind: str, remote_id: str, memo: str) -> None:
        assert kind == "invoice", "a bill in Xero has no memo"
        body = {"InvoiceID": remote_id, "Reference": memo}
        self._send("POST", f"Invoices/{remote_id}", {"Invoices": [body]})

    def arrived(self) -> list[str]:
        kept = self.emulator.books[self.company]["Invoices"].rows.values()
        return [row["InvoiceNumber"] for row in kept if row["Type"] == "ACCPAY"]

    def balances(self) -> dict[str, Decimal]:
        return dict(self.emulator.books[self.company].ledger.trial_balance())

    def bill_lines(self, number: str) -> list[tuple[Decimal, str]]:
        ids = {row.get("Code"): row["AccountID"] for row in self._send("GET", "Accounts")}
        (found,) = [each for each in self.documents("bill") if each.number == number]
        (row,) = self._send("GET", f"Invoices/{found.id}")
        return [(Decimal(line["LineAmount"]), ids[line["AccountCode"]]) for line in row["LineItems"]]

    def kept(self, kind: str) -> dict[str, str]:
        return {
            str(each.number): json.dumps(
                self._send("GET", f"Invoices/{each.id}"), default=str, sort_keys=True
            )
            for each in self.documents(kind)
        }

    def history(self, remote_id: str) -> list[str]:
        """The notes at a document."""
        answer = self._call("GET", f"Invoices/{remote_id}/History", None, {})
        return [str(one.get("Details")) for one in answer.json()["HistoryRecords"]]

    def close_until(self, day: str | None) -> None:
        self.bookkeep("lock_period", date=day)
