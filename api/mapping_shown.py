"""Rows, differences and impacts of a mapping as the API shows them: ids with the names a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.models.mapping_versions import (
    MappingChange,
    MappingDiff,
    MappingDraft,
    MappingDraftSummary,
    MappingImpact,
    MappingRowProblem,
    MappingRowShown,
    MappingVersionShown,
    MovedLines,
)
from api.routes.review import shown_cause
from resources.store.mapping_drafts import Draft
from resources.store.mapping_impact import Compared, Impact
from resources.store.mappings import MappingVersion
from sync.counting import counted
from sync.mapping import (
    CostCode,
    LineKey,
    MappingJob,
    MappingRow,
    ProviderAccount,
    job_of_subject,
    row_problems,
)
from sync.mapping_overview import SavedRow
from sync.mapping_versions import Move, RowChange


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids in a mapping are called."""

    codes: Mapping[str, CostCode]
    jobs: Mapping[str, MappingJob]
    accounts: Mapping[str, ProviderAccount]


def names_of(compared: Compared) -> Names:
    """Return the names that a comparison brought along."""
    return Names(compared.codes, compared.jobs, compared.accounts)


def draft_summary(draft: Draft, *, newest: int) -> MappingDraftSummary:
    """Show a draft in a list."""
    return MappingDraftSummary.model_validate(_head(draft, newest=newest))


def draft_shown(draft: Draft, *, newest: int, present: Sequence[MappingRow], names: Names) -> MappingDraft:
    """Show a draft with its rows and what would stop it."""
    problems = row_problems(
        draft.rows,
        cost_codes=names.codes.values(),
        accounts=names.accounts.values(),
        jobs=names.jobs.values(),
        kept=present,
    )
    return MappingDraft.model_validate(
        {
            **_head(draft, newest=newest),
            "rows": [_row(row, names=names) for row in draft.rows],
            "problems": [
                MappingRowProblem(position=each.position, field=each.field, message=each.message)
                for each in problems
            ],
        }
    )


def version_shown(
    version: MappingVersion, rows: Iterable[SavedRow], *, connection_id: object, names: Names
) -> MappingVersionShown:
    """Show a version with its rows, named as they are at the provider now."""
    return MappingVersionShown.model_validate(
        {
            "id": version.id,
            "connection_id": connection_id,
            "number": version.number,
            "note": version.note,
            "published_by": version.created_by,
            "published_at": version.created_at,
            "drafted_by": version.drafted_by,
            "restores_version": version.restores_number,
            "rows": [_saved_row(row, names=names) for row in rows],
        }
    )


def diff_shown(compared: Compared, *, before: int, after: int | None) -> MappingDiff:
    """Show what differs."""
    return MappingDiff(before_version=before, after_version=after, changes=changes_shown(compared))


def changes_shown(compared: Compared, *, only: Iterable[LineKey] | None = None) -> list[MappingChange]:
    """Show the changes of a comparison, or those of these targets."""
    chosen = None if only is None else set(only)
    return [
        _change(each, names=names_of(compared))
        for each in compared.changes
        if chosen is None or each.key in chosen
    ]


def impact_shown(found: Impact, *, before: int) -> MappingImpact:
    """Show what publishing would do, with one sentence that says it all."""
    unsent, stay, names = found.moves.unsent, found.moves.stay, names_of(found.compared)
    parts = [
        f"{counted(sum(each.group.lines for each in unsent), 'unsent line')} would be booked otherwise",
        counted(
            sum(each.group.lines for each in stay),
            "sent line stays where it is",
            "sent lines stay where they are",
        ),
        f"{counted(sum(each.records for each in found.released), 'held record')} would be released",
    ]
    waiting = sum(each.group.lines for each in unsent if each.account_after is None)
    if waiting:
        parts.append(f"{counted(waiting, 'line')} would have no account and wait")
    if found.lost:
        parts.append(
            f"{counted(len(found.lost), 'row points', 'rows point')} at an account that is gone or inactive"
        )
    return MappingImpact(
        summary="; ".join(parts) + ".",
        before_version=before,
        unsent=[_moved(each, names=names) for each in unsent],
        drafts=[_moved(each, names=names) for each in found.moves.drafts],
        stay=[_moved(each, names=names) for each in stay],
        released=[shown_cause(each) for each in found.released],
        broken=[_saved_row(row, names=names) for row in found.lost],
    )


def _head(draft: Draft, *, newest: int) -> dict[str, object]:
    return {
        "id": draft.id,
        "connection_id": draft.connection_id,
        "base_version": draft.base_number,
        "revision": draft.revision,
        "is_stale": draft.base_number != newest,
        "note": draft.note,
        "created_by": draft.created_by,
        "created_at": draft.created_at,
        "updated_by": draft.updated_by,
        "updated_at": draft.updated_at,
    }


def _row(row: MappingRow, *, names: Names) -> MappingRowShown:
    account = names.accounts.get(row.account_id)
    return MappingRowShown.model_validate(
        {
            **_target(row.key, names=names),
            "provider_account_id": row.account_id,
            "provider_account_name": account.label if account else None,
            "mapping_direction": row.direction,
            "is_broken": account is None or not account.is_active,
        }
    )


def _saved_row(row: SavedRow, *, names: Names) -> MappingRowShown:
    name = f"{row.account_number} {row.account_name}" if row.account_number else row.account_name
    return MappingRowShown.model_validate(
        {
            **_target(row.key, names=names),
            "provider_account_id": row.account_id,
            "provider_account_name": name,
            "mapping_direction": row.direction,
            "is_broken": row.is_broken,
        }
    )


def _target(key: LineKey, *, names: Names) -> dict[str, object]:
    job_id = job_of_subject(key[1])
    code_id = key[1] if job_id is None else None
    code = names.codes.get(code_id) if code_id else None
    return {
        "platform_entity_type": key[0],
        "platform_cost_code_id": code_id,
        "code": code.code if code else None,
        "name": code.name if code else None,
        **_job(job_id, names=names),
    }


def _job(job_id: str | None, *, names: Names) -> dict[str, object]:
    job = names.jobs.get(job_id) if job_id else None
    return {"platform_job_id": job_id, "job": job.label if job else None}


def _change(change: RowChange, *, names: Names) -> MappingChange:
    shown: dict[str, object] = {**_target(change.key, names=names), "change": change.kind}
    for side, row in (("before", change.before), ("after", change.after)):
        if row is not None:
            shown[f"{side}_account_id"] = row.account_id
            shown[f"{side}_account_name"] = _name(row.account_id, names)
            shown[f"{side}_direction"] = row.direction
    return MappingChange.model_validate(shown)


def _moved(move: Move, *, names: Names) -> MovedLines:
    group = move.group
    return MovedLines.model_validate(
        {
            **_target((move.profile, move.cost_code_id), names=names),
            **_job(group.job_id, names=names),
            "entity": group.entity.value,
            "role": group.role,
            "before_account_id": move.account_before,
            "before_account_name": _name(move.account_before, names),
            "after_account_id": move.account_after,
            "after_account_name": _name(move.account_after, names),
            "lines": group.lines,
            "documents": group.documents,
            "amount": group.amount,
            "currency": group.currency,
        }
    )


def _name(account_id: str | None, names: Names) -> str | None:
    account = names.accounts.get(account_id) if account_id else None
    return account.label if account else None
