"""Mischief in Xero's own words: the bodies of asked-for failures, and the kinds only Xero knows."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.kernel.emulator import ControlError
from sandbox.kernel.faults import FaultRule, RequestFacts
from sandbox.xero.bookkeeper import merge_contacts, set_lock
from sandbox.xero.refusals import AccessRefused
from sandbox.xero.resource import make_guid
from sandbox.xero.wire import dump, load

if TYPE_CHECKING:
    from sandbox.xero.world import XeroEmulator

KINDS = {
    "rate_limit": "429 with an empty body; options.problem is minute, day, concurrent or appminute",
    "token_expired": "401 TokenExpired, although the token is good",
    "disconnected": "the app loses its connection with the organisation (for good), so the call answers 403",
    "revoked_grant": "the grant is revoked (for good): the next refresh answers invalid_grant",
    "offline": "503 with the text 'The Organisation is offline'",
    "lock_period": "the period is locked up to options.date (default today) before the request is carried out",
    "merge_contacts": "two contacts are merged (options.winner, options.loser) before the request is carried out",
    "truncated_page": "the last half of the list is missing from the answer, which is otherwise sound",
}
RETRY_SECONDS = {"minute": 26, "day": 3_600, "appminute": 30}
OFFLINE_TEXT = "The Organisation is offline"


def app_of(world: XeroEmulator, request: Request) -> str:
    """The app a call's token belongs to, or an empty text."""
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    found = world.identity.grant_of(token) if token else None
    return str(found[0]["ClientID"]) if found is not None else ""


def too_many(world: XeroEmulator, request: Request, problem: str, wait: float) -> Response:
    """429: no body, no Content-Type, and the counters."""
    response = Response(b"", status_code=429)
    response.headers["x-rate-limit-problem"] = problem
    if problem != "concurrent":
        response.headers["retry-after"] = str(max(1, math.ceil(wait)))
    tenant = request.headers.get("xero-tenant-id", "").lower()
    for name, value in world.counters(tenant, app_of(world, request)).items():
        response.headers[name] = value
    response.headers["xero-correlation-id"] = make_guid(world.gateway.noise)
    return response


def answer(world: XeroEmulator, request: Request, rule: FaultRule) -> Response:
    """Xero's body for a status that a rule asks for, or for an elapsed timeout."""
    status = rule.status if rule.kind in ("status", "status_after") else 504
    if not request.url.path.startswith("/api.xro/") and status in (400, 401):
        error = str(rule.options.get("error", "invalid_grant" if status == 400 else "invalid_client"))
        return JSONResponse({"error": error}, status_code=400)
    if status == 429:
        return _limited(world, request, rule)
    if status in (401, 403):
        return world.gateway.refusal(
            AccessRefused(status, str(rule.options.get("detail", "AuthenticationUnsuccessful")))
        )
    if status == 503:
        return PlainTextResponse(str(rule.options.get("text", OFFLINE_TEXT)), status_code=503)
    if status == 500:
        body = {
            "ErrorNumber": 500,
            "Type": "InternalServerException",
            "Message": "An error occurred in Xero.",
        }
        return JSONResponse(body, status_code=500)
    if status == 404:
        return Response("", status_code=404, media_type="text/html")
    return PlainTextResponse(str(rule.options.get("text", "")), status_code=status)


def carry_out(world: XeroEmulator, request: Request, facts: RequestFacts, rule: FaultRule) -> Response | None:
    """The kinds of KINDS; None lets the request go on. A rule that makes no sense says so in a 400."""
    try:
        return _carry_out(world, request, facts, rule)
    except (ControlError, ValueError, TypeError) as error:
        return PlainTextResponse(
            f"Fault rule {rule.id} ({rule.kind}) cannot be carried out: {error}", status_code=400
        )


def _carry_out(
    world: XeroEmulator, request: Request, facts: RequestFacts, rule: FaultRule
) -> Response | None:
    kind, options = rule.kind, rule.options
    if kind == "rate_limit":
        return _limited(world, request, rule)
    if kind == "token_expired":
        moment = world.clock.now().strftime("%m/%d/%Y %H:%M:%S")
        return world.gateway.refusal(AccessRefused(401, f"TokenExpired: token expired at {moment}"))
    if kind == "offline":
        return PlainTextResponse(OFFLINE_TEXT, status_code=503)
    if kind == "disconnected":
        app = app_of(world, request)
        for key, row in world.identity.rows("connections").items():
            if row["TenantID"] == facts.tenant and row["ClientID"] == app:
                world.identity.remove("connections", key)
    elif kind == "revoked_grant":
        world.identity.revoke_app(app_of(world, request) or _only_app(world))
    elif kind == "lock_period" and facts.tenant in world.books:
        books = world.books[facts.tenant]
        text = options.get("date")
        set_lock(world.store, books, day=date.fromisoformat(str(text)) if text else books.today())
    elif kind == "merge_contacts" and facts.tenant in world.books:
        books = world.books[facts.tenant]
        merge_contacts(
            world.store, books, winner=str(options.get("winner", "")), loser=str(options.get("loser", ""))
        )
    return None


def _limited(world: XeroEmulator, request: Request, rule: FaultRule) -> Response:
    problem, wait = str(rule.options.get("problem", "minute")), rule.options.get("wait")
    if isinstance(wait, int | float | Decimal) and not isinstance(wait, bool):
        return too_many(world, request, problem, float(wait))
    return too_many(world, request, problem, RETRY_SECONDS.get(problem, 5))


def _only_app(world: XeroEmulator) -> str:
    """On identity calls the app is in the form; the sandbox's first app is meant."""
    return next(iter(world.identity.rows("apps")), "")


def change_answer(rule: FaultRule, body: bytes) -> bytes:
    """`truncated_page`: cut the list in half, leaving the envelope."""
    if rule.kind != "truncated_page" or not body.startswith(b"{"):
        return body
    answer: dict[str, Any] = load(body)
    for name, value in answer.items():
        if isinstance(value, list):
            answer[name] = value[: len(value) // 2]
    return dump(answer).encode()
