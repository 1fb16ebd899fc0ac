"""The bookkeeper's hands in two accounting systems: one set of gestures, so that one test speaks of both.

Each gesture goes over HTTP to the real sandbox with a token of the bookkeeper's own; amounts come back as Decimal.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import httpx
from pydantic import SecretStr

from resources.settings import Settings

Json = dict[str, Any]
DATE = "2026-05-20"


@dataclass(frozen=True)
class Seen:
    """A document as the bookkeeper sees it."""

    id: str
    number: str | None
    total: Decimal
    open: Decimal
    party: str
    memo: str
    is_valid: bool
    date: str = ""


class RunningClock:
    """The time of this machine, moved as far as a test says; the sandbox's is moved with it."""

    def __init__(self) -> None:
        """Begin at the present."""
        self.ahead = timedelta()

    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC) + self.ahead


class Books(ABC):
    """One company's books, and the person who keeps them."""

    key: ClassVar[str]
    title: ClassVar[str]
    # Lists that a sync asks each time: what an idle one may cost.
    idle_calls: ClassVar[int]
    # What one call of the provider can carry.
    writes_per_call: ClassVar[int]
    has_native_lock: ClassVar[bool]

    def __init__(self, url: str, emulator: Any) -> None:
        self.url = url
        self.emulator = emulator
        self.clock = RunningClock()
        self.http = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def control(self, method: str, path: str, body: Json | None = None) -> Any:
        """Use a control route; a refusal fails the test."""
        answer = self.http.request(method, f"/_sandbox{path}", json=body if method != "GET" else None)
        assert answer.status_code == httpx.codes.OK, answer.text
        return answer.json()

    def fault(self, kind: str, **rule: Any) -> None:
        """Let something go wrong."""
        self.control("POST", "/faults", {"kind": kind, **rule})

    def calls(self) -> list[Any]:
        """The calls to the accounting API so far, oldest first."""
        return [entry for entry in reversed(self.emulator.log.recent(5000)) if self.is_api(entry.path)]

    def browse(self, url: str, **extra: str) -> dict[str, str]:
        """Send a browser to the consent page and return what it brings back to the callback."""
        answer = httpx.get(f"{url}&{urlencode(extra)}", follow_redirects=False)
        assert answer.status_code == httpx.codes.FOUND, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    @abstractmethod
    def is_api(self, path: str) -> bool:
        """Whether a path is the accounting API's."""

    @abstractmethod
    def settings(self, base: Settings) -> Settings:
        """Settings that point at this sandbox."""

    @abstractmethod
    def open_company(self, name: str) -> str:
        """Open a company of its own, and look at it from now on; return its id."""

    @abstractmethod
    def consent(self, url: str) -> dict[str, str]:
        """Say yes to connecting the company."""

    @abstractmethod
    def account(self, kind: str) -> str:
        """The id of an account: income, cost, bank, receivable, clearing."""

    @abstractmethod
    def customer(self, name: str) -> str:
        """Enter a customer."""

    @abstractmethod
    def vendor(self, name: str) -> str:
        """Enter a vendor."""

    @abstractmethod
    def names(self, kind: str) -> list[str]:
        """The active customers or vendors."""

    @abstractmethod
    def enter(self, kind: str, party: str, *, number: str, amount: str, memo: str = "") -> str:
        """Enter an invoice or bill."""

    @abstractmethod
    def documents(self, kind: str) -> list[Seen]:
        """All invoices or bills, ended ones included."""

    @abstractmethod
    def reprice(self, kind: str, remote_id: str, amount: str) -> None:
        """Change the amount of a document's only line."""

    @abstractmethod
    def end(self, kind: str, remote_id: str) -> None:
        """Void an invoice, or take a bill out of the books."""

    @abstractmethod
    def rename(self, kind: str, remote_id: str, name: str) -> None:
        """Rename a customer or vendor."""

    @abstractmethod
    def pay(self, kind: str, parts: dict[str, str], *, reference: str) -> None:
        """Enter one payment for one or more invoices (or bills) of one party."""

    @abstractmethod
    def unpay(self, kind: str, reference: str) -> None:
        """Take a payment out of the books."""

    @abstractmethod
    def reconcile(self, reference: str) -> None:
        """Find a payment on the bank statement."""

    @abstractmethod
    def fill(self, size: int) -> None:
        """Add that many documents at once."""

    @abstractmethod
    def touch_oldest(self) -> str:
        """Change the invoice that a reader met first, and return its id."""

    @abstractmethod
    def live_refresh_calls(self) -> int:
        """How many token calls were made."""

    @abstractmethod
    def deposit(self, amount: str, *, memo: str) -> None:
        """Put money that no payment brought into the bank."""

    @abstractmethod
    def journals(self) -> list[tuple[str, Decimal]]:
        """What valid journal entries say and the sum of their debits."""

    @abstractmethod
    def enter_journal(self, number: str, amount: str) -> None:
        """Enter a journal of costs against the clearing account."""

    @abstractmethod
    def rename_account(self, account_id: str, name: str) -> None:
        """Give an account another name."""

    @abstractmethod
    def accounts(self) -> list[str]:
        """The names of the chart."""

    @abstractmethod
    def add_account(self, name: str, kind: str, *, number: str) -> str:
        """Enter an account of kind income or cost; return its id."""

    @abstractmethod
    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        """Make an account inactive, or active again."""

    @abstractmethod
    def bill_lines(self, number: str) -> list[tuple[Decimal, str]]:
        """The amount and account id of each line of a bill."""

    @abstractmethod
    def kept(self, kind: str) -> dict[str, str]:
        """Every invoice or bill as the provider keeps it, to the byte: number → the whole document as text."""

    @abstractmethod
    def close_until(self, day: str | None) -> None:
        """Close the books up to a day, or open them."""

    def valid(self, kind: str) -> list[Seen]:
        """The documents that count."""
        return [one for one in self.documents(kind) if one.is_valid]


