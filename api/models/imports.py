"""What the routes of imports take and answer with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from typing_extensions import TypeAliasType

from api import cursors
from api.models.base import ID_EXAMPLE, Page, Shown, Taken

ImportEntityName = TypeAliasType(
    "ImportEntityName",
    Literal[
        "cost_codes",
        "clients",
        "vendors",
        "jobs",
        "accounts",
        "purchase_orders",
        "invoices",
        "bills",
        "journal_entries",
        "opening_balances",
        "payments",
    ],
)
ImportStatus = TypeAliasType(
    "ImportStatus",
    Literal["received", "checking", "ready", "writing", "done", "refused", "cancelled", "failed", "undone"],
)
DuplicatesName = TypeAliasType("DuplicatesName", Literal["skip", "update", "error"])
MatchName = TypeAliasType("MatchName", Literal["number", "external_id"])
Heading = Annotated[cursors.Text, StringConstraints(max_length=200)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class ImportQuery(cursors.Paging):
    """Which imports are asked for."""

    entity: ImportEntityName | None = Field(default=None, description="Only imports of this.")
    status: ImportStatus | None = Field(default=None, description="Only imports that stand so.")


class ImportView(Shown):
    """An import in a list."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    entity: str
    file_name: str
    size_bytes: int
    status: str = Field(
        description="received, checking, ready (look at it and confirm), writing, done, refused, cancelled, failed or undone."
    )
    is_silent: bool = Field(
        description="The process at work has said nothing for a minute and is probably gone: resume the import."
    )
    is_waiting: bool = Field(
        description="Nobody has begun with it yet: other imports are at work, and it has its turn after them."
    )
    is_cancel_asked: bool
    rows_read: int
    rows_to_write: int
    rows_written: int
    documents_written: int
    skipped: int = Field(description="Rows that are here already.")
    problem_count: int
    error: str | None = Field(description="Why it was refused, cancelled or broke off.")
    layout: str | None = Field(description="The saved or known layout by which the columns were read.")
    repeats: UUID | None = Field(description="The import that brought this very file before.")
    imported_by: str
    imported_at: datetime
    finished_at: datetime | None


class ImportProblemView(Shown):
    """One thing to correct."""

    line: int
    column: str
    problem: str
    suggestion: str


class PreviewProblem(Shown):
    """What is wrong with a row of the preview."""

    column: str
    problem: str
    suggestion: str


class PreviewRow(Shown):
    """One of the first rows as it was understood, by field."""

    line: int
    values: dict[str, str]
    problems: list[PreviewProblem]


class ImportDetail(ImportView):
    """One import with everything that was found."""

    headings: list[str] = Field(description="The file's own headings.")
    columns: dict[str, str] = Field(description="Which heading was read as which field.")
    options: dict[str, Any]
    notes: list[str]
    problems: list[ImportProblemView] = Field(
        description="The first thousand problems; all are in the file of problems."
    )
    preview: list[PreviewRow] = Field(description="The first 200 rows.")


class ImportPage(Page):
    """Imports, newest first."""

    items: list[ImportView]


class ImportChoices(Taken):
    """Other columns or another policy; what is left out stays as it was chosen before."""

    columns: dict[FieldName, Heading | None] | None = Field(
        default=None, description="Field → heading, null for a column that is not to be read."
    )
    fixed: dict[FieldName, Heading] | None = Field(
        default=None, description="Field → value, for columns that the file does not have."
    )
    duplicates: DuplicatesName | None = None
    match: MatchName | None = None
    template: cursors.Text | None = Field(default=None, description="Saved columns to read the file with.")
    save_as: Annotated[cursors.Text, StringConstraints(min_length=1, max_length=100)] | None = Field(
        default=None,
        description="Keep these columns under this name for the next file with the same headings.",
    )


class ImportConfirmation(Taken):
    """A yes to what was shown."""

    partial: bool = Field(
        default=False, description="Import what has no problem and leave the rest in the file of problems."
    )


class ImportUndone(Shown):
    """What an undo did."""

    removed: int
    restored: int


class ImportTemplateView(Shown):
    """Saved columns."""

    id: UUID = Field(examples=[ID_EXAMPLE])
    entity: str
    name: str
    columns: dict[str, str | None]
    fixed: dict[str, str]
    created_by: str
    created_at: datetime


class ImportTemplateList(Shown):
    """A builder's saved columns."""

    items: list[ImportTemplateView]
