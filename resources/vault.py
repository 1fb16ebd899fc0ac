"""Seals secrets for the database: AES-256-GCM under a data key of their own, which a key of the keyring wraps.

A sealed text is bound to builder, connection and field: moved to another row or column it no longer opens. Rotation
re-wraps the data key only; the secret itself is not touched. The keyring comes from a setting or a key file.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resources.settings import Settings, SettingsError

VERSION = "v1"
KEY_BYTES = 32
NONCE_BYTES = 12
KEY_FILE = "keyring"


class SealBroken(Exception):
    """A sealed text that was changed, moved to another row, or sealed under a key that is gone."""


class Vault:
    """Seals and opens texts; the first key of the keyring seals, every key opens."""

    def __init__(self, keyring: Mapping[str, bytes]) -> None:
        """Take the keys, the newest first; each has exactly 32 bytes."""
        assert keyring, "a vault needs a key"
        assert all(len(key) == KEY_BYTES for key in keyring.values()), "a vault key has 32 bytes"
        self._keys = {key_id: AESGCM(key) for key_id, key in keyring.items()}
        self._newest = next(iter(keyring))

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read the keyring from the setting, or from the key file, which is made when there is none."""
        text = settings.keyring.get_secret_value()
        if not text:
            text = _key_file(settings.home)
        return cls(parse_keyring(text))

    def seal(self, secret: str, *, builder_id: str, connection_id: str, field: str) -> str:
        """Return the sealed text of a secret, bound to its place."""
        place = _place(builder_id, connection_id, field)
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        body = _encrypt(AESGCM(data_key), secret.encode(), place)
        return ".".join((VERSION, self._newest, _encrypt(self._keys[self._newest], data_key, place), body))

    def open(self, sealed: str, *, builder_id: str, connection_id: str, field: str) -> str:
        """Return the secret, or raise SealBroken."""
        place = _place(builder_id, connection_id, field)
        key_id, wrapped, body = _parts(sealed)
        data_key = self._unwrap(key_id, wrapped, place)
        return _decrypt(AESGCM(data_key), body, place).decode()

    def rewrap(self, sealed: str, *, builder_id: str, connection_id: str, field: str) -> str:
        """Return the same sealed secret with its data key wrapped by the newest key."""
        place = _place(builder_id, connection_id, field)
        key_id, wrapped, body = _parts(sealed)
        if key_id == self._newest:
            return sealed
        data_key = self._unwrap(key_id, wrapped, place)
        return ".".join((VERSION, self._newest, _encrypt(self._keys[self._newest], data_key, place), body))

    def _unwrap(self, key_id: str, wrapped: str, place: bytes) -> bytes:
        key = self._keys.get(key_id)
        if key is None:
            raise SealBroken(
                f"A stored secret was sealed under the key '{key_id}', which is not in TIEOUT_KEYRING;"
                " put that key back after the newest one."
            )
        return _decrypt(key, wrapped, place)

    def __repr__(self) -> str:
        return f"Vault(newest={self._newest!r}, keys={len(self._keys)})"


def parse_keyring(text: str) -> dict[str, bytes]:
    """Turn `id:base64key,…` into a keyring, or raise SettingsError; no key is repeated in the sentence."""
    keyring: dict[str, bytes] = {}
    for position, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
        key_id, separator, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if (
            not separator
            or not key_id.replace("-", "").isalnum()
            or len(key) != KEY_BYTES
            or key_id in keyring
        ):
            sentence = (
                f"TIEOUT_KEYRING is wrong: entry {position} must be id:key with an id of its own (letters, digits,"
                " dashes) and 32 bytes in base64; make one with: openssl rand -base64 32. See docs/settings.md."
            )
            raise SettingsError([sentence])
        keyring[key_id] = key
    if not keyring:
        raise SettingsError(
            ["TIEOUT_KEYRING is wrong: it holds no key; write id:base64key. See docs/settings.md."]
        )
    return keyring


def _key_file(home: Path) -> str:
    path = home / KEY_FILE
    home.mkdir(parents=True, exist_ok=True)
    # Written whole beside it and linked into place: of two processes that start at once, one makes the file and both
    # read the same one, and nobody reads half a key.
    if not path.exists():
        text = f"k1:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
        draft = home / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii")


def _place(builder_id: str, connection_id: str, field: str) -> bytes:
    return f"{builder_id}|{connection_id}|{field}".encode()


def _parts(sealed: str) -> tuple[str, str, str]:
    parts = sealed.split(".")
    if len(parts) != 4 or parts[0] != VERSION:
        raise SealBroken("A stored secret is not in a form this version can open; connect the company again.")
    return parts[1], parts[2], parts[3]


def _encrypt(key: AESGCM, plain: bytes, place: bytes) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.urlsafe_b64encode(nonce + key.encrypt(nonce, plain, place)).decode().rstrip("=")


def _decrypt(key: AESGCM, text: str, place: bytes) -> bytes:
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return key.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], place)
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise SealBroken(
            "A stored secret was changed or belongs to another row; connect the company again."
        ) from error
