"""Account mappings."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from typing_extensions import TypeAliasType

from api.cursors import Text
from api.models.base import ID_EXAMPLE, DirectionName, ProfileName, Shown, Taken
from sync.mapping import ROWS_MAX

MappingState = TypeAliasType("MappingState", Literal["mapped", "unmapped", "broken"])
VERSION_MAX = 2_000_000_000


class MappingSuggestionPart(Shown):
    """What one signal gave to a score, or took from it."""

    signal: Literal[
        "name", "division", "kind", "history", "agreement", "number", "other_kind", "type", "usual"
    ]
    points: int = Field(examples=[86])
    words: str = Field(examples=["Cast-in-place concrete and 5033 Concrete share “concrete” (86 % alike)"])


class MappingSuggestion(Shown):
    """An account that probably fits, how surely, and why."""

    provider_account_id: str = Field(examples=["84"])
    provider_account_name: str = Field(examples=["5033 Concrete"])
    score: int = Field(ge=0, le=100, examples=[92])
    reason: str = Field(examples=["Cast-in-place concrete and 5033 Concrete share “concrete” (86 % alike)."])
    parts: list[MappingSuggestionPart] = Field(
        default_factory=list, description="What each signal gave; they add up to the score."
    )


class MappingTarget(Shown):
    """One thing that wants an account: a cost code in a profile, or a profile's default."""

    platform_entity_type: ProfileName = Field(description="The profile; `cost_code` is the expense side.")
    platform_cost_code_id: UUID | None = Field(
        default=None, description="Null: a default, of the job if one is named, else of the company."
    )
    platform_job_id: UUID | None = Field(default=None, description="The job whose default this is.")
    job: str | None = Field(default=None, examples=["1204 Maple Street"])
    code: str | None = Field(default=None, examples=["03-300"])
    name: str | None = Field(default=None, examples=["Cast-in-place concrete"])
    division: str | None = Field(default=None, examples=["Concrete"])
    state: MappingState = Field(
        description="`broken`: mapped to an account that is gone or inactive; counts as unmapped."
    )
    provider_account_id: str | None = Field(default=None, examples=["84"])
    provider_account_name: str | None = Field(default=None, examples=["Concrete"])
    provider_account_number: str | None = Field(default=None, examples=["5033"])
    provider_account_type: str | None = Field(default=None, examples=["cost_of_goods_sold"])
    mapping_direction: DirectionName | None = None
    inherited_from: Literal["company"] | None = Field(
        default=None,
        description="`company`: it has no row of its own, and the company's default answers (a line's job, where that"
        " has a default, goes before it). The account shown is then the default's.",
    )
    lines: int = Field(description="Lines of the builder's documents that need it.", examples=[14])
    held_records: int = Field(description="Records that wait for it now.", examples=[3])
    suggestion: MappingSuggestion | None = Field(
        default=None, description="The account to take, where one is sure enough; else nothing is guessed."
    )
    candidates: list[MappingSuggestion] = Field(
        default_factory=list, description="The nearest three, best first, also where none is sure enough."
    )


class MappingCounts(Shown):
    """How complete the mapping is."""

    mapped: int
    unmapped: int
    broken: int
    needed: int = Field(description="Unmapped or broken targets that documents use.")
    held_records: int


class Mapping(Shown):
    """The mapping of a connection as it stands, with what is missing and what would fit."""

    connection_id: UUID = Field(examples=[ID_EXAMPLE])
    version: int = Field(description="Send it back when saving; 0 before the first save.", examples=[4])
    saved_at: datetime | None = None
    saved_by: str | None = None
    note: str | None = None
    counts: MappingCounts
    rows: list[MappingTarget]


class MappingRowIn(Taken):
    """One row of the mapping to save."""

    platform_entity_type: ProfileName
    platform_cost_code_id: UUID | None = Field(
        default=None, description="Null: a default, of the job if one is named, else of the company."
    )
    platform_job_id: UUID | None = Field(
        default=None, description="This job's default in the profile; not together with a cost code."
    )
    provider_account_id: Text = Field(min_length=1, max_length=100, examples=["84"])
    mapping_direction: DirectionName = "both"


class MappingSave(Taken):
    """The full mapping of a connection: what is not in `rows` is unmapped from now on."""

    connection_id: UUID | None = Field(
        default=None, description="May be left out while there is one connection."
    )
    version: int = Field(
        ge=0, le=VERSION_MAX, description="The version that was loaded; another one since gives 409."
    )
    note: Text = Field(default="", description="Why, for the history.")
    rows: list[MappingRowIn] = Field(max_length=ROWS_MAX)
