"""Every refusal as application/problem+json (RFC 9457), made from the one error tree.

A client reads `code` (stable, listed in docs/api.md), a person reads `detail` (what happened, what to do next), a
page reads `action`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.web.refusals import refusal_page
from sync.errors import RateLimited, Remedy, SyncError
from sync.refusals import TooLarge, TooManyRequests
from sync.remedies import http_status, ui_action

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 30
# Problems that no error of the tree stands behind, because they happen before or below the product's own code.
EDGE_CODES: Mapping[str, str] = {
    "request.invalid": "The request does not have the form that this route takes; `problems` lists every wrong field.",
    "request.not_found": "There is no such route.",
    "request.method_not_allowed": "The route exists, but not with this method.",
    "request.unreadable": "The body could not be read as JSON.",
    "request.refused": "The request was refused before it reached a route.",
    "database.unavailable": "The database did not answer in time; nothing was changed.",
    "internal.error": "Something broke on our side; it was logged.",
}


class FieldProblem(BaseModel):
    """One wrong field or row of a request."""

    model_config = ConfigDict(extra="allow")

    field: str = Field(description="Where it is: body.rows.3.provider_account_id, query.limit, …")
    message: str = Field(description="One sentence: what is wrong and what to do.")
    position: int | None = Field(
        default=None, description="The row, counted from 0, where a list of rows was sent."
    )


class Problem(BaseModel):
    """Why a request was not carried out, and what to do next."""

    type: str = Field(
        description="Names the problem; ends with its code.", examples=["urn:tieout:problem:access.not_found"]
    )
    title: str = Field(description="The HTTP status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    code: str = Field(description="Stable code of the problem.", examples=["access.not_found"])
    detail: str = Field(
        description="One sentence for a person: what happened and what to do next.",
        examples=[
            "There is no connection with the id 00000000-0000-4000-8000-000000000000 here. Take the id from the list and try again."
        ],
    )
    remedy: str = Field(description="What has to happen next.", examples=["never"])
    action: str = Field(
        description="The button to offer: wait, reconnect, edit_record, fix_mapping or none.",
        examples=["none"],
    )
    instance: str = Field(
        description="The path that was asked for.", examples=["/api/v1/integrations/connections"]
    )
    details: dict[str, Any] = Field(default_factory=dict, description="More about it, safe to show.")
    problems: list[FieldProblem] | None = Field(default=None, description="One entry per wrong field or row.")
    conflict: dict[str, Any] | None = Field(
        default=None, description="The conflict as it stands now, after a stale choice."
    )


class ConflictMoved(Exception):
    """A stale choice together with the conflict as it stands now."""

    def __init__(self, error: SyncError, fresh: dict[str, Any] | None) -> None:
        super().__init__(error.user_message)
        self.error = error
        self.fresh = fresh


def _field_problem(problem: Mapping[str, Any]) -> FieldProblem:
    """What is wrong in a file has a line and a column instead of a field."""
    if "field" in problem:
        return FieldProblem(**problem)
    place = ", ".join(str(part) for part in (f"line {problem['line']}", problem["column"]) if part)
    return FieldProblem(field=place, message=f"{problem['problem']}. {problem['suggestion']}", **problem)


def problem_response(
    error: SyncError, request: Request, *, conflict: dict[str, Any] | None = None
) -> Response:
    """Answer with an error of the tree."""
    status = http_status(error)
    details = dict(error.details)
    problems = details.pop("problems", None)
    body = Problem(
        type=f"urn:tieout:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        detail=error.user_message,
        remedy=error.remedy.value,
        action=ui_action(error.remedy).value,
        instance=request.url.path,
        details=jsonable_encoder(details),
        problems=[_field_problem(each) for each in problems] if problems else None,
        conflict=conflict,
    )
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS):
        is_known = isinstance(error, RateLimited | TooManyRequests)
        headers["Retry-After"] = str(
            error.details.get("wait_seconds", RETRY_SECONDS) if is_known else RETRY_SECONDS
        )
    return _answer(body, request, headers=headers)


def edge_response(
    request: Request,
    *,
    status: int,
    code: str,
    detail: str,
    remedy: Remedy = Remedy.NEVER,
    problems: Sequence[FieldProblem] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a problem that no error of the tree stands behind."""
    assert code in EDGE_CODES, f"{code} is not listed in EDGE_CODES"
    body = Problem(
        type=f"urn:tieout:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        remedy=remedy.value,
        action=ui_action(remedy).value,
        instance=request.url.path,
        problems=list(problems) if problems else None,
    )
    return _answer(body, request, headers=headers)


