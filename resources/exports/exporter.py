"""An export from its wish to its file: what is exported, how it is filtered, and where the file is."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from resources.exports.writing import OnRows, write_csv, write_jsonl, write_xlsx
from resources.store.database import Database
from resources.store.queries import named_query
from sync.errors import InvalidInput
from sync.exports.datasets import Dataset, ExportFormat

MEDIA_TYPES: Mapping[ExportFormat, str] = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.JSONL: "application/x-ndjson",
}
_WRITERS = {
    ExportFormat.CSV: write_csv,
    ExportFormat.XLSX: write_xlsx,
    ExportFormat.JSONL: write_jsonl,
}


@dataclass(frozen=True, slots=True)
class ExportWanted:
    """One export: the dataset, the kind of file, and the filters by name."""

    dataset: Dataset
    format: ExportFormat
    filters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a filter that this dataset has not."""
        for name, value in self.filters.items():
            if value is not None and name not in self.dataset.filters:
                known = ", ".join(self.dataset.filters) or "none"
                raise InvalidInput(
                    f"The export of {self.dataset.name} cannot be filtered by {name}. It has these filters: {known}."
                )

    def file_name(self, *, now: datetime) -> str:
        """Return what the file is called."""
        return f"{self.dataset.name}_{now:%Y-%m-%d}.{self.format}"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written, and how many rows it has."""

    path: Path
    rows: int


def export(
    database: Database,
    builder_id: UUID,
    wanted: ExportWanted,
    *,
    path: Path,
    on_rows: OnRows = lambda _: None,
) -> Exported:
    """Write one export to a file, as the database stood at one moment; the file is whole or not there."""
    query = f"export_{wanted.dataset.name}"
    parameters = {name: wanted.filters.get(name) for name in named_query(query).parameters}
    parameters["builder_id"] = builder_id
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".export-", delete=False) as reserved:
        unfinished = Path(reserved.name)
    try:
        with database.builder_tx(builder_id) as tx:
            rows = _WRITERS[wanted.format](tx, wanted.dataset, parameters, path=unfinished, on_rows=on_rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return Exported(path, rows)
