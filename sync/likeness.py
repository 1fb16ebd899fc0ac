"""Which documents of a ledger could be one of ours, where nobody knows what became of a write."""

from __future__ import annotations

from decimal import Decimal

from sync.records import Canonical, Entity, RemoteRecord, number_key


def could_be(record: RemoteRecord, entity: Entity, canonical: Canonical, *, marker: str) -> bool:
    """Say whether a document or receipt could be the one that was sent: by our mark, its number, or amount, party and day."""
    if record.marker == marker:
        return True
    theirs = record.canonical
    number = number_key(canonical.get("number"))
    if number is not None and record.natural_key is not None:
        # A vendor's own number is not unique: two vendors may both have a bill 1001.
        return number == record.natural_key and (
            entity is not Entity.BILL or canonical.get("party") == theirs.get("party")
        )
    amount = canonical.get("total") or canonical.get("amount")
    if entity is Entity.JOURNAL_ENTRY:
        amount = sum((Decimal(line["debit"]) for line in canonical["lines"]), Decimal(0))
    is_same_amount = amount is not None and record.total is not None and Decimal(amount) == record.total
    return (
        is_same_amount
        and canonical.get("party") == theirs.get("party")
        and canonical["date"] == theirs.get("date")
    )
