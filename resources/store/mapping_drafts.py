"""Drafts of a mapping: begun from a version, edited by several, published whole or thrown away.

A draft is rows that nobody books by. Publishing checks them like any save (`resources.store.mappings`), and only on the
version the draft was begun from: what somebody published meanwhile is never undone unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction, json_text
from resources.store.mappings import (
    MappingVersion,
    Publication,
    lock_mapping,
    newest_version,
    publish_mapping,
    rows_of,
)
from sync.errors import NotFound
from sync.mapping import MappingRow, MappingTable
from sync.mapping_versions import Rebased, rebased
from sync.refusals import StaleDraft, StaleMapping, TooManyDrafts

DRAFTS_MAX = 50
# More than any cursor begins below.
ABOVE_ALL = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Draft:
    """Rows that somebody prepares; `base_number` is the version they were begun from."""

    id: UUID
    connection_id: UUID
    base_number: int
    revision: int
    note: str
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime
    rows: tuple[MappingRow, ...]


@dataclass(frozen=True, slots=True)
class Editor:
    """Who works on a draft, and when."""

    actor: str
    now: datetime


def begin_draft(
    tx: Transaction,
    connection_id: UUID,
    *,
    rows: Sequence[MappingRow] | None,
    from_number: int | None,
    note: str,
    by: Editor,
) -> Draft:
    """Begin a draft from these rows, from an older version's, or from the mapping as it is."""
    version = lock_mapping(tx, connection_id)
    if tx.value("mapping_drafts_count", connection_id=connection_id) >= DRAFTS_MAX:
        raise TooManyDrafts(count=DRAFTS_MAX)
    if rows is None and from_number is not None:
        rows = rows_of(tx, version_numbered(tx, connection_id, from_number), only_active=False)
    elif rows is None:
        rows = rows_of(tx, version)
    draft_id: UUID = tx.value(
        "mapping_draft_insert",
        connection_id=connection_id,
        base_number=version.number if version else 0,
        note=note,
        rows=_stored(rows),
        actor=by.actor,
        now=by.now,
    )
    return get_draft(tx, draft_id)


def get_draft(tx: Transaction, draft_id: UUID) -> Draft:
    """Return one draft; raises NotFound."""
    row = tx.row("mapping_draft", draft_id=draft_id)
    if row is None:
        raise NotFound(what="mapping draft", id=str(draft_id))
    return _draft(row)


def list_drafts(tx: Transaction, connection_id: UUID) -> list[Draft]:
    """Return the drafts of a connection, the one edited last first."""
    rows = tx.rows("mapping_drafts_listed", connection_id=connection_id, rows_max=DRAFTS_MAX)
    return [_draft(row) for row in rows]


def edit_draft(
    tx: Transaction,
    draft_id: UUID,
    *,
    expected_revision: int,
    rows: Sequence[MappingRow],
    note: str,
    by: Editor,
) -> Draft:
    """Replace a draft's rows; raises StaleDraft when somebody else saved it meanwhile."""
    draft = _locked(tx, draft_id, expected_revision=expected_revision)
    return _update(tx, draft, rows=rows, note=note, base_number=draft.base_number, by=by)


def rebase_draft(
    tx: Transaction, draft_id: UUID, *, expected_revision: int, by: Editor
) -> tuple[Draft, Rebased]:
    """Carry a draft's changes over to the newest version; where both changed one target, the draft's row stands."""
    draft = _locked(tx, draft_id, expected_revision=expected_revision)
    newest = newest_version(tx, draft.connection_id)
    base = version_numbered(tx, draft.connection_id, draft.base_number) if draft.base_number else None
    onto = rebased(draft.rows, base=rows_of(tx, base, only_active=False), newest=rows_of(tx, newest))
    number = newest.number if newest else 0
    return _update(tx, draft, rows=onto.rows, note=draft.note, base_number=number, by=by), onto


def discard_draft(tx: Transaction, draft_id: UUID, *, actor: str) -> None:
    """Throw a draft away; the audit log keeps its rows."""
    draft = _locked(tx, draft_id)
    tx.run("mapping_draft_delete", draft_id=draft_id)
    write_audit(
        tx,
        AuditEntry(
            actor=actor,
            action="mapping.draft_discarded",
            reason=draft.note,
            connection_id=draft.connection_id,
            before={"base": draft.base_number, "rows": [asdict(row) for row in draft.rows]},
        ),
    )


def publish_draft(
    tx: Transaction, draft_id: UUID, *, expected_revision: int, note: str, actor: str
) -> MappingTable:
    """Make a draft the mapping. Raises StaleMapping where another version was published since it was begun."""
    draft = _locked(tx, draft_id, expected_revision=expected_revision)
    table = publish_mapping(
        tx,
        draft.connection_id,
        expected_number=draft.base_number,
        rows=draft.rows,
        publication=Publication(actor, note or draft.note, drafted_by=draft.created_by),
    )
    tx.run("mapping_draft_delete", draft_id=draft_id)
    return table


def roll_back(
    tx: Transaction, connection_id: UUID, *, number: int, expected_number: int, note: str, actor: str
) -> MappingTable:
    """Publish an older version's rows again, as a new version: history grows and is never rewritten."""
    version = lock_mapping(tx, connection_id)
    current = version.number if version else 0
    if current != expected_number:
        raise StaleMapping(what="The mapping", done="saved", current=current, sent=expected_number)
    rows = rows_of(tx, version_numbered(tx, connection_id, number), only_active=False)
    return publish_mapping(
        tx,
        connection_id,
        expected_number=expected_number,
        rows=rows,
        publication=Publication(actor, note, restores_number=number),
    )


def list_versions(
    tx: Transaction, connection_id: UUID, *, below: int = ABOVE_ALL, rows_max: int
) -> list[dict[str, Any]]:
    """Return the history, newest first."""
    rows = tx.rows("mapping_versions_listed", connection_id=connection_id, below=below, rows_max=rows_max)
    return [dict(row) for row in rows]


def version_numbered(tx: Transaction, connection_id: UUID | str, number: int) -> MappingVersion:
    """Return a version by the number that people know it by; raises NotFound."""
    row = tx.row("mapping_version_by_number", connection_id=connection_id, number=number)
    if row is None:
        raise NotFound(what="mapping version", id=str(number))
    return MappingVersion(**row)


def _locked(tx: Transaction, draft_id: UUID, *, expected_revision: int | None = None) -> Draft:
    row = tx.row("mapping_draft", draft_id=draft_id)
    if row is not None:
        # The mapping first and the draft second, as publishing does; both ways round would wait for each other.
        lock_mapping(tx, row["connection_id"])
        row = tx.row("mapping_draft_lock", draft_id=draft_id)
    if row is None:
        raise NotFound(what="mapping draft", id=str(draft_id))
    draft = _draft(row)
    if expected_revision is not None and draft.revision != expected_revision:
        raise StaleDraft(by=draft.updated_by, current=draft.revision, sent=expected_revision)
    return draft


def _update(
    tx: Transaction,
    draft: Draft,
    *,
    rows: Sequence[MappingRow],
    note: str,
    base_number: int,
    by: Editor,
) -> Draft:
    tx.run(
        "mapping_draft_update",
        draft_id=draft.id,
        rows=_stored(rows),
        note=note,
        base_number=base_number,
        actor=by.actor,
        now=by.now,
    )
    return get_draft(tx, draft.id)


def _stored(rows: Sequence[MappingRow]) -> str:
    return json_text([asdict(row) for row in rows])


def _draft(row: Any) -> Draft:
    return Draft(**{**row, "rows": tuple(MappingRow(**each) for each in row["rows"])})
