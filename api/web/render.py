"""Pages from templates: escaped, under a policy that runs nothing but our own files.

A page's fragment is a block of its template (`fragment`), so that page and fragment cannot drift apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request

from api.auth import reaches
from api.web import said, words
from resources.store.api_keys import Caller, Role
from resources.store.sessions import Session
from sync.counting import counted

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
STATIC_ROOT = "/static"
# What our own scripts send when they renew a part of a page.
PART_HEADER = "X-Tieout-Part"

# No inline script, no inline style, nothing of anybody else's.
PAGE_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One page of the navigation, and the scope without which nobody is led there."""

    title: str
    path: str
    scope: str


_FILTERS = (
    "kind",
    "one",
    "word",
    "record_state",
    "plain",
    "foreseen",
    "bank",
    "dataset",
    "import_state",
    "import_colour",
    "change",
    "capitalize_first",
    "money",
    "nonzero",
    "moment",
    "ago",
    "differing",
)

# In the order in which they are shown.
NOTICES = "/integrations/notifications"
FILES = "/integrations/files"
PLACES = (
    Place("Integrations", "/integrations", "connections:read"),
    Place("Files", FILES, "imports:read"),
    Place("Notifications", NOTICES, "notifications:read"),
)


def page(
    request: Request,
    template: str,
    /,
    *,
    status: int = 200,
    form_action: str = "",
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """Return a whole page; `form_action` names another origin that one of its forms leads to in the end."""
    text = _environment().get_template(template).render(**_shared(request), **context)
    return _answer(text, status=status, form_action=form_action, headers=headers)


def fragment(
    request: Request, template: str, block: str, /, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """Return one block of a page by itself, for a page that renews a part of itself."""
    found = _environment().get_template(template)
    text = "".join(found.blocks[block](found.new_context({**_shared(request), **context})))
    return _answer(text, status=status, form_action="", headers={"Vary": PART_HEADER})


def is_part(request: Request) -> bool:
    """Say whether a script of ours asks for a part of a page rather than a person for the whole."""
    return PART_HEADER in request.headers


def _answer(text: str, *, status: int, form_action: str, headers: Mapping[str, str] | None) -> HTMLResponse:
    policy = dict(PAGE_POLICY)
    if form_action:
        # Browsers hold the answer's redirect to this too.
        policy["form-action"] += f" {form_action}"
    return HTMLResponse(
        text,
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            # To ourselves only: a form of ours then says where it comes from.
            "Referrer-Policy": "same-origin",
            **(headers or {}),
        },
    )


def static_address(name: str) -> str:
    """Return the address of one of our own files; it changes with the file, so that browsers may keep it for ever."""
    return f"{STATIC_ROOT}/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static_address
    environment.globals["count"] = counted
    for name in _FILTERS:
        environment.filters[name] = getattr(words, name)
    return environment


def _shared(request: Request) -> dict[str, Any]:
    session: Session | None = getattr(request.state, "session", None)
    caller = session.caller if session else None
    return {
        "session": session,
        "path": request.url.path,
        "notices_path": NOTICES,
        "unread": getattr(request.state, "unread", 0),
        "places": [place for place in PLACES if caller and may_see(caller, place.scope)],
        "may": partial(_may, caller),
        "said": said.sentence(request.query_params),
    }


def _may(caller: Caller | None, role: Role, scope: str) -> bool:
    """Say whether a button leads the person anywhere; the route behind it decides by itself all the same."""
    return caller is not None and reaches(caller, role) and may_see(caller, scope)


def may_see(caller: Caller, scope: str) -> bool:
    """Say whether a person's session reaches this scope."""
    return caller.scopes is None or scope in caller.scopes
