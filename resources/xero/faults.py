"""Reads Xero's refusals in all their shapes and turns each into the error the sync core knows.

A body may be Xero's numbered exception, a problem with Title and Detail, one element's ValidationErrors, plain text,
HTML, or nothing at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from resources.xero.catalogue import OTHER, line_for
from resources.xero.words import TITLE
from sync.causes import IS_ABOUT_PARTY, IS_GENERAL, NAMED
from sync.errors import (
    AccessExpired,
    OutcomeUnknown,
    PeriodLocked,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
    SyncError,
    VersionMoved,
)

Json = Mapping[str, Any]

TEXT_SHOWN_MAX = 300
BODY_BYTES_READ_MAX = 1_000_000
# A refusal that names no time: too many at once passes in seconds, the day's budget does not.
CONCURRENT_SECONDS = 2
DAY_SECONDS = 3600
# What a message names that stands in many documents.
_NAMED = re.compile(r"(?P<kind>account|taxtype) code '(?P<code>[^']+)'", re.IGNORECASE)
CALL_REFUSED = frozenset({"PostDataInvalidException", "QueryParseException", "NoDataProcessedException"})
OFFLINE = "organisation is offline"


def error_of(response: httpx.Response, *, label: str, is_write: bool, date: str | None = None) -> SyncError:
    """Return the one error, sentence and remedy for an answer of 400 and above."""
    status, body = response.status_code, decoded(response)
    facts = {"http_status": status, "correlation_id": response.headers.get("xero-correlation-id", "")}
    if status == httpx.codes.TOO_MANY_REQUESTS:
        problem = response.headers.get("x-rate-limit-problem", "").casefold()
        fallback = DAY_SECONDS if problem == "day" else CONCURRENT_SECONDS
        wait = wait_of(response.headers.get("retry-after"))
        return RateLimited(
            provider=TITLE, wait_seconds=fallback if wait is None else wait, problem=problem, **facts
        )
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return _access(response, body, facts)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.NOT_IMPLEMENTED:
        is_offline = OFFLINE in response.text[:BODY_BYTES_READ_MAX].casefold()
        reason = "the organisation is offline" if is_offline else f"HTTP {status}"
        if is_write and not is_offline:
            return OutcomeUnknown(provider=TITLE, label=label, reason=reason, **facts)
        return ProviderUnavailable(provider=TITLE, reason=reason, **facts)
    return refusal(messages_of(body) or [f"HTTP {status}"], label=label, date=date, facts=facts)


def refusal(
    messages: list[str], *, label: str, date: str | None = None, facts: Mapping[str, Any] | None = None
) -> SyncError:
    """Return the error for what Xero says about one record."""
    text = _shown("; ".join(messages))
    line = line_for(text)
    details = {"provider_code": line.code, "field": "", "text": text, **(facts or {})}
    if line.is_repeat:
        # The key came with another body before: that one was heard, and nobody knows what became of it.
        return OutcomeUnknown(
            line.sentence.format(label=label, text=text), provider=TITLE, label=label, reason=text, **details
        )
    if line.is_locked:
        return PeriodLocked(
            label=label, date=date or "of the document", closed_until="a lock date set in Xero", **details
        )
    if line.is_about_party:
        details[IS_ABOUT_PARTY] = True
    if line is OTHER:
        details[IS_GENERAL] = True
    if named := _NAMED.search(text):
        details[NAMED] = f"{named['kind'].casefold()}:{named['code']}"
    sentence = line.sentence.format(label=label, text=text)
    if line.is_moved:
        return VersionMoved(sentence, provider=TITLE, label=label, **details)
    if line.is_taken:
        details["is_taken"] = True
    rejected = RejectedByProvider(sentence, provider=TITLE, label=label, **details)
    rejected.remedy, rejected.category = line.remedy, line.category
    return rejected


def _access(response: httpx.Response, body: Any, facts: Mapping[str, Any]) -> AccessExpired:
    challenge = response.headers.get("www-authenticate", "").casefold()
    if "insufficient_scope" in challenge or "insufficent_scope" in challenge:
        sentence = (
            "Xero no longer lets Tieout use a part of this organisation that it needs (a permission is missing)."
            " Reconnect it in Settings > Integrations and allow everything that is asked for."
        )
        return AccessExpired(sentence, provider=TITLE, **facts)
    detail = str(body.get("Detail") or "") if isinstance(body, dict) else ""
    if response.status_code == httpx.codes.FORBIDDEN:
        sentence = (
            "Xero no longer connects Tieout with this organisation: it was disconnected there, the trial ended, or the person"
            " who connected it lost access. Reconnect it in Settings > Integrations."
        )
        return AccessExpired(sentence, provider=TITLE, **facts)
    return AccessExpired(provider=TITLE, reason=detail.partition(":")[0] or "the access was refused", **facts)


def messages_of(body: Any) -> list[str]:
    """Return what a body says is wrong, elements first."""
    if not isinstance(body, dict):
        return []
    found = [message for element in body.get("Elements") or () for message in element_messages(element)]
    if not found and body.get("Message"):
        # What is wrong with the call itself is told by its type; the message only says where it could not be read.
        kind = str(body.get("Type") or "")
        found = [f"{kind}: {body['Message']}" if kind in CALL_REFUSED else str(body["Message"])]
    return found or ([str(body["Detail"])] if body.get("Detail") else [])


def element_messages(element: Json) -> list[str]:
    """Return what is wrong with one element of a list."""
    return [str(error["Message"]) for error in element.get("ValidationErrors") or () if error.get("Message")]


def is_refused(element: Json) -> bool:
    """Whether an element of a list was not carried out; its echoed Status says nothing."""
    said = str(element.get("StatusAttributeString") or "").casefold()
    if said:
        return said == "error"
    return bool(element.get("HasErrors") or element.get("HasValidationErrors")) and bool(
        element.get("ValidationErrors")
    )


def decoded(response: httpx.Response) -> Any:
    """Return the JSON of an answer, or None."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return None


def wait_of(header: str | None) -> int | None:
    """Return the seconds of a Retry-After header; a date or nonsense counts as absent."""
    return int(header) if header and header.strip().isdigit() else None


def _shown(text: str) -> str:
    return " ".join(text.split()).rstrip(".")[:TEXT_SHOWN_MAX]
