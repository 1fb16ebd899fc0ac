"""QuickBooks' JSON to canonical records in the provider's dialect. No calls are made here.

`raw` keeps what a later write must give back: for lists the whole object, because they are updated as a whole, for
documents their lines, because lines that are not sent back are deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from resources.quickbooks.lines import (
    DISCOUNT,
    ITEM_EXPENSE,
    JOURNAL,
    SALES,
    amount_of,
    applications,
    applied,
    decimal_of,
    deposit_line,
    flat,
    line_of,
    name_of,
    ref,
    signed_use,
    tax_line,
    text_of,
)
from resources.quickbooks.words import ACCOUNT_TYPES, ENTITIES, ITEM, name_in_use, split_note
from sync.money import amount_text
from sync.records import Canonical, Entity, RemoteRecord, TheirState, name_key, number_key

Json = Mapping[str, Any]

# Computed by QuickBooks; an update must not send them back.
_COMPUTED = frozenset(
    {
        "domain", "sparse", "MetaData", "Balance", "BalanceWithJobs", "CurrentBalance",
        "CurrentBalanceWithSubAccounts", "FullyQualifiedName", "Level", "Classification", "ClientEntityId",
        "V4IDPseudonym", "IsProject", "HasAttachment", "status",
    }
)  # fmt: skip
_DOCUMENT_KEPT = (
    "Id",
    "SyncToken",
    "Line",
    "CustomerRef",
    "VendorRef",
    "TxnTaxDetail",
    "GlobalTaxCalculation",
    "CashBack",
)
_LABELS = {
    Entity.INVOICE: "Invoice",
    Entity.BILL: "Bill",
    Entity.JOURNAL_ENTRY: "Journal entry",
    Entity.PAYMENT: "Payment",
    Entity.BILL_PAYMENT: "Bill payment",
    Entity.DEPOSIT: "Deposit",
}


class Reader:
    """Turns one company's objects into records."""

    def __init__(
        self,
        *,
        home_currency: str,
        account_of_item: Callable[[str, str], str | None],
        client_of: Callable[[str], str] = str,
    ) -> None:
        """Take what objects do not say themselves.

        `account_of_item(item id, "income" | "expense")` is asked where a line does not name its account, `client_of`
        for whose customer a sub-customer stands that is a job of ours.
        """
        self._client_of = client_of
        self._home = home_currency
        self._account_of_item = account_of_item
        self._canonical: Mapping[str, Callable[[Json], Canonical]] = {
            Entity.ACCOUNT: self._account,
            Entity.CUSTOMER: self._party,
            Entity.VENDOR: self._party,
            ITEM: self._item,
            Entity.INVOICE: self._invoice,
            Entity.BILL: self._bill,
            Entity.JOURNAL_ENTRY: self._journal_entry,
            Entity.PAYMENT: self._payment,
            Entity.BILL_PAYMENT: self._bill_payment,
            Entity.DEPOSIT: self._deposit,
        }

    def record(self, name: str, body: Json) -> RemoteRecord | None:
        """Return one object of QuickBooks' entity `name` as a record; None for what is never posted to."""
        entity = ENTITIES[name]
        if body.get("status") == "Deleted":
            return _deleted(entity, body)
        if entity == Entity.ACCOUNT and body.get("AccountType") not in ACCOUNT_TYPES:
            return None
        canonical = self._canonical[entity](body)
        return RemoteRecord(
            entity=entity,
            remote_id=str(body["Id"]),
            version=str(body["SyncToken"]) if body.get("SyncToken") is not None else None,
            state=_state(entity, body),
            canonical=canonical,
            label=label_of(entity, canonical),
            changed_at=changed_at(body),
            natural_key=_natural_key(canonical),
            document_date=date.fromisoformat(canonical["date"]) if canonical.get("date") else None,
            total=_total(entity, body, canonical),
            balance=decimal_of(body["Balance"]) if entity in _OPEN_DOCUMENTS and "Balance" in body else None,
            currency=canonical.get("currency"),
            marker=split_note(body.get("PrivateNote"))[1],
            raw=_kept(entity, body),
        )

    def party(self, body: Json, name: str, *, is_customer: bool = True) -> str | None:
        """Return whose document this is; a job of ours is its client's."""
        found = ref(body, name)
        return self._client_of(found) if found is not None and is_customer and name != "VendorRef" else found

    def lines(self, entity: str, body: Json) -> list[Canonical]:
        """Return the canonical lines of a document's raw form."""
        if entity == Entity.INVOICE:
            return self._invoice_lines(body)
        if entity == Entity.BILL:
            return self._bill_lines(body)
        return self._journal_lines(body)

    def deposit_lines(self, body: Json) -> list[Canonical]:
        """Return the canonical lines of a deposit's raw form, cash back included."""
        lines = [deposit_line(line) for line in body.get("Line") or ()]
        cash_back = body.get("CashBack") or {}
        if cash_back.get("Amount"):
            amount = amount_text(-decimal_of(cash_back["Amount"]))
            memo = cash_back.get("Memo") or "Cash back"
            lines.append({"payment": None, "amount": amount, "description": memo, "reference": None})
        return lines

    # ------------------------------------------------------------------ names

    def _account(self, body: Json) -> Canonical:
        is_active = body.get("Active", True)
        # Names are unique only below their parent; the whole path is what a bookkeeper would call the account.
        name = str(body.get("FullyQualifiedName") or body["Name"])
        return {
            "name": name_in_use(name, is_active=is_active),
            "number": body.get("AcctNum") or None,
            "type": ACCOUNT_TYPES[body["AccountType"]],
            "description": body.get("Description") or None,
        }

    def _party(self, body: Json) -> Canonical:
        name = str(body.get("DisplayName") or body.get("FullyQualifiedName") or "")
        return {
            "name": name_in_use(name, is_active=body.get("Active", True)),
            "email": (body.get("PrimaryEmailAddr") or {}).get("Address") or None,
            "phone": (body.get("PrimaryPhone") or {}).get("FreeFormNumber") or None,
            "address": address_of(body.get("BillAddr") or {}),
        }

    def _item(self, body: Json) -> Canonical:
        return {
            "name": name_in_use(
                str(body.get("FullyQualifiedName") or body["Name"]), is_active=body.get("Active", True)
            ),
            "type": body.get("Type"),
            "income_account": ref(body, "IncomeAccountRef"),
            "expense_account": ref(body, "ExpenseAccountRef"),
        }

    # ------------------------------------------------------------------ documents

    def _invoice(self, body: Json) -> Canonical:
        return {
            **self._document(body, party="CustomerRef"),
            "due_date": body.get("DueDate"),
            "total": amount_of(body.get("TotalAmt")),
            "lines": self._invoice_lines(body),
        }

    def _bill(self, body: Json) -> Canonical:
        return {
            **self._document(body, party="VendorRef"),
            "due_date": body.get("DueDate"),
            "total": amount_of(body.get("TotalAmt")),
            "lines": self._bill_lines(body),
        }

    def _document(self, body: Json, *, party: str) -> Canonical:
        return {
            "number": body.get("DocNumber") or None,
            "date": body["TxnDate"],
            "party": self.party(body, party),
            "currency": ref(body, "CurrencyRef") or self._home,
            "memo": split_note(body.get("PrivateNote"))[0],
        }

    def _invoice_lines(self, body: Json) -> list[Canonical]:
        lines: list[Canonical] = []
        for line in flat(body.get("Line") or ()):
            kind = line.get("DetailType")
            if kind == "SubTotalLineDetail":
                continue
            detail = line.get(str(kind)) or {}
            amount = decimal_of(line.get("Amount"))
            account: str | None = None
            if kind == SALES:
                item = ref(detail, "ItemRef")
                account = ref(detail, "ItemAccountRef") or (
                    self._account_of_item(item, "income") if item else None
                )
            elif kind == DISCOUNT:
                amount, account = -amount, ref(detail, "DiscountAccountRef")
            lines.append(line_of(line, amount=amount, detail=detail, account=account))
        return lines + tax_line(body)

    def _bill_lines(self, body: Json) -> list[Canonical]:
        lines: list[Canonical] = []
        for line in flat(body.get("Line") or ()):
            kind = line.get("DetailType")
            if kind == "SubTotalLineDetail":
                continue
            detail = line.get(str(kind)) or {}
            account = ref(detail, "AccountRef")
            if kind == ITEM_EXPENSE:
                item = ref(detail, "ItemRef")
                account = ref(detail, "ItemAccountRef") or (
                    self._account_of_item(item, "expense") if item else None
                )
            lines.append(line_of(line, amount=decimal_of(line.get("Amount")), detail=detail, account=account))
        return lines + tax_line(body)

    def _journal_entry(self, body: Json) -> Canonical:
        return {
            "number": body.get("DocNumber") or None,
            "date": body["TxnDate"],
            "currency": ref(body, "CurrencyRef") or self._home,
            "memo": split_note(body.get("PrivateNote"))[0],
            "lines": self._journal_lines(body),
        }

    def _journal_lines(self, body: Json) -> list[Canonical]:
        lines: list[Canonical] = []
        for line in body.get("Line") or ():
            detail = line.get(JOURNAL)
            if detail is None:
                continue
            amount = amount_of(line.get("Amount"))
            is_debit = detail.get("PostingType") == "Debit"
            entity = detail.get("Entity") or {}
            kind = str(entity.get("Type") or "").casefold()
            lines.append(
                {
                    "id": text_of(line.get("Id")),
                    "description": line.get("Description") or "",
                    "debit": amount if is_debit else "0.00",
                    "credit": "0.00" if is_debit else amount,
                    "account": ref(detail, "AccountRef"),
                    "party_kind": kind if kind in ("customer", "vendor") else None,
                    "party": self.party(entity, "EntityRef", is_customer=kind == "customer")
                    if kind in ("customer", "vendor")
                    else None,
                }
            )
        return lines

    # ------------------------------------------------------------------ money that moved

    def _payment(self, body: Json) -> Canonical:
        amount = decimal_of(body.get("TotalAmt"))
        to_invoices = applied(body, "Invoice")
        unapplied = body.get("UnappliedAmt")
        return {
            "date": body["TxnDate"],
            "party": self.party(body, "CustomerRef"),
            "currency": ref(body, "CurrencyRef") or self._home,
            "amount": amount_text(amount),
            "unapplied": amount_of(
                unapplied if unapplied is not None else amount - sum(to_invoices.values(), Decimal(0))
            ),
            "reference": body.get("PaymentRefNum") or None,
            "method": name_of(body, "PaymentMethodRef"),
            "memo": split_note(body.get("PrivateNote"))[0],
            "applications": applications(to_invoices, "invoice"),
        }

    def _bill_payment(self, body: Json) -> Canonical:
        amount = decimal_of(body.get("TotalAmt"))
        used = sum((signed_use(line) for line in body.get("Line") or ()), Decimal(0))
        return {
            "date": body["TxnDate"],
            "party": ref(body, "VendorRef"),
            "currency": ref(body, "CurrencyRef") or self._home,
            "amount": amount_text(amount),
            "unapplied": amount_text(amount - used),
            "reference": body.get("DocNumber") or None,
            "method": body.get("PayType") or None,
            "memo": split_note(body.get("PrivateNote"))[0],
            "applications": applications(applied(body, "Bill"), "bill"),
        }

    def _deposit(self, body: Json) -> Canonical:
        return {
            "date": body["TxnDate"],
            "account": ref(body, "DepositToAccountRef"),
            "currency": ref(body, "CurrencyRef") or self._home,
            "amount": amount_of(body.get("TotalAmt")),
            "memo": split_note(body.get("PrivateNote"))[0],
            "reference": body.get("DocNumber") or None,
            "lines": self.deposit_lines(body),
        }


