"""What a connection's jobs, cost codes and cost types become: its choices, and the options that came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction, json_text
from sync.dimensions import (
    SUBJECT_WORDS,
    Dimension,
    ListName,
    Option,
    Place,
    Subject,
    check_dimensions,
    read_dimensions,
    shown_dimensions,
)
from sync.errors import InvalidInput, NotFound
from sync.tax_codes import TaxCode, check_tax_codes, read_tax_codes, shown_tax_codes


@dataclass(frozen=True, slots=True)
class DimensionSettings:
    """What one connection chose."""

    provider: str
    dimensions: Sequence[Dimension]
    tax_codes: Sequence[TaxCode]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants a connection to use, and what its provider offers."""

    dimensions: Sequence[Dimension]
    tax_codes: Sequence[TaxCode]
    offered: Mapping[Subject, Sequence[ListName]]
    provider_title: str


@dataclass(frozen=True, slots=True)
class Naming:
    """The name under which one job, code or type is found in one list; None takes the name back."""

    dimension: Dimension
    subject_id: str
    named: str | None


def option_of(row: Mapping[Any, Any]) -> Option:
    """Return an option from its row."""
    return Option(
        place=Place(row["list"], row["category"]),
        subject=row["subject"],
        subject_id=row["subject_id"],
        label=row["label"],
        name=row["name"],
        state=row["state"],
        remote_id=row["remote_id"],
        list_id=row["list_id"],
        parent_id=row["parent_id"],
        message=row["message"],
        named=row["named"],
        is_made=row["is_made"],
    )


def read_dimension_settings(tx: Transaction, builder_id: UUID, *, connection_id: UUID) -> DimensionSettings:
    """Return what a connection chose; raises NotFound."""
    row = tx.row("dimension_settings", builder_id=builder_id, connection_id=connection_id)
    if row is None:
        raise NotFound(what="connection", id=str(connection_id))
    return DimensionSettings(
        row["provider"], read_dimensions(row["dimensions"]), read_tax_codes(row["tax_codes"])
    )


def save_dimension_settings(
    tx: Transaction,
    builder_id: UUID,
    *,
    connection_id: UUID,
    wanted: Wanted,
    saved_by: str,
    now: datetime,
) -> DimensionSettings:
    """Replace what a connection chose and return it; raises NotFound, or InvalidSetting with a sentence.

    Documents that were sent keep what they have: only what is sent from now on carries the new dimensions.
    """
    before = read_dimension_settings(tx, builder_id, connection_id=connection_id)
    check_dimensions(wanted.dimensions, offered=wanted.offered, provider_title=wanted.provider_title)
    check_tax_codes(wanted.tax_codes)
    after = {
        "dimensions": shown_dimensions(wanted.dimensions),
        "tax_codes": shown_tax_codes(wanted.tax_codes),
    }
    tx.run(
        "dimension_settings_save",
        builder_id=builder_id,
        connection_id=connection_id,
        dimensions=json_text(after["dimensions"]),
        tax_codes=json_text(after["tax_codes"]),
        now=now,
    )
    write_audit(
        tx,
        AuditEntry(
            saved_by,
            "dimensions.saved",
            connection_id=connection_id,
            before={
                "dimensions": shown_dimensions(before.dimensions),
                "tax_codes": shown_tax_codes(before.tax_codes),
            },
            after=after,
        ),
    )
    return DimensionSettings(before.provider, tuple(wanted.dimensions), tuple(wanted.tax_codes))


def options_of(tx: Transaction, builder_id: UUID, *, connection_id: UUID) -> list[Option]:
    """Return the options of a connection."""
    rows = tx.rows("dimension_options", builder_id=builder_id, connection_id=connection_id)
    return [option_of(row) for row in rows]


def name_option(
    tx: Transaction,
    builder_id: UUID,
    *,
    connection_id: UUID,
    naming: Naming,
    saved_by: str,
    now: datetime,
) -> Option:
    """Say under which name a job, code or type is found in the ledger.

    The next sync that needs it takes the entry of that name, or makes one. Documents that were sent keep what they have.
    Raises NotFound, or InvalidInput where the connection has no such dimension.
    """
    dimension, subject_id, named = naming.dimension, naming.subject_id, naming.named
    settings = read_dimension_settings(tx, builder_id, connection_id=connection_id)
    words = SUBJECT_WORDS[dimension.subject]
    if dimension not in settings.dimensions:
        reason = f"on this connection a {words} becomes no {dimension.place.words}; save that choice first"
        raise InvalidInput(what="This name", reason=reason)
    label = tx.value(
        "dimension_subject_exists", builder_id=builder_id, subject=dimension.subject, subject_id=subject_id
    )
    if label is None:
        raise NotFound(what=words, id=subject_id)
    found = [
        each
        for each in options_of(tx, builder_id, connection_id=connection_id)
        if each.key == (dimension.place, subject_id) and each.subject == dimension.subject
    ]
    before = found[0] if found else None
    if before is not None and before.named == named:
        return before
    option = Option(
        place=dimension.place,
        subject=dimension.subject,
        subject_id=subject_id,
        label=label,
        name=named or label,
        state="refused",
        message="the next sync looks for it by its new name",
        named=named,
        # Nothing is at that entry any more; it tells a request for another one apart from the one that made it.
        remote_id=before.remote_id if before is not None else None,
    )
    shown = {
        "list": option.place.list,
        "category": option.place.category,
        "subject": option.subject,
        "subject_id": subject_id,
        "label": label,
        "name": option.name,
        "named": named,
        "state": option.state,
        "remote_id": None,
        "list_id": None,
        "parent_id": None,
        "message": option.message,
        "is_made": False,
    }
    kept = shown | {"remote_id": option.remote_id}
    tx.run("dimension_option_save", builder_id=builder_id, connection_id=connection_id, **kept, now=now)
    write_audit(
        tx,
        AuditEntry(
            saved_by,
            "dimension.named",
            connection_id=connection_id,
            before=None if before is None else {"name": before.name, "remote_id": before.remote_id},
            after=shown,
        ),
    )
    return option
