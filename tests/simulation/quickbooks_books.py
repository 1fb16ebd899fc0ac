"""QuickBooks' books in the simulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from resources.quickbooks.provider import QuickBooks
from resources.spec import Access
from sandbox.kernel.clock import MovableClock
from sandbox.quickbooks import create_app
from sync.clock import Clock
from sync.ports import Provider
from tests.simulation.books import DATE, Books, Entry, Json, Kind, Line, Money, Paper, Role, Stamp
from tests.simulation.faults import Fault
from tests.simulation.wire import Call, Dialect, FaultyWire, InProcess

REALM = "9341450000000101"
LONG_AGO = "2019-12-31"
ENTITIES: dict[str, str] = {"bill": "Bill", "invoice": "Invoice", "vendor": "Vendor", "customer": "Customer"}
STAMPED = (
    *ENTITIES.items(),
    ("payment", "Payment"),
    ("bill_payment", "BillPayment"),
    ("journal_entry", "JournalEntry"),
)
PAYMENTS: dict[Kind, str] = {"bill": "BillPayment", "invoice": "Payment"}
# What the bookkeeper can change of a document, and what it is called here.
FIELDS = {"PrivateNote": "memo", "Line": "lines", "DocNumber": "number", "DueDate": "due_date"}
CLIENT = f"Basic {base64.b64encode(b'sim:secret').decode()}"


def _point(call: Call) -> tuple[str, bool]:
    resource = call.path.rsplit(f"/{REALM}/", 1)[-1].split("/")[0]
    if call.method == "POST" and resource == "batch":
        entity = next(
            (
                name
                for name in (*ENTITIES.values(), "Item", "JournalEntry")
                if f'"{name}"'.encode() in call.body
            ),
            "?",
        )
        return f"QuickBooks: batch of {entity}", True
    is_write = call.method == "POST" and resource != "query"
    return f"QuickBooks: {'write' if is_write else 'read'} {resource}", is_write


DIALECT = Dialect(
    answers={
        Fault.THROTTLED: (
            429,
            {
                "json": {
                    "Fault": {
                        "Error": [{"Message": "ThrottleExceeded", "code": "3001"}],
                        "type": "SERVICE",
                    }
                },
                "headers": {"Retry-After": "120"},
            },
        ),
        Fault.TOKEN_EXPIRED: (
            401,
            {
                "json": {
                    "fault": {
                        "error": [
                            {
                                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                                "detail": "Token expired",
                                "code": "3200",
                            }
                        ],
                        "type": "AUTHENTICATION",
                    }
                }
            },
        ),
    },
    broken=(
        500,
        {
            "json": {
                "Fault": {
                    "Error": [{"Message": "An application error has occurred", "code": "10000"}],
                    "type": "SystemFault",
                }
            }
        },
    ),
    point=_point,
)


class QuickBooksBooks(Books):
    """One QuickBooks company."""

    key = "quickbooks_online"
    title = "QuickBooks"
    dialect = DIALECT
    has_lock = True
    has_bill_memo = True
    _ACCOUNTS: ClassVar[dict[str, str]] = {
        "income": "Income",
        "cost": "Cost of Goods Sold",
        "bank": "Bank",
        "receivable": "Accounts Receivable",
        "payable": "Accounts Payable",
    }

    def __init__(self, now: Callable[[], float]) -> None:
        """Open a company with a chart of accounts and nothing else; `now` is its own clock."""
        super().__init__()
        self.app = create_app(seed="empty", clock=MovableClock(source=now))
        self.emulator = self.app.emulator
        self.emulator.switches["duplicate_numbers"] = "allow"
        self.wire = InProcess(self.app)
        self.company_id = REALM

    def provider(self, access: Access, http: FaultyWire, clock: Clock) -> Provider:
        return QuickBooks(access, http=cast("httpx.Client", http), clock=clock, gate=self.gate)

    def consent(self) -> Json:
        asked = {
            "client_id": "sim",
            "response_type": "code",
            "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": "http://127.0.0.1/cb",
            "state": "s",
            "sandbox_consent": "auto",
            "sandbox_realm": REALM,
        }
        location = self.wire.run(Call.of("GET", f"/connect/oauth2?{urlencode(asked)}")).headers["location"]
        code = parse_qs(urlsplit(location).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1/cb"}
        return dict(self.wire.form("/oauth2/v1/tokens/bearer", form, authorization=CLIENT).json())

    def refresh(self, tokens: Json) -> Json | None:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answer = self.wire.form("/oauth2/v1/tokens/bearer", form, authorization=CLIENT)
        return dict(answer.json()) if answer.is_success else None

    def revoke(self) -> None:
        self.emulator.oauth.revoke_realm(REALM)  # type: ignore[attr-defined]

    def forget(self) -> None:
        self.emulator.switches["requestid_memory"] = "expired"

    def remember(self) -> None:
        self.emulator.switches["requestid_memory"] = "forever"

    # ------------------------------------------------------------------ looking

    def stamps(self) -> list[Stamp]:
        return [
            Stamp(
                entity,
                row["Id"],
                datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"]),
                row["SyncToken"],
            )
            for entity, word in STAMPED
            for row in self._rows(word)
        ]

    def _rows(self, entity: str) -> list[Json]:
        table = self.emulator.company(REALM).table(entity)  # type: ignore[attr-defined]
        return [record.body for record in table.rows.values()]

    def accounts(self) -> dict[str, str]:
        rows = self._rows("Account")
        return {
            word: next(row["Id"] for row in rows if row["AccountType"] == kind)
            for word, kind in self._ACCOUNTS.items()
        }

    def papers(self, kind: Kind) -> list[Paper]:
        party = "VendorRef" if kind == "bill" else "CustomerRef"
        return [
            Paper(
                kind=kind,
                id=row["Id"],
                number=str(row.get("DocNumber") or ""),
                party=row[party]["value"],
                date=str(row["TxnDate"]),
                total=_amount(row["TotalAmt"]),
                open=_amount(row.get("Balance")),
                memo=_memo(row),
                texts=frozenset(str(line.get("Description") or "") for line in row["Line"]),
                is_live=bool(_amount(row["TotalAmt"])),
                has_mark=bool(_mark(row)),
            )
            for row in self._rows(ENTITIES[kind])
        ]

    def money(self, kind: Kind) -> list[Money]:
        return [
            Money(
                kind=kind,
                id=row["Id"],
                document=next(
                    (one["TxnId"] for line in row["Line"] for one in line.get("LinkedTxn") or ()), ""
                ),
                amount=_amount(row["TotalAmt"]),
                is_live=bool(_amount(row["TotalAmt"])),
            )
            for row in self._rows(PAYMENTS[kind])
        ]

    def names(self, role: Role) -> dict[str, str]:
        return {
            row["Id"]: row["DisplayName"] for row in self._rows(ENTITIES[role]) if row.get("Active", True)
        }

    # ------------------------------------------------------------------ the bookkeeper's hands

    def _act(self, operation: str, entity: str, body: Json, number: str = "") -> bool:
        asked = {"realm": REALM, "entity": entity, "operation": operation, "id": number, "body": body}
        return self.wire.json("POST", "/_sandbox/act", asked).is_success

    def _row(self, paper: Paper) -> Json:
        row = self.emulator.company(REALM).find(ENTITIES[paper.kind], paper.id).body  # type: ignore[attr-defined]
        return cast("Json", row)

    def _update(self, paper: Paper, body: Json) -> bool:
        party = "VendorRef" if paper.kind == "bill" else "CustomerRef"
        is_done = self._act("update", ENTITIES[paper.kind], {party: {"value": paper.party}, **body}, paper.id)
        return self._note(paper.id, *(FIELDS[name] for name in body), is_done=is_done)

    def write_memo(self, paper: Paper, memo: str, *, keeps_mark: bool) -> bool:
        mark = _mark(self._row(paper))
        return self._update(paper, {"PrivateNote": f"{memo}\n{mark}" if mark and keeps_mark else memo})

    def reprice(self, paper: Paper, amount: Decimal) -> bool:
        lines = [
            dict(line) for line in self._row(paper)["Line"] if line.get("DetailType") != "SubTotalLineDetail"
        ]
        last = lines[-1]
        for name, value in last.items():
            if isinstance(value, dict):
                last[name] = {key: part for key, part in value.items() if key not in ("Qty", "UnitPrice")}
        last["Amount"] = amount
        return self._update(paper, {"Line": lines})

    def lines(self, paper: Paper) -> list[Line]:
        return [
            Line(row["Id"], str(row.get("Description") or ""), _amount(row["Amount"]), self._account(row))
            for row in self._row(paper)["Line"]
            if row.get("DetailType") != "SubTotalLineDetail"
        ]

    def _account(self, line: Json) -> str:
        """Return where a line is posted; an invoice's says it by its item."""
        detail = line[line["DetailType"]]
        if "ItemRef" in detail:
            item = self.emulator.company(REALM).find("Item", detail["ItemRef"]["value"])  # type: ignore[attr-defined]
            return str(item.body["IncomeAccountRef"]["value"])
        return str(detail["AccountRef"]["value"])

    def due(self, paper: Paper) -> str:
        return str(self._row(paper).get("DueDate") or "")

    def put_lines(self, paper: Paper, lines: list[Line]) -> bool:
        rows = {
            row["Id"]: row
            for row in self._row(paper)["Line"]
            if row.get("DetailType") != "SubTotalLineDetail"
        }
        last = list(rows.values())[-1]
        sent = []
        for line in lines:
            like = (
                rows[line.id] if line.id else {key: last[key] for key in last if key not in ("Id", "LineNum")}
            )
            plain = {
                key: {name: part for name, part in value.items() if name not in ("Qty", "UnitPrice")}
                if isinstance(value, dict)
                else value
                for key, value in like.items()
            }
            sent.append({**plain, "Description": line.text, "Amount": line.amount})
        return self._update(paper, {"Line": sent})

    def renumber(self, paper: Paper, number: str) -> bool:
        return self._update(paper, {"DocNumber": number})

    def redate(self, paper: Paper, due: str) -> bool:
        return self._update(paper, {"DueDate": due})

    def close_until(self, day: str | None) -> None:
        # In QuickBooks a closing date is moved back rather than taken away.
        asked = {"realm": REALM, "date": day or LONG_AGO}
        assert self.wire.json("POST", "/_sandbox/close-books", asked).is_success, "the sandbox takes any date"

    def everything(self) -> str:
        words = ("Bill", "Invoice", "Vendor", "Customer", "JournalEntry")
        return json.dumps({word: self._rows(word) for word in words}, default=str)

    def end(self, paper: Paper, *, how: Literal["void", "delete"]) -> bool:
        is_done = self._act("delete" if paper.kind == "bill" else how, ENTITIES[paper.kind], {}, paper.id)
        return self._note(paper.id, is_done=is_done, is_end=True)

    def pay(self, paper: Paper, amount: Decimal) -> bool:
        body: Json = {"TotalAmt": amount, "TxnDate": DATE, "Line": [_paying(paper, amount)]}
        if paper.kind == "invoice":
            return self._act("create", "Payment", body | {"CustomerRef": {"value": paper.party}})
        bank = {"BankAccountRef": {"value": self.accounts()["bank"]}}
        return self._act(
            "create",
            "BillPayment",
            body | {"VendorRef": {"value": paper.party}, "PayType": "Check", "CheckPayment": bank},
        )

    def unpay(self, money: Money) -> bool:
        is_done = self._act("delete", PAYMENTS[money.kind], {}, money.id)
        return self._note(money.id, is_done=is_done, is_end=True)

    def repay(self, money: Money, paper: Paper, amount: Decimal) -> bool:
        body = {"TotalAmt": amount, "Line": [_paying(paper, amount)]}
        return self._act("update", PAYMENTS[money.kind], body, money.id)

    def rename(self, role: Role, remote_id: str, name: str) -> bool:
        is_done = self._act("update", ENTITIES[role], {"DisplayName": name}, remote_id)
        return self._note(remote_id, "name", is_done=is_done)

    def merge(self, role: Role, *, keep: str, lose: str) -> bool:
        body = {"realm": REALM, "entity": ENTITIES[role], "keep": keep, "lose": lose}
        moved = self._with(role, lose)
        is_done = self.wire.json("POST", "/_sandbox/merge", body).is_success
        return self._note_merge(lose, moved, is_done=is_done)

    def enter_bill(self, vendor: str, number: str, amount: Decimal) -> bool:
        line = {
            "Amount": amount,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": self.accounts()["cost"]}},
        }
        body = {"VendorRef": {"value": vendor}, "DocNumber": number, "TxnDate": DATE, "Line": [line]}
        return self._act("create", "Bill", body)

    def change_silently(self, paper: Paper) -> bool:
        return False

    def entries(self) -> list[Entry]:
        return [
            Entry(
                id=row["Id"],
                number=str(row.get("DocNumber") or ""),
                date=str(row["TxnDate"]),
                memo=_memo(row),
                lines=tuple(
                    Line(line["Id"], str(line.get("Description") or ""), _signed(line), self._account(line))
                    for line in row["Line"]
                ),
                is_live=True,
            )
            for row in self._rows("JournalEntry")
        ]

    def _entry(self, entry: Entry) -> Json:
        return cast("Json", self.emulator.company(REALM).find("JournalEntry", entry.id).body)  # type: ignore[attr-defined]

    def write_entry_memo(self, entry: Entry, memo: str) -> bool:
        mark = _mark(self._entry(entry))
        body = {"PrivateNote": f"{memo}\n{mark}" if mark else memo}
        return self._note(entry.id, "memo", is_done=self._act("update", "JournalEntry", body, entry.id))

    def reprice_entry(self, entry: Entry, amount: Decimal) -> bool:
        lines = [dict(line) for line in self._entry(entry)["Line"]]
        more = amount - _amount(lines[0]["Amount"])
        lines[0]["Amount"], lines[-1]["Amount"] = amount, _amount(lines[-1]["Amount"]) + more
        is_done = self._act("update", "JournalEntry", {"Line": lines}, entry.id)
        return self._note(entry.id, "lines", is_done=is_done)

    def end_entry(self, entry: Entry) -> bool:
        is_done = self._act("delete", "JournalEntry", {}, entry.id)
        return self._note(entry.id, is_done=is_done, is_end=True)

    # ------------------------------------------------------------------ proof

    def trial_balance(self) -> dict[str, Decimal]:
        sums = self.emulator.company(REALM).ledger.trial_balance()  # type: ignore[attr-defined]
        return {number: amount for number, amount in sums.items() if amount}

    def unapplied(self, kind: Kind) -> Decimal:
        return sum(
            (
                _amount(row["TotalAmt"]) - sum(_amount(line["Amount"]) for line in row["Line"])
                for row in self._rows(PAYMENTS[kind])
            ),
            Decimal(0),
        )

    def problems(self) -> list[str]:
        return [problem for check in self.emulator.check_books().values() for problem in check.problems]


def _amount(value: Any) -> Decimal:
    return Decimal(str(value or 0))


def _paying(paper: Paper, amount: Decimal) -> Json:
    return {"Amount": amount, "LinkedTxn": [{"TxnId": paper.id, "TxnType": ENTITIES[paper.kind]}]}


def _signed(line: Json) -> Decimal:
    is_credit = line["JournalEntryLineDetail"]["PostingType"] == "Credit"
    return -_amount(line["Amount"]) if is_credit else _amount(line["Amount"])


def _mark(row: Json) -> str:
    note = str(row.get("PrivateNote") or "")
    return next((line for line in note.splitlines() if "tieout:" in line), "")


def _memo(row: Json) -> str:
    return str(row.get("PrivateNote") or "").split("tieout:")[0].strip()
