"""Xero's money to canonical payments, bill payments and deposits. Nothing here makes a call.

Xero keeps one Payment per invoice. Those that were one receipt are joined again: the payments of one contact in one
batch, or with the same contact, account, date and reference. Credit notes, overpayments and prepayments lower what is
due without a Payment; each is a receipt too, told apart by its method, so that nothing that settles a document is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from resources.xero.read import label_of, version_of
from resources.xero.words import amount_of, day, decimal_of, id_in, instant, split_reference
from sync.money import amount_text
from sync.records import Canonical, Entity, RemoteRecord, TheirState

Json = Mapping[str, Any]
ReceiptKey = tuple[Entity, str]

# Kinds of remote id: Xero has no id for a receipt, so its parts are the id, and can be looked up again from it.
BATCH, RECEIPT, RECEIVED, TRANSFER = "batch", "receipt", "received", "transfer"
CREDITS: Mapping[str, tuple[str, str, str]] = {
    "CreditNotes": ("credit", "CreditNoteID", "Credit note"),
    "Overpayments": ("overpayment", "OverpaymentID", "Overpayment"),
    "Prepayments": ("prepayment", "PrepaymentID", "Prepayment"),
}
CREDIT_RESOURCES: Mapping[str, str] = {prefix: resource for resource, (prefix, _, _) in CREDITS.items()}
_PAID: Mapping[str, tuple[Entity, str]] = {
    "ACCRECPAYMENT": (Entity.PAYMENT, "invoice"),
    "ACCPAYPAYMENT": (Entity.BILL_PAYMENT, "bill"),
}
PAYMENT_TYPES: Mapping[Entity, str] = {entity: kind for kind, (entity, _) in _PAID.items()}
_OURS_TO_RECEIVE = frozenset(
    {"ACCRECCREDIT", "RECEIVE-OVERPAYMENT", "AROVERPAYMENT", "RECEIVE-PREPAYMENT", "ARPREPAYMENT"}
)


def key_of(payment: Json) -> ReceiptKey | None:
    """Return which receipt a Payment belongs to; None for refunds, which lower a credit and pay no document."""
    kind = _PAID.get(str(payment.get("PaymentType")))
    if kind is None:
        return None
    entity = kind[0]
    contact = _contact(payment) or ""
    if payment.get("BatchPaymentID"):
        return entity, f"{BATCH}/{payment['BatchPaymentID']}/{contact}"
    reference = str(payment.get("Reference") or "").strip()
    # A quote cannot be looked for reliably in Xero's filter language; such a payment stands for itself.
    if reference and not set('"\\') & set(reference):
        account = id_in(payment, "Account", "AccountID") or ""
        return entity, f"{RECEIPT}/{contact}/{account}/{day(payment)}/{reference}"
    return entity, str(payment["PaymentID"])


def grouped(payments: Iterable[Json]) -> dict[ReceiptKey, list[Json]]:
    """Return the Payments of each receipt; one that is told of twice counts once."""
    groups: dict[ReceiptKey, dict[str, Json]] = {}
    for payment in payments:
        key = key_of(payment)
        if key is not None:
            groups.setdefault(key, {})[str(payment["PaymentID"])] = payment
    return {key: list(members.values()) for key, members in groups.items()}


def receipt(
    key: ReceiptKey, members: Sequence[Json], *, home_currency: str, batch: Json | None = None
) -> RemoteRecord:
    """Return one receipt from all of its Payments, and from its batch, which carries the reference of all."""
    entity, remote_id = key
    live = [one for one in members if one.get("Status") == "AUTHORISED"]
    shown = live or list(members)
    word = _PAID[str(shown[0]["PaymentType"])][1]
    reference, marker = split_reference((batch or shown[0]).get("Reference"))
    applied: dict[str, Decimal] = {}
    for one in live:
        document = id_in(one, "Invoice", "InvoiceID")
        if document is not None:
            applied[document] = applied.get(document, Decimal(0)) + decimal_of(one.get("Amount"))
    canonical: Canonical = {
        "date": day(shown[0]),
        "party": _contact(shown[0]),
        "currency": (shown[0].get("Invoice") or {}).get("CurrencyCode") or home_currency,
        "amount": amount_text(sum(applied.values(), Decimal(0))),
        "unapplied": "0.00",
        "reference": reference,
        "method": "Batch payment" if remote_id.startswith(BATCH) else None,
        "memo": "",
        "applications": _applications(applied, word),
    }
    status = reconciliation([bool(one.get("IsReconciled")) for one in live])
    newest = max(shown, key=lambda one: str(one.get("UpdatedDateUTC") or ""))
    raw = {
        "payments": [str(one["PaymentID"]) for one in live],
        "batch": shown[0].get("BatchPaymentID"),
        "reconciliation": status,
    }
    return _money(
        entity, remote_id, newest, canonical, state="active" if live else "deleted", raw=raw, marker=marker
    )


def credit(resource: str, body: Json, *, home_currency: str) -> RemoteRecord | None:
    """Return a credit note, overpayment or prepayment as a receipt; None while somebody is still drafting it."""
    prefix, id_field, method = CREDITS[resource]
    status = str(body.get("Status"))
    if status in ("DRAFT", "SUBMITTED"):
        return None
    entity = Entity.PAYMENT if body.get("Type") in _OURS_TO_RECEIVE else Entity.BILL_PAYMENT
    word = "invoice" if entity is Entity.PAYMENT else "bill"
    applied: dict[str, Decimal] = {}
    for allocation in body.get("Allocations") or ():
        document = id_in(allocation, "Invoice", "InvoiceID")
        if document is not None and not allocation.get("IsDeleted"):
            applied[document] = applied.get(document, Decimal(0)) + decimal_of(allocation.get("Amount"))
    rest = decimal_of(body.get("RemainingCredit"))
    canonical: Canonical = {
        "date": day(body),
        "party": id_in(body, "Contact", "ContactID"),
        "currency": body.get("CurrencyCode") or home_currency,
        "amount": amount_text(sum(applied.values(), rest)),
        # What of it still stands on receivables or payables: a prepayment waits on an account of its own.
        "unapplied": "0.00" if resource == "Prepayments" else amount_text(rest),
        "reference": body.get("CreditNoteNumber") or body.get("Reference") or None,
        "method": method,
        "memo": "",
        "applications": _applications(applied, word),
    }
    state: TheirState = "active" if status in ("AUTHORISED", "PAID") else "deleted"
    return _money(entity, f"{prefix}/{body[id_field]}", body, canonical, state=state, raw={}, marker=None)


# ---------------------------------------------------------------- deposits


def batch_deposit(batch: Json, members: Sequence[Json], *, home_currency: str) -> RemoteRecord | None:
    """Return a batch of receipts as one deposit; None for a batch of bill payments."""
    if batch.get("Type") != "RECBATCH":
        return None
    lines = []
    for key, group in sorted(grouped(members).items()):
        record = receipt(key, group, home_currency=home_currency, batch=batch)
        if record.state == "active":
            lines.append(
                _line(
                    record.canonical["amount"],
                    payment=record.remote_id,
                    description="",
                    reference=record.canonical["reference"],
                )
            )
    currency = (
        next(((one.get("Invoice") or {}).get("CurrencyCode") for one in members), None) or home_currency
    )
    canonical: Canonical = {
        "date": day(batch),
        "account": id_in(batch, "Account", "AccountID"),
        "currency": currency,
        "amount": amount_of(batch.get("TotalAmount")),
        "memo": "",
        "reference": batch.get("Reference") or None,
        "lines": lines,
    }
    return _deposit(
        f"{BATCH}/{batch['BatchPaymentID']}", batch, canonical, is_reconciled=bool(batch.get("IsReconciled"))
    )


def received_deposit(body: Json, *, home_currency: str) -> RemoteRecord | None:
    """Return money received straight into the bank as a deposit; None for every other bank transaction."""
    if body.get("Type") != "RECEIVE":
        return None
    lines = [
        _line(
            amount_of(line.get("LineAmount")),
            payment=None,
            description=line.get("Description") or "",
            reference=None,
        )
        for line in body.get("LineItems") or ()
    ]
    tax = decimal_of(body.get("TotalTax"))
    if body.get("LineAmountTypes") == "Exclusive" and tax:
        lines.append(_line(amount_text(tax), payment=None, description="Tax", reference=None))
    canonical: Canonical = {
        "date": day(body),
        "account": id_in(body, "BankAccount", "AccountID"),
        "currency": body.get("CurrencyCode") or home_currency,
        "amount": amount_of(body.get("Total")),
        "memo": "",
        "reference": body.get("Reference") or None,
        "lines": lines,
    }
    return _deposit(
        f"{RECEIVED}/{body['BankTransactionID']}",
        body,
        canonical,
        is_reconciled=bool(body.get("IsReconciled")),
    )


def transfer_deposit(body: Json, *, home_currency: str) -> RemoteRecord:
    """Return a transfer between bank accounts as a deposit into the second."""
    source = str((body.get("FromBankAccount") or {}).get("Name") or "another account")
    amount = amount_of(body.get("Amount"))
    canonical: Canonical = {
        "date": day(body),
        "account": id_in(body, "ToBankAccount", "AccountID"),
        "currency": body.get("CurrencyCode") or home_currency,
        "amount": amount,
        "memo": "",
        "reference": body.get("Reference") or None,
        "lines": [_line(amount, payment=None, description=f"Transfer from {source}", reference=None)],
    }
    return _deposit(
        f"{TRANSFER}/{body['BankTransferID']}",
        body,
        canonical,
        is_reconciled=bool(body.get("ToIsReconciled")),
    )


def reconciliation(parts: Sequence[bool]) -> str:
    """Say how much of a receipt the bookkeeper has found on the bank statement."""
    if parts and all(parts):
        return "matched"
    return "partially_matched" if any(parts) else "unmatched"


def _deposit(remote_id: str, body: Json, canonical: Canonical, *, is_reconciled: bool) -> RemoteRecord:
    state: TheirState = "deleted" if body.get("Status") in ("DELETED", "VOIDED") else "active"
    raw = {"reconciliation": reconciliation([is_reconciled])}
    return _money(Entity.DEPOSIT, remote_id, body, canonical, state=state, raw=raw, marker=None)


def _money(
    entity: Entity,
    remote_id: str,
    body: Json,
    canonical: Canonical,
    *,
    state: TheirState,
    raw: dict[str, Any],
    marker: str | None,
) -> RemoteRecord:
    return RemoteRecord(
        entity=entity,
        remote_id=remote_id,
        # Reconciling does not move UpdatedDateUTC, so it is part of what stands for the version.
        version=version_of(body, canonical, state, raw.get("reconciliation")),
        state=state,
        canonical=canonical if state == "active" else {},
        label=label_of(entity, canonical),
        changed_at=instant(body.get("UpdatedDateUTC") or body.get("CreatedDateUTC")),
        document_date=date.fromisoformat(canonical["date"]) if canonical["date"] else None,
        total=Decimal(canonical["amount"]),
        currency=canonical["currency"],
        marker=marker,
        raw=raw,
    )


def _contact(payment: Json) -> str | None:
    return id_in(payment.get("Invoice") or {}, "Contact", "ContactID")


def _applications(applied: Mapping[str, Decimal], word: str) -> list[Canonical]:
    return [{word: document, "amount": amount_text(amount)} for document, amount in sorted(applied.items())]


def _line(amount: str, *, payment: str | None, description: str, reference: str | None) -> Canonical:
    return {"payment": payment, "amount": amount, "description": description, "reference": reference}
