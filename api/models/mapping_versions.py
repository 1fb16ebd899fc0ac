"""Drafts and versions of a mapping: rows, differences, and what publishing would do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.cursors import Text
from api.models.base import ID_EXAMPLE, DirectionName, EntityName, Page, ProfileName, Shown, Taken
from api.models.mappings import VERSION_MAX, MappingRowIn
from api.models.queues import HoldCause
from sync.mapping import ROWS_MAX

REVISION_MAX = 2_000_000_000


class MappingRowShown(Shown):
    """One row of a draft or version, with the names a person reads."""

    platform_entity_type: ProfileName
    platform_cost_code_id: UUID | None = Field(default=None, description="Null: the profile's default.")
    platform_job_id: UUID | None = Field(default=None, description="The row is this job's default.")
    job: str | None = Field(default=None, examples=["24-011 Hill House"])
    code: str | None = Field(default=None, examples=["03-300"])
    name: str | None = Field(default=None, examples=["Cast-in-place concrete"])
    provider_account_id: str = Field(examples=["84"])
    provider_account_name: str | None = Field(default=None, examples=["5033 Concrete"])
    mapping_direction: DirectionName
    is_broken: bool = Field(description="True where the account is gone or inactive at the provider.")


class MappingRowProblem(Shown):
    """Why a row of a draft could not be published."""

    position: int = Field(description="Counts from 0 in `rows`.")
    field: str = Field(examples=["provider_account_id"])
    message: str


class MappingDraftSummary(Shown):
    """A draft in the list."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    connection_id: UUID
    base_version: int = Field(description="The published version it was begun from.", examples=[4])
    revision: int = Field(description="Send it back when saving or publishing.", examples=[1])
    is_stale: bool = Field(description="True where another version was published since: rebase it first.")
    note: str
    created_by: str
    created_at: datetime
    updated_by: str
    updated_at: datetime


class MappingDraft(MappingDraftSummary):
    """A draft with its rows, and what would stop it from being published."""

    rows: list[MappingRowShown]
    problems: list[MappingRowProblem]


class MappingDraftList(Shown):
    """The drafts of a connection, the one edited last first."""

    items: list[MappingDraftSummary]


class MappingDraftBegin(Taken):
    """What a draft begins with: these rows, an older version's, the suggestions, or the mapping as it is."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    note: Text = Field(default="", description="Why, for the history.")
    from_version: int | None = Field(
        default=None, ge=1, le=VERSION_MAX, description="Begin with the rows of this version."
    )
    with_suggestions: bool = Field(
        default=False, description="Fill what is unmapped with the suggestions that are sure enough."
    )
    rows: list[MappingRowIn] | None = Field(default=None, max_length=ROWS_MAX)


class MappingDraftSave(Taken):
    """A draft's full rows, in place of what it had."""

    revision: int = Field(
        ge=1, le=REVISION_MAX, description="The revision that was loaded; another one since gives 409."
    )
    note: Text = Field(default="", description="Why, for the history.")
    rows: list[MappingRowIn] = Field(max_length=ROWS_MAX)


class MappingDraftPublish(Taken):
    """Which revision of a draft shall be the mapping."""

    revision: int = Field(
        ge=1, le=REVISION_MAX, description="The revision that was looked at; another one since gives 409."
    )
    note: Text = Field(default="", description="Why; without it the draft's own note.")
    start_sync: bool = Field(default=False, description="Start a sync of what it releases at once.")


class MappingDraftRebase(Taken):
    """Which revision of a draft shall be carried over to the newest version."""

    revision: int = Field(ge=1, le=REVISION_MAX)


class MappingRollBack(Taken):
    """Which mapping is to be replaced by the older version."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    version: int = Field(
        ge=0, le=VERSION_MAX, description="The version that is valid now; another one since gives 409."
    )
    note: Text = Field(default="", description="Why, for the history.")
    start_sync: bool = Field(default=False, description="Start a sync of what it releases at once.")


class MappingVersionSummary(Shown):
    """One version in the history."""

    id: UUID
    number: int = Field(examples=[4])
    note: str
    published_by: str
    published_at: datetime
    drafted_by: str | None = Field(default=None, description="Who began the draft; null: saved without one.")
    restores_version: int | None = Field(
        default=None, description="The older version that this one brought back."
    )
    row_count: int


class MappingVersionPage(Page):
    """The history of a mapping, newest first."""

    items: list[MappingVersionSummary]


class MappingVersionShown(Shown):
    """One version with its rows."""

    id: UUID
    connection_id: UUID
    number: int = Field(examples=[4])
    note: str
    published_by: str
    published_at: datetime
    drafted_by: str | None = None
    restores_version: int | None = None
    rows: list[MappingRowShown]


class MappingChange(Shown):
    """One target that is mapped otherwise."""

    platform_entity_type: ProfileName
    platform_cost_code_id: UUID | None = None
    platform_job_id: UUID | None = None
    job: str | None = None
    code: str | None = None
    name: str | None = None
    change: Literal["added", "changed", "removed"]
    before_account_id: str | None = None
    before_account_name: str | None = None
    before_direction: DirectionName | None = None
    after_account_id: str | None = None
    after_account_name: str | None = None
    after_direction: DirectionName | None = None


class MappingDiff(Shown):
    """What differs between two versions, or a version and a draft."""

    before_version: int
    after_version: int | None = Field(default=None, description="Null: a draft.")
    changes: list[MappingChange]


class MovedLines(Shown):
    """Lines of one kind that would be booked on another account."""

    entity: EntityName
    role: str = Field(examples=["work"])
    platform_entity_type: ProfileName
    platform_cost_code_id: UUID | None = None
    platform_job_id: UUID | None = Field(default=None, description="The job that the lines belong to.")
    job: str | None = None
    code: str | None = None
    name: str | None = None
    before_account_id: str | None = Field(default=None, description="Null: it has none, and waits.")
    before_account_name: str | None = None
    after_account_id: str | None = Field(default=None, description="Null: it would have none, and wait.")
    after_account_name: str | None = None
    lines: int
    documents: int
    amount: Decimal = Field(examples=["1250.00"])
    currency: str = Field(examples=["USD"])


class MappingImpact(Shown):
    """What publishing would do now. Nothing that is in the ledger already is changed."""

    summary: str = Field(
        examples=["37 unsent lines would move; 212 sent lines stay; 3 held records would be released."]
    )
    before_version: int
    unsent: list[MovedLines] = Field(description="Approved, not in the ledger: booked otherwise from now on.")
    drafts: list[MovedLines] = Field(description="Not approved yet: the same once they are.")
    stay: list[MovedLines] = Field(description="In the ledger: they stay where they were sent.")
    released: list[HoldCause] = Field(description="Holds that would end, with all they block.")
    broken: list[MappingRowShown] = Field(
        description="Rows whose account is gone or inactive at the provider; they count as unmapped."
    )


class MappingRebased(Shown):
    """A draft on top of the newest version."""

    draft: MappingDraft
    both_changed: list[MappingChange] = Field(
        description="Targets that the draft and the newer version changed; the draft's row stands."
    )
