"""Looking in QuickBooks for records that could be one of ours: what is asked, and what resembles it."""

from __future__ import annotations

from resources.quickbooks.words import LISTS
from sync.likeness import could_be
from sync.records import Canonical, Entity, RemoteRecord


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
    """Say whether a record that was asked for could be this one; names are unique and were asked for as they are."""
    return entity in LISTS or could_be(record, entity, canonical, marker=marker)


def _quoted(text: str) -> str:
    """A text of QuickBooks' query language, its quotes and backslashes escaped."""
    escaped = " ".join(text.split()).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
