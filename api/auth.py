"""Who may: every route declares the role it needs, once; the scope follows from the route's group and method.

The caller itself is found by `api.entrance`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from resources.store.api_keys import Caller, Role, create_api_key
from sync.errors import NotAllowed
from sync.refusals import ScopeMissing, Unauthenticated

__all__ = [
    "Access",
    "AsBookkeeper",
    "AsOwner",
    "AsViewer",
    "Caller",
    "access_of",
    "create_api_key",
    "reaches",
    "require_role",
]

# Each role may do what the roles before it may.
_RANK: dict[Role, int] = {"viewer": 0, "bookkeeper": 1, "owner": 2}
_READING = frozenset({"GET", "HEAD"})

_BEARER = HTTPBearerModel(
    bearerFormat="tieout_… or JWT",
    description="An API key of one builder, or a token signed by the platform.",
)


@dataclass(frozen=True, slots=True)
class Access:
    """What a route needs of its caller."""

    role: Role
    # None: whatever the caller was narrowed to
    scope: str | None


@dataclass(frozen=True, slots=True)
class _Needs(SecurityBase):
    """The declaration of a route, as FastAPI's dependency and as what the document says of it."""

    role: Role
    action: str
    has_scope: bool = True
    model = _BEARER
    scheme_name = "bearer"

    async def __call__(self, request: Request) -> Caller:
        """Return the caller, or refuse. A coroutine that waits for nothing: a plain function would be sent to a thread."""
        found: Caller | None = getattr(request.state, "caller", None)
        if found is None:
            raise Unauthenticated
        require_role(found, self.role, action=self.action)
        scope = _scope(request.scope["route"])
        if self.has_scope and found.scopes is not None and scope not in found.scopes:
            raise ScopeMissing(scope=scope)
        return found


AsViewer = Annotated[Caller, Depends(_Needs("viewer", "read this"))]
AsBookkeeper = Annotated[Caller, Depends(_Needs("bookkeeper", "change mappings or decide about records"))]
AsOwner = Annotated[
    Caller,
    Depends(_Needs("owner", "connect or disconnect an accounting system, or give others access")),
]


def require_role(caller: Caller, role: Role, *, action: str) -> None:
    """Refuse a caller whose role may not do this; for routes of which a part needs more than the rest."""
    if not reaches(caller, role):
        raise NotAllowed(action=action, role=caller.role, needs=role)


# Whoever is signed in, about what is the person's own.
AsPerson = Annotated[Caller, Depends(_Needs("viewer", "do this", has_scope=False))]


def reaches(caller: Caller, role: Role) -> bool:
    """Say whether a caller may do what needs this role."""
    return _RANK[caller.role] >= _RANK[role]


def access_of(route: APIRoute) -> Access | None:
    """Return what a route needs, or None for one that is open; two declarations on one route are a bug."""
    found = [each for each in _calls(route.dependant) if isinstance(each, _Needs)]
    assert len(found) <= 1, f"{route.path} declares what it needs twice"
    return Access(found[0].role, _scope(route) if found[0].has_scope else None) if found else None


def _scope(route: Any) -> str:
    return f"{route.tags[0]}:{'read' if route.methods <= _READING else 'write'}"


def _calls(dependant: Any) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from _calls(each)
