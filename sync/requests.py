"""Request ids and markers: the two names under which a write can be found again."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from uuid import UUID

from sync.records import Canonical, Entity

MARKER_PATTERN = re.compile(r"tieout:[A-Za-z0-9_-]{22}")


def request_id(
    *, connection_id: str, entity: Entity, record_id: str, revision: int, operation: str, serial: int
) -> str:
    """Return the id under which the provider recognises a replay of this very write.

    An edit of the record is a new revision and so a new request; a retry is the same request. `serial` counts the
    attempts of this revision that the provider is known not to have executed. 32 hex digits: QuickBooks takes up to
    50 characters (36 in a batch), Xero up to 128.
    """
    text = "|".join((connection_id, entity, record_id, str(revision), operation, str(serial)))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def marker(record_id: str) -> str:
    """Return the mark that a pushed document carries, the same for every revision of one record."""
    return "tieout:" + base64.urlsafe_b64encode(UUID(record_id).bytes).decode().rstrip("=")


def payload_hash(canonical: Canonical) -> str:
    """Hash what is about to be sent; kept with the attempt as evidence."""
    return hashlib.sha256(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
