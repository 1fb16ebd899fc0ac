"""Third-party apps ask here: the page on which a person lets one in, and what apps call themselves.

Answers and refusals are those of OAuth 2 (RFC 6749), not problems: that is what every client library reads.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from api.auth import AsPerson
from api.authorization import (
    AUTHORIZE,
    INTROSPECT,
    REVOKE,
    TOKEN,
    AppServer,
    Asked,
    metadata,
    offered,
    scope_in_words,
)
from api.models.base import Taken
from api.services import Services, UseServices
from api.web.gate import origin_of
from api.web.render import page
from sync.refusals import TooManyRequests

router = APIRouter(tags=["pages"], include_in_schema=False)

_CARRIED = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


class ConsentAnswer(Taken):
    """What a person decided about an app, and what the app asked for."""

    decision: Literal["allow", "deny"]
    response_type: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    scope: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""

    def carried(self) -> list[tuple[str, str]]:
        """Return the app's own words."""
        return [(name, value) for name in _CARRIED if (value := getattr(self, name))]


@router.get("/.well-known/oauth-authorization-server", name="oauth_metadata")
def oauth_metadata(services: UseServices) -> JSONResponse:
    """Describe the authorization server to client libraries."""
    return JSONResponse(metadata(services.tieout.settings))


@router.get(AUTHORIZE, name="consent_page")
def consent_page(request: Request, caller: AsPerson, services: UseServices) -> Response:
    """Ask the person who is signed in whether an app may have what it asks for."""
    server = AppServer(services, caller=caller)
    try:
        asked = _asked(request, services, request.query_params.multi_items())
        grant = server.get_consent_grant(asked, end_user=caller)
    except OAuth2Error as error:
        return _refused(request, server, error)
    scopes = offered(asked.scope, caller)
    if not scopes:
        return _no_scopes(request)
    return page(
        request,
        "consent.html",
        form_action=origin_of(asked.payload.redirect_uri) or "",
        app=grant.request.client.app,
        goes_to=origin_of(asked.payload.redirect_uri),
        wanted=[(scope, scope_in_words(scope)) for scope in scopes],
        carried={name: asked.payload.data[name] for name in _CARRIED if name in asked.payload.data},
    )


@router.post(AUTHORIZE, name="answer_consent")
def answer_consent(
    request: Request,
    caller: AsPerson,
    services: UseServices,
    answer: Annotated[ConsentAnswer, Form()],
) -> Response:
    """Send the person back to the app, with a code or with a refusal."""
    server = AppServer(services, caller=caller)
    try:
        asked = _asked(request, services, answer.carried())
        grant = server.get_consent_grant(asked, end_user=caller)
    except OAuth2Error as error:
        return _refused(request, server, error)
    if not offered(asked.scope, caller):
        return _no_scopes(request)
    response: Response = server.create_authorization_response(
        asked, grant_user=caller if answer.decision == "allow" else None, grant=grant
    )
    return response


@router.post(TOKEN, name="oauth_token")
async def oauth_token(request: Request, services: UseServices) -> Response:
    """Give an app tokens for its code, or new ones for its refresh token."""
    return await _for_app(request, services, lambda server, asked: server.create_token_response(asked))


@router.post(REVOKE, name="oauth_revoke")
async def oauth_revoke(request: Request, services: UseServices) -> Response:
    """Take a token back; an app that gives its refresh token back is out."""
    return await _for_app(
        request, services, lambda server, asked: server.create_endpoint_response("revocation", asked)
    )


@router.post(INTROSPECT, name="oauth_introspect")
async def oauth_introspect(request: Request, services: UseServices) -> Response:
    """Tell an app with a secret how one of its own tokens stands."""
    return await _for_app(
        request, services, lambda server, asked: server.create_endpoint_response("introspection", asked)
    )


async def _for_app(
    request: Request, services: Services, answer: Callable[[AppServer, Asked], Response]
) -> Response:
    body = await request.body()
    return await run_in_threadpool(_answered, request, services, body, answer)


def _answered(
    request: Request, services: Services, body: bytes, answer: Callable[[AppServer, Asked], Response]
) -> Response:
    host = f"refused:{request.client.host if request.client else ''}"
    allowance = services.refusals.take(host, count=0)
    if allowance is not None and not allowance.is_allowed:
        raise TooManyRequests(limit=allowance.limit, wait_seconds=allowance.wait_seconds)
    server = AppServer(services)
    try:
        response = answer(server, _asked(request, services, _form(request, body)))
    except OAuth2Error as error:
        response = server.handle_error_response(None, error)
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        # A guess at a secret, a code or a token costs what a wrong API key costs.
        services.refusals.take(host)
    return response


def _form(request: Request, body: bytes) -> list[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequestError("Send a form, as application/x-www-form-urlencoded.")
    try:
        return parse_qsl(body.decode("ascii"), max_num_fields=50, errors="strict")
    except (UnicodeError, ValueError):
        raise InvalidRequestError("The form could not be read.") from None


def _asked(request: Request, services: Services, given: list[tuple[str, str]]) -> Asked:
    return Asked(
        request.url.path,
        settings=services.tieout.settings,
        given=given,
        method=request.method,
        headers=request.headers,
    )


def _refused(request: Request, server: AppServer, error: Any) -> Response:
    """Send a refusal back to the app where its address is known to be its own, else tell the person."""
    if error.redirect_uri:
        response: Response = server.handle_error_response(None, error)
        return response
    return page(
        request,
        "consent_refused.html",
        status=HTTPStatus.BAD_REQUEST,
        reason=error.get_error_description() or error.error,
    )


def _no_scopes(request: Request) -> Response:
    reason = "You are signed in with less than any of what it asks for."
    return page(request, "consent_refused.html", status=HTTPStatus.FORBIDDEN, reason=reason)
