"""The bookkeeper's hands in QuickBooks."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import ClassVar
from uuid import uuid4

import httpx
from pydantic import SecretStr

from resources.settings import Settings
from tests.support.books import DATE, Books, Json, Seen


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
            "payable": "Accounts Payable",
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

    def enter(
        self, kind: str, party: str, *, number: str, amount: str, memo: str = "", account: str | None = None
    ) -> str:
        body: Json = {"DocNumber": number, "TxnDate": DATE, "PrivateNote": memo}
        if kind == "bill":
            detail = {"AccountRef": {"value": account or self.account("cost")}}
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

    def merge_vendors(self, *, keep: str, lose: str) -> None:
        self.control(
            "POST", "/merge", {"realm": self.company, "entity": "Vendor", "keep": keep, "lose": lose}
        )

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

    def reconcile_part(self, reference: str) -> None:
        # Deposited, with a part of it put into a second bank account; only the first one's statement is there.
        row = next(row for row in self._rows("Payment") if row.get("PaymentRefNum") == reference)
        savings = self._id(self._act("Account", {"Name": "Savings", "AccountType": "Bank"}))
        link = {"TxnId": row["Id"], "TxnType": "Payment", "TxnLineId": "0"}
        bank = self.account("bank")
        body = {
            "TxnDate": DATE,
            "DepositToAccountRef": {"value": bank},
            "Line": [{"Amount": str(row["TotalAmt"]), "LinkedTxn": [link]}],
            "CashBack": {"AccountRef": {"value": savings}, "Amount": 100},
        }
        part = {"entity": "Deposit", "id": self._id(self._act("Deposit", body)), "account": bank}
        self.control("POST", "/clear", {"realm": self.company, **part, "state": "Reconciled"})

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
        types = {
            "income": "Income",
            "cost": "Cost of Goods Sold",
            "asset": "Other Current Asset",
            "liability": "Other Current Liability",
        }
        return self._id(self._act("Account", {"Name": name, "AccountType": types[kind], "AcctNum": number}))

    def switch_account(self, account_id: str, *, is_active: bool) -> None:
        self._act("Account", {"Active": is_active, "sparse": True}, "update", account_id)

    def annotate(self, kind: str, remote_id: str, memo: str) -> None:
        mark = str(self._row(kind, remote_id).get("PrivateNote") or "").rpartition("tieout:")[2]
        note = f"{memo}\ntieout:{mark}" if mark else memo
        self._act(self._NAMES[kind], {"PrivateNote": note, "sparse": True}, "update", remote_id)

    def arrived(self) -> list[str]:
        return [row["DocNumber"] for row in sorted(self._rows("Bill"), key=lambda row: int(row["Id"]))]

    def balances(self) -> dict[str, Decimal]:
        return dict(self.emulator.company(self.company).ledger.trial_balance())

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
