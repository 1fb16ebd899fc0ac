"""Imports: send a file, look at what was understood, put it right, confirm, follow it, take it back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Path, Query, Response, UploadFile
from fastapi.responses import FileResponse
from pydantic import ValidationError

from api import cursors
from api.auth import AsBookkeeper, AsViewer, Caller
from api.models.imports import (
    DuplicatesName,
    ImportChoices,
    ImportConfirmation,
    ImportDetail,
    ImportEntityName,
    ImportPage,
    ImportQuery,
    ImportTemplateList,
    ImportTemplateView,
    ImportUndone,
    ImportView,
    MatchName,
)
from api.responses import READ, READ_ONE, WRITE
from api.services import Services, UseServices
from resources.imports import ledger, steps
from resources.imports.undoing import undo_import
from sync.errors import InvalidInput, NotFound
from sync.imports.formats import ImportEntity
from sync.imports.options import Duplicates, ImportOptions, Match

router = APIRouter(tags=["imports"])

_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]")
JSON_LENGTH_MAX = 20_000


@router.post("/imports", name="start_import", status_code=202, responses=WRITE)
def start_import(  # noqa: PLR0913, PLR0917 - each argument is a part of the form
    caller: AsBookkeeper,
    services: UseServices,
    response: Response,
    file: Annotated[UploadFile, File(description="CSV, .xlsx, JSON or JSON Lines.")],
    entity: Annotated[ImportEntityName, Form(description="What the file holds.")],
    duplicates: Annotated[DuplicatesName, Form()] = "error",
    match: Annotated[MatchName, Form()] = "number",
    choices: Annotated[
        str,
        Form(
            max_length=JSON_LENGTH_MAX,
            description="columns, fixed and template as a JSON object, as in changing an import.",
        ),
    ] = "",
) -> ImportView:
    """Take in a file and check it in the background; nothing is written before it is confirmed."""
    chosen = _given(choices)
    options = ImportOptions(
        duplicates=Duplicates(duplicates),
        match=Match(match),
        columns=chosen.columns or {},
        fixed=chosen.fixed or {},
        template=chosen.template,
    )
    name = _NOT_IN_NAMES.sub(" ", file.filename or "").strip()[:200] or "file"
    import_id = services.imports.receive(
        caller.builder_id, entity, file.file, name=name, imported_by=caller.actor, options=options
    )
    services.workers.start(caller.builder_id, import_id)
    response.headers["Location"] = f"/api/v1/integrations/imports/{import_id}"
    return _view(services, caller, import_id)


@router.get("/imports", name="list_imports", responses=READ)
def list_imports(
    caller: AsViewer, services: UseServices, wanted: Annotated[ImportQuery, Query()]
) -> ImportPage:
    """List imports, newest first."""
    after = cursors.after_time(wanted.cursor, kind="imports")
    rows = steps.newest(
        services.database,
        caller.builder_id,
        entity=wanted.entity,
        status=wanted.status,
        after=after,
        rows_max=wanted.limit + 1,
    )
    found = [dict(row) for row in rows]
    page, next_cursor = cursors.page_of(
        found, limit=wanted.limit, kind="imports", key=cursors.time_key("imported_at")
    )
    return ImportPage(items=[ImportView(**_shown(services, row)) for row in page], next_cursor=next_cursor)


@router.get("/imports/templates", name="list_import_templates", responses=READ)
def list_import_templates(caller: AsViewer, services: UseServices) -> ImportTemplateList:
    """List the builder's saved columns."""
    rows = steps.templates(services.database, caller.builder_id)
    return ImportTemplateList(items=[ImportTemplateView(**row) for row in rows])


@router.delete("/imports/templates/{id}", name="delete_import_template", status_code=204, responses=WRITE)
def delete_import_template(
    caller: AsBookkeeper, services: UseServices, template_id: Annotated[UUID, Path(alias="id")]
) -> None:
    """Forget saved columns."""
    steps.delete_template(services.database, caller.builder_id, str(template_id))


@router.get("/imports/{id}", name="get_import", responses=READ_ONE)
def get_import(
    caller: AsViewer, services: UseServices, import_id: Annotated[UUID, Path(alias="id")]
) -> ImportDetail:
    """Show an import: how far it is, the preview, the columns, and what is wrong."""
    row = ledger.get(services.database, caller.builder_id, str(import_id))
    return ImportDetail(**_shown(services, dict(row)))


