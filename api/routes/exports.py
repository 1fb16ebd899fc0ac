"""A builder's records, mappings, queues, history and audit log as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Path as PathParameter
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from api.auth import AsViewer
from api.cursors import Moment
from api.models.base import DirectionName, EntityName
from api.models.exports import DatasetName, FormatName
from api.responses import READ, Responses
from api.services import UseServices
from resources.exports.exporter import MEDIA_TYPES, ExportWanted, export
from sync.exports.datasets import dataset_of, format_of

router = APIRouter(tags=["exports"])

FILES: Responses = {
    **READ,
    200: {
        "description": "The file.",
        "content": {
            media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            # First, for generated clients take the first kind they know: a file of any format is bytes, not text.
            for media in ("application/octet-stream", *MEDIA_TYPES.values())
        },
    },
}


class ExportQuery(BaseModel):
    """Which rows; a filter that an export has not is refused."""

    model_config = ConfigDict(extra="forbid")

    format: FormatName = Field(default="csv", description="The kind of file.")
    connection_id: UUID | None = None
    entity: EntityName | None = None
    record_id: UUID | None = Field(default=None, description="Of the audit log: one record of the platform.")
    status: str | None = Field(default=None, max_length=40, pattern=r"^[a-z_]+$")
    category: str | None = Field(default=None, max_length=40, pattern=r"^[a-z_]+$")
    cause: str | None = Field(default=None, max_length=300, pattern=r"^[^\x00]*$")
    direction: DirectionName | None = None
    action: str | None = Field(default=None, max_length=100, pattern=r"^[a-z_.]+$")
    since: Moment | None = Field(default=None, description="From this moment, or document day, on.")
    until: Moment | None = Field(default=None, description="Before this moment, or document day.")


@router.get("/exports/{dataset}", name="get_export", responses=FILES, response_class=FileResponse)
def get_export(
    caller: AsViewer,
    services: UseServices,
    dataset: Annotated[DatasetName, PathParameter(description="What is exported.")],
    wanted: Annotated[ExportQuery, Query()],
) -> FileResponse:
    """Export as CSV, Excel or JSON Lines, as everything stood at one moment. What can be imported has an import's headings."""
    chosen = ExportWanted(dataset_of(dataset), format_of(wanted.format), _filters(wanted))
    now = services.clock.now()
    folder = Path(tempfile.mkdtemp(prefix="tieout-export-"))
    path = folder / chosen.file_name(now=now)
    try:
        done = export(services.database, caller.builder_id, chosen, path=path)
    except BaseException:
        _forget(path)
        raise
    return FileResponse(
        path,
        media_type=MEDIA_TYPES[chosen.format],
        filename=path.name,
        headers={"X-Row-Count": str(done.rows), "Cache-Control": "no-store"},
        background=BackgroundTask(_forget, path),
    )


def _filters(wanted: ExportQuery) -> dict[str, Any]:
    return {name: value for name, value in wanted.model_dump(exclude={"format"}).items() if value is not None}


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.parent.rmdir()
