"""Xero's books in the simulator."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Literal, cast

import httpx

from resources.spec import Access, Surroundings
from resources.xero.provider import Xero
from sandbox.kernel.clock import MovableClock
from sandbox.xero import create_app
from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from sync.clock import Clock
from sync.ports import Provider
from tests.simulation.books import DATE, Books, Entry, Json, Kind, Line, Money, Paper, Role, Stamp
from tests.simulation.faults import Fault
from tests.simulation.wire import Call, Dialect, FaultyWire, InProcess

TYPES: dict[Kind, str] = {"bill": "ACCPAY", "invoice": "ACCREC"}
PAYMENTS: dict[Kind, str] = {"bill": "ACCPAYPAYMENT", "invoice": "ACCRECPAYMENT"}
LIVE = ("AUTHORISED", "PAID")
# What the bookkeeper can change of a document, and what it is called here; the mark is not a value.
FIELDS = {
    "Reference": "memo",
    "LineItems": "lines",
    "InvoiceNumber": "number",
    "DueDate": "due_date",
    "Url": "mark",
}
CLIENT = f"Basic {base64.b64encode(f'{DEFAULT_CLIENT_ID}:{DEFAULT_CLIENT_SECRET}'.encode()).decode()}"
# Signing keys take long to make, and no promise hangs on them.
_keys: list[Any] = []


def _point(call: Call) -> tuple[str, bool]:
    resource = call.path.removeprefix("/api.xro/2.0/").split("/")[0]
    is_write = call.method in ("PUT", "POST", "DELETE")
    return f"Xero: {call.method if is_write else 'read'} {resource}", is_write


DIALECT = Dialect(
    answers={
        # A pause too long to be waited for on the spot.
        Fault.THROTTLED: (429, {"headers": {"retry-after": "120", "x-rate-limit-problem": "minute"}}),
        Fault.TOKEN_EXPIRED: (
            401,
            {
                "json": {
                    "Type": None,
                    "Title": "Unauthorized",
                    "Status": 401,
                    "Detail": "TokenExpired: token expired at 03/01/2040 12:00:00",
                }
            },
        ),
    },
    broken=(
        500,
        {
            "json": {
                "ErrorNumber": 500,
                "Type": "InternalServerException",
                "Message": "An error occurred in Xero.",
            }
        },
    ),
    point=_point,
)


class XeroBooks(Books):
    """One Xero organisation."""

    key = "xero"
    title = "Xero"
    dialect = DIALECT
    has_lock = False
    has_bill_memo = False
    _ACCOUNTS: ClassVar[dict[str, str]] = {
        "income": "200",
        "cost": "300",
        "bank": "090",
        "receivable": "610",
        "payable": "800",
    }

    def __init__(self, now: Callable[[], float]) -> None:
        """Open an organisation with a chart of accounts and nothing else; `now` is its own clock."""
        super().__init__()
        self.app = create_app(seed="none", clock=MovableClock(source=now))
        self.emulator: Any = self.app.emulator
        if _keys:
            self.emulator.identity._key = _keys[0]
        else:
            _keys.append(self.emulator.identity.signing_key())
        self.wire = InProcess(self.app)
        made = self.wire.json("POST", "/_sandbox/organisations", {"name": "Sim Books", "version": "US"})
        self.company_id = str(made.json()["id"])
        self._numbers = itertools.count(1)
        self._accounts: dict[str, str] = {}

    def provider(self, access: Access, http: FaultyWire, clock: Clock) -> Provider:
        around = Surroundings(
            http=cast("httpx.Client", http), clock=clock, gate=self.gate, public_url="http://localhost:8000"
        )
        return Xero(access, around)

    def consent(self) -> Json:
        answer = self.wire.json("POST", "/_sandbox/connect", {"organisations": [self.company_id]})
        return dict(answer.json())

    def refresh(self, tokens: Json) -> Json | None:
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answer = self.wire.form("/connect/token", form, authorization=CLIENT)
        return dict(answer.json()) if answer.is_success else None

    def revoke(self) -> None:
        self.emulator.identity.revoke_app(DEFAULT_CLIENT_ID)

    def forget(self) -> None:
        # It remembers for six minutes only, so that it forgets by itself; here it forgets at once.
        self.emulator.gateway.memory.clear()

    # ------------------------------------------------------------------ looking

    def stamps(self) -> list[Stamp]:
        documents = [
            Stamp(
                "bill" if row["Type"] == "ACCPAY" else "invoice",
                row["InvoiceID"],
                row["UpdatedDateUTC"],
                is_live=row["Status"] in LIVE,
            )
            for row in self._rows("Invoices")
        ]
        money = [
            Stamp(
                "bill_payment" if row["PaymentType"] == PAYMENTS["bill"] else "payment",
                row["PaymentID"],
                row["UpdatedDateUTC"],
                is_live=row["Status"] in LIVE,
            )
            for row in self._rows("Payments")
        ]
        entries = [
            Stamp(
                "journal_entry",
                row["ManualJournalID"],
                row["UpdatedDateUTC"],
                is_live=row["Status"] == "POSTED",
            )
            for row in self._rows("ManualJournals")
        ]
        return documents + money + entries

    def _rows(self, resource: str) -> list[Json]:
        return list(self.emulator.books[self.company_id][resource].rows.values())

    def accounts(self) -> dict[str, str]:
        if not self._accounts:
            ids = {row.get("Code"): row["AccountID"] for row in self._rows("Accounts")}
            self._accounts = {word: ids[code] for word, code in self._ACCOUNTS.items()}
        return self._accounts

    def papers(self, kind: Kind) -> list[Paper]:
        return [
            Paper(
                kind=kind,
                id=row["InvoiceID"],
                number=str(row.get("InvoiceNumber") or ""),
                party=row["ContactID"],
                date=str(row["Date"])[:10],
                total=row["Total"],
                open=row["AmountDue"],
                memo=str(row.get("Reference") or ""),
                texts=frozenset(str(line.get("Description") or "") for line in row["LineItems"]),
                is_live=row["Status"] in LIVE,
                has_mark="tieout:" in str(row.get("Url") or ""),
            )
            for row in self._rows("Invoices")
            if row["Type"] == TYPES[kind]
        ]

    def money(self, kind: Kind) -> list[Money]:
        return [
            Money(
                kind=kind,
                id=row["PaymentID"],
                document=row["DocumentID"],
                amount=row["Amount"],
                is_live=row["Status"] == "AUTHORISED",
            )
            for row in self._rows("Payments")
            if row["PaymentType"] == PAYMENTS[kind]
        ]

    def names(self, role: Role) -> dict[str, str]:
        word = "IsSupplier" if role == "vendor" else "IsCustomer"
        return {
            row["ContactID"]: row["Name"]
            for row in self._rows("Contacts")
            if row["ContactStatus"] == "ACTIVE" and row[word]
        }

    # ------------------------------------------------------------------ the bookkeeper's hands

    def _act(self, method: str, path: str, body: Json) -> bool:
        asked = {"organisation": self.company_id, "method": method, "path": path, "body": body}
        return self.wire.json("POST", "/_sandbox/act", asked).is_success

    def _bookkeep(self, action: str, **more: Any) -> bool:
        asked = {"organisation": self.company_id, "action": action, **more}
        return self.wire.json("POST", "/_sandbox/bookkeeper", asked).is_success

    def _update(self, paper: Paper, body: Json) -> bool:
        asked = {"Invoices": [{"InvoiceID": paper.id, **body}]}
        is_done = self._act("POST", f"Invoices/{paper.id}", asked)
        is_end = "Status" in body
        fields = () if is_end else (FIELDS[name] for name in body)
        return self._note(paper.id, *fields, is_done=is_done, is_end=is_end)

    def write_memo(self, paper: Paper, memo: str, *, keeps_mark: bool) -> bool:
        # The mark is in the Url, which nobody sees while editing a reference.
        return self._update(
            paper, {"Reference": memo} | ({} if keeps_mark else {"Url": "http://elsewhere.example/"})
        )

    def reprice(self, paper: Paper, amount: Decimal) -> bool:
        row = self._row(paper)
        lines = [
            {"LineItemID": line["LineItemID"], "Description": line.get("Description"), "AccountID": line["AccountID"],
             "Quantity": "1", "UnitAmount": line["LineAmount"]}
            for line in row["LineItems"]
        ]  # fmt: skip
        lines[-1]["UnitAmount"] = amount
        return self._update(paper, {"LineItems": lines})

    def lines(self, paper: Paper) -> list[Line]:
        return [
            Line(row["LineItemID"], str(row.get("Description") or ""), row["LineAmount"], row["AccountID"])
            for row in self._row(paper)["LineItems"]
        ]

    def due(self, paper: Paper) -> str:
        return str(self._row(paper).get("DueDate") or "")[:10]

    def put_lines(self, paper: Paper, lines: list[Line]) -> bool:
        account = self._row(paper)["LineItems"][-1]["AccountID"]
        accounts = {row["LineItemID"]: row["AccountID"] for row in self._row(paper)["LineItems"]}
        sent = [
            {"Description": line.text, "Quantity": "1", "UnitAmount": line.amount,
             "AccountID": accounts[line.id] if line.id else account}
            | ({"LineItemID": line.id} if line.id else {})
            for line in lines
        ]  # fmt: skip
        return self._update(paper, {"LineItems": sent})

    def _row(self, paper: Paper) -> Json:
        return cast("Json", self.emulator.books[self.company_id]["Invoices"].rows[paper.id])

    def renumber(self, paper: Paper, number: str) -> bool:
        return self._update(paper, {"InvoiceNumber": number})

    def redate(self, paper: Paper, due: str) -> bool:
        return self._update(paper, {"DueDate": due})

    def close_until(self, day: str | None) -> None:
        assert self._bookkeep("lock_period", date=day), "the sandbox takes any date"

    def everything(self) -> str:
        return json.dumps(
            {word: self._rows(word) for word in ("Invoices", "Contacts", "ManualJournals")}, default=str
        )

    def end(self, paper: Paper, *, how: Literal["void", "delete"]) -> bool:
        return self._update(paper, {"Status": "VOIDED"})

    def pay(self, paper: Paper, amount: Decimal) -> bool:
        body = {
            "Invoice": {"InvoiceID": paper.id},
            "Amount": amount,
            "Account": {"Code": "090"},
            "Date": DATE,
        }
        return self._act("PUT", "Payments", {"Payments": [body]})

    def unpay(self, money: Money) -> bool:
        is_done = self._act("POST", f"Payments/{money.id}", {"Status": "DELETED"})
        return self._note(money.id, is_done=is_done, is_end=True)

    def repay(self, money: Money, paper: Paper, amount: Decimal) -> bool:
        # Xero changes no payment: it is taken out and entered anew.
        return self.unpay(money) and self.pay(paper, amount)

    def rename(self, role: Role, remote_id: str, name: str) -> bool:
        asked = {"Contacts": [{"ContactID": remote_id, "Name": name}]}
        is_done = self._act("POST", f"Contacts/{remote_id}", asked)
        return self._note(remote_id, "name", is_done=is_done)

    def merge(self, role: Role, *, keep: str, lose: str) -> bool:
        moved = self._with(role, lose)
        is_done = self._bookkeep("merge_contacts", winner=keep, loser=lose)
        return self._note_merge(lose, moved, is_done=is_done)

    def enter_bill(self, vendor: str, number: str, amount: Decimal) -> bool:
        body = {
            "Type": "ACCPAY",
            "Contact": {"ContactID": vendor},
            "InvoiceNumber": number,
            "Date": DATE,
            "DueDate": DATE,
            "Status": "AUTHORISED",
            "LineAmountTypes": "NoTax",
            "LineItems": [
                {"Description": "by hand", "Quantity": "1", "UnitAmount": amount, "AccountCode": "300"}
            ],
        }
        return self._act("PUT", "Invoices", {"Invoices": [body]})

    def change_silently(self, paper: Paper) -> bool:
        # On a part-paid document the due date moves and UpdatedDateUTC does not.
        day = f"2040-04-{next(self._numbers) % 28 + 1:02}"
        is_done = self._bookkeep("set_due_date", id=paper.id, date=day)
        return self._note(paper.id, "due_date", is_done=is_done)

    def entries(self) -> list[Entry]:
        return [
            Entry(
                id=row["ManualJournalID"],
                number=_number(row["Narration"]),
                date=str(row["Date"])[:10],
                memo=row["Narration"].split("tieout:")[0].strip(),
                lines=tuple(
                    Line(None, str(line.get("Description") or ""), line["LineAmount"], line["AccountID"])
                    for line in row["LineItems"]
                ),
                is_live=row["Status"] == "POSTED",
            )
            for row in self._rows("ManualJournals")
        ]

    def _write_entry(self, entry: Entry, body: Json) -> bool:
        asked = {"ManualJournals": [{"ManualJournalID": entry.id, **body}]}
        return self._act("POST", f"ManualJournals/{entry.id}", asked)

    def write_entry_memo(self, entry: Entry, memo: str) -> bool:
        text = self.emulator.books[self.company_id]["ManualJournals"].rows[entry.id]["Narration"]
        # The mark is the last line of the text, behind what anybody wrote.
        mark = next((line for line in text.splitlines() if "tieout:" in line), "")
        is_done = self._write_entry(entry, {"Narration": f"{memo}\n{mark}" if mark else memo})
        return self._note(entry.id, "memo", is_done=is_done)

    def reprice_entry(self, entry: Entry, amount: Decimal) -> bool:
        amounts = [line.amount for line in entry.lines]
        amounts[0], amounts[-1] = amount, amounts[-1] - (amount - amounts[0])
        lines = [
            {"Description": line.text, "LineAmount": one, "AccountID": line.account}
            for line, one in zip(entry.lines, amounts, strict=True)
        ]
        is_done = self._write_entry(entry, {"JournalLines": lines})
        return self._note(entry.id, "lines", is_done=is_done)

    def end_entry(self, entry: Entry) -> bool:
        is_done = self._write_entry(entry, {"Status": "VOIDED"})
        return self._note(entry.id, is_done=is_done, is_end=True)

    # ------------------------------------------------------------------ proof

    def trial_balance(self) -> dict[str, Decimal]:
        sums = self.emulator.books[self.company_id].ledger.trial_balance()
        return {account: amount for account, amount in sums.items() if amount}

    def unapplied(self, kind: Kind) -> Decimal:
        # Here a payment is of one document as long as it is there at all.
        return Decimal(0)

    def problems(self) -> list[str]:
        return [problem for check in self.emulator.check_books().values() for problem in check.problems]


def _number(narration: str) -> str:
    """Return an entry's number, which stands behind our mark on the last line."""
    return narration.partition(" no. ")[2].strip()
