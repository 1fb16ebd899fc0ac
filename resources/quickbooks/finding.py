"""Looking in QuickBooks for records that could be one of ours: what is asked, and what resembles it."""

from __future__ import annotations

from decimal import Decimal

from resources.quickbooks.words import LISTS
from sync.records import Canonical, Entity, RemoteRecord, number_key


def wheres(entity: Entity, canonical: Canonical) -> list[str]:
    """Return the questions to ask, each answered by an index of QuickBooks."""
    if entity is Entity.ACCOUNT:
        return [f"FullyQualifiedName = {_quoted(canonical['name'])}"]
    if entity in LISTS:
        return [f"DisplayName = {_quoted(canonical['name'])}"]
    wheres = [f"DocNumber = {_quoted(canonical['number'])}"] if canonical.get("number") else []
    # Notes cannot be searched, so our mark is looked for among the documents of the same day.
    return [*wheres, f"TxnDate = {_quoted(canonical['date'])}"]


def resembles(record: RemoteRecord, entity: Entity, canonical: Canonical, marker: str) -> bool:
    """Say whether a record could be this one."""
    if entity in LISTS or record.marker == marker:
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
        and canonical["date"] == theirs["date"]
    )


def _quoted(text: str) -> str:
    """A text of QuickBooks' query language, its quotes and backslashes escaped."""
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