_OPEN_DOCUMENTS = frozenset({Entity.INVOICE, Entity.BILL})
_VOIDABLE = frozenset({Entity.INVOICE, Entity.PAYMENT, Entity.BILL_PAYMENT})


def without_computed(body: Json) -> dict[str, Any]:
    """Return an object of a list without what QuickBooks computes, as an update has to send it back."""
    return {name: value for name, value in body.items() if name not in _COMPUTED}


def address_of(body: Json) -> Canonical | None:
    """Return an address, or None where QuickBooks keeps an empty one."""
    street = [
        str(body[name]).strip() for name in (f"Line{number}" for number in range(1, 6)) if body.get(name)
    ]
    address = {
        "line": ", ".join(part for part in street if part) or None,
        "city": body.get("City") or None,
        "region": body.get("CountrySubDivisionCode") or None,
        "postal_code": body.get("PostalCode") or None,
    }
    return address if any(address.values()) else None


def changed_at(body: Json) -> datetime | None:
    """Return when QuickBooks last touched an object."""
    text = (body.get("MetaData") or {}).get("LastUpdatedTime")
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo is not None else None


def _deleted(entity: str, body: Json) -> RemoteRecord:
    return RemoteRecord(
        entity=entity,
        remote_id=str(body["Id"]),
        version=None,
        state="deleted",
        canonical={},
        label=f"{_LABELS.get(Entity(entity), 'Record') if entity != ITEM else 'Item'} {body['Id']} (deleted)",
        changed_at=changed_at(body),
    )


