"""A plain HTTP driver for the QuickBooks sandbox, as a careful hand-written client would be."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.kernel import wire

REDIRECT = "http://127.0.0.1:9/callback"
CLIENT = ("test-client", "test-secret")
SCOPE = "com.intuit.quickbooks.accounting"
Body = dict[str, Any]


class Refused(Exception):
    """A fault the sandbox answered with."""

    def __init__(self, status: int, code: str, detail: str, body: Body) -> None:
        super().__init__(f"{status} {code} {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.body = body


class Books:
    """One connected company."""

    def __init__(self, url: str, realm: str | None = None) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=30)
        self.tokens, self.realm = self.connect(realm)
        self.base = f"/v3/company/{self.realm}"

    def close(self) -> None:
        self.http.close()

    def authorize(self, **extra: str) -> httpx.Response:
        query = {
            "client_id": CLIENT[0],
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": REDIRECT,
            "state": "s1",
            "sandbox_consent": "auto",
        }
        return self.http.get("/connect/oauth2", params={**query, **extra})

    def connect(self, realm: str | None = None) -> tuple[Body, str]:
        answer = self.authorize(**({"sandbox_realm": realm} if realm else {}))
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return self.exchange(query["code"][0]).json(), query["realmId"][0]

    def exchange(self, code: str, **extra: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **extra}
        return self.http.post("/oauth2/v1/tokens/bearer", data=form, auth=CLIENT)

    def refresh(self, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return self.http.post("/oauth2/v1/tokens/bearer", data=form, auth=CLIENT)

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.tokens['access_token']}", "accept": "application/json"}
        headers |= options.pop("headers", {})
        return self.http.request(method, f"{self.base}/{path}", headers=headers, **options)

    def call(self, method: str, path: str, **options: Any) -> Body:
        answer = self.raw(method, path, **options)
        body: Body = json.loads(answer.text, parse_float=Decimal)
        fault = body.get("Fault") or body.get("fault")
        if fault is not None or answer.status_code != 200:
            error = (fault.get("Error") or fault.get("error"))[0] if fault else {}
            detail = error.get("Detail") or error.get("detail") or ""
            raise Refused(answer.status_code, error.get("code", ""), detail, body)
        return body

    def post(self, entity: str, body: Body, **params: str) -> Body:
        answer = self.call("POST", entity.lower(), content=wire.dumps(body), params=params,
                           headers={"content-type": "application/json"})  # fmt: skip
        made: Body = answer[entity]
        return made

    def get(self, entity: str, number: str) -> Body:
        found: Body = self.call("GET", f"{entity.lower()}/{number}")[entity]
        return found

    def query(self, text: str) -> Body:
        found: Body = self.call("GET", "query", params={"query": text})["QueryResponse"]
        return found

    def rows(self, text: str) -> list[Body]:
        answer = self.query(text)
        return next((value for value in answer.values() if isinstance(value, list)), [])

    def batch(self, *items: Body, **params: str) -> list[Body]:
        answer = self.call("POST", "batch", content=wire.dumps({"BatchItemRequest": list(items)}), params=params,
                           headers={"content-type": "application/json"})  # fmt: skip
        answers: list[Body] = answer["BatchItemResponse"]
        return answers

    def cdc(self, entities: str, since: str) -> list[Body]:
        answer = self.call("GET", "cdc", params={"entities": entities, "changedSince": since})
        groups: list[Body] = answer["CDCResponse"][0]["QueryResponse"]
        return groups

    def control(self, path: str, body: Body | None = None, *, method: str | None = None) -> Any:
        verb = method or ("GET" if body is None else "POST")
        answer = self.http.request(verb, f"/_sandbox{path}", json=body)
        if answer.status_code != 200:
            raise Refused(answer.status_code, "control", answer.json()["error"], answer.json())
        return answer.json()

    def is_balanced(self) -> bool:
        state = self.control("/ledger")
        assert state["balanced"], state
        return True

    # --- documents with valid defaults ---------------------------------------------------------

    def a_customer(self, name: str = "Harper House", **more: Any) -> Body:
        return self.post("Customer", {"DisplayName": name, **more})

    def a_vendor(self, name: str = "Ridge Framing", **more: Any) -> Body:
        return self.post("Vendor", {"DisplayName": name, **more})

    def an_invoice(self, amount: str = "1200.00", customer: str = "1", **more: Any) -> Body:
        return self.post(
            "Invoice", {"CustomerRef": {"value": customer}, "Line": [sales_line(amount)], **more}
        )

    def a_bill(self, amount: str = "300.00", vendor: str = "5", **more: Any) -> Body:
        return self.post("Bill", {"VendorRef": {"value": vendor}, "Line": [cost_line(amount)], **more})

    def a_payment(self, invoice: Body, amount: str | None = None, **more: Any) -> Body:
        paid = Decimal(amount) if amount else invoice["Balance"]
        line = {"Amount": paid, "LinkedTxn": [{"TxnId": invoice["Id"], "TxnType": "Invoice"}]}
        body = {"CustomerRef": {"value": invoice["CustomerRef"]["value"]}, "TotalAmt": paid, "Line": [line]}
        return self.post("Payment", {**body, **more})

    def a_bill_payment(self, bill: Body, amount: str | None = None, **more: Any) -> Body:
        paid = Decimal(amount) if amount else bill["Balance"]
        body = {
            "VendorRef": {"value": bill["VendorRef"]["value"]},
            "TotalAmt": paid,
            "PayType": "Check",
            "CheckPayment": {"BankAccountRef": {"value": "5"}},
            "Line": [{"Amount": paid, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}],
        }
        return self.post("BillPayment", {**body, **more})

    def a_deposit(self, *payments: Body, **more: Any) -> Body:
        lines = [
            {
                "Amount": payment["TotalAmt"],
                "LinkedTxn": [{"TxnId": payment["Id"], "TxnType": "Payment", "TxnLineId": "0"}],
            }
            for payment in payments
        ]
        return self.post("Deposit", {"DepositToAccountRef": {"value": "5"}, "Line": lines, **more})

    def a_journal(self, amount: str = "50.00", debit: str = "54", credit: str = "5", **more: Any) -> Body:
        return self.post(
            "JournalEntry",
            {"Line": [journal_line(amount, "Debit", debit), journal_line(amount, "Credit", credit)], **more},
        )


def sales_line(amount: str, item: str = "1", **detail: Any) -> Body:
    return {
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, **detail},
    }


def cost_line(amount: str, account: str = "35", **detail: Any) -> Body:
    return {
        "Amount": Decimal(amount),
        "DetailType": "AccountBasedExpenseLineDetail",
        "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}, **detail},
    }


def journal_line(amount: str, side: str, account: str, **detail: Any) -> Body:
    return {
        "Amount": Decimal(amount),
        "DetailType": "JournalEntryLineDetail",
        "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": account}, **detail},
    }
