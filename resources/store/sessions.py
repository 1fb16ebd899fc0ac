"""Browser sessions: who is signed in to the pages, and the two ways in, each good once.

A session is a random value in a cookie and a row under its hash. It ends when it was not used for a while, at a fixed
time after it began, when its person signs out, and when an owner or the operator ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from resources.store.api_keys import Caller, Role
from resources.store.audit import AuditEntry, write_audit
from resources.store.credentials import credential_hash, is_credential, new_credential
from resources.store.database import Database

CameBy = Literal["platform", "link"]

SESSION_PREFIX = "tieouts_"
LINK_PREFIX = "tieoutl_"
_SESSION_CONTEXT = b"tieout browser session v1"
_LINK_CONTEXT = b"tieout sign-in link v1"
_TOKEN_CONTEXT = b"tieout platform token v1"
SEEN_EVERY = timedelta(minutes=1)
LINK_LASTS = timedelta(minutes=10)
# Ended ones are kept this long for whoever asks who was signed in.
KEPT_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Session:
    """One person's session, as a request finds it."""

    id: UUID
    caller: Caller
    builder_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, and the value of its cookie, which is stored nowhere."""

    id: UUID
    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionView:
    """What may be seen of a session."""

    id: UUID
    person: str
    role: Role
    scopes: list[str] | None
    came_by: CameBy
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def open_session(
    database: Database, caller: Caller, *, came_by: CameBy, lasts: timedelta, now: datetime
) -> OpenedSession:
    """Sign a person in."""
    token, expires_at = new_credential(SESSION_PREFIX), now + lasts
    scopes = None if caller.scopes is None else sorted(caller.scopes)
    with database.builder_tx(caller.builder_id) as tx:
        tx.run("sessions_forget_old", before=now - KEPT_FOR)
        session_id: UUID = tx.value(
            "session_insert",
            token_hash=credential_hash(token, context=_SESSION_CONTEXT),
            person=caller.name,
            role=caller.role,
            scopes=scopes,
            came_by=came_by,
            now=now,
            expires_at=expires_at,
        )
        told = {"session": str(session_id), "role": caller.role, "scopes": scopes, "by": came_by}
        write_audit(tx, AuditEntry(actor=caller.actor, action="session.opened", after=told))
    return OpenedSession(session_id, token, expires_at)


def find_session(database: Database, token: str, *, idle: timedelta, now: datetime) -> Session | None:
    """Return whose session this is, or None where it ended, by whatever cause."""
    if not is_credential(token, prefix=SESSION_PREFIX):
        return None
    with database.scheduler_tx() as tx:
        row = tx.row("session_by_hash", token_hash=credential_hash(token, context=_SESSION_CONTEXT))
    if row is None or row["expires_at"] <= now or row["seen_at"] + idle <= now:
        return None
    if row["seen_at"] + SEEN_EVERY <= now:
        with database.builder_tx(row["builder_id"]) as tx:
            tx.run("session_seen", id=row["id"], now=now)
    scopes = None if row["scopes"] is None else frozenset(row["scopes"])
    caller = Caller(row["builder_id"], None, row["person"], row["role"], scopes)
    return Session(row["id"], caller, row["builder_name"], row["expires_at"])


def end_session(
    database: Database, builder_id: UUID, *, session_id: UUID, ended_by: str, now: datetime
) -> bool:
    """Let a session open nothing any more; False where it did not before."""
    with database.builder_tx(builder_id) as tx:
        is_ended = tx.run("session_end", id=session_id, now=now) == 1
        if is_ended:
            told = {"session": str(session_id)}
            write_audit(tx, AuditEntry(actor=ended_by, action="session.ended", after=told))
    return is_ended


def end_sessions(
    database: Database, builder_id: UUID, *, person: str | None, ended_by: str, now: datetime
) -> int:
    """End every session of one person, or of everybody of this builder; return how many."""
    with database.builder_tx(builder_id) as tx:
        ended = tx.run("sessions_end", person=person, now=now)
        told = {"person": person, "sessions": ended}
        write_audit(tx, AuditEntry(actor=ended_by, action="session.ended", after=told))
    return ended


def list_sessions(
    database: Database, builder_id: UUID, *, idle: timedelta, now: datetime
) -> list[SessionView]:
    """Return who is signed in, newest first."""
    with database.builder_tx(builder_id) as tx:
        return [SessionView(**row) for row in tx.rows("sessions_open", now=now, seen_after=now - idle)]


def use_token(
    database: Database, builder_id: UUID, *, fingerprint: str, expires_at: datetime, now: datetime
) -> bool:
    """Note that a token of the platform opens a session; False where it did before."""
    token_hash = credential_hash(fingerprint, context=_TOKEN_CONTEXT)
    with database.builder_tx(builder_id) as tx:
        tx.run("sign_in_tokens_forget_old", now=now)
        return tx.value("sign_in_token_use", token_hash=token_hash, expires_at=expires_at) is not None


def make_link(database: Database, builder_id: UUID, *, person: str, role: Role, now: datetime) -> str:
    """Make what a sign-in link carries; it is good once, for ten minutes."""
    token = new_credential(LINK_PREFIX)
    with database.builder_tx(builder_id) as tx:
        tx.run("sign_in_links_forget_old", now=now)
        link_id = tx.value(
            "sign_in_link_insert",
            token_hash=credential_hash(token, context=_LINK_CONTEXT),
            person=person,
            role=role,
            now=now,
            expires_at=now + LINK_LASTS,
        )
        told: Mapping[str, Any] = {"link": str(link_id), "person": person, "role": role}
        write_audit(tx, AuditEntry(actor="the operator", action="session.link_made", after=told))
    return token


def use_link(database: Database, token: str, *, now: datetime) -> Caller | None:
    """Return whom a link signs in, once; None for one that opens nothing (any more)."""
    if not is_credential(token, prefix=LINK_PREFIX):
        return None
    token_hash = credential_hash(token, context=_LINK_CONTEXT)
    with database.scheduler_tx() as tx:
        builder_id = tx.value("sign_in_link_by_hash", token_hash=token_hash)
    if builder_id is None:
        return None
    with database.builder_tx(builder_id) as tx:
        row = tx.row("sign_in_link_use", token_hash=token_hash, now=now)
    return None if row is None else Caller(builder_id, None, row["person"], row["role"])
