"""What one kind of object demands: the frame every entity's own rules fill in.

`Rules.complete` gets a `Draft` with the merged object, checks it, adds what QuickBooks computes, and notes the
draft's postings, settlements and index keys. `writing.py` drives it for create, update, delete and void.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from sandbox.kernel.ledger import Posting
from sandbox.kernel.wire import money
from sandbox.quickbooks import faults
from sandbox.quickbooks.change import Change
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Body, Effects, Link, Record

CENT = Decimal("0.01")
SYSTEM_FIELDS = frozenset({"Id", "SyncToken", "MetaData", "domain", "sparse"})
CURRENCY = {"value": "USD", "name": "United States Dollar"}


def cents(amount: Decimal) -> Decimal:
    """Round to cents, half away from zero, in the shortest form."""
    return money(amount.quantize(CENT, rounding=ROUND_HALF_UP))


class Draft:
    """An object on its way in: what it will be, what it was, and what it will do to the books."""

    def __init__(
        self, change: Change, entity: str, body: Body, old: Record | None, sent: frozenset[str]
    ) -> None:
        self.change = change
        self.company: Company = change.company
        self.entity = entity
        self.body = body
        self.old = old
        self.sent = sent
        self.on: date | None = None
        self.postings: list[Posting] = []
        self.links: list[Link] = []
        self.keys: list[str] = []
        self.hidden: Body = {}

    @property
    def id(self) -> str:
        """The object's id; empty while it is new."""
        return self.old.id if self.old is not None else ""

    def old_value(self, name: str) -> Any:
        """Return a property as it was before this request."""
        return None if self.old is None else self.old.body.get(name)

    def require(self, *names: str) -> None:
        """Refuse a body without these properties."""
        for name in names:
            if self.body.get(name) is None:
                raise faults.required(name)

    def default(self, name: str, value: Any) -> Any:
        """Fill a property that is absent and return it."""
        if self.body.get(name) is None:
            self.body[name] = value
        return self.body[name]

    def refer(self, field: str, entity: str) -> Body | None:
        """Check a reference at the top of the object and complete its name."""
        ref = self.company.reference(entity, self.body.get(field), field, kept=self.old_value(field))
        if ref is not None:
            self.body[field] = ref
        return ref

    def post(self, account: str, amount: Decimal, party: str | None = None, memo: str = "") -> None:
        """Note a posting, debit positive."""
        if amount:
            self.postings.append(Posting(account, amount, party, memo))

    def effects(self) -> Effects:
        """Return everything the object does, to be stored with it."""
        return Effects(
            self.on, tuple(self.postings), tuple(self.links), tuple(dict.fromkeys(self.keys)), self.hidden
        )

    def open_amount(self, entity: str, record: Record) -> Decimal:
        """Return what is left of a transaction for this draft to settle (its own old share included)."""
        total: Decimal = record.body.get("TotalAmt", Decimal(0)) - record.body.get("Deposit", Decimal(0))
        taken = self.company.applied(entity, record.id)
        return total - sum(
            (amount for source, amount in taken.items() if source != (self.entity, self.id)), Decimal(0)
        )


class Rules:
    """The rules of one entity; subclasses override what differs."""

    entity: ClassVar[str]
    id_space: ClassVar[str] = "Txn"
    is_transaction: ClassVar[bool] = True
    can_delete: ClassVar[bool] = True
    void_style: ClassVar[str] = ""
    read_only: ClassVar[frozenset[str]] = frozenset()

    def complete(self, draft: Draft) -> None:
        """Check the draft and add what QuickBooks adds."""
        raise NotImplementedError

    def check_removal(self, draft: Draft) -> None:
        """Refuse a delete or void that is not allowed now."""

    def voided(self, draft: Draft) -> None:
        """Turn the draft into its voided form."""
        raise faults.unsupported(f"Operation void is not supported for {self.entity}")

    def fresh_id(self, change: Change) -> str:
        """Return the id of a new object."""
        return change.next_id(self.id_space)


