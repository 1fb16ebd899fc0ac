"""Third-party apps of a builder, and what its people gave them; an owner registers, looks and ends."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsOwner
from api.models.apps import (
    AppGrant,
    AppGrantList,
    AppList,
    AppRequest,
    AppShown,
    EndedAppGrant,
    MadeApp,
    RevokedApp,
)
from api.responses import READ, WRITE
from api.services import UseServices
from resources.store.app_access import list_grants, revoke_grant
from resources.store.apps import Wanted, list_apps, register_app, revoke_app
from sync.errors import NotFound

router = APIRouter(tags=["keys"])


@router.get("/apps", name="list_apps", responses=READ)
def list_registered_apps(caller: AsOwner, services: UseServices) -> AppList:
    """List the apps that the builder's people may let in: its own, and those of the operator."""
    found = list_apps(services.database, caller.builder_id)
    return AppList(items=[AppShown.model_validate(each) for each in found])


@router.post("/apps", name="register_app", status_code=201, responses=WRITE)
def register_builders_app(caller: AsOwner, services: UseServices, body: AppRequest) -> MadeApp:
    """Register an app and show its secret this once."""
    wanted = Wanted(body.name, tuple(body.redirect_uris), tuple(body.scopes), is_public=body.is_public)
    made = register_app(
        services.database,
        caller.builder_id,
        wanted,
        registered_by=caller.actor,
        now=services.clock.now(),
    )
    return MadeApp(client_id=made.id, client_secret=made.secret)


@router.delete("/apps/{id}", name="revoke_app", responses=WRITE)
def revoke_builders_app(
    caller: AsOwner, services: UseServices, app_id: Annotated[UUID, Path(alias="id")]
) -> RevokedApp:
    """Let an app of the builder's own in no more, and end all it was given."""
    is_revoked = revoke_app(
        services.database,
        caller.builder_id,
        app_id=app_id,
        revoked_by=caller.actor,
        now=services.clock.now(),
    )
    if not is_revoked:
        raise NotFound(what="app", id=str(app_id))
    services.callers.forget()
    return RevokedApp(id=app_id)


@router.get("/app-grants", name="list_app_grants", responses=READ)
def list_app_grants(caller: AsOwner, services: UseServices) -> AppGrantList:
    """List what people gave apps and they still have."""
    found = list_grants(services.database, caller.builder_id)
    return AppGrantList(items=[AppGrant.model_validate(each) for each in found])


@router.delete("/app-grants/{id}", name="end_app_grant", responses=WRITE)
def end_app_grant(
    caller: AsOwner, services: UseServices, grant_id: Annotated[UUID, Path(alias="id")]
) -> EndedAppGrant:
    """End what a person gave an app, with all its tokens, from now on."""
    is_ended = revoke_grant(
        services.database,
        caller.builder_id,
        grant_id=grant_id,
        revoked_by=caller.actor,
        now=services.clock.now(),
    )
    if not is_ended:
        raise NotFound(what="app grant", id=str(grant_id))
    services.callers.forget()
    return EndedAppGrant(id=grant_id)
