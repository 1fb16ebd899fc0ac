"""API keys: made once, shown once, stored as a hash, found by it.

A key is `tieout_`, 43 characters base 62 of 32 random bytes, and 6 characters base 62 of their CRC-32: the prefix
lets secret scanners find a leaked key, the checksum lets a mistyped one be refused without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from resources.store.database import Database

Role = Literal["owner", "bookkeeper", "viewer"]

PREFIX = "tieout_"
SECRET_BYTES = 32
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH = 43  # 62 ** 43 > 256 ** 32
_CHECKSUM_LENGTH = 6  # 62 ** 6 > 2 ** 32
# A key has 256 random bits, so that its hash needs no salt and no slowness; the context keeps it from being equal
# to any other hash of the same text.
_HASH_CONTEXT = b"tieout api key v1"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the builder, and which of its keys with what role."""

    builder_id: UUID
    key_id: UUID
    name: str
    role: Role

    @property
    def actor(self) -> str:
        """The caller as the audit log names it."""
        return f"api key {self.name}"


@dataclass(frozen=True, slots=True)
class KeyView:
    """What may be seen of a key after it was made."""

    id: UUID
    name: str
    role: Role
    last_four: str


def create_api_key(database: Database, builder_id: UUID, *, name: str, role: Role = "owner") -> str:
    """Make a key for a builder and return it; it is never shown again."""
    key = _new_key()
    with database.builder_tx(builder_id) as tx:
        tx.value("api_key_insert", name=name, key_hash=_key_hash(key), last_four=key[-4:], role=role)
    return key


def revoke_api_key(database: Database, builder_id: UUID, *, key_id: UUID) -> bool:
    """Let a key open nothing any more; False where it did not before."""
    with database.builder_tx(builder_id) as tx:
        return tx.run("api_key_revoke", id=key_id) == 1


def list_api_keys(database: Database, builder_id: UUID) -> list[KeyView]:
    """Return the keys that open something, oldest first."""
    with database.builder_tx(builder_id) as tx:
        return [KeyView(**row) for row in tx.rows("api_keys_open")]


def find_caller(database: Database, key: str) -> Caller | None:
    """Return whose key this is, or None for one that opens nothing."""
    if not is_well_formed(key):
        return None
    with database.scheduler_tx() as tx:
        row = tx.row("api_key_by_hash", key_hash=_key_hash(key))
    return Caller(row["builder_id"], row["id"], row["name"], row["role"]) if row else None


def is_well_formed(key: str) -> bool:
    """Say whether a text can be a key at all: its prefix, length, digits and checksum."""
    body = key.removeprefix(PREFIX)
    if body == key or len(body) != _SECRET_LENGTH + _CHECKSUM_LENGTH or set(body) - set(_DIGITS):
        return False
    secret, checksum = body[:_SECRET_LENGTH], body[_SECRET_LENGTH:]
    return _checksum(secret) == checksum


def _new_key() -> str:
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), length=_SECRET_LENGTH)
    return f"{PREFIX}{secret}{_checksum(secret)}"


def _checksum(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode()), length=_CHECKSUM_LENGTH)


def _base62(number: int, *, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    assert number == 0, "the number has more digits than it was given room for"
    return "".join(reversed(digits))


def _key_hash(key: str) -> str:
    return hmac.new(_HASH_CONTEXT, key.encode(), hashlib.sha256).hexdigest()
