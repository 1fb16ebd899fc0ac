"""The mapping: which provider account a cost code (or a role of a line) is booked on.

Promises the profiles and what each may point at, the table that sync looks accounts up in, and the check of a new
set of rows. Suggestions are `sync.mapping_suggestions`, storage is `resources.store.mappings`.

A row says: in this profile, this cost code goes to this account. A row for a job is that job's default in the profile,
a row for neither is the company's. A line takes the row of its code, else its job's default, else the company's, and
says which of them it was. Costs and sales have no default unless somebody sets one: a cost booked on "anything else"
is exactly the wrong bucket this product exists to prevent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from sync.records import Entity

Profile = Literal["cost_code", "revenue", "asset", "liability"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
MappingDirection = Literal["push", "pull", "both"]

# What each profile is called in a sentence.
PROFILE_WORDS: Mapping[Profile, str] = {
    "cost_code": "expense",
    "revenue": "revenue",
    "asset": "asset",
    "liability": "liability",
}

# The account types a profile may point at; the first is the usual one.
ALLOWED_TYPES: Mapping[Profile, tuple[str, ...]] = {
    "cost_code": ("cost_of_goods_sold", "expense"),
    "revenue": ("income",),
    "asset": ("other_current_asset", "other_asset", "fixed_asset"),
    "liability": ("other_current_liability", "long_term_liability"),
}

# Profiles that are asked for a company default; the others have one only where somebody sets it.
WITH_DEFAULT: frozenset[Profile] = frozenset({"asset", "liability"})

ROWS_MAX = 20_000

# What a row is for: a cost code's id, `job:` and a job's id, or None for the company.
LineKey = tuple[Profile, str | None]
AccountSource = Literal["code", "job", "company"]
JOB_PREFIX = "job:"


def job_subject(job_id: str) -> str:
    """Return what stands for a job's default in a key."""
    return JOB_PREFIX + job_id


def job_of_subject(subject: str | None) -> str | None:
    """Return the job whose default a key stands for, if it does."""
    return (
        subject.removeprefix(JOB_PREFIX) if subject is not None and subject.startswith(JOB_PREFIX) else None
    )


def profile_of_line(entity: Entity, *, role: str, cost_code_id: str | None) -> LineKey:
    """Return the profile and cost code under which a document line's account is looked up.

    Retainage is one account for the whole company, so its cost code does not matter; journal entry lines are costs.
    """
    if role == "retainage":
        return ("asset", None) if entity is Entity.INVOICE else ("liability", None)
    if role == "stored_materials":
        return ("asset", cost_code_id)
    return ("revenue", cost_code_id) if entity is Entity.INVOICE else ("cost_code", cost_code_id)


@dataclass(frozen=True, slots=True)
class MappingTable:
    """One version of a connection's mapping, as sync uses it; knows only accounts that exist and are active.

    `accounts` has (profile, cost code id or None) → provider account id, for rows that are pushed. `broken` has their
    keys whose account is gone or inactive at the provider, with the account's name: they count as unmapped until the
    account is active again or the mapping is saved with another.
    """

    version_id: str | None = None
    number: int = 0
    accounts: Mapping[LineKey, str] = field(default_factory=dict)
    broken: Mapping[LineKey, str] = field(default_factory=dict)
    # For the way back: (profile, account) → the cost codes that are booked on it, several where many share one.
    codes: Mapping[tuple[Profile, str], tuple[str, ...]] = field(default_factory=dict)
    # The same for the rows without a cost code: (profile, account) of the company's and the jobs' defaults.
    defaults: frozenset[tuple[Profile, str]] = frozenset()

    def find(
        self, profile: Profile, cost_code_id: str | None, *, job_id: str | None = None
    ) -> tuple[str, AccountSource] | None:
        """Return the provider account and where it comes from: the code's row, the job's default or the company's."""
        places: list[tuple[AccountSource, str | None]] = [("company", None)]
        if job_id is not None:
            places.insert(0, ("job", job_subject(job_id)))
        if cost_code_id is not None:
            places.insert(0, ("code", cost_code_id))
        for source, subject in places:
            if (profile, subject) in self.broken:
                # A broken row is not silently replaced by a default: somebody meant another account.
                return None
            found = self.accounts.get((profile, subject))
            if found is not None:
                return found, source
        return None

    def lookup(self, profile: Profile, cost_code_id: str | None, *, job_id: str | None = None) -> str | None:
        """Return the provider account, or None where nothing is mapped."""
        found = self.find(profile, cost_code_id, job_id=job_id)
        return found[0] if found is not None else None

    def account_for_line(
        self, entity: Entity, *, role: str, cost_code_id: str | None, job_id: str | None = None
    ) -> str | None:
        """Return the provider account of one document line, or None where nothing is mapped."""
        return self.lookup(*profile_of_line(entity, role=role, cost_code_id=cost_code_id), job_id=job_id)

    def is_default(self, profile: Profile, account_id: str) -> bool:
        """Whether lines read back from the account are the profile's default, of the company or of a job."""
        return (profile, account_id) in self.defaults

    @property
    def has_job_defaults(self) -> bool:
        """Whether an account may depend on a line's job."""
        return any(job_of_subject(subject) is not None for _, subject in self.accounts)

    def codes_on(self, profile: Profile, account_id: str) -> tuple[str, ...]:
        """Return the cost codes booked on this account; one is an answer, several are a question for a person."""
        return self.codes.get((profile, account_id), ())


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One row of a mapping as somebody wants it saved."""

    profile: Profile
    cost_code_id: str | None
    account_id: str
    direction: MappingDirection = "both"
    # The row is this job's default; a row has a cost code, a job, or neither.
    job_id: str | None = None

    @property
    def key(self) -> LineKey:
        """What the row maps; unique in one version."""
        return (self.profile, job_subject(self.job_id) if self.job_id is not None else self.cost_code_id)


@dataclass(frozen=True, slots=True)
class MappingJob:
    """A job, as far as mapping needs it."""

    id: str
    number: str
    name: str
    is_active: bool = True

    @property
    def label(self) -> str:
        """The job as its builder would say it."""
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class CostCode:
    """A cost code, as far as mapping needs it."""

    id: str
    code: str
    name: str
    division: str | None = None
    is_active: bool = True
    # As the builder wrote it: labor, material, subcontract, equipment, or words of its own.
    cost_type: str | None = None


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """An account of the provider's chart, as far as mapping needs it; `type` in the platform's vocabulary."""

    id: str
    name: str
    type: str
    number: str | None = None
    is_active: bool = True

    @property
    def label(self) -> str:
        """The account as a bookkeeper would say it."""
        return f"{self.number} {self.name}" if self.number else self.name


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why one row cannot be saved; `position` counts from 0 in the set that was sent."""

    position: int
    field: Literal["platform_cost_code_id", "platform_job_id", "platform_entity_type", "provider_account_id"]
    message: str


