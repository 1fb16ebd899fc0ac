"""Conflicts: three values side by side, what each answer does on both sides, and the answer."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import Field
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.cursors import Text
from api.models.base import EntityName, Taken
from api.models.conflicts import ConflictChoice, ConflictQuery, ResolveAll, ResolvedAll, SameChoice
from api.problems import ConflictMoved
from api.routes.conflicts import get_conflict, list_conflicts, resolve_all_conflicts, resolve_conflict
from api.services import Services, UseServices
from api.web.filters import Filter, OrAny
from api.web.forms import posted, texts
from api.web.office import connection_page, connection_part, place
from api.web.render import is_part
from api.web.said import go
from sync.refusals import ChoiceRejected

router = APIRouter(tags=["conflicts"], include_in_schema=False)

Posted = Annotated[FormData, Depends(posted)]
CONFLICT_ROWS = 25
PER_FIELD = "per_field"
# Before the name of a field whose side was chosen.
SIDE = "side."


class ConflictFilter(Filter):
    """Which conflicts are shown."""

    entity: Annotated[EntityName | None, OrAny] = None


class SameFor(Filter):
    """One answer for all conflicts like one of them."""

    chosen_value: SameChoice


class SameForAll(Taken):
    """The same, after its preview."""

    chosen_value: SameChoice
    version: Text = Field(min_length=1)
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at which connection."""

    request: Request
    services: Services
    caller: Caller
    connection_id: UUID


@router.get("/integrations/{connection_id:uuid}/conflicts", name="conflicts_page")
def conflicts_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[ConflictFilter, Query()],
) -> Response:
    """List what both sides changed, with the money it is about."""
    wanted = ConflictQuery(connection_id=connection_id, limit=CONFLICT_ROWS, **chosen.model_dump())
    return connection_page(
        request,
        "conflicts.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="conflicts",
        found=list_conflicts(caller, services, wanted),
        chosen=chosen,
        kinds=get_args(EntityName.__value__),
        query=chosen.query(),
    )


@router.get("/integrations/{connection_id:uuid}/conflicts/{conflict_id:uuid}", name="conflict_page")
def conflict_page(
    request: Request, caller: AsViewer, services: UseServices, connection_id: UUID, conflict_id: UUID
) -> Response:
    """Show one conflict with its answers; as a part for the dialog over the list."""
    visit = Visit(request, services, caller, connection_id)
    if is_part(request):
        return connection_part(
            request,
            "conflict.html",
            "answer",
            services=services,
            caller=caller,
            connection_id=connection_id,
            **_told(visit, conflict_id),
        )
    return _conflict(visit, conflict_id)


@router.post("/integrations/{connection_id:uuid}/conflicts/{conflict_id:uuid}", name="answer_conflict_page")
def answer_conflict_page(
    request: Request,
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    conflict_id: UUID,
    form: Posted,
) -> Response:
    """Carry out an answer; one about values that changed meanwhile is not taken, and the fresh ones are shown."""
    visit = Visit(request, services, caller, connection_id)
    given = texts(form)
    answer = given.get("chosen_value")
    if answer is None:
        return _conflict(visit, conflict_id, wrong="Choose an answer first.", status=422)
    sides = {name.removeprefix(SIDE): side for name, side in given.items() if name.startswith(SIDE)}
    wanted = ConflictChoice.model_validate(
        {
            "chosen_value": sides if answer == PER_FIELD else answer,
            "version": given.get("version"),
            "reason": given.get("reason", ""),
            "start_sync": True,
        }
    )
    try:
        resolve_conflict(caller, services, conflict_id, wanted)
    except ConflictMoved as moved:
        return _conflict(visit, conflict_id, wrong=moved.error.user_message, status=HTTPStatus.CONFLICT)
    except ChoiceRejected as rejected:
        return _conflict(visit, conflict_id, wrong=rejected.user_message, status=422)
    return go(place(connection_id, "conflicts"), done="resolved")


@router.get("/integrations/{connection_id:uuid}/conflicts/{conflict_id:uuid}/alike", name="alike_page")
def alike_page(
    request: Request,
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    conflict_id: UUID,
    same: Annotated[SameFor, Query()],
) -> Response:
    """Show what one answer to all conflicts of a kind would decide; nothing is decided."""
    visit = Visit(request, services, caller, connection_id)
    wanted = ResolveAll(chosen_value=same.chosen_value, like=conflict_id)
    preview = resolve_all_conflicts(caller, services, wanted)
    return _alike(visit, wanted, preview)


@router.post(
    "/integrations/{connection_id:uuid}/conflicts/{conflict_id:uuid}/alike", name="answer_alike_page"
)
def answer_alike_page(
    request: Request,
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    conflict_id: UUID,
    same: Annotated[SameForAll, Form()],
) -> Response:
    """Decide exactly what the preview showed; where something changed since, show the new preview instead."""
    visit = Visit(request, services, caller, connection_id)
    wanted = ResolveAll(like=conflict_id, start_sync=True, **same.model_dump())
    try:
        done = resolve_all_conflicts(caller, services, wanted)
    except ConflictMoved as moved:
        preview = ResolvedAll.model_validate(moved.fresh)
        return _alike(visit, wanted, preview, wrong=moved.error.user_message)
    return go(place(connection_id, "conflicts"), done="resolved_many", n=done.records)


def _told(visit: Visit, conflict_id: UUID, *, wrong: str | None = None) -> dict[str, Any]:
    return {
        "conflict": get_conflict(visit.caller, visit.services, conflict_id),
        "wrong": wrong,
        "side_of": SIDE,
        "per_field": PER_FIELD,
    }


def _conflict(visit: Visit, conflict_id: UUID, *, wrong: str | None = None, status: int = 200) -> Response:
    return connection_page(
        visit.request,
        "conflict.html",
        services=visit.services,
        caller=visit.caller,
        connection_id=visit.connection_id,
        tab="conflicts",
        status=status,
        **_told(visit, conflict_id, wrong=wrong),
    )


def _alike(visit: Visit, wanted: ResolveAll, preview: ResolvedAll, *, wrong: str | None = None) -> Response:
    return connection_page(
        visit.request,
        "alike.html",
        services=visit.services,
        caller=visit.caller,
        connection_id=visit.connection_id,
        tab="conflicts",
        status=HTTPStatus.CONFLICT if wrong else HTTPStatus.OK,
        preview=preview,
        wanted=wanted,
        wrong=wrong,
    )
