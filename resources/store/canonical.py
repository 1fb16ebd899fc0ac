"""Reading the platform's tables into canonical form ("ours"); the shapes are described in `sync.records`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa

from resources.store.database import Transaction
from sync.money import amount_text
from sync.records import Canonical, Entity, OurRecord, OurState, name_key, number_key

Row = sa.RowMapping

LOADERS: Mapping[Entity, str] = {
    Entity.ACCOUNT: "load_accounts",
    Entity.CUSTOMER: "load_customers",
    Entity.VENDOR: "load_vendors",
    Entity.INVOICE: "load_invoices",
    Entity.BILL: "load_bills",
    Entity.JOURNAL_ENTRY: "load_journal_entries",
    Entity.PAYMENT: "load_payments",
    Entity.BILL_PAYMENT: "load_bill_payments",
    Entity.DEPOSIT: "load_deposits",
}


def load_ours(
    tx: Transaction, entity: Entity, *, builder_id: str, record_ids: Sequence[str]
) -> list[OurRecord]:
    """Return the platform's records in canonical form; ids without a row are simply missing from the answer."""
    rows = tx.rows(LOADERS[entity], builder_id=builder_id, record_ids=list(record_ids))
    return [_READERS[entity](row) for row in rows]


def _text(amount: object) -> str | None:
    return None if amount is None else amount_text(Decimal(str(amount)))


def _account(row: Row) -> OurRecord:
    canonical = {
        "name": row["name"],
        "number": row["number"],
        "type": row["account_type"],
        "description": row["description"] or None,
    }
    return _name(Entity.ACCOUNT, row, canonical)


def _party(entity: Entity) -> Callable[[Row], OurRecord]:
    def read(row: Row) -> OurRecord:
        address = {
            "line": row["address_line"],
            "city": row["city"],
            "region": row["region"],
            "postal_code": row["postal_code"],
        }
        return _name(
            entity,
            row,
            {"name": row["name"], "email": row["email"], "phone": row["phone"], "address": address},
        )

    return read


def _name(entity: Entity, row: Row, canonical: Canonical) -> OurRecord:
    return OurRecord(
        entity=entity,
        record_id=row["id"],
        state="active" if row["is_active"] else "inactive",
        canonical=canonical,
        label=row["name"],
        changed_at=row["updated_at"],
        natural_key=name_key(row["name"]),
    )


def _document(entity: Entity, word: str) -> Callable[[Row], OurRecord]:
    def read(row: Row) -> OurRecord:
        kind = "Draw" if row.get("kind") == "draw" else word
        canonical = {
            "number": row["number"] or None,
            "date": row["document_date"].isoformat(),
            "due_date": row["due_date"].isoformat() if row["due_date"] else None,
            "party": row["party_id"],
            "currency": row["currency"],
            "memo": row["memo"],
            "total": _text(row["total"]),
            "lines": [
                {
                    **line,
                    "amount": _text(line["amount"]),
                    "quantity": _text(line["quantity"]),
                    "unit_price": _text(line["unit_price"]),
                }
                for line in row["lines"]
            ],
        }
        states: Mapping[str, OurState] = {"draft": "draft", "approved": "active", "void": "void"}
        return OurRecord(
            entity=entity,
            record_id=row["id"],
            state=states[row["status"]],
            canonical=canonical,
            label=f"{kind} {row['number'] or 'without number'} ({row['party_name']})",
            changed_at=row["updated_at"],
            natural_key=number_key(row["number"]),
            document_date=row["document_date"],
            total=row["total"],
            currency=row["currency"],
        )

    return read


def _journal_entry(row: Row) -> OurRecord:
    lines = [
        {**line, "debit": _text(line["debit"]), "credit": _text(line["credit"])} for line in row["lines"]
    ]
    canonical = {
        "number": row["number"] or None,
        "date": row["document_date"].isoformat(),
        "currency": row["currency"],
        "memo": row["memo"],
        "lines": lines,
    }
    states: Mapping[str, OurState] = {"draft": "draft", "posted": "active", "void": "void"}
    return OurRecord(
        entity=Entity.JOURNAL_ENTRY,
        record_id=row["id"],
        state=states[row["status"]],
        canonical=canonical,
        label=f"Journal entry {row['number'] or 'without number'} of {row['document_date'].isoformat()}",
        changed_at=row["updated_at"],
        natural_key=number_key(row["number"]),
        document_date=row["document_date"],
        total=sum((Decimal(line["debit"]) for line in lines), Decimal(0)),
        currency=row["currency"],
    )


def _receipt(entity: Entity, word: str) -> Callable[[Row], OurRecord]:
    def read(row: Row) -> OurRecord:
        canonical = {
            "date": row["document_date"].isoformat(),
            "party": row["party_id"],
            "currency": row["currency"],
            "amount": _text(row["amount"]),
            "unapplied": _text(row["unapplied_amount"]),
            "reference": row["reference"],
            "method": row["method"],
            "memo": row["memo"],
            "applications": [{**item, "amount": _text(item["amount"])} for item in row["applications"]],
        }
        return OurRecord(
            entity=entity,
            record_id=row["id"],
            state="active" if row["status"] == "posted" else "void",
            canonical=canonical,
            label=f"{word} of {row['document_date'].isoformat()} ({row['party_name'] or 'party not on the platform'})",
            changed_at=row["updated_at"],
            document_date=row["document_date"],
            total=row["amount"],
            currency=row["currency"],
        )

    return read


def _deposit(row: Row) -> OurRecord:
    canonical = {
        "date": row["document_date"].isoformat(),
        "account": row["account_id"],
        "currency": row["currency"],
        "amount": _text(row["amount"]),
        "memo": row["memo"],
        "reference": row["reference"],
        "lines": [{**line, "amount": _text(line["amount"])} for line in row["lines"]],
    }
    return OurRecord(
        entity=Entity.DEPOSIT,
        record_id=row["id"],
        state="active" if row["status"] == "posted" else "void",
        canonical=canonical,
        label=f"Deposit of {row['document_date'].isoformat()}",
        changed_at=row["updated_at"],
        document_date=row["document_date"],
        total=row["amount"],
        currency=row["currency"],
    )


_READERS: Mapping[Entity, Callable[[Row], OurRecord]] = {
    Entity.ACCOUNT: _account,
    Entity.CUSTOMER: _party(Entity.CUSTOMER),
    Entity.VENDOR: _party(Entity.VENDOR),
    Entity.INVOICE: _document(Entity.INVOICE, "Invoice"),
    Entity.BILL: _document(Entity.BILL, "Bill"),
    Entity.JOURNAL_ENTRY: _journal_entry,
    Entity.PAYMENT: _receipt(Entity.PAYMENT, "Payment"),
    Entity.BILL_PAYMENT: _receipt(Entity.BILL_PAYMENT, "Bill payment"),
    Entity.DEPOSIT: _deposit,
}
