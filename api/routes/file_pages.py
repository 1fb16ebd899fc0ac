"""Files in and out: send one, see what was understood and what is wrong with it, confirm, follow it, take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.models.base import Taken
from api.models.exports import DatasetName
from api.models.imports import (
    DuplicatesName,
    ImportChoices,
    ImportConfirmation,
    ImportDetail,
    ImportEntityName,
    ImportQuery,
)
from api.routes.imports import (
    cancel_import,
    change_import,
    confirm_import,
    get_import,
    get_import_problems,
    list_imports,
    resume_import,
    start_import,
    undo_import_route,
)
from api.services import Services, UseServices
from api.web.filters import Filter
from api.web.forms import posted, texts
from api.web.office import builder_zone
from api.web.render import FILES as HERE
from api.web.render import fragment, is_part, page
from api.web.said import go
from resources.imports.steps import WORKING
from sync.imports.formats import FORMATS, ImportEntity

router = APIRouter(tags=["imports"], include_in_schema=False)

Posted = Annotated[FormData, Depends(posted)]
IMPORT_ROWS = 25
# What a person looks at; all problems are in the file of problems.
PREVIEW_ROWS, PROBLEMS_SHOWN = 20, 100
UPLOAD_PATH = f"{HERE}/imports"
# Before the name of a field whose column was chosen.
COLUMN = "column."


class Answered(Taken):
    """A yes to what was shown, or to the part of it that has no problem."""

    partial: bool = False


@router.get(HERE, name="files_page")
def files_page(
    request: Request, caller: AsViewer, services: UseServices, chosen: Annotated[Filter, Query()]
) -> Response:
    """Show the ways in and out, and the files that came in."""
    return page(
        request,
        "files.html",
        here=HERE,
        found=list_imports(caller, services, ImportQuery(limit=IMPORT_ROWS, cursor=chosen.cursor)),
        entities=get_args(ImportEntityName.__value__),
        datasets=get_args(DatasetName.__value__),
        zone=builder_zone(services, caller),
        now=services.clock.now(),
    )


@router.post(UPLOAD_PATH, name="send_file_page")
def send_file_page(
    caller: AsBookkeeper,
    services: UseServices,
    file: Annotated[UploadFile, File()],
    entity: Annotated[ImportEntityName, Form()],
    duplicates: Annotated[DuplicatesName, Form()] = "error",
) -> Response:
    """Take in a file and check it; nothing is written before a person has seen what was understood."""
    started = start_import(caller, services, Response(), file, entity, duplicates)
    return go(_place(started.id))


@router.get(f"{UPLOAD_PATH}/{{import_id:uuid}}", name="import_page")
def import_page(request: Request, caller: AsViewer, services: UseServices, import_id: UUID) -> Response:
    """Show an import: how far it is, the first rows as they were understood, the columns, and what is wrong."""
    found = get_import(caller, services, import_id)
    context = _told(services, caller, found)
    if is_part(request):
        return fragment(request, "import.html", "result", **context)
    return page(request, "import.html", **context)


@router.post(f"{UPLOAD_PATH}/{{import_id:uuid}}/confirm", name="confirm_import_page")
def confirm_import_page(
    caller: AsBookkeeper, services: UseServices, import_id: UUID, answer: Annotated[Answered, Form()]
) -> Response:
    """Write what was shown, or what of it has no problem."""
    confirm_import(caller, services, import_id, ImportConfirmation(partial=answer.partial))
    return go(_place(import_id), done="import_confirmed")


@router.post(f"{UPLOAD_PATH}/{{import_id:uuid}}/columns", name="choose_columns_page")
def choose_columns_page(
    caller: AsBookkeeper, services: UseServices, import_id: UUID, form: Posted
) -> Response:
    """Read the file with other columns; it is checked again."""
    given = texts(form)
    before = get_import(caller, services, import_id)
    names = [each.name for each in FORMATS[ImportEntity(before.entity)].fields]
    chosen: dict[str, str | None] = {}
    for name in names:
        heading = given.get(f"{COLUMN}{name}")
        # What was never read and is not chosen is left to likeness, as before.
        if heading is not None or name in before.columns:
            chosen[name] = heading
    wanted = {"columns": chosen, "duplicates": given.get("duplicates"), "save_as": given.get("save_as")}
    change_import(caller, services, import_id, ImportChoices.model_validate(wanted))
    return go(_place(import_id), done="import_read_anew")


@router.post(f"{UPLOAD_PATH}/{{import_id:uuid}}/cancel", name="cancel_import_page")
def cancel_import_page(caller: AsBookkeeper, services: UseServices, import_id: UUID) -> Response:
    """Stop an import; what was written stays until it is taken back."""
    cancel_import(caller, services, import_id)
    return go(_place(import_id), done="import_cancelled")


@router.post(f"{UPLOAD_PATH}/{{import_id:uuid}}/resume", name="resume_import_page")
def resume_import_page(caller: AsBookkeeper, services: UseServices, import_id: UUID) -> Response:
    """Go on with an import that broke off."""
    resume_import(caller, services, import_id)
    return go(_place(import_id))


@router.post(f"{UPLOAD_PATH}/{{import_id:uuid}}/undo", name="undo_import_page")
def undo_import_page(caller: AsBookkeeper, services: UseServices, import_id: UUID) -> Response:
    """Take an import back, all of it or nothing."""
    done = undo_import_route(caller, services, import_id)
    return go(_place(import_id), done="import_undone", n=done.removed + done.restored)


@router.get(f"{UPLOAD_PATH}/{{import_id:uuid}}/problems", name="import_problems_page")
def import_problems_page(caller: AsViewer, services: UseServices, import_id: UUID) -> Response:
    """Give the rows that cannot go in as a file to correct and send again."""
    return get_import_problems(caller, services, import_id)


def _place(import_id: UUID) -> str:
    return f"{UPLOAD_PATH}/{import_id}"


def _told(services: Services, caller: Caller, found: ImportDetail) -> Mapping[str, Any]:
    fields = FORMATS[ImportEntity(found.entity)].fields
    preview = found.preview[:PREVIEW_ROWS]
    read = {name for row in preview for name in row.values}
    return {
        "one": found,
        "here": _place(found.id),
        "back": HERE,
        "fields": fields,
        "shown_fields": [each for each in fields if each.name in read],
        "preview": preview,
        "problems": found.problems[:PROBLEMS_SHOWN],
        "column_of": COLUMN,
        "duplicates": found.options.get("duplicates", "error"),
        "is_running": found.status in WORKING or found.is_waiting,
        "may_undo": found.status in ("done", "cancelled", "failed") and found.documents_written > 0,
        "zone": builder_zone(services, caller),
        "now": services.clock.now(),
    }