def row_problems(
    rows: Sequence[MappingRow],
    *,
    cost_codes: Collection[CostCode],
    accounts: Collection[ProviderAccount],
    jobs: Collection[MappingJob] = (),
    kept: Collection[MappingRow] = (),
) -> list[RowProblem]:
    """Return every reason why these rows cannot become a mapping, one sentence each; empty where they can.

    A row of `kept`, the mapping as it is, may stay although its account was lost since: it is broken before and after,
    and mending one row must not need all others mended first.
    """
    codes_by_id = {code.id: code for code in cost_codes}
    jobs_by_id = {job.id: job for job in jobs}
    accounts_by_id = {account.id: account for account in accounts}
    problems: list[RowProblem] = []
    taken: dict[LineKey, int] = {}
    for position, row in enumerate(rows):
        code = codes_by_id.get(row.cost_code_id) if row.cost_code_id is not None else None
        job = jobs_by_id.get(row.job_id) if row.job_id is not None else None
        problems.extend(_subject_problems(position, row, code, job))
        first = taken.setdefault(row.key, position)
        if first != position:
            problems.append(
                RowProblem(
                    position,
                    "platform_cost_code_id",
                    (
                        f"Rows {first + 1} and {position + 1} both map {_subject(row, code, job)} in the"
                        f" {PROFILE_WORDS[row.profile]} profile; keep one of them."
                    ),
                )
            )
        account = accounts_by_id.get(row.account_id)
        if (account is not None and account.is_active) or row not in kept:
            problems.extend(_account_problems(position, row, account))
    return problems


def _subject(row: MappingRow, code: CostCode | None, job: MappingJob | None) -> str:
    if row.job_id is not None:
        return f"the default of job {job.number if job else row.job_id}"
    if row.cost_code_id is None:
        return "the default"
    return f"cost code {code.code}" if code else f"cost code {row.cost_code_id}"


def _subject_problems(
    position: int, row: MappingRow, code: CostCode | None, job: MappingJob | None
) -> list[RowProblem]:
    where = f"Row {position + 1} names"
    if row.cost_code_id is not None and row.job_id is not None:
        return [
            RowProblem(
                position,
                "platform_job_id",
                f"{where} a cost code and a job; a row is for one of them, so make two rows of it.",
            )
        ]
    if row.job_id is not None and job is None:
        return [
            RowProblem(
                position,
                "platform_job_id",
                f"{where} job {row.job_id}, which this builder does not have; take the id from the list of jobs.",
            )
        ]
    if row.cost_code_id is not None and code is None:
        return [
            RowProblem(
                position,
                "platform_cost_code_id",
                (
                    f"{where} cost code {row.cost_code_id}, which this builder does not have;"
                    " take the id from the list of cost codes."
                ),
            )
        ]
    return []


def _account_problems(position: int, row: MappingRow, account: ProviderAccount | None) -> list[RowProblem]:
    if account is None:
        return [
            RowProblem(
                position,
                "provider_account_id",
                (
                    f"Row {position + 1} names account {row.account_id}, which is not in the provider's chart of accounts;"
                    " choose one from the list, or sync the accounts first."
                ),
            )
        ]
    if not account.is_active:
        return [
            RowProblem(
                position,
                "provider_account_id",
                (
                    f"Row {position + 1} names account {account.label}, which is inactive at the provider;"
                    " make it active there, or choose another."
                ),
            )
        ]
    allowed = ALLOWED_TYPES[row.profile]
    if account.type not in allowed:
        return [
            RowProblem(
                position,
                "provider_account_id",
                (
                    f"Row {position + 1} maps the {PROFILE_WORDS[row.profile]} profile to {account.label}, an account of type"
                    f" {type_words(account.type)}; choose one of type {' or '.join(type_words(each) for each in allowed)}."
                ),
            )
        ]
    return []


def type_words(account_type: str) -> str:
    """Return an account type as words."""
    return account_type.replace("_", " ")