@router.patch("/imports/{id}", name="change_import", status_code=202, responses=WRITE)
def change_import(
    caller: AsBookkeeper,
    services: UseServices,
    import_id: Annotated[UUID, Path(alias="id")],
    body: ImportChoices,
) -> ImportView:
    """Read an import with other columns or another policy; it is checked again in the background."""
    row = ledger.get(services.database, caller.builder_id, str(import_id))
    options = _changed(ImportOptions.from_json(row["options"]), body)
    now = services.clock.now()
    steps.choose(services.database, caller.builder_id, row["id"], options=options, now=now)
    if body.save_as:
        saved = steps.Saved(ImportEntity(row["entity"]), body.save_as, options.columns, options.fixed)
        steps.save_template(services.database, caller.builder_id, saved, actor=caller.actor, now=now)
    services.workers.start(caller.builder_id, row["id"])
    return _view(services, caller, row["id"])


@router.post("/imports/{id}/confirm", name="confirm_import", status_code=202, responses=WRITE)
def confirm_import(
    caller: AsBookkeeper,
    services: UseServices,
    import_id: Annotated[UUID, Path(alias="id")],
    body: ImportConfirmation | None = None,
) -> ImportView:
    """Write an import that was checked, in the background."""
    wanted = body or ImportConfirmation()
    now = services.clock.now()
    steps.confirm(services.database, caller.builder_id, str(import_id), is_partial=wanted.partial, now=now)
    services.workers.start(caller.builder_id, str(import_id))
    return _view(services, caller, str(import_id))


@router.post("/imports/{id}/cancel", name="cancel_import", responses=WRITE)
def cancel_import(
    caller: AsBookkeeper, services: UseServices, import_id: Annotated[UUID, Path(alias="id")]
) -> ImportView:
    """Stop an import; what was written stays, and may be undone."""
    steps.cancel(services.database, caller.builder_id, str(import_id), now=services.clock.now())
    return _view(services, caller, str(import_id))


@router.post("/imports/{id}/resume", name="resume_import", status_code=202, responses=WRITE)
def resume_import(
    caller: AsBookkeeper, services: UseServices, import_id: Annotated[UUID, Path(alias="id")]
) -> ImportView:
    """Go on with an import that broke off or was cancelled while it was written."""
    steps.resume(services.database, caller.builder_id, str(import_id), now=services.clock.now())
    services.workers.start(caller.builder_id, str(import_id))
    return _view(services, caller, str(import_id))


@router.post("/imports/{id}/undo", name="undo_import", responses=WRITE)
def undo_import_route(
    caller: AsBookkeeper, services: UseServices, import_id: Annotated[UUID, Path(alias="id")]
) -> ImportUndone:
    """Take an import back, as long as no accounting system has anything of it and nothing refers to it."""
    removed, restored = undo_import(
        services.database, caller.builder_id, str(import_id), actor=caller.actor, now=services.clock.now()
    )
    return ImportUndone(removed=removed, restored=restored)


@router.get(
    "/imports/{id}/problems",
    name="get_import_problems",
    response_class=FileResponse,
    responses={**READ_ONE, 200: {"content": {"text/csv": {}}, "description": "The rows to correct, as CSV."}},
)
def get_import_problems(
    caller: AsViewer, services: UseServices, import_id: Annotated[UUID, Path(alias="id")]
) -> FileResponse:
    """Download the rows that cannot go in, with what is wrong with each; correct them and send the file back."""
    row = ledger.get(services.database, caller.builder_id, str(import_id))
    path = services.imports.spool.problems(caller.builder_id, row["id"])
    if not path.is_file():
        raise NotFound(what="file of problems", id=row["id"])
    stem = row["file_name"].rsplit(".", 1)[0] or "file"
    return FileResponse(path, media_type="text/csv", filename=f"{stem}.problems.csv")


def _given(choices: str) -> ImportChoices:
    if not choices.strip():
        return ImportChoices()
    try:
        return ImportChoices.model_validate(json.loads(choices))
    except (ValueError, RecursionError, ValidationError):
        raise InvalidInput(
            what="`choices`", reason='it must be a JSON object such as {"columns": {"party": "Paid to"}}'
        ) from None


def _changed(before: ImportOptions, body: ImportChoices) -> ImportOptions:
    return replace(
        before,
        columns=before.columns if body.columns is None else body.columns,
        fixed=before.fixed if body.fixed is None else body.fixed,
        duplicates=before.duplicates if body.duplicates is None else Duplicates(body.duplicates),
        match=before.match if body.match is None else Match(body.match),
        template=before.template if body.template is None else body.template or None,
    )


def _view(services: Services, caller: Caller, import_id: str) -> ImportView:
    row = ledger.get(services.database, caller.builder_id, import_id)
    return ImportView(**_shown(services, dict(row)))


def _shown(services: Services, row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "is_silent": steps.is_silent(row, now=services.clock.now()),
        "is_waiting": steps.is_waiting(row),
    }
