"""Signing in to the pages and out of them: by the platform's signed token, or by a link of the operator.

Both are posted, once: a link that somebody's mail program opens to look at it signs nobody in.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from api.services import Services, UseServices
from api.web.cookies import forget_session, keep_session, local_address, session_token
from api.web.gate import origin_of
from api.web.render import page
from resources.platform_tokens import TOKEN_LENGTH_MAX
from resources.store.api_keys import Caller, builder_is_here
from resources.store.sessions import CameBy, end_session, find_session, open_session, use_link, use_token
from sync.refusals import CrossSite, SignInRefused, TooManyRequests

router = APIRouter(tags=["pages"], include_in_schema=False)

LINK_LENGTH_MAX = 100
NEXT_LENGTH_MAX = 2000


@router.get("/signin", name="sign_in_page")
def sign_in_page(
    request: Request,
    services: UseServices,
    link: Annotated[str | None, Query(max_length=LINK_LENGTH_MAX)] = None,
    go_on: Annotated[str | None, Query(alias="next", max_length=NEXT_LENGTH_MAX)] = None,
) -> Response:
    """Show how one signs in; with a link, the button that does."""
    return page(
        request,
        "signin.html",
        link=link,
        go_on=local_address(go_on),
        platform_url=services.tieout.settings.platform_url,
    )


@router.post("/signin", name="sign_in")
def sign_in(
    request: Request,
    services: UseServices,
    token: Annotated[str | None, Form(max_length=TOKEN_LENGTH_MAX)] = None,
    link: Annotated[str | None, Form(max_length=LINK_LENGTH_MAX)] = None,
    go_on: Annotated[str | None, Form(alias="next", max_length=NEXT_LENGTH_MAX)] = None,
) -> Response:
    """Open a session and go on to the page that was wanted."""
    settings, now = services.tieout.settings, services.clock.now()
    _slow_down(request, services, count=0)
    caller, came_by = _person(request, services, token=token, link=link)
    # Whoever was signed in here before is not any more: a session never changes hands.
    _end_present(request, services)
    opened = open_session(
        services.database, caller, came_by=came_by, lasts=timedelta(hours=settings.session_hours), now=now
    )
    response = RedirectResponse(local_address(go_on), status_code=HTTPStatus.SEE_OTHER)
    keep_session(response, settings, token=opened.token, expires_at=opened.expires_at, now=now)
    return response


@router.post("/signout", name="sign_out")
def sign_out(request: Request, services: UseServices) -> Response:
    """End the session, here and in the database."""
    _end_present(request, services)
    response = RedirectResponse("/signin", status_code=HTTPStatus.SEE_OTHER)
    forget_session(response, services.tieout.settings)
    return response


def _person(
    request: Request, services: Services, *, token: str | None, link: str | None
) -> tuple[Caller, CameBy]:
    now = services.clock.now()
    if link:
        caller = use_link(services.database, link, now=now)
        if caller is None:
            _slow_down(request, services)
            raise SignInRefused(
                reason="this link was used before, or is older than ten minutes",
                next="Ask for another one.",
            )
        return caller, "link"
    # Only the platform's own page hands people over, so that nobody can be signed in as somebody else without knowing.
    if request.headers.get("origin") != origin_of(services.tieout.settings.platform_url):
        raise CrossSite
    vouched = services.tokens.vouched(token or "")
    if vouched is None or not builder_is_here(services.database, vouched.caller.builder_id):
        _slow_down(request, services)
        raise SignInRefused(
            reason="the platform's token is not valid here (any more)",
            next="Go back to the platform and come here anew.",
        )
    is_first = use_token(
        services.database,
        vouched.caller.builder_id,
        fingerprint=vouched.fingerprint,
        expires_at=vouched.expires_at,
        now=now,
    )
    if not is_first:
        raise SignInRefused(
            reason="the platform's token signed somebody in before",
            next="Go back to the platform and come here anew.",
        )
    return vouched.caller, "platform"


def _end_present(request: Request, services: Services) -> None:
    settings, now = services.tieout.settings, services.clock.now()
    given = session_token(request, settings)
    idle = timedelta(minutes=settings.session_idle_minutes)
    present = find_session(services.database, given, idle=idle, now=now) if given else None
    if present is not None:
        end_session(
            services.database,
            present.caller.builder_id,
            session_id=present.id,
            ended_by=present.caller.actor,
            now=now,
        )


def _slow_down(request: Request, services: Services, *, count: int = 1) -> None:
    allowance = services.refusals.take(
        f"refused:{request.client.host if request.client else ''}", count=count
    )
    if count == 0 and allowance is not None and not allowance.is_allowed:
        raise TooManyRequests(limit=allowance.limit, wait_seconds=allowance.wait_seconds)
