"""Mappings in Postgres: read one version as sync uses it, save a new one, and show how a connection stands.

A save is one transaction: new version, its full set of rows, the holds it releases, the audit entry. Older versions
keep their rows, so that what was sent under them can always be explained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from resources.store.audit import AuditEntry, write_audit
from resources.store.database import Transaction
from sync.dimensions import DOCUMENTS
from sync.errors import DocumentInvalid, NotFound, Remedy
from sync.mapping import (
    PROFILE_WORDS,
    WITH_DEFAULT,
    CostCode,
    LineKey,
    MappingJob,
    MappingRow,
    MappingTable,
    Profile,
    ProviderAccount,
    job_of_subject,
    row_problems,
)
from sync.mapping_evidence import Choice
from sync.mapping_overview import MappingUse, SavedRow
from sync.refusals import MappingRejected, NotConnected, StaleMapping

HELD_CAUSE = "hold.mapping_missing"
# A journal line or a role without a cost code is held under the role's name instead of a cost code's id.
ROLES_WITHOUT_CODE = frozenset({"retainage", "stored_materials"})


@dataclass(frozen=True, slots=True)
class MappingVersion:
    """One saved state of a connection's mapping."""

    id: UUID
    number: int
    note: str
    created_by: str
    created_at: datetime
    drafted_by: str | None = None
    restores_number: int | None = None


def load_mapping(
    tx: Transaction, connection_id: UUID | str, *, version_id: UUID | str | None = None
) -> MappingTable:
    """Return the mapping as sync looks accounts up: the newest version, or the one a record was sent under."""
    version = _version(tx, connection_id, version_id=version_id)
    if version is None:
        return MappingTable()
    rows = saved_rows(tx, version.id, only_active=version_id is None)
    return table_of(rows, version_id=str(version.id), number=version.number)


def table_of(rows: Sequence[SavedRow], *, version_id: str | None = None, number: int = 0) -> MappingTable:
    """Return rows as sync looks accounts up in them."""
    accounts: dict[LineKey, str] = {}
    codes: dict[tuple[Profile, str], list[str]] = {}
    defaults: set[tuple[Profile, str]] = set()
    for row in rows:
        if row.is_broken:
            continue
        if row.direction != "pull":
            accounts[row.key] = row.account_id
        if row.direction == "push":
            continue
        if row.cost_code_id is not None:
            codes.setdefault((row.profile, row.account_id), []).append(row.cost_code_id)
        else:
            defaults.add((row.profile, row.account_id))
    return MappingTable(
        version_id=version_id,
        number=number,
        accounts=accounts,
        # A row that only reads back is asked for no account, and stands in no default's way.
        broken={
            row.key: row.account_name or row.account_id
            for row in rows
            if row.is_broken and row.direction != "pull"
        },
        codes={key: tuple(found) for key, found in codes.items()},
        defaults=frozenset(defaults),
    )


def newest_version(tx: Transaction, connection_id: UUID | str) -> MappingVersion | None:
    """Return the version that is valid now, or None before the first save."""
    return _version(tx, connection_id, version_id=None)


def saved_rows(tx: Transaction, version_id: UUID | str, *, only_active: bool = True) -> list[SavedRow]:
    """Return the rows of one version with the present state of their accounts."""
    return [
        SavedRow(
            profile=row["profile"],
            cost_code_id=str(row["cost_code_id"]) if row["cost_code_id"] else None,
            account_id=row["account_id"],
            account_name=row["account_name"],
            account_number=row["account_number"],
            account_type=row["account_type"],
            direction=row["direction"],
            is_broken=row["account_state"] != "active",
            job_id=str(row["job_id"]) if row["job_id"] else None,
        )
        for row in tx.records("mapping_rows", version_id=version_id, only_active=only_active)
    ]


def cost_codes(tx: Transaction) -> list[CostCode]:
    """Return every cost code of the builder."""
    return [
        CostCode(
            str(row["id"]),
            row["code"],
            row["name"],
            row["division"],
            row["is_active"],
            cost_type=row["cost_type"],
        )
        for row in tx.records("mapping_cost_codes")
    ]


def earlier_choices(tx: Transaction, connection_id: UUID | str) -> dict[Profile, list[Choice]]:
    """Return what the builder last chose for each cost code, also in versions that are no longer valid."""
    rows = tx.records("mapping_choices", connection_id=connection_id)
    codes = {code.id: code for code in cost_codes(tx)} if rows else {}
    found: dict[Profile, list[Choice]] = {}
    for row in rows:
        code = codes[str(row["cost_code_id"])]
        found.setdefault(row["profile"], []).append(Choice(code, row["account_id"]))
    return found


