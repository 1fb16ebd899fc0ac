"""The OAuth consent: where it begins, and where the provider sends the browser back to.

`state` is bound to the browser that began: it carries a random token in a cookie (or, for a script, in a header), and
an answer that comes back without the same token is refused.
"""

from __future__ import annotations

import re
import secrets
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, BackgroundTasks, Header, Path, Request, Response

from api.auth import AsOwner, Caller
from api.models.connections import Connected, ConnectStart
from api.pages import message_page
from api.problems import problem_response
from api.responses import WRITE, problems
from api.services import Launcher, Services, UseServices
from api.web.gate import signed_in
from api.web.render import page as whole_page
from api.web.said import go
from sync.errors import ChoiceNeeded, StateMismatch, SyncError
from sync.remedies import http_status

router = APIRouter(tags=["connections"])
log = structlog.get_logger(__name__)

BROWSER_HEADER = "X-Tieout-Browser"
COOKIE_SECONDS = 900
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")

ProviderKey = Annotated[
    str, Path(alias="provider", pattern=r"^[a-z][a-z_]{0,39}$", examples=["quickbooks_online"])
]


@router.post("/connect/{provider}", name="connect", responses=WRITE)
def connect(
    caller: AsOwner, services: UseServices, provider: ProviderKey, request: Request, response: Response
) -> ConnectStart:
    """Begin the consent at a provider: open `redirect_url` in the browser that made this call."""
    start = begin_consent(caller, services, provider, request)
    keep_browser(response, services, start.browser)
    response.headers["Cache-Control"] = "no-store"
    return start


def begin_consent(caller: Caller, services: Services, provider: str, request: Request) -> ConnectStart:
    """Begin a consent for the browser that asks, which keeps the token it had."""
    browser = _browser_of(request, services) or secrets.token_urlsafe(32)
    start = services.tieout.connections.begin(
        str(caller.builder_id), provider, browser=browser, requested_by=caller.actor
    )
    return ConnectStart(
        provider=provider, redirect_url=start.url, browser=browser, expires_at=start.expires_at
    )


def keep_browser(response: Response, services: Services, browser: str) -> None:
    """Give the browser the token that its answer must carry."""
    response.set_cookie(
        _cookie_name(services),
        browser,
        max_age=COOKIE_SECONDS,
        httponly=True,
        secure=_is_https(services),
        # Lax: the provider's redirect is a top-level navigation from another site and must carry the cookie.
        samesite="lax",
    )


@router.get(
    "/callback/{provider}",
    name="oauth_callback",
    response_model=Connected,
    responses={
        200: {
            "content": {"text/html": {"schema": {"type": "string"}}},
            "description": "A page for people, JSON for programs.",
        },
        **problems(403, 409, 422, 503),
    },
)
def oauth_callback(
    services: UseServices,
    provider: ProviderKey,
    request: Request,
    tasks: BackgroundTasks,
    x_tieout_browser: Annotated[
        str | None,
        Header(max_length=100, description="The `browser` value, for scripts that keep no cookie."),
    ] = None,
) -> Response | Connected:
    """Complete the consent; the provider sends the browser here. Needs no key, but the browser that began.

    Where a consent opens several companies, the answer is `connect.choice_needed` with `details.choices`; call this
    again with the same `state` and `company`, the id of the chosen one.
    """
    title = services.title_of(provider)
    browser = _valid(x_tieout_browser) or _browser_of(request, services)
    wants_page = "text/html" in request.headers.get("accept", "")
    session = signed_in(request, services) if wants_page else None
    is_signed_in = session is not None
    try:
        if browser is None:
            raise StateMismatch(provider=title)
        company = services.tieout.connections.complete(
            provider, params=dict(request.query_params), browser=browser
        )
    except ChoiceNeeded as choice:
        request.state.session = session
        return _choice(choice, request, provider) if wants_page else problem_response(choice, request)
    except SyncError as error:
        log.info("consent_failed", provider=provider, error_code=error.code)
        if wants_page:
            links = [("Back to the first step", f"/integrations/connect/{provider}")] * is_signed_in
            heading = f"{title} was not connected"
            return message_page(heading, [error.user_message], status=http_status(error), links=links)
        return problem_response(error, request)
    # Dagster may be down; then its sensor adds the partition later.
    tasks.add_task(_add_partition, services.launcher, company.builder_id)
    if session is not None and str(session.caller.builder_id) == company.builder_id:
        # Who began on our pages goes on there.
        onward = go(f"/integrations/{company.connection_id}/first-steps", done="connected")
        onward.background = tasks
        return _forgetting(onward, services)
    if wants_page:
        lines = [company.notice] if company.notice else []
        page = message_page(
            f"Connected to {company.company_name}", [*lines, "You can close this window."], status=200
        )
        page.background = tasks
        return _forgetting(page, services)
    return Connected(
        connection_id=company.connection_id,  # type: ignore[arg-type]  # pydantic reads the text as a UUID
        provider=provider,
        company_name=company.company_name,
        notice=company.notice,
    )


def _choice(choice: ChoiceNeeded, request: Request, provider: str) -> Response:
    """Show the companies a consent opens; each button is this same callback, with the choice."""
    return whole_page(
        request,
        "connect_company.html",
        status=http_status(choice),
        # The address holds the authorization code.
        headers={"Referrer-Policy": "no-referrer"},
        provider=provider,
        title=choice.details["provider"],
        sentence=choice.user_message,
        companies=choice.details["choices"],
        state=choice.details["state"],
    )


def _add_partition(launcher: Launcher, builder_id: str) -> None:
    try:
        launcher.add_builder(builder_id)
    except SyncError as error:
        log.warning("partition_not_added", builder=builder_id, error_code=error.code)


def _browser_of(request: Request, services: Services) -> str | None:
    return _valid(request.cookies.get(_cookie_name(services)))


def _valid(browser: str | None) -> str | None:
    return browser if browser and _BROWSER.fullmatch(browser) else None


def _forgetting(page: Response, services: Services) -> Response:
    page.delete_cookie(_cookie_name(services), secure=_is_https(services), httponly=True, samesite="lax")
    return page


def _is_https(services: Services) -> bool:
    return urlsplit(services.tieout.settings.public_base_url).scheme == "https"


def _cookie_name(services: Services) -> str:
    # The prefix makes browsers refuse the cookie from a sibling domain; it needs https.
    return "__Host-tieout_browser" if _is_https(services) else "tieout_browser"
