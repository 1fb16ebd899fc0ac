"""What another mapping would mean: which lines move, which stay, what it frees, which accounts it has lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from resources.store.database import Transaction
from resources.store.mappings import (
    cost_codes,
    key_of_cause,
    mapping_jobs,
    newest_version,
    provider_accounts,
    saved_rows,
    table_of,
)
from resources.store.review import Cause, list_causes
from sync.mapping import CostCode, MappingJob, MappingRow, ProviderAccount
from sync.mapping_overview import SavedRow
from sync.mapping_versions import (
    LineGroup,
    LineMoves,
    RowChange,
    freed,
    line_moves,
    row_changes,
    touched_codes,
)
from sync.records import Entity


@dataclass(frozen=True, slots=True)
class Compared:
    """Two sets of rows side by side, with the names that a person needs to read them."""

    changes: list[RowChange]
    codes: dict[str, CostCode]
    jobs: dict[str, MappingJob]
    accounts: dict[str, ProviderAccount]


@dataclass(frozen=True, slots=True)
class Impact:
    """What publishing these rows would do now."""

    compared: Compared
    moves: LineMoves
    released: list[Cause]
    # Rows whose account is gone or inactive at the provider: they count as unmapped.
    lost: list[SavedRow]


def compare(
    tx: Transaction, connection_id: UUID, *, before: Sequence[MappingRow], after: Sequence[MappingRow]
) -> Compared:
    """Return what differs between two sets of rows, with names."""
    return Compared(
        changes=row_changes(before, after),
        codes={code.id: code for code in cost_codes(tx)},
        jobs={job.id: job for job in mapping_jobs(tx)},
        accounts={account.id: account for account in provider_accounts(tx, connection_id)},
    )


def impact(tx: Transaction, connection_id: UUID, *, rows: Sequence[MappingRow]) -> Impact:
    """Return what publishing these rows instead of the present ones would do. Reads only."""
    version = newest_version(tx, connection_id)
    saved = saved_rows(tx, version.id) if version else []
    compared = compare(tx, connection_id, before=[row.as_row for row in saved], after=rows)
    proposed = [_as_saved(row, compared.accounts) for row in rows]
    now, then = table_of(saved), table_of(proposed)
    causes = list_causes(tx, connection_id=connection_id)
    keys = {cause.cause: key_of_cause(cause.cause) for cause in causes}
    released = set(freed(keys, now=now, then=then))
    return Impact(
        compared=compared,
        moves=line_moves(_groups(tx, connection_id, compared.changes), now=now, then=then),
        released=[cause for cause in causes if cause.cause in released],
        lost=[row for row in proposed if row.is_broken],
    )


def _as_saved(row: MappingRow, accounts: dict[str, ProviderAccount]) -> SavedRow:
    account = accounts.get(row.account_id)
    return SavedRow(
        profile=row.profile,
        cost_code_id=row.cost_code_id,
        account_id=row.account_id,
        account_name=account.name if account else None,
        account_number=account.number if account else None,
        account_type=account.type if account else None,
        direction=row.direction,
        is_broken=account is None or not account.is_active,
        job_id=row.job_id,
    )


def _groups(tx: Transaction, connection_id: UUID, changes: Sequence[RowChange]) -> list[LineGroup]:
    if not changes:
        return []
    return [
        LineGroup(
            entity=Entity(row["entity"]),
            role=row["role"],
            cost_code_id=str(row["cost_code_id"]) if row["cost_code_id"] else None,
            job_id=str(row["job_id"]) if row["job_id"] else None,
            currency=row["currency"],
            is_ready=row["is_ready"],
            is_sent=row["is_sent"],
            lines=row["lines"],
            documents=row["documents"],
            amount=row["amount"],
        )
        for row in tx.rows("mapping_impact_lines", connection_id=connection_id, codes=touched_codes(changes))
    ]