def install_problem_handlers(app: FastAPI) -> None:
    """Let every refusal, ours and the framework's, end as a problem."""
    app.add_exception_handler(SyncError, _on_sync_error)
    app.add_exception_handler(ConflictMoved, _on_conflict_moved)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(sa.exc.OperationalError, _on_database_trouble)
    app.add_exception_handler(sa.exc.TimeoutError, _on_database_trouble)
    app.add_exception_handler(Exception, _on_bug)


class _ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        # ASCII only: a request may name a field with half a surrogate pair, which no UTF-8 can carry back.
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def _answer(body: Problem, request: Request, *, headers: Mapping[str, str] | None) -> Response:
    if getattr(request.state, "is_page", False):
        return refusal_page(request, body.model_dump(mode="json"), headers=headers or {})
    return _ProblemResponse(
        body.model_dump(mode="json", exclude_none=True),
        status_code=body.status,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


async def _on_sync_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SyncError), "registered for SyncError"
    return problem_response(error, request)


async def _on_conflict_moved(request: Request, error: Exception) -> Response:
    assert isinstance(error, ConflictMoved), "registered for ConflictMoved"
    return problem_response(error.error, request, conflict=error.fresh)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for RequestValidationError"
    # The values that were sent are not repeated: a body may hold anything, a secret included.
    problems = [
        FieldProblem(
            field=".".join(str(part)[:80] for part in each["loc"]), message=_clause(str(each["msg"]))
        )
        for each in error.errors()
    ]
    first = problems[0]
    detail = f"The request cannot be used: {first.field}: {first.message} Correct it and send it again."
    return edge_response(
        request, status=422, code="request.invalid", detail=detail, remedy=Remedy.ASK_USER, problems=problems
    )


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for HTTPException"
    status = error.status_code
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(TooLarge(what="The request", bytes_max=error.detail), request)
    code, detail = {
        404: (
            "request.not_found",
            f"There is no route {request.url.path}. See docs/api.md or /docs for all routes.",
        ),
        405: (
            "request.method_not_allowed",
            f"{request.method} does not work on {request.url.path}. See /docs for the methods that do.",
        ),
        400: ("request.unreadable", "The body could not be read. Send JSON in UTF-8."),
    }.get(status, ("request.refused", f"The request was refused: {error.detail}."))
    return edge_response(request, status=status, code=code, detail=detail, headers=error.headers)


async def _on_database_trouble(request: Request, error: Exception) -> Response:
    return database_trouble(request, error)


def database_trouble(request: Request, error: Exception) -> Response:
    """Answer that the database did not."""
    log.error("database_trouble", path=request.url.path, kind=type(error).__name__, exc_info=error)
    return edge_response(
        request,
        status=503,
        code="database.unavailable",
        detail="The database did not answer in time, and nothing was changed. Try again in a moment.",
        remedy=Remedy.RETRY_LATER,
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


async def _on_bug(request: Request, error: Exception) -> Response:
    return bug_response(request, error)


def bug_response(request: Request, error: Exception) -> Response:
    """Answer for what only a bug could break, and log it."""
    log.error("unexpected_error", path=request.url.path, exc_info=error)
    return edge_response(
        request,
        status=500,
        code="internal.error",
        detail="Something broke on our side; it was logged. Try again, and tell the operator if it stays.",
    )


def _clause(message: str) -> str:
    message = message.removeprefix("Value error, ").strip()
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."