def mapping_jobs(tx: Transaction) -> list[MappingJob]:
    """Return every job of the builder."""
    return [
        MappingJob(str(row["id"]), row["number"], row["name"], row["status"] != "closed")
        for row in tx.records("mapping_jobs")
    ]


def provider_accounts(tx: Transaction, connection_id: UUID | str) -> list[ProviderAccount]:
    """Return the provider's chart of accounts as the mirror last saw it."""
    return [
        ProviderAccount(
            row["id"], row["name"], row["type"] or "", row["number"], is_active=row["state"] == "active"
        )
        for row in tx.records("mapping_accounts", connection_id=connection_id)
    ]


def mapping_uses(tx: Transaction, connection_id: UUID | str) -> dict[LineKey, MappingUse]:
    """Return what depends on each key: lines of documents, and records held for want of it."""
    lines: dict[LineKey, int] = {}
    for row in tx.records("mapping_usage"):
        code = str(row["cost_code_id"]) if row["cost_code_id"] else None
        lines[row["profile"], code] = row["lines"]
    held: dict[LineKey, int] = {}
    for row in tx.records("mapping_held_causes", connection_id=connection_id):
        key = key_of_cause(row["cause"])
        if key is not None:
            held[key] = held.get(key, 0) + row["records"]
    return {key: MappingUse(lines.get(key, 0), held.get(key, 0)) for key in lines.keys() | held.keys()}


def missing_accounts(tx: Transaction, connection_id: UUID | str) -> int:
    """Return how many missing accounts hold records now."""
    return len(tx.records("mapping_held_causes", connection_id=connection_id))


def key_of_cause(cause: str) -> LineKey | None:
    """Return what a hold's cause waits for, or None where no mapping can release it (a line without a cost code)."""
    _, _, rest = cause.partition(f"{HELD_CAUSE}:")
    words, _, subject = rest.partition(":")
    profile = next((profile for profile, word in PROFILE_WORDS.items() if words in (profile, word)), None)
    if profile is None or not subject:
        return None
    if subject in ROLES_WITHOUT_CODE:
        return (profile, None) if profile in WITH_DEFAULT else None
    try:
        return (profile, str(UUID(subject)))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Publication:
    """Who publishes a version, why, and where it comes from: a draft of somebody's, or an older version."""

    saved_by: str
    note: str = ""
    drafted_by: str | None = None
    restores_number: int | None = None


def save_mapping(
    tx: Transaction,
    connection_id: UUID | str,
    *,
    expected_number: int,
    rows: Sequence[MappingRow],
    note: str = "",
    saved_by: str,
) -> MappingTable:
    """Replace the mapping by these rows at once; see `publish_mapping`."""
    return publish_mapping(
        tx,
        connection_id,
        expected_number=expected_number,
        rows=rows,
        publication=Publication(saved_by, note),
    )


def publish_mapping(
    tx: Transaction,
    connection_id: UUID | str,
    *,
    expected_number: int,
    rows: Sequence[MappingRow],
    publication: Publication,
) -> MappingTable:
    """Replace the mapping by these rows as a new version, release what it holds no longer, and have tried again what was refused for its account.

    Raises StaleMapping when another version was saved meanwhile, MappingRejected with every problem at once. The
    same rows again are no new version.
    """
    version = lock_mapping(tx, connection_id)
    number = version.number if version else 0
    if number != expected_number:
        raise StaleMapping(what="The mapping", done="saved", current=number, sent=expected_number)
    saved = saved_rows(tx, version.id) if version else []
    before = [row.as_row for row in saved]
    chart = provider_accounts(tx, connection_id)
    problems = row_problems(
        rows, cost_codes=cost_codes(tx), accounts=chart, jobs=mapping_jobs(tx), kept=before
    )
    if problems:
        raise MappingRejected(
            count=len({problem.position for problem in problems}),
            first=problems[0].message,
            problems=[
                {"position": each.position, "field": each.field, "message": each.message} for each in problems
            ],
        )
    if set(before) != set(rows):
        # An account that is gone keeps the name under which it was chosen.
        accounts = {row.account_id: (row.account_name, row.account_type) for row in saved}
        accounts |= {account.id: (account.name, account.type) for account in chart}
        _store_version(
            tx, connection_id, number=number + 1, rows=rows, accounts=accounts, publication=publication
        )
        _audit_save(tx, connection_id, number=number + 1, before=before, rows=rows, publication=publication)
        tx.run(
            "mapping_release_refused",
            connection_id=connection_id,
            remedy=Remedy.FIX_MAPPING,
            code=DocumentInvalid.code,
            entities=[entity.value for entity in DOCUMENTS],
        )
    table = load_mapping(tx, connection_id)
    _release(tx, connection_id, table)
    return table


