"""API keys: made, listed, revoked by a builder's owner."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsOwner
from api.models.keys import Key, KeyList, KeyRequest, MadeKey, RevokedKey
from api.responses import READ, WRITE
from api.services import UseServices
from resources.store.api_keys import list_api_keys, make_api_key, revoke_api_key
from sync.errors import InvalidInput, NotFound
from sync.refusals import ScopeMissing

router = APIRouter(tags=["keys"])


@router.get("/keys", name="list_keys", responses=READ)
def list_keys(caller: AsOwner, services: UseServices) -> KeyList:
    """List the builder's keys that are not revoked."""
    found = list_api_keys(services.database, caller.builder_id)
    return KeyList(items=[Key.model_validate(each) for each in found])


@router.post("/keys", name="make_key", status_code=201, responses=WRITE)
def make_key(caller: AsOwner, services: UseServices, body: KeyRequest) -> MadeKey:
    """Make a key and show it this once; nobody can make one that may more than the caller."""
    if body.expires_at is not None and body.expires_at <= services.clock.now():
        raise InvalidInput(what="expires_at", reason="it has passed already")
    if caller.scopes is not None:
        beyond = set(body.scopes) - caller.scopes if body.scopes is not None else {"of every kind"}
        if beyond:
            raise ScopeMissing(scope=min(beyond))
    made = make_api_key(
        services.database,
        caller.builder_id,
        name=body.name,
        role=body.role,
        scopes=body.scopes,
        expires_at=body.expires_at,
        created_by=caller.actor,
    )
    return MadeKey(id=made.id, key=made.key)


@router.delete("/keys/{id}", name="revoke_key", responses=WRITE)
def revoke_key(
    caller: AsOwner, services: UseServices, key_id: Annotated[UUID, Path(alias="id")]
) -> RevokedKey:
    """Let a key open nothing any more, from now on."""
    if not revoke_api_key(services.database, caller.builder_id, key_id=key_id, revoked_by=caller.actor):
        raise NotFound(what="API key", id=str(key_id))
    services.callers.forget()
    return RevokedKey(id=key_id)
