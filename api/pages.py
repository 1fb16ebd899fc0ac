"""Small pages for people who arrive in a browser: a heading and a few sentences, nothing that runs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_FOLDER = Path(__file__).parent / "templates"


def message_page(
    heading: str, lines: Sequence[str], *, status: int, links: Sequence[tuple[str, str]] = ()
) -> HTMLResponse:
    """Return a page that says one thing, and may offer a choice of links (text, address)."""
    return HTMLResponse(
        _template().render(heading=heading, lines=lines, links=links, style=_style()),
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_style_hash()}'; frame-ancestors 'none';"
            " base-uri 'none'; form-action 'none'",
            # The address holds the authorization code.
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _template() -> Template:
    environment = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("message.html")


@cache
def _style() -> str:
    return (_FOLDER / "message.css").read_text(encoding="utf-8").strip()


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
