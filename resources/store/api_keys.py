"""API keys: made once, shown once, stored as a hash, found by it. Their form is that of `credentials`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from resources.store.audit import AuditEntry, write_audit
from resources.store.credentials import credential_hash, is_credential, new_credential
from resources.store.database import Database
from sync.errors import InvalidInput

Role = Literal["owner", "bookkeeper", "viewer"]
# What a key may be narrowed to: one subject per group of routes, each to read or to write.
SUBJECTS = (
    "connections",
    "mappings",
    "sync",
    "errors",
    "conflicts",
    "settings",
    "notifications",
    "webhooks",
    "imports",
    "exports",
    "keys",
)
SCOPES: tuple[str, ...] = tuple(f"{subject}:{verb}" for subject in SUBJECTS for verb in ("read", "write"))

PREFIX = "tieout_"
_HASH_CONTEXT = b"tieout api key v1"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: one builder's key, a person whom the platform vouches for, or an app that a person let in."""

    builder_id: UUID
    key_id: UUID | None
    name: str
    role: Role
    # None: everything that the role may
    scopes: frozenset[str] | None = None
    # what a person gave an app, where an app asks
    grant_id: UUID | None = None

    @property
    def actor(self) -> str:
        """The caller as the audit log names it."""
        kind = "api key" if self.key_id else "app" if self.grant_id else "user"
        return f"{kind} {self.name}"

    @property
    def person(self) -> str:
        """Under what the caller's own marks (what was read, what is wanted) are kept."""
        if self.grant_id:
            return f"app:{self.grant_id}"
        return f"key:{self.key_id}" if self.key_id else f"user:{self.name}"


@dataclass(frozen=True, slots=True)
class KeyView:
    """What may be seen of a key after it was made."""

    id: UUID
    name: str
    role: Role
    last_four: str
    scopes: list[str] | None
    expires_at: datetime | None
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once, and its id."""

    id: UUID
    key: str


def create_api_key(
    database: Database,
    builder_id: UUID,
    *,
    name: str,
    role: Role = "owner",
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a key for a builder and return it; it is never shown again."""
    return make_api_key(
        database,
        builder_id,
        name=name,
        role=role,
        scopes=scopes,
        expires_at=expires_at,
        created_by="the operator",
    ).key


def make_api_key(
    database: Database,
    builder_id: UUID,
    *,
    name: str,
    role: Role,
    scopes: Iterable[str] | None,
    expires_at: datetime | None,
    created_by: str,
) -> NewKey:
    """Make a key for a builder and tell the audit log who made it."""
    chosen = sorted(set(scopes)) if scopes is not None else None
    if unknown := sorted(set(chosen or ()) - set(SCOPES)):
        raise InvalidInput(
            what=f"The scope {unknown[0]}", reason=f"there is no such scope; choose of {', '.join(SCOPES)}"
        )
    key = new_credential(PREFIX)
    with database.builder_tx(builder_id) as tx:
        key_id: UUID = tx.value(
            "api_key_insert",
            name=name,
            key_hash=_key_hash(key),
            last_four=key[-4:],
            role=role,
            scopes=chosen,
            expires_at=expires_at,
            created_by=created_by,
        )
        made = {"key": str(key_id), "name": name, "role": role, "scopes": chosen}
        write_audit(tx, AuditEntry(actor=created_by, action="key.created", after=made))
    return NewKey(key_id, key)


def revoke_api_key(
    database: Database, builder_id: UUID, *, key_id: UUID, revoked_by: str = "the operator"
) -> bool:
    """Let a key open nothing any more; False where it did not before."""
    with database.builder_tx(builder_id) as tx:
        is_revoked = tx.run("api_key_revoke", id=key_id) == 1
        if is_revoked:
            write_audit(tx, AuditEntry(actor=revoked_by, action="key.revoked", after={"key": str(key_id)}))
    return is_revoked


def list_api_keys(database: Database, builder_id: UUID) -> list[KeyView]:
    """Return the keys that are not revoked, oldest first."""
    with database.builder_tx(builder_id) as tx:
        return [KeyView(**row) for row in tx.rows("api_keys_open")]


def find_caller(database: Database, key: str, *, now: datetime | None = None) -> Caller | None:
    """Return whose key this is, or None for one that opens nothing (any more)."""
    if not is_well_formed(key):
        return None
    with database.scheduler_tx() as tx:
        row = tx.row("api_key_by_hash", key_hash=_key_hash(key))
    if row is None or (row["expires_at"] is not None and row["expires_at"] <= (now or datetime.now(UTC))):
        return None
    scopes = None if row["scopes"] is None else frozenset(row["scopes"])
    return Caller(row["builder_id"], row["id"], row["name"], row["role"], scopes)


def builder_is_here(database: Database, builder_id: UUID) -> bool:
    """Say whether this installation keeps this builder."""
    with database.builder_tx(builder_id) as tx:
        return tx.value("builder_exists", id=builder_id) is not None


def is_well_formed(key: str) -> bool:
    """Say whether a text can be a key at all: its prefix, length, digits and checksum."""
    return is_credential(key, prefix=PREFIX)


def _key_hash(key: str) -> str:
    return credential_hash(key, context=_HASH_CONTEXT)
