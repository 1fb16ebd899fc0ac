"""How complete a mapping is: every target that wants an account, what it has, who waits for it, and what would fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sync.mapping import (
    PROFILES,
    WITH_DEFAULT,
    CostCode,
    LineKey,
    MappingDirection,
    MappingJob,
    MappingRow,
    Profile,
    ProviderAccount,
    job_of_subject,
    job_subject,
)
from sync.mapping_evidence import Choice
from sync.mapping_memory import SuggestionMemory
from sync.mapping_suggestions import Ranked, Suggestion, rank, suggest_default

State = Literal["mapped", "unmapped", "broken"]

# Every active cost code may cost and may earn; assets and liabilities have a default, and codes of their own by choice.
_ASKED_FOR_EVERY_CODE: tuple[Profile, ...] = ("cost_code", "revenue")
_memory: SuggestionMemory[Ranked] = SuggestionMemory()


@dataclass(frozen=True, slots=True)
class MappingUse:
    """How much depends on one key: lines of the builder's documents, and records that wait for it."""

    lines: int = 0
    held_records: int = 0


@dataclass(frozen=True, slots=True)
class SavedRow:
    """One row of a saved version, and whether its account is still there."""

    profile: Profile
    cost_code_id: str | None
    account_id: str
    account_name: str | None
    account_number: str | None
    account_type: str | None
    direction: MappingDirection
    is_broken: bool
    job_id: str | None = None

    @property
    def key(self) -> LineKey:
        """What the row maps."""
        return (self.profile, job_subject(self.job_id) if self.job_id is not None else self.cost_code_id)

    @property
    def as_row(self) -> MappingRow:
        """The row as somebody would save it."""
        return MappingRow(
            self.profile, self.cost_code_id, self.account_id, self.direction, job_id=self.job_id
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that wants an account."""

    profile: Profile
    code: CostCode | None
    state: State
    row: SavedRow | None
    use: MappingUse
    suggestion: Suggestion | None
    # The nearest accounts, best first, also where none of them is sure enough.
    candidates: tuple[Suggestion, ...] = ()
    # The job whose default this is.
    job: MappingJob | None = None
    # The company's default, where it answers for a code without a row of its own; a job's default goes before it.
    inherited: SavedRow | None = None

    @property
    def is_needed(self) -> bool:
        """True where documents use it and it has no account."""
        return self.state != "mapped" and (self.use.lines > 0 or self.use.held_records > 0)


def mapping_targets(
    *,
    codes: Sequence[CostCode],
    accounts: Sequence[ProviderAccount],
    rows: Sequence[SavedRow],
    uses: Mapping[LineKey, MappingUse],
    jobs: Sequence[MappingJob] = (),
    choices: Mapping[Profile, Sequence[Choice]] | None = None,
) -> list[Target]:
    """Return every target in a fixed order: profile by profile, the defaults first, then by code."""
    by_id: dict[str, CostCode | MappingJob] = {code.id: code for code in codes}
    by_id |= {job_subject(job.id): job for job in jobs}
    saved = {row.key: row for row in rows}
    wanted: set[LineKey] = {(profile, None) for profile in WITH_DEFAULT}
    wanted |= {(profile, code.id) for profile in _ASKED_FOR_EVERY_CODE for code in codes if code.is_active}
    wanted |= {key for key in (*saved, *uses) if key[1] is None or key[1] in by_id}
    suggestions = _suggestions(
        wanted - _mapped(saved),
        by_id={code.id: code for code in codes},
        accounts=accounts,
        choices=choices or {},
    )
    places = {subject_id: _place(subject) for subject_id, subject in by_id.items()}
    keys = sorted(
        (key for key in wanted if key[1] is not None or key[0] in WITH_DEFAULT or key in saved),
        key=lambda key: (PROFILES.index(key[0]), places[key[1]] if key[1] else _FIRST),
    )
    return [_target(key, by_id=by_id, saved=saved, uses=uses, suggestions=suggestions) for key in keys]


# The defaults stand before the jobs', and those before the codes.
_FIRST = (0, "")


def _place(subject: CostCode | MappingJob) -> tuple[int, str]:
    return (1, subject.number) if isinstance(subject, MappingJob) else (2, subject.code)


def _mapped(saved: Mapping[LineKey, SavedRow]) -> set[LineKey]:
    return {key for key, row in saved.items() if not row.is_broken and row.direction != "pull"}


def _target(
    key: LineKey,
    *,
    by_id: Mapping[str, CostCode | MappingJob],
    saved: Mapping[LineKey, SavedRow],
    uses: Mapping[LineKey, MappingUse],
    suggestions: Mapping[LineKey, Ranked],
) -> Target:
    profile, code_id = key
    row = saved.get(key)
    # A row that only reads lines back gives nothing to send with: for that the default answers, or nobody.
    sends = row is not None and row.direction != "pull"
    is_broken = row is not None and row.is_broken
    state: State = "broken" if is_broken else "mapped" if sends else "unmapped"
    default = saved.get((profile, None))
    answers = default is not None and not default.is_broken and default.direction != "pull"
    inherited = default if state == "unmapped" and answers else None
    if inherited is not None:
        # The profile's default answers for every code without a row of its own.
        state = "mapped"
    subject = by_id[code_id] if code_id else None
    ranked = suggestions.get(key) if state != "mapped" else None
    return Target(
        profile=profile,
        code=subject if isinstance(subject, CostCode) else None,
        job=subject if isinstance(subject, MappingJob) else None,
        inherited=inherited,
        state=state,
        row=row,
        use=uses.get(key, MappingUse()),
        suggestion=ranked.pick if ranked else None,
        candidates=ranked.candidates if ranked else (),
    )


def _suggestions(
    keys: set[LineKey],
    *,
    by_id: Mapping[str, CostCode],
    accounts: Sequence[ProviderAccount],
    choices: Mapping[Profile, Sequence[Choice]],
) -> Mapping[LineKey, Ranked]:
    """Return what fits each key; ranking hundreds of codes against a chart costs more than all else that is shown."""
    asked = (
        frozenset(keys),
        tuple(by_id.values()),
        tuple(accounts),
        tuple((profile, tuple(choices.get(profile, ()))) for profile in PROFILES),
    )
    return _memory.recall(
        asked,
        lambda: _ranked(keys, by_id=by_id, accounts=accounts, choices=choices),
        subjects=len(keys) + len(by_id) + len(accounts),
    )


def _ranked(
    keys: set[LineKey],
    *,
    by_id: Mapping[str, CostCode],
    accounts: Sequence[ProviderAccount],
    choices: Mapping[Profile, Sequence[Choice]],
) -> dict[LineKey, Ranked]:
    found: dict[LineKey, Ranked] = {}
    for profile in PROFILES:
        codes = [
            by_id[code_id]
            for each, code_id in keys
            if each == profile and code_id is not None and job_of_subject(code_id) is None
        ]
        codes.sort(key=lambda code: code.code)
        ranked = rank(profile, cost_codes=codes, accounts=accounts, choices=choices.get(profile, ()))
        for code_id, each in ranked.items():
            found[profile, code_id] = each
        if (profile, None) in keys:
            default = suggest_default(profile, accounts=accounts)
            if default is not None:
                found[profile, None] = Ranked((default,), default)
    return found