class QuickBooksBooks(Books):
    """QuickBooks' books."""

    key = "quickbooks_online"
    title = "QuickBooks Online"
    idle_calls = 1
    writes_per_call = 30
    has_native_lock = True

    _NAMES: ClassVar[dict[str, str]] = {
        "invoice": "Invoice",
        "bill": "Bill",
        "customer": "Customer",
        "vendor": "Vendor",
    }

    def is_api(self, path: str) -> bool:
        return path.startswith("/v3/")

    def settings(self, base: Settings) -> Settings:
        return base.model_copy(
            update={
                "quickbooks_base_url": self.url,
                "quickbooks_authorize_url": f"{self.url}/connect/oauth2",
                "quickbooks_token_url": f"{self.url}/oauth2/v1/tokens/bearer",
                "quickbooks_revoke_url": f"{self.url}/v2/oauth2/tokens/revoke",
                "quickbooks_client_id": "tieout-contract",
                "quickbooks_client_secret": SecretStr("a-made-up-secret"),
            }
        )

    def open_company(self, name: str) -> str:
        self.company = str(uuid4().int)[:16]
        made = httpx.post(f"{self.url}/_sandbox/companies", json={"realm": self.company, "name": name})
        assert made.status_code < httpx.codes.MULTIPLE_CHOICES, made.text
        return self.company

    def consent(self, url: str) -> dict[str, str]:
        return self.browse(url, sandbox_consent="auto", sandbox_realm=self.company)

    def _act(self, entity: str, body: Json, operation: str = "create", number: str = "") -> Json:
        wanted: Json = {"realm": self.company, "entity": entity, "operation": operation, "body": body}
        answer = self.http.post(
            "/_sandbox/act", content=json.dumps(wanted | ({"id": number} if number else {}))
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        return dict(answer.json())

    def _rows(self, entity: str) -> list[Json]:
        return [record.body for record in self.emulator.company(self.company).table(entity).rows.values()]

    def account(self, kind: str) -> str:
        wanted = {
            "income": "Income",
            "cost": "Cost of Goods Sold",
            "bank": "Bank",
            "receivable": "Accounts Receivable",
            "clearing": "Other Current Liability",
        }[kind]
        found: str = next(row["Id"] for row in self._rows("Account") if row["AccountType"] == wanted)
        return found

    def customer(self, name: str) -> str:
        return self._id(self._act("Customer", {"DisplayName": name}))

    def vendor(self, name: str) -> str:
        return self._id(self._act("Vendor", {"DisplayName": name}))

    @staticmethod
    def _id(answer: Json) -> str:
        found = (
            answer
            if "Id" in answer
            else next(value for value in answer.values() if isinstance(value, dict) and "Id" in value)
        )
        return str(found["Id"])

    def names(self, kind: str) -> list[str]:
        return sorted(row["DisplayName"] for row in self._rows(self._NAMES[kind]) if row.get("Active", True))

    def enter(self, kind: str, party: str, *, number: str, amount: str, memo: str = "") -> str:
        body: Json = {"DocNumber": number, "TxnDate": DATE, "PrivateNote": memo}
        if kind == "bill":
            detail = {"AccountRef": {"value": self.account("cost")}}
            body |= {"VendorRef": {"value": party}}
            body["Line"] = [
                {
                    "Amount": amount,
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "AccountBasedExpenseLineDetail": detail,
                }
            ]
        else:
            body |= {"CustomerRef": {"value": party}}
            item = self._id(
                self._act(
                    "Item",
                    {
                        "Name": f"Work {uuid4().hex[:8]}",
                        "Type": "Service",
                        "IncomeAccountRef": {"value": self.account("income")},
                    },
                )
            )
            body["Line"] = [
                {
                    "Amount": amount,
                    "DetailType": "SalesItemLineDetail",
                    "SalesItemLineDetail": {"ItemRef": {"value": item}},
                }
            ]
        return self._id(self._act(self._NAMES[kind], body))

    def documents(self, kind: str) -> list[Seen]:
        party = "CustomerRef" if kind == "invoice" else "VendorRef"
        return [
            Seen(
                id=row["Id"],
                number=row.get("DocNumber"),
                total=Decimal(str(row["TotalAmt"])),
                open=Decimal(str(row.get("Balance") or 0)),
                party=row[party]["value"],
                memo=str(row.get("PrivateNote") or ""),
                is_valid=bool(Decimal(str(row["TotalAmt"]))),
                date=str(row["TxnDate"]),
            )
            for row in self._rows(self._NAMES[kind])
        ]

    def _row(self, kind: str, remote_id: str) -> Json:
        return next(row for row in self._rows(self._NAMES[kind]) if row["Id"] == remote_id)

    def reprice(self, kind: str, remote_id: str, amount: str) -> None:
        row = self._row(kind, remote_id)
        line = next(one for one in row["Line"] if one["DetailType"] != "SubTotalLineDetail")
        detail = {name: dict(value) for name, value in line.items() if isinstance(value, dict)}
        for each in detail.values():
            each.pop("Qty", None)
            each.pop("UnitPrice", None)
        changed = {**line, **detail, "Amount": amount}
        self._act(
            self._NAMES[kind], {"Id": remote_id, "sparse": True, "Line": [changed]}, "update", remote_id
        )

    def end(self, kind: str, remote_id: str) -> None:
        self._act(self._NAMES[kind], {}, "void" if kind == "invoice" else "delete", remote_id)

    def rename(self, kind: str, remote_id: str, name: str) -> None:
        self._act(self._NAMES[kind], {"DisplayName": name, "sparse": True}, "update", remote_id)

    def pay(self, kind: str, parts: dict[str, str], *, reference: str) -> None:
        word = self._NAMES[kind]
        party = self._row(kind, next(iter(parts)))["CustomerRef" if kind == "invoice" else "VendorRef"]
        total = str(sum((Decimal(amount) for amount in parts.values()), Decimal(0)))
        lines = [
            {"Amount": amount, "LinkedTxn": [{"TxnId": one, "TxnType": word}]}
            for one, amount in parts.items()
        ]
        body: Json = {"TotalAmt": total, "TxnDate": DATE, "Line": lines}
        if kind == "invoice":
            self._act("Payment", body | {"CustomerRef": party, "PaymentRefNum": reference})
        else:
            bank = {"BankAccountRef": {"value": self.account("bank")}}
            more = {"VendorRef": party, "PayType": "Check", "CheckPayment": bank, "DocNumber": reference}
            self._act("BillPayment", body | more)

    def unpay(self, kind: str, reference: str) -> None:
        entity, name = ("Payment", "PaymentRefNum") if kind == "invoice" else ("BillPayment", "DocNumber")
        row = next(row for row in self._rows(entity) if row.get(name) == reference)
        self._act(entity, {}, "delete", row["Id"])

    def reconcile(self, reference: str) -> None:
        row = next(row for row in self._rows("Payment") if row.get("PaymentRefNum") == reference)
        self.control(
            "POST",
            "/clear",
            {"realm": self.company, "entity": "Payment", "id": row["Id"], "state": "Reconciled"},
        )

    def fill(self, size: int) -> None:
        self.control("POST", "/seed", {"realm": self.company, "size": size})

    def touch_oldest(self) -> str:
        row = min(self._rows("Invoice"), key=lambda one: int(one["Id"]))
        self._act("Invoice", {"PrivateNote": "touched", "sparse": True}, "update", row["Id"])
        return str(row["Id"])

    def live_refresh_calls(self) -> int:
        return sum(entry.path.endswith("/tokens/bearer") for entry in self.emulator.log.recent(5000))

    def deposit(self, amount: str, *, memo: str) -> None:
        detail = {"AccountRef": {"value": self.account("income")}}
        line = {
            "Amount": amount,
            "Description": memo,
            "DetailType": "DepositLineDetail",
            "DepositLineDetail": detail,
        }
        self._act(
            "Deposit",
            {"TxnDate": DATE, "DepositToAccountRef": {"value": self.account("bank")}, "Line": [line]},
        )

    def journals(self) -> list[tuple[str, Decimal]]:
        return [
            (
                str(row.get("DocNumber") or ""),
                sum(
                    (
                        Decimal(str(line["Amount"]))
                        for line in row["Line"]
                        if line["JournalEntryLineDetail"]["PostingType"] == "Debit"
                    ),
                    Decimal(0),
                ),
            )
            for row in self._rows("JournalEntry")
        ]

    def enter_journal(self, number: str, amount: str) -> None:
        lines = [
            {
                "Amount": amount,
                "DetailType": "JournalEntryLineDetail",
                "JournalEntryLineDetail": {"PostingType": side, "AccountRef": {"value": self.account(kind)}},
            }
            for side, kind in (("Debit", "cost"), ("Credit", "clearing"))
        ]
        self._act("JournalEntry", {"DocNumber": number, "TxnDate": DATE, "Line": lines})

    def rename_account(self, account_id: str, name: str) -> None:
        row = next(row for row in self._rows("Account") if row["Id"] == account_id)
        kept = {key: row[key] for key in ("AccountType", "AccountSubType", "AcctNum") if key in row}
        self._act("Account", {**kept, "Name": name}, "update", account_id)

    def accounts(self) -> list[str]:
        return [row["Name"] for row in self._rows("Account")]

    def add_account(self, name: str, kind: str, *, number: str) -> str:
        types = {"income": "Income", "cost": "Cost of Goods Sold"}
        return self._id(self._act("Account", {"Name": name, "AccountType": types[kind], "AcctNum": number}))

    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        self._act("Account", {"Active": is_active, "sparse": True}, "update", account_id)

    def bill_lines(self, number: str) -> list[tuple[Decimal, str]]:
        (row,) = [each for each in self._rows("Bill") if each.get("DocNumber") == number]
        return [
            (Decimal(str(line["Amount"])), line["AccountBasedExpenseLineDetail"]["AccountRef"]["value"])
            for line in row["Line"]
        ]

    def kept(self, kind: str) -> dict[str, str]:
        return {
            row["DocNumber"]: json.dumps(row, default=str, sort_keys=True)
            for row in self._rows(self._NAMES[kind])
        }

    def close_until(self, day: str | None) -> None:
        # In QuickBooks a closing date is moved back rather than taken away.
        self.control("POST", "/close-books", {"realm": self.company, "date": day or "2019-12-31"})


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
        code = {"income": "200", "cost": "300", "bank": "090", "receivable": "610", "clearing": "825"}[kind]
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

    def enter(self, kind: str, party: str, *, number: str, amount: str, memo: str = "") -> str:
        code = "200" if kind == "invoice" else "300"
        body = {
            "Type": self._TYPES[kind],
            "Contact": {"ContactID": party},
            "InvoiceNumber": number,
            "Date": DATE,
            "DueDate": DATE,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "Reference": memo if kind == "invoice" else None,
            "LineItems": [
                {"Description": "Work 1", "Quantity": 1, "UnitAmount": amount, "AccountCode": code}
            ],
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

    def pay(self, kind: str, parts: dict[str, str], *, reference: str) -> None:
        paid = [{"Invoice": {"InvoiceID": one}, "Amount": amount} for one, amount in parts.items()]
        header = {"Account": {"Code": "090"}, "Date": DATE, "Reference": reference}
        self._send("PUT", "Payments", {"Payments": [header | one for one in paid]})

    def unpay(self, kind: str, reference: str) -> None:
        for row in self._rows("Payments"):
            if row.get("Reference") == reference and row["Status"] == "AUTHORISED":
                self._send("POST", f"Payments/{row['PaymentID']}", {"Status": "DELETED"})

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
        types = {"income": "REVENUE", "cost": "DIRECTCOSTS"}
        body = {"Code": number, "Name": name, "Type": types[kind]}
        return str(self._send("PUT", "Accounts", body)[0]["AccountID"])

    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        body = {"AccountID": account_id, "Status": "ACTIVE" if is_active else "ARCHIVED"}
        self._send("POST", f"Accounts/{account_id}", body)

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

    def close_until(self, day: str | None) -> None:
        self.bookkeep("lock_period", date=day)