def lock_mapping(tx: Transaction, connection_id: UUID | str) -> MappingVersion | None:
    """Let nobody else publish until this transaction ends; return the version that is valid now."""
    tx.value("mapping_save_lock", connection_id=connection_id)
    connection = tx.row("mapping_connection", connection_id=connection_id)
    if connection is None:
        raise NotFound(what="connection", id=str(connection_id))
    if connection["status"] == "disconnected":
        raise NotConnected(what="This connection", status="disconnected")
    return newest_version(tx, connection_id)


def rows_of(tx: Transaction, version: MappingVersion | None, *, only_active: bool = True) -> list[MappingRow]:
    """Return the rows of a version as somebody would save them; none before the first."""
    if version is None:
        return []
    return [row.as_row for row in saved_rows(tx, version.id, only_active=only_active)]


def _version(
    tx: Transaction, connection_id: UUID | str, *, version_id: UUID | str | None
) -> MappingVersion | None:
    if version_id is None:
        row = tx.row("mapping_version_newest", connection_id=connection_id)
    else:
        row = tx.row("mapping_version_by_id", connection_id=connection_id, version_id=version_id)
    return MappingVersion(**row) if row else None


def _store_version(
    tx: Transaction,
    connection_id: UUID | str,
    *,
    number: int,
    rows: Sequence[MappingRow],
    accounts: Mapping[str, tuple[str | None, str | None]],
    publication: Publication,
) -> None:
    version_id = tx.value(
        "mapping_version_insert",
        connection_id=connection_id,
        number=number,
        note=publication.note,
        created_by=publication.saved_by,
        drafted_by=publication.drafted_by,
        restores_number=publication.restores_number,
    )
    tx.run("mapping_rows_retire", connection_id=connection_id)
    tx.run_many(
        "mapping_row_insert",
        [
            {
                "connection_id": connection_id,
                "version_id": version_id,
                "profile": row.profile,
                "cost_code_id": row.cost_code_id,
                "job_id": row.job_id,
                "account_id": row.account_id,
                "account_name": accounts[row.account_id][0],
                "account_type": accounts[row.account_id][1],
                "direction": row.direction,
            }
            for row in rows
        ],
    )


def _audit_save(
    tx: Transaction,
    connection_id: UUID | str,
    *,
    number: int,
    before: Sequence[MappingRow],
    rows: Sequence[MappingRow],
    publication: Publication,
) -> None:
    """Keep what changed, not the whole set: the versions' rows are still there."""
    was = {row.key: row for row in before}
    now = {row.key: row for row in rows}
    changed = sorted((key for key in was.keys() | now.keys() if was.get(key) != now.get(key)), key=str)
    write_audit(
        tx,
        AuditEntry(
            actor=publication.saved_by,
            action="mapping.saved" if publication.restores_number is None else "mapping.rolled_back",
            reason=publication.note,
            connection_id=connection_id,
            before={"version": number - 1, "rows": _changed_rows(changed, was)},
            after={"version": number, "rows": _changed_rows(changed, now)},
        ),
    )


def _changed_rows(keys: Sequence[LineKey], rows: Mapping[LineKey, MappingRow]) -> list[dict[str, Any]]:
    return [
        {
            "profile": key[0],
            **_shown_subject(key[1]),
            "account_id": rows[key].account_id,
            # Both ways is the rule and not worth a word.
            **({} if rows[key].direction == "both" else {"direction": rows[key].direction}),
        }
        for key in keys
        if key in rows
    ]


def _shown_subject(subject: str | None) -> dict[str, str | None]:
    job = job_of_subject(subject)
    return {"cost_code_id": subject} if job is None else {"job_id": job}


def _release(tx: Transaction, connection_id: UUID | str, table: MappingTable) -> None:
    """Open again what waited for something that is mapped now; the next sync sends it."""
    causes = [row["cause"] for row in tx.records("mapping_held_causes", connection_id=connection_id)]
    keys = {cause: key_of_cause(cause) for cause in causes}
    released = [cause for cause, key in keys.items() if key is not None and table.lookup(*key) is not None]
    if released:
        tx.run("mapping_release", connection_id=connection_id, causes=released)
