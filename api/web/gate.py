"""Where every request for a page comes in: who is signed in, how often they ask, and that a form is ours.

Leaves the session in `request.state.session` and its person in `request.state.caller`, so that a page route declares
what it needs exactly as a route of the API does (`AsViewer`, `AsBookkeeper`, `AsOwner`). An API key opens no page, and a
session opens nothing of the API.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import database_trouble, problem_response
from api.services import Services
from api.web.cookies import session_token
from api.web.render import is_part
from resources.settings import Settings
from resources.store.notices import unread_count
from resources.store.sessions import Session, find_session
from sync.errors import SyncError
from sync.refusals import CrossSite, TooManyRequests

SIGN_IN = "/signin"
PAGES = ("/integrations", "/signin", "/signout", "/oauth/authorize")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class PageGate:
    """Answers what must not reach a page, and lets everything else through."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard the pages."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the person, count the request, and refuse forms of other websites."""
        if scope["type"] != "http" or not is_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.is_page = True
        services = cast("Services", scope["app"].state.services)
        try:
            session = await run_in_threadpool(_admit, request, services)
        except SyncError as error:
            await problem_response(error, request)(scope, receive, send)
            return
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            await database_trouble(request, error)(scope, receive, send)
            return
        if session is not None:
            structlog.contextvars.bind_contextvars(
                builder=str(session.caller.builder_id), caller=session.caller.actor
            )
        await self._app(scope, receive, send)


def is_page(path: str) -> bool:
    """Say whether a path is a person's page rather than a program's route."""
    return path == "/" or any(path == each or path.startswith(f"{each}/") for each in PAGES)


def _admit(request: Request, services: Services) -> Session | None:
    settings = services.tieout.settings
    request.state.session = request.state.caller = None
    if request.method not in _SAFE:
        _require_our_form(request, settings)
    session = signed_in(request, services)
    if session is None:
        return None
    allowance = services.limit.take(f"{session.caller.builder_id}:{session.caller.person}")
    if allowance is not None and not allowance.is_allowed:
        raise TooManyRequests(limit=allowance.limit, wait_seconds=allowance.wait_seconds)
    request.state.session, request.state.caller = session, session.caller
    if not is_part(request):
        # Every whole page says how much the person has not read; so does a form that comes back with its mistakes.
        with services.database.builder_tx(session.caller.builder_id) as tx:
            request.state.unread = unread_count(tx, session.caller.person)
    return session


def signed_in(request: Request, services: Services) -> Session | None:
    """Return the session of the browser that asks, if it has one that has not ended."""
    settings = services.tieout.settings
    token = session_token(request, settings)
    if token is None:
        return None
    idle = timedelta(minutes=settings.session_idle_minutes)
    return find_session(services.database, token, idle=idle, now=services.clock.now())


def _require_our_form(request: Request, settings: Settings) -> None:
    """Refuse what a page of somebody else sends in the person's name.

    Browsers say where a request comes from, and no page can make them say otherwise. The platform's pages may send one
    thing: the token that signs a person in.
    """
    origin = request.headers.get("origin")
    if request.url.path == SIGN_IN and origin and origin == origin_of(settings.platform_url):
        return
    site = request.headers.get("sec-fetch-site")
    if site is None:
        is_ours = origin is not None and origin == origin_of(settings.public_base_url)
    else:
        is_ours = site == "same-origin"
    if not is_ours:
        raise CrossSite


def origin_of(address: str | None) -> str | None:
    """Return the origin of a web address, as browsers write it."""
    if address is None:
        return None
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")
