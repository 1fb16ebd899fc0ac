"""A plain HTTP client for tests: Xero's headers, exact numbers, and builders of valid documents."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx

from sandbox.xero.world import XeroEmulator

API = "/api.xro/2.0/"
Json = dict[str, Any]


def exact(answer: httpx.Response) -> Any:
    return json.loads(answer.content, parse_float=Decimal)


class Xero:
    """One connected organisation."""

    def __init__(self, url: str, *, emulator: XeroEmulator | None = None) -> None:
        self.url = url
        self._emulator = emulator
        self.http = httpx.Client(base_url=url, timeout=20)
        self.headers: dict[str, str] = {}
        self.tenant = ""
        self.token: Json = {}

    @property
    def emulator(self) -> XeroEmulator:
        """The sandbox behind the server, where the test started it."""
        assert self._emulator is not None
        return self._emulator

    def control(self, path: str, body: Json | None = None) -> Json:
        answer = self.http.post(f"/_sandbox{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def connect(self, **options: Any) -> None:
        self.token = self.control("/connect", options)
        bearer = {"Authorization": f"Bearer {self.token['access_token']}"}
        connections = self.http.get("/connections", headers=bearer).json()
        self.tenant = connections[0]["tenantId"]
        self.headers = {**bearer, "Xero-tenant-id": self.tenant, "Accept": "application/json"}

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Json | None = None,
        headers: Json | None = None,
    ) -> httpx.Response:
        content = None if body is None else json.dumps(body, default=str).encode()
        kept = {
            **self.headers,
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        return self.http.request(method, API + path, content=content, params=query, headers=kept)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Json:
        answer = self.send(method, path, body, **options)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return dict(exact(answer))

    def one(self, method: str, path: str, body: Any = None, **options: Any) -> Json:
        found = self.ok(method, path, body, **options)
        values = next(value for value in found.values() if isinstance(value, list))
        assert len(values) == 1
        return dict(values[0])

    def many(self, path: str, **options: Any) -> list[Json]:
        found = self.ok("GET", path, **options)
        return list(next(value for value in found.values() if isinstance(value, list)))

    def refused(self, method: str, path: str, body: Any, **options: Any) -> list[str]:
        """The messages of a 400, elements first."""
        answer = self.send(method, path, body, **options)
        assert answer.status_code == 400, f"{answer.status_code} {answer.text}"
        found = exact(answer)
        messages = [
            error["Message"] for one in found.get("Elements", ()) for error in one["ValidationErrors"]
        ]
        return messages or [found["Message"]]

    def invoice(self, contact_id: str, *, amount: str = "100.00", **changes: Any) -> Json:
        """A valid AUTHORISED sales invoice as a request."""
        made: Json = {
            "Type": "ACCREC",
            "Contact": {"ContactID": contact_id},
            "Date": "2026-05-01",
            "DueDate": "2026-05-21",
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [{"Description": "Work", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200"}],
        }
        if changes.get("Type") == "ACCPAY":
            made["LineItems"][0]["AccountCode"] = "300"
        return made | changes

    def new_invoice(self, contact_id: str, *, amount: str = "100.00", **changes: Any) -> Json:
        return self.one("PUT", "Invoices", {"Invoices": [self.invoice(contact_id, amount=amount, **changes)]})

    def pay(self, invoice_id: str, amount: str, **changes: Any) -> Json:
        body = {
            "Invoice": {"InvoiceID": invoice_id},
            "Account": {"Code": "090"},
            "Date": "2026-05-10",
            "Amount": amount,
            **changes,
        }
        return self.one("PUT", "Payments", {"Payments": [body]})

    def trial_balance(self) -> dict[str, str]:
        """Account label to YTD figure, debit positive."""
        report = self.one("GET", "Reports/TrialBalance")
        found = {}
        for section in report["Rows"]:
            for row in section.get("Rows", ()):
                cells = [cell["Value"] for cell in row["Cells"]]
                found[cells[0]] = cells[3] or f"-{cells[4]}"
                if row["RowType"] == "SummaryRow":
                    found["debit"], found["credit"] = cells[3], cells[4]
        return found
