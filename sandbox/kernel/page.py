"""The plain web page at `/`: accounts, documents, the request log, and buttons for mischief."""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel.emulator import Emulator, MischiefButton

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_SECURITY = {
    "content-security-policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action *",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
GENERAL_MISCHIEF = (
    MischiefButton(
        "Next write times out, not executed", {"kind": "timeout_before", "method": "P*", "seconds": 5}
    ),
    MischiefButton(
        "Next write times out after commit", {"kind": "timeout_after", "method": "P*", "seconds": 5}
    ),
    MischiefButton("Next answer is cut in the middle", {"kind": "cut_body"}),
    MischiefButton("Next call is throttled", {"kind": "status", "status": 429}),
    MischiefButton("Next three calls answer 503", {"kind": "status", "status": 503, "count": 3}),
    MischiefButton("Next call is slow (5 s)", {"kind": "slow", "seconds": 5}),
)


def html(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """Render one of the sandbox's own templates, with escaping and a strict content policy."""
    return HTMLResponse(
        TEMPLATES.get_template(template).render(**values), status_code=status, headers=_SECURITY
    )


def page_routes(emulator: Emulator) -> list[BaseRoute]:
    """Return the page and its style sheet."""

    async def show(request: Request) -> Response:
        page = emulator.page(request.query_params.get("tenant", ""))
        return html(
            "books.html",
            emulator=emulator,
            page=page,
            clock=emulator.clock.describe(),
            rules=emulator.faults.rules(),
            requests=emulator.log.recent(60),
            total=emulator.log.total,
            buttons=[(b.label, json.dumps(b.rule)) for b in (*GENERAL_MISCHIEF, *page.buttons)],
        )

    async def no_icon(_request: Request) -> Response:
        return PlainTextResponse("", status_code=204)

    return [Route("/", show, methods=["GET"]), Route("/favicon.ico", no_icon, methods=["GET"])]
