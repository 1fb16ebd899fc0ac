"""The review queue by cause: one cause with all that it blocks, and mending it where it stands.

A record that waits for another held record is counted under what holds that one: the bill payment is freed by the same
account as its bill. Held records are judged again at every sync, so that mending a cause is enough to free all of it,
in the order of dependencies and dates that a sync keeps anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from resources.store.database import Transaction
from resources.store.mappings import (
    Publication,
    key_of_cause,
    lock_mapping,
    publish_mapping,
    rows_of,
)
from resources.store.queue import Touched
from sync.errors import InvalidInput, NotFound
from sync.mapping import MappingRow, MappingTable
from sync.records import SYNC_ORDER
from sync.refusals import NotMendedByAccount, StaleMapping

# One row per cause and currency; a builder with more gaps than this has not begun to map.
CAUSES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why records wait, and what it blocks; amounts by currency."""

    connection_id: UUID
    cause: str
    records: int
    direct: int
    amounts: Mapping[str, Decimal]
    entities: tuple[str, ...]
    oldest: date | None
    since: datetime | None
    message: str | None
    code: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class Mended:
    """A cause that an account mends: which, and with which account."""

    cause: str
    account_id: str


def list_causes(tx: Transaction, *, connection_id: UUID | None = None) -> list[Cause]:
    """Return every cause of holds with what it blocks, the one with the oldest document first."""
    found: dict[tuple[UUID, str], Cause] = {}
    for row in tx.rows("review_causes", connection_id=connection_id, rows_max=CAUSES_MAX):
        key = (row["connection_id"], row["cause"])
        found[key] = _with(found.get(key), dict(row))
    return list(found.values())


def blocked_records(
    tx: Transaction, connection_id: UUID, *, cause: str, after: tuple[str, str] | None, rows_max: int
) -> list[dict[str, Any]]:
    """Return all that a cause blocks, in the order in which it goes to the ledger once the cause is gone."""
    rows = tx.rows(
        "review_records",
        connection_id=connection_id,
        cause=cause,
        entity_order=[entity.value for entity in SYNC_ORDER],
        after_place=after[0] if after else None,
        after_id=after[1] if after else None,
        rows_max=rows_max,
    )
    return [dict(row) for row in rows]


def mend(
    tx: Transaction,
    connection_id: UUID,
    *,
    mended: Sequence[Mended],
    expected_number: int | None,
    note: str,
    actor: str,
) -> tuple[MappingTable, list[Touched], list[Cause]]:
    """Map what these causes want, as one new version; return it, what the next sync shall look at, and the causes.

    Raises NotFound for a cause that holds nothing, NotMendedByAccount for one that no account mends, and what saving
    raises.
    """
    version = lock_mapping(tx, connection_id)
    number = version.number if version else 0
    if expected_number is not None and expected_number != number:
        raise StaleMapping(what="The mapping", done="saved", current=number, sent=expected_number)
    waiting = {cause.cause: cause for cause in list_causes(tx, connection_id=connection_id)}
    rows = {row.key: row for row in rows_of(tx, version)}
    causes = []
    for each in mended:
        if each.cause not in waiting:
            raise NotFound(what="cause of a hold", id=each.cause)
        key = key_of_cause(each.cause)
        if key is None:
            raise NotMendedByAccount(message=waiting[each.cause].message or each.cause)
        before = rows.get(key)
        direction = before.direction if before and before.direction != "pull" else "both"
        rows[key] = MappingRow(*key, account_id=each.account_id, direction=direction)
        causes.append(waiting[each.cause])
    table = publish_mapping(
        tx,
        connection_id,
        expected_number=number,
        rows=list(rows.values()),
        publication=Publication(actor, note),
    )
    for each in mended:
        key = key_of_cause(each.cause)
        if key is not None and table.lookup(*key) is None:
            raise InvalidInput(
                what=f"Account {each.account_id}",
                reason="it is inactive or gone at the provider; make it active there, or choose another",
            )
    counts: dict[str, int] = {}
    for cause in causes:
        for entity in cause.entities:
            counts[entity] = counts.get(entity, 0) + cause.records
    return table, [Touched(connection_id, entity, count) for entity, count in counts.items()], causes


def _with(before: Cause | None, row: Mapping[str, Any]) -> Cause:
    """Add one currency of a cause to what is known of it."""
    amounts = {row["currency"]: row["amount"]} if row["currency"] and row["amount"] else {}
    if before is None:
        return Cause(
            connection_id=row["connection_id"],
            cause=row["cause"],
            records=row["records"],
            direct=row["direct"],
            amounts=amounts,
            entities=tuple(row["entities"]),
            oldest=row["oldest"],
            since=row["since"],
            message=row["message"],
            code=row["code"],
            remedy=row["remedy"],
        )
    return Cause(
        connection_id=before.connection_id,
        cause=before.cause,
        records=before.records + row["records"],
        direct=before.direct + row["direct"],
        amounts={**before.amounts, **amounts},
        entities=tuple(sorted({*before.entities, *row["entities"]})),
        oldest=min((each for each in (before.oldest, row["oldest"]) if each), default=None),
        since=min((each for each in (before.since, row["since"]) if each), default=None),
        message=before.message or row["message"],
        code=before.code or row["code"],
        remedy=before.remedy or row["remedy"],
    )
