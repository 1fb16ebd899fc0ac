"""The one cookie that signs a browser in, and the addresses that may be gone to after that."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from resources.settings import Settings


def is_https(settings: Settings) -> bool:
    """Say whether browsers reach this installation by https only."""
    return settings.public_base_url.startswith("https:")


def session_cookie_name(settings: Settings) -> str:
    """Return the cookie's name; the prefix makes browsers refuse it from a sibling domain, and needs https."""
    return "__Host-tieout_session" if is_https(settings) else "tieout_session"


def session_token(request: Request, settings: Settings) -> str | None:
    """Return what the browser sent as its session, checked by nobody yet."""
    return request.cookies.get(session_cookie_name(settings))


def keep_session(
    response: Response, settings: Settings, *, token: str, expires_at: datetime, now: datetime
) -> None:
    """Give the browser its session. Lax, so that an app's link to the consent page finds the person signed in."""
    response.set_cookie(
        session_cookie_name(settings),
        token,
        max_age=int((expires_at - now).total_seconds()),
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="lax",
    )


def forget_session(response: Response, settings: Settings) -> None:
    """Take the session away from the browser, and with it what the browser kept of the pages."""
    response.delete_cookie(
        session_cookie_name(settings), path="/", secure=is_https(settings), httponly=True, samesite="lax"
    )
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def local_address(wanted: str | None) -> str:
    """Return an address of our own to go on to; whatever could lead elsewhere becomes the first page."""
    # Browsers read a backslash as a slash, and skip control characters.
    is_ours = (
        wanted is not None
        and wanted.startswith("/")
        and not wanted.startswith("//")
        and "\\" not in wanted
        and wanted.isprintable()
    )
    return wanted if is_ours and wanted else "/integrations"
