"""Who asks: a bearer API key names the builder and a role; every route says which role it needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.services import UseServices
from resources.store.api_keys import Caller, Role, create_api_key, find_caller
from sync.errors import NotAllowed
from sync.refusals import Unauthenticated

__all__ = ["AsBookkeeper", "AsOwner", "AsViewer", "Caller", "create_api_key"]

# Each role may do what the roles before it may.
_RANK: dict[Role, int] = {"viewer": 0, "bookkeeper": 1, "owner": 2}

_bearer = HTTPBearer(
    scheme_name="apiKey", bearerFormat="tieout_…", description="An API key of one builder.", auto_error=False
)


def _needs(role: Role, action: str) -> Callable[..., Caller]:
    def caller(
        services: UseServices, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> Caller:
        found = find_caller(services.database, credentials.credentials) if credentials else None
        if found is None:
            raise Unauthenticated
        if _RANK[found.role] < _RANK[role]:
            raise NotAllowed(action=action, role=found.role, needs=role)
        return found

    return caller


AsViewer = Annotated[Caller, Depends(_needs("viewer", "read this"))]
AsBookkeeper = Annotated[Caller, Depends(_needs("bookkeeper", "change mappings or decide about records"))]
AsOwner = Annotated[Caller, Depends(_needs("owner", "connect or disconnect an accounting system"))]
