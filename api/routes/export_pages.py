"""Everything as a file, for people: the download behind the form on the page of files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from api.auth import AsViewer
from api.models.base import Taken
from api.models.exports import DatasetName, FormatName
from api.routes.exports import ExportQuery, get_export
from api.services import UseServices
from api.web.render import FILES

router = APIRouter(tags=["exports"], include_in_schema=False)


class Wanted(Taken):
    """Which file a person asks for."""

    dataset: DatasetName
    format: FormatName = "csv"


@router.get(f"{FILES}/export", name="export_page")
def export_page(caller: AsViewer, services: UseServices, wanted: Annotated[Wanted, Query()]) -> Response:
    """Give one kind of record, a queue, the history or the audit log as a file."""
    return get_export(caller, services, wanted.dataset, ExportQuery(format=wanted.format))
