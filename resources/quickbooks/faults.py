"""Reads QuickBooks' faults in all their shapes and turns each into the error the sync core knows.

Bodies come as `{"Fault": …}`, as the gateway's lower-case `{"fault": …}`, as XML even where JSON was asked for, or as
nothing useful at all. What each code means is written down in the catalogue.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import httpx

from resources.quickbooks.catalogue import CATALOGUE, GENERAL, TITLE, Kind, Line, line_for
from resources.quickbooks.words import NAMES
from sync.causes import IS_GENERAL
from sync.errors import (
    AccessExpired,
    OutcomeUnknown,
    PeriodLocked,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
    Remedy,
    SyncError,
    VersionMoved,
)
from sync.naming import ById
from sync.records import Entity

# What Intuit asks callers to wait after a throttle answer that names no time.
THROTTLE_SECONDS = 60
BODY_BYTES_READ_MAX = 1_000_000
TEXT_SHOWN_MAX = 300

_DUPLICATE = re.compile(
    r"DocNumber=(?P<number>.*?) is assigned to TxnType=(?P<type>.*?) with TxnId=(?P<id>\w+)"
)
_NAME_ID = re.compile(r"\bId=(?P<id>\d+)")
_REFERENCE = re.compile(r"(?P<what>\w+) element id (?P<id>\S+) not found")
_CLOSED = re.compile(r"(?:through|up to|before) (?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4})")
_REQUIRED = re.compile(r"Required parameter (?P<name>\S+)")
_CODE_IN_TEXT = re.compile(r"errorCode=0*(?P<code>\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """One error as QuickBooks told it, with the transaction id its support asks for."""

    code: str
    status: int
    message: str = ""
    detail: str = ""
    element: str = ""
    tid: str = ""
    wait_seconds: int | None = None

    @property
    def line(self) -> Line:
        """What the catalogue says about it."""
        return line_for(self.code, status=self.status, detail=f"{self.message} {self.detail}")


def fault_of(response: httpx.Response) -> Fault | None:
    """Return the fault a whole answer carries, or None where it is a good one; HTTP 200 may carry a fault too."""
    if response.status_code < 400 and b"ault" not in response.content[:400]:
        return None
    tid = response.headers.get("intuit_tid", "")
    wait = wait_of(response.headers.get("Retry-After"))
    error = _first_error(response)
    if error is None:
        if response.status_code < 400:
            return None
        return Fault(code="", status=response.status_code, tid=tid, wait_seconds=wait)
    return _fault(error, status=response.status_code, tid=tid, wait_seconds=wait)


def fault_in(body: Mapping[str, Any], *, status: int = 400, tid: str = "") -> Fault | None:
    """Return the fault inside a decoded body or batch item, or None."""
    error = _error_in(body)
    return None if error is None else _fault(error, status=status, tid=tid, wait_seconds=None)


def error_of(
    fault: Fault, *, label: str, is_write: bool, date: str | None = None, closed_until: str | None = None
) -> SyncError:
    """Return the one error, sentence and remedy for a fault; `label` names the record it is about."""
    line = fault.line
    if line.kind is Kind.THROTTLED:
        wait = THROTTLE_SECONDS if fault.wait_seconds is None else fault.wait_seconds
        return RateLimited(provider=TITLE, wait_seconds=wait, **_facts(fault))
    if line.kind is Kind.MOVED:
        return VersionMoved(provider=TITLE, label=label, **_facts(fault))
    if line.kind is Kind.UNKNOWN and not is_write:
        return ProviderUnavailable(provider=TITLE, reason=_failure(fault), **_facts(fault))
    if line.kind is Kind.PERIOD:
        closed = _CLOSED.search(fault.detail)
        until = _iso(closed["date"]) if closed else closed_until
        return PeriodLocked(
            label=label,
            date=date or "of the document",
            closed_until=until or "a date set in QuickBooks",
            closed_on=until,
            **_facts(fault),
        )
    return _by_line(fault, line, label=label)


def _iso(day: str) -> str:
    """Return a day as QuickBooks writes it (10/31/2026 or 2026-10-31) as the latter."""
    if "/" not in day:
        return day
    month, number, year = (int(part) for part in day.split("/"))
    return f"{year:04}-{month:02}-{number:02}"


def _by_line(fault: Fault, line: Line, *, label: str) -> SyncError:
    sentence = line.sentence.format(
        label=label, text=_shown(fault), field=_field(fault), code=fault.code or f"HTTP {fault.status}"
    )
    if line.kind in (Kind.ACCESS, Kind.TOKEN):
        expired = AccessExpired(sentence, provider=TITLE, **_facts(fault))
        expired.remedy = line.remedy
        return expired
    if line.kind is Kind.UNKNOWN:
        return OutcomeUnknown(sentence, provider=TITLE, label=label, reason=_failure(fault), **_facts(fault))
    rejected = RejectedByProvider(sentence, provider=TITLE, label=label, **_facts(fault), **_found(fault))
    if fault.code in GENERAL or fault.code not in CATALOGUE:
        rejected.details[IS_GENERAL] = True
    rejected.remedy = _remedy(fault, line)
    rejected.category = line.category
    return rejected


def _remedy(fault: Fault, line: Line) -> Remedy:
    # A reference to a customer or vendor is not mended under Account mapping.
    reference = _REFERENCE.search(fault.detail)
    if (
        fault.code == "2500"
        and reference
        and not reference["what"].casefold().startswith(("account", "item"))
    ):
        return Remedy.ASK_USER
    return line.remedy


def wait_of(header: str | None) -> int | None:
    """Return the seconds of a Retry-After header; a date or nonsense counts as absent."""
    return int(header) if header and header.strip().isdigit() else None


def _facts(fault: Fault) -> dict[str, Any]:
    return {
        "provider_code": fault.code,
        "field": _field(fault),
        "text": _shown(fault),
        "intuit_tid": fault.tid,
        "http_status": fault.status,
    }


def _found(fault: Fault) -> dict[str, Any]:
    """The record that has the number or name, so that it can be adopted instead of written again."""
    if fault.code == "6140":
        found = _DUPLICATE.search(fault.detail)
        named = (
            {
                "existing_remote_id": found["id"],
                "existing_type": found["type"],
                **_by_id(found["type"], found["id"]),
            }
            if found
            else {}
        )
        return {"is_taken": True, **named}
    if fault.code == "6240":
        by_name = _NAME_ID.search(fault.detail)
        return {"is_taken": True, **({"existing_remote_id": by_name["id"]} if by_name else {})}
    if reference := _REFERENCE.search(fault.detail):
        return _by_id(
            reference["what"], reference["id"], phrase=f"{reference['what']} element id {reference['id']}"
        )
    return {}


# QuickBooks' word in a fault -> what it can be in the mirror
_KINDS: Mapping[str, tuple[Entity, ...]] = {
    "names": (Entity.CUSTOMER, Entity.VENDOR),
    "accounts": (Entity.ACCOUNT,),
    "account": (Entity.ACCOUNT,),
    **{NAMES[entity].casefold(): (entity,) for entity in Entity},
}


def _by_id(what: str, remote_id: str, *, phrase: str | None = None) -> dict[str, Any]:
    """Say which words of the sentence name a record by its id only, so that its name can stand there (`sync.naming`)."""
    kinds = _KINDS.get(what.casefold().replace(" ", ""), ())
    if not kinds:
        return {}
    return {"by_id": ById(phrase or f"{what} with the id {remote_id}", kinds, remote_id)}


def _field(fault: Fault) -> str:
    if required := _REQUIRED.search(fault.detail):
        return required["name"]
    return fault.element or "a field"


def _shown(fault: Fault) -> str:
    if fault.code == "6140":
        found = _DUPLICATE.search(fault.detail)
        return (
            f"another document ({found['type']} with the id {found['id']})" if found else "another document"
        )
    text = " ".join((fault.detail or fault.message or f"HTTP {fault.status}").split()).rstrip(".")
    for prefix in ("Business Validation Error: ", "Property Name:"):
        text = text.removeprefix(prefix)
    return text[:TEXT_SHOWN_MAX]


def _failure(fault: Fault) -> str:
    return f"HTTP {fault.status}" if fault.status >= 500 else f"code {fault.code}"


def _fault(error: Mapping[str, Any], *, status: int, tid: str, wait_seconds: int | None) -> Fault:
    lowered = {str(key).casefold(): value for key, value in error.items()}
    message, detail = str(lowered.get("message") or ""), str(lowered.get("detail") or "")
    code = str(lowered.get("code") or "").lstrip("0")
    if not code and (found := _CODE_IN_TEXT.search(message)):
        code = found["code"]
    element = str(lowered.get("element") or "")
    return Fault(code, status, message, detail, element, tid, wait_seconds)


def _first_error(response: httpx.Response) -> Mapping[str, Any] | None:
    content = response.content[:BODY_BYTES_READ_MAX]
    if content.lstrip()[:1] == b"<":
        return _xml_error(content)
    try:
        body = json.loads(content, parse_float=Decimal)
    except ValueError:
        return None
    return _error_in(body) if isinstance(body, dict) else None


def _error_in(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    fault = body.get("Fault") or body.get("fault")
    if not isinstance(fault, dict):
        return None
    errors = fault.get("Error") or fault.get("error") or [{}]
    first = errors[0] if isinstance(errors, list) else errors
    return first if isinstance(first, dict) else {}


def _xml_error(content: bytes) -> Mapping[str, Any] | None:
    # A document type would let the answer define entities; a fault of QuickBooks never has one.
    if b"<!DOCTYPE" in content[:2000] or b"<!ENTITY" in content:
        return None
    try:
        root = ET.fromstring(content)  # noqa: S314 - no document type, see above
    except ET.ParseError:
        return None
    for node in root.iter():
        if node.tag.rpartition("}")[2] == "Error":
            children = {child.tag.rpartition("}")[2]: child.text for child in node}
            return {**children, "code": node.get("code"), "element": node.get("element")}
    return None
