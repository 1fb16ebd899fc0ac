"""What can be exported: each dataset with its columns and the filters it takes.

Datasets that can be imported again have the columns of their import format (`sync.imports.formats`), under the headings
an import knows, so that an exported file is a file to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sync.errors import InvalidInput
from sync.imports.formats import FORMATS, Field, Format, ImportEntity
from sync.imports.formulas import ID_HEADING

ColumnKind = Literal["text", "amount", "number", "date", "moment", "flag", "json", "count"]
FilterName = Literal[
    "connection_id", "entity", "record_id", "status", "category", "cause", "direction", "action", "since", "until"
]  # fmt: skip

_KINDS: Mapping[str, ColumnKind] = {
    "amount": "amount",
    "price": "number",
    "quantity": "number",
    "date": "date",
}


class ExportFormat(StrEnum):
    """How a file is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the query, its heading, and how its values are written."""

    name: str
    title: str
    kind: ColumnKind = "text"
    # A line's own value; in JSON Lines it stands in the document's `lines`.
    is_of_line: bool = False

    @property
    def key(self) -> str:
        """The column's name in JSON: its heading, so that a file can be imported again."""
        return self.title.lower().replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One kind of export. Its query is `export_<name>` in sql/queries/exports.sql."""

    name: str
    noun: str
    columns: tuple[Column, ...]
    filters: tuple[FilterName, ...]
    # The platform's own words: which states there are is the format's business.
    can_be_imported: bool = False

    @property
    def has_lines(self) -> bool:
        """Whether a document of it is several rows."""
        return any(column.is_of_line for column in self.columns)


def _of_format(format_: Format) -> Dataset:
    columns = [_of_field(field) for field in format_.fields]
    own = [column for column in columns if not column.is_of_line]
    lines = [column for column in columns if column.is_of_line]
    is_document = format_.has_lines
    filters: tuple[FilterName, ...] = ("status", "since", "until") if is_document else ("status",)
    return Dataset(
        str(format_.entity),
        format_.noun,
        (*own, Column("id", ID_HEADING), *lines),
        filters,
        can_be_imported=True,
    )


def _of_field(field: Field) -> Column:
    kind = "flag" if field.name == "is_active" else _KINDS.get(field.kind, "text")
    return Column(field.name, field.title, kind, field.is_of_line)


_MONEY_OUT = (
    Column("number", "Reference"),
    Column("party", "Vendor"),
    Column("date", "Date", "date"),
    Column("currency", "Currency"),
    Column("paid", "Amount", "amount"),
    Column("unapplied", "Unapplied", "amount"),
    Column("method", "Method"),
    Column("memo", "Memo"),
    Column("status", "Status"),
    Column("external_id", "External id"),
    Column("id", ID_HEADING),
    Column("bill", "Bill", is_of_line=True),
    Column("applied", "Applied", "amount", is_of_line=True),
)
_DEPOSIT = (
    Column("number", "Reference"),
    Column("date", "Date", "date"),
    Column("account", "Account"),
    Column("currency", "Currency"),
    Column("total", "Total", "amount"),
    Column("memo", "Memo"),
    Column("status", "Status"),
    Column("external_id", "External id"),
    Column("id", ID_HEADING),
    Column("payment", "Payment", is_of_line=True),
    Column("description", "Description", is_of_line=True),
    Column("amount", "Amount", "amount", is_of_line=True),
)
_WAITING = (
    Column("created_at", "Since", "moment"),
    Column("provider", "Provider"),
    Column("entity", "Entity"),
    Column("label", "Record"),
    Column("amount", "Amount", "amount"),
    Column("currency", "Currency"),
    Column("status", "Status"),
    Column("direction", "Direction"),
    Column("message", "What happened"),
    Column("category", "Category"),
    Column("code", "Code"),
    Column("remedy", "Remedy"),
    Column("cause", "Cause"),
    Column("retries", "Retries", "count"),
    Column("next_retry_at", "Next try", "moment"),
    Column("record_id", "Record id"),
    Column("remote_id", "Provider id"),
    Column("id", ID_HEADING),
)
_QUEUE: tuple[FilterName, ...] = (
    "connection_id",
    "entity",
    "status",
    "category",
    "cause",
    "since",
    "until",
)

_OTHERS = (
    Dataset("bill_payments", "bill payment", _MONEY_OUT, ("status", "since", "until")),
    Dataset("deposits", "deposit", _DEPOSIT, ("status", "since", "until")),
    Dataset(
        "mappings",
        "mapping",
        (
            Column("provider", "Provider"),
            Column("version", "Version", "count"),
            Column("profile", "Profile"),
            Column("cost_code", "Cost code"),
            Column("cost_code_name", "Cost code name"),
            Column("account_id", "Account id"),
            Column("account_name", "Account name"),
            Column("account_type", "Account type"),
            Column("direction", "Direction"),
            Column("id", ID_HEADING),
        ),
        ("connection_id",),
    ),
    Dataset("errors", "record that waits", _WAITING, _QUEUE),
    Dataset(
        "conflicts",
        "conflict",
        (
            Column("created_at", "Since", "moment"),
            Column("provider", "Provider"),
            Column("entity", "Entity"),
            Column("label", "Record"),
            Column("message", "Why"),
            Column("money_difference", "Money difference", "amount"),
            Column("field", "Field"),
            Column("ours", "Ours"),
            Column("base", "Last agreed"),
            Column("theirs", "Theirs"),
            Column("record_id", "Record id"),
            Column("remote_id", "Provider id"),
            Column("id", ID_HEADING),
        ),
        ("connection_id", "entity", "since", "until"),
    ),
    Dataset(
        "history",
        "row of the sync history",
        (
            Column("started_at", "Started", "moment"),
            Column("completed_at", "Completed", "moment"),
            Column("provider", "Provider"),
            Column("sync_type", "Sync type"),
            Column("entity", "Entity"),
            Column("direction", "Direction"),
            Column("status", "Status"),
            Column("processed", "Processed", "count"),
            Column("succeeded", "Succeeded", "count"),
            Column("failed", "Failed", "count"),
            Column("summary", "Counts and amounts", "json"),
            Column("error_summary", "Error"),
            Column("sync_run_id", "Sync id"),
            Column("id", ID_HEADING),
        ),
        ("connection_id", "entity", "direction", "status", "since", "until"),
    ),
    Dataset(
        "records",
        "record of past syncs",
        (
            Column("created_at", "At", "moment"),
            Column("provider", "Provider"),
            Column("entity", "Entity"),
            Column("label", "Record"),
            Column("direction", "Direction"),
            Column("status", "Status"),
            Column("action", "Action"),
            Column("amount", "Amount", "amount"),
            Column("currency", "Currency"),
            Column("message", "What happened"),
            Column("resolved_at", "Resolved", "moment"),
            Column("resolution", "Resolution"),
            Column("resolved_by", "Resolved by"),
            Column("record_id", "Record id"),
            Column("remote_id", "Provider id"),
            Column("id", ID_HEADING),
        ),
        ("connection_id", "entity", "direction", "status", "since", "until"),
    ),
    Dataset(
        "evidence",
        "write or change of a record",
        (
            Column("at", "At", "moment"),
            Column("kind", "Kind"),
            Column("entity", "Entity"),
            Column("record_id", "Record id"),
            Column("actor", "Who"),
            Column("action", "What"),
            Column("reason", "Why"),
            Column("state", "Outcome"),
            Column("request_id", "Request id"),
            Column("payload_hash", "Payload hash"),
            Column("mapping_version", "Mapping version", "count"),
            Column("remote_id", "Provider id"),
            Column("before", "Before", "json"),
            Column("after", "Payload or after", "json"),
            Column("id", ID_HEADING),
        ),
        ("connection_id", "entity", "record_id", "since", "until"),
    ),
    Dataset(
        "audit",
        "entry of the audit log",
        (
            Column("at", "At", "moment"),
            Column("actor", "Who"),
            Column("action", "What"),
            Column("reason", "Why"),
            Column("entity", "Entity"),
            Column("record_id", "Record id"),
            Column("remote_id", "Provider id"),
            Column("before", "Before", "json"),
            Column("after", "After", "json"),
            Column("id", ID_HEADING),
        ),
        ("connection_id", "entity", "record_id", "action", "since", "until"),
    ),
)

# Opening balances are journal entries once they are here.
DATASETS: Mapping[str, Dataset] = {
    found.name: found
    for found in (
        *(_of_format(each) for each in FORMATS.values() if each.entity is not ImportEntity.OPENING_BALANCES),
        *_OTHERS,
    )
}


def dataset_of(name: str) -> Dataset:
    """Return a dataset by its name; raises InvalidInput with the names there are."""
    found = DATASETS.get(name.strip().lower().replace("-", "_").replace(" ", "_"))
    if found is None:
        raise InvalidInput(f"There is no export called {name}. Choose from {', '.join(DATASETS)}.")
    return found


def format_of(name: str) -> ExportFormat:
    """Return a format by its name; raises InvalidInput with the names there are."""
    try:
        return ExportFormat(name.strip().lower())
    except ValueError:
        raise InvalidInput(f"There is no format called {name}. Choose from csv, xlsx or jsonl.") from None
