"""The organisations a consent opens, and how to end one without the others.

One consent of a person may open several organisations, and the app sees every organisation that person ever connected.
The consent itself is named in the access token; an organisation that was connected before keeps its first consent's
name, so an empty answer means asking for all.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from resources.spec import CompanyFacts
from resources.xero.words import TITLE
from sync.errors import ConnectError

Json = Mapping[str, Any]

ORGANISATION = "ORGANISATION"


def organisations(access_token: str, http: httpx.Client) -> Sequence[CompanyFacts]:
    """Return the organisations that this consent, or failing that this person, connected."""
    event = _event_of(access_token)
    rows = _connections(access_token, http, event=event) if event else []
    rows = rows or _connections(access_token, http)
    found = [row for row in rows if str(row.get("tenantType") or "").upper() == ORGANISATION]
    if rows and not found:
        # An accountant's practice has no books of its own: the accounting API refuses it.
        reason = (
            "an accountant's practice was chosen, which has no books; choose one of its organisations there"
        )
        raise ConnectError(provider=TITLE, reason=reason)
    facts = {
        str(row["tenantId"]): CompanyFacts(str(row["tenantId"]), name=str(row.get("tenantName") or ""))
        for row in found
    }
    return sorted(facts.values(), key=lambda one: (one.name.casefold(), one.company_id))


def release(tenant_id: str, access_token: str, http: httpx.Client) -> None:
    """End our access to one organisation; revoking the token would end it to all of that person's."""
    for row in _connections(access_token, http):
        if row.get("tenantId") == tenant_id:
            answer = http.delete(f"/connections/{row['id']}", headers=_headers(access_token))
            if answer.status_code != httpx.codes.NOT_FOUND:
                answer.raise_for_status()


def _connections(access_token: str, http: httpx.Client, *, event: str | None = None) -> list[Json]:
    answer = http.get(
        "/connections", params={"authEventId": event} if event else None, headers=_headers(access_token)
    )
    answer.raise_for_status()
    rows = answer.json()
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _headers(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}


def person_of(access_token: str) -> str | None:
    """Return the id of the Xero user who consented; every organisation that user connected shares one token set."""
    return _claim(access_token, "xero_userid")


def _event_of(access_token: str) -> str | None:
    return _claim(access_token, "authentication_event_id")


def _claim(access_token: str, name: str) -> str | None:
    """Return one of the token's claims. It came to us over TLS from the issuer, so it is read, not verified."""
    parts = access_token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    value = claims.get(name) if isinstance(claims, dict) else None
    return str(value) if value else None