class TransactionRules(Rules):
    """What all transactions share: date, currency, number, closed period."""

    checks_number: ClassVar[bool] = True

    def begin(self, draft: Draft) -> None:
        """Settle date and currency, and note the document number's key."""
        body = draft.body
        draft.default("TxnDate", draft.company.today().isoformat())
        draft.on = date.fromisoformat(body["TxnDate"])
        self.settle_currency(draft)
        if "DepartmentRef" in body and body["DepartmentRef"] is not None:
            draft.refer("DepartmentRef", "Department")
        number = body.get("DocNumber")
        if number is not None:
            key = f"number:{self.entity}:{number.lower()}"
            if self.checks_number and number != draft.old_value("DocNumber"):
                self.refuse_used_number(draft, key)
            draft.keys.append(key)

    def refuse_used_number(self, draft: Draft, key: str) -> None:
        """6140 for a number in use, unless duplicates are allowed for this request."""
        if draft.change.allow_duplicate_numbers or draft.company.switch("duplicate_numbers") == "allow":
            return
        for _entity, number in draft.company.holders(key):
            if number != draft.id:
                raise faults.duplicate_number(draft.body["DocNumber"], self.entity, number)

    def settle_currency(self, draft: Draft) -> None:
        """Fill the home currency; another currency is only for multi-currency companies."""
        is_multi = draft.company.preference("CurrencyPrefs", "MultiCurrencyEnabled") is True
        currency = draft.body.get("CurrencyRef")
        if currency is None:
            if is_multi and draft.old is None and draft.company.switch("currency_required") == "yes":
                raise faults.required("CurrencyRef")
            draft.body["CurrencyRef"] = CURRENCY
        elif currency["value"] != "USD":
            if not is_multi:
                raise faults.business("Multi-currency must be enabled to use a currency other than USD")
            raise faults.business("This sandbox keeps its books in USD only")
        else:
            draft.body["CurrencyRef"] = CURRENCY
        rate = draft.body.pop("ExchangeRate", None)
        if rate is not None and is_multi:
            draft.body["ExchangeRate"] = rate

    def due_date(self, draft: Draft, term_field: str, days_default: int) -> None:
        """Fill DueDate from the term, or from the default number of days."""
        days = days_default
        ref = draft.refer(term_field, "Term") if draft.body.get(term_field) is not None else None
        if ref is not None:
            term = draft.company.find("Term", ref["value"])
            if term is not None and term.body.get("DueDays") is not None:
                days = int(term.body["DueDays"])
        if draft.body.get("DueDate") is None and draft.on is not None:
            draft.body["DueDate"] = (draft.on + timedelta(days=days)).isoformat()

    def own_customer(self, draft: Draft) -> Body:
        """Require and check CustomerRef."""
        draft.require("CustomerRef")
        ref = draft.refer("CustomerRef", "Customer")
        if ref is None:
            raise faults.required("CustomerRef")
        return ref

    def own_vendor(self, draft: Draft) -> Body:
        """Require and check VendorRef."""
        draft.require("VendorRef")
        ref = draft.refer("VendorRef", "Vendor")
        if ref is None:
            raise faults.required("VendorRef")
        return ref

    def account_of(self, draft: Draft, field: str, *types: str) -> Body:
        """Return the account reference of a field, defaulted to the first of its types, checked for type."""
        if draft.body.get(field) is None:
            record = draft.company.account_of_type(*types)
            if record is None:
                raise faults.required(field)
            draft.body[field] = {"value": record.id}
        ref = draft.refer(field, "Account")
        if ref is None:
            raise faults.required(field)
        kind = draft.company.account_type(ref["value"])
        if kind not in types:
            raise faults.FaultError(
                "2500",
                "Invalid Reference Id",
                f"Invalid Reference Id : {field} {ref['value']} is of type {kind}; {' or '.join(types)} is needed",
                element=field,
            )
        return ref


def voided_note(body: Body) -> None:
    """Put `Voided` before the private note."""
    note = body.get("PrivateNote")
    body["PrivateNote"] = f"Voided - {note}"[:4000] if note else "Voided"