def _state(entity: str, body: Json) -> TheirState:
    if body.get("Active") is False:
        return "inactive"
    if entity in _VOIDABLE and not decimal_of(body.get("TotalAmt")):
        note = str(body.get("PrivateNote") or "").lstrip().casefold()
        if note.startswith("voided"):
            return "void"
    return "active"


def label_of(entity: str, canonical: Canonical) -> str:
    """Return what a bookkeeper would call the record."""
    if "name" in canonical:
        return str(canonical["name"])
    number = canonical.get("number") or canonical.get("reference")
    return f"{_LABELS[Entity(entity)]} {number or 'of ' + canonical['date']}"


def _natural_key(canonical: Canonical) -> str | None:
    return name_key(canonical["name"]) if "name" in canonical else number_key(canonical.get("number"))


def _total(entity: str, body: Json, canonical: Canonical) -> Decimal | None:
    if entity == Entity.JOURNAL_ENTRY:
        return sum((Decimal(line["debit"]) for line in canonical["lines"]), Decimal(0))
    return decimal_of(body["TotalAmt"]) if "TotalAmt" in body else None


def _kept(entity: str, body: Json) -> dict[str, Any]:
    if entity in _LABELS:
        return {name: body[name] for name in _DOCUMENT_KEPT if name in body}
    return without_computed(body)
