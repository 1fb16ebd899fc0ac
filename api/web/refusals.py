"""What a person sees where a program would get a problem: the same sentence, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.web.render import page

_HEADINGS: Mapping[int, str] = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Not here",
    409: "Changed meanwhile",
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
    return page(
        request,
        "refusal.html",
        status=status,
        headers={name: value for name, value in headers.items() if name == "Retry-After"},
        heading=_HEADINGS.get(status, "This did not work"),
        problem=body,
    )
