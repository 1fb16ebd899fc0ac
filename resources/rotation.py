"""Turning the keyring over: a new newest key, and every stored secret wrapped by it."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from resources.connections import Connections
from resources.settings import Settings
from resources.store.database import Database
from resources.store.notices import all_builders
from resources.store.webhooks import rewrap_secrets
from resources.vault import KEY_BYTES, KEY_FILE, Vault, parse_keyring


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """How many rows' secrets are now wrapped by the newest key."""

    connections: int
    webhooks: int


def add_key(home: Path) -> str:
    """Put a new key in front of the key file, whole or not at all; return its id."""
    path = home / KEY_FILE
    text = path.read_text(encoding="ascii").strip()
    present = parse_keyring(text)
    number = len(present) + 1
    while f"k{number}" in present:
        number += 1
    key = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    draft = home / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"k{number}:{key},{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return f"k{number}"


def rewrap_all(database: Database, settings: Settings, connections: Connections) -> Rewrapped:
    """Wrap every stored token and webhook secret by the newest key of the keyring."""
    vault = Vault.from_settings(settings)
    builders: list[UUID] = all_builders(database)
    return Rewrapped(
        connections=connections.rewrap(),
        webhooks=sum(rewrap_secrets(database, vault, builder_id) for builder_id in builders),
    )
