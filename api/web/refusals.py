"""What a person sees where a program would get a problem: the same sentence, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.web.cookies import local_address
from api.web.render import page

# Said of routes to programs, and of pages to people.
NO_ROUTE = "request.not_found"
_HEADINGS: Mapping[int, str] = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Not here",
    409: "Changed meanwhile",
    422: "This cannot be used",
    429: "Slow down",
    500: "Something broke",
    503: "Not now",
}


def refusal_page(request: Request, body: Mapping[str, Any], *, headers: Mapping[str, str]) -> Response:
    """Return a refusal as a page; who is not signed in is sent to where one signs in, and back afterwards."""
    status = body["status"]
    if status == HTTPStatus.UNAUTHORIZED:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = f"?next={quote(wanted, safe='')}" if request.method == "GET" else ""
        return RedirectResponse(f"/signin{back}", status_code=HTTPStatus.SEE_OTHER)
    if body["code"] == NO_ROUTE:
        body = {**body, "detail": "There is no such page. It may have moved, or its address was cut short."}
    return page(
        request,
        "refusal.html",
        status=status,
        headers={name: value for name, value in headers.items() if name == "Retry-After"},
        heading=_HEADINGS.get(status, "This did not work"),
        problem=body,
        back=_came_from(request),
    )


def _came_from(request: Request) -> str | None:
    """Return the page of ours that the person stood on, so that one step back loses nothing."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host") or not parts.path.startswith("/integrations"):
        return None
    came = local_address(parts.path + (f"?{parts.query}" if parts.query else ""))
    return None if came == request.url.path and request.method == "GET" else came
