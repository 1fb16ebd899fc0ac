"""Who is signed in to the pages; an owner can end any session of the builder's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsOwner
from api.models.sessions import EndedSession, SessionList, SessionShown
from api.responses import READ, WRITE
from api.services import UseServices
from resources.store.sessions import end_session, list_sessions
from sync.errors import NotFound

router = APIRouter(tags=["keys"])


@router.get("/sessions", name="list_sessions", responses=READ)
def list_open_sessions(caller: AsOwner, services: UseServices) -> SessionList:
    """List who is signed in to the pages."""
    idle = timedelta(minutes=services.tieout.settings.session_idle_minutes)
    found = list_sessions(services.database, caller.builder_id, idle=idle, now=services.clock.now())
    return SessionList(items=[SessionShown.model_validate(each) for each in found])


@router.delete("/sessions/{id}", name="end_session", responses=WRITE)
def end_one_session(
    caller: AsOwner, services: UseServices, session_id: Annotated[UUID, Path(alias="id")]
) -> EndedSession:
    """Sign a person out, from now on."""
    is_ended = end_session(
        services.database,
        caller.builder_id,
        session_id=session_id,
        ended_by=caller.actor,
        now=services.clock.now(),
    )
    if not is_ended:
        raise NotFound(what="session", id=str(session_id))
    return EndedSession(id=session_id)
