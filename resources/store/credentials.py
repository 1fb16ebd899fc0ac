"""Secrets that Tieout hands out itself: made at random, recognised by prefix and checksum, stored as a hash.

A credential is its prefix, 43 characters base 62 of 32 random bytes, and 6 characters base 62 of their CRC-32: the
prefix lets secret scanners find a leaked one, the checksum lets a mistyped one be refused without asking the database.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib

SECRET_BYTES = 32
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH = 43  # 62 ** 43 > 256 ** 32
_CHECKSUM_LENGTH = 6  # 62 ** 6 > 2 ** 32


def new_credential(prefix: str) -> str:
    """Make a credential of 256 random bits."""
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), length=_SECRET_LENGTH)
    return f"{prefix}{secret}{_checksum(secret)}"


def is_credential(text: str, *, prefix: str) -> bool:
    """Say whether a text can be a credential of this kind at all: its prefix, length, digits and checksum."""
    body = text.removeprefix(prefix)
    if body == text or len(body) != _SECRET_LENGTH + _CHECKSUM_LENGTH or set(body) - set(_DIGITS):
        return False
    secret, checksum = body[:_SECRET_LENGTH], body[_SECRET_LENGTH:]
    return _checksum(secret) == checksum


def credential_hash(text: str, *, context: bytes) -> str:
    """Return what is stored of a credential.

    256 random bits need no salt and no slowness; the context keeps one kind's hash from being equal to another's of
    the same text.
    """
    return hmac.new(context, text.encode(), hashlib.sha256).hexdigest()


def _checksum(secret: str) -> str:
    return _base62(zlib.crc32(secret.encode()), length=_CHECKSUM_LENGTH)


def _base62(number: int, *, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    assert number == 0, "the number has more digits than it was given room for"
    return "".join(reversed(digits))
