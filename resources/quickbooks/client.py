"""Calls to QuickBooks' accounting API for one company.

Reads are repeated when QuickBooks is busy or down; writes are sent once, and what cannot be told about them is said
with OutcomeUnknown. Amounts come out as Decimal and go in digit by digit.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import simplejson
import stamina
import structlog

from resources.gate import Gate, Ticket
from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.faults import Fault, error_of, fault_of, wait_of
from resources.spec import Access
from sync.clock import Clock, SkewMeter
from sync.errors import AccessExpired, NotBegun, OutcomeUnknown, ProviderUnavailable, RateLimited, SyncError

MINOR_VERSION = "75"
READ_ATTEMPTS_MAX = 4
# A longer pause is the caller's: it lets go of the connection and comes back.
THROTTLE_WAIT_SECONDS_MAX = 65
# What Intuit asks for where its answer names no time.
THROTTLE_PAUSE_SECONDS = 60
QUERY_LENGTH_MAX = 3000  # in an address; longer ones go as a body


Json = dict[str, Any]

log = structlog.get_logger(__name__)


class Client:
    """Makes the calls of one company; safe across threads."""

    def __init__(self, access: Access, *, http: httpx.Client, gate: Gate, clock: Clock) -> None:
        self._access = access
        self._gate = gate
        self._http = http
        self._realm = access.company.company_id
        self._calls = 0
        self._answered_at: datetime | None = None
        self._clock = clock
        self.meter = SkewMeter()
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """How many calls were made, repeated ones included."""
        return self._calls

    @property
    def answered_at(self) -> datetime | None:
        """When the newest answer to a read was begun, by QuickBooks' own clock."""
        return self._answered_at

    def read(self, path: str, params: Mapping[str, str] | None = None, *, label: str = "the company") -> Json:
        """Ask for something; repeated while QuickBooks is busy or down."""
        return self._read("GET", path, params=dict(params or {}), label=label)

    def query(self, statement: str, *, label: str = "the company") -> Json:
        """Run a query and return its QueryResponse, which is {} where nothing was found."""
        if len(statement) <= QUERY_LENGTH_MAX:
            body = self._read("GET", "query", params={"query": statement}, label=label)
        else:
            body = self._read("POST", "query", params={}, label=label, text=statement)
        found = body.get("QueryResponse")
        return found if isinstance(found, dict) else {}

    def send(
        self,
        path: str,
        body: Json,
        *,
        params: Mapping[str, str],
        label: str,
        begin_by: datetime | None = None,
    ) -> Json:
        """Send a write exactly once, and not after `begin_by`, waits included: NotBegun says that it was not sent.

        Raises ProviderUnavailable, RateLimited, AccessExpired or the fault's error where it was certainly not
        executed, and OutcomeUnknown where nobody can tell.
        """
        content = simplejson.dumps(body, use_decimal=True, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        try:
            response = self._call(
                "POST", path, params=dict(params), content=content, headers=headers, begin_by=begin_by
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise ProviderUnavailable(provider=TITLE, reason="no connection could be made") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(provider=TITLE, label=label, reason=_reason(error)) from error
        fault = fault_of(response)
        if fault is not None:
            raise self._error(fault, label=label, is_write=True)
        answer = _decoded(response)
        if answer is None:
            raise OutcomeUnknown(provider=TITLE, label=label, reason="its answer could not be read")
        self._access.confirm()
        return answer

    def _read(
        self, method: str, path: str, *, params: dict[str, str], label: str, text: str | None = None
    ) -> Json:
        try:
            for attempt in stamina.retry_context(
                on=_pause, attempts=READ_ATTEMPTS_MAX, timeout=None, wait_initial=0.5, wait_max=8.0
            ):
                with attempt:
                    return self._read_once(method, path, params=params, label=label, text=text)
        except _Transient as transient:
            raise transient.error from None
        raise AssertionError("stamina either returns or raises")

    def _read_once(
        self, method: str, path: str, *, params: dict[str, str], label: str, text: str | None
    ) -> Json:
        headers = {"Content-Type": "application/text"} if text is not None else {}
        asked_at = self._clock.now()
        try:
            response = self._call(
                method, path, params=params, content=None if text is None else text.encode(), headers=headers
            )
        except httpx.HTTPError as error:
            raise _Transient(ProviderUnavailable(provider=TITLE, reason=_reason(error))) from error
        fault = fault_of(response)
        if fault is not None:
            error_here = self._error(fault, label=label, is_write=False)
            if isinstance(error_here, RateLimited | ProviderUnavailable):
                raise _Transient(error_here)
            raise error_here
        answer = _decoded(response)
        if answer is None:
            raise _Transient(ProviderUnavailable(provider=TITLE, reason="its answer could not be read"))
        told = _time(answer)
        self._answered_at = told or self._answered_at
        self.meter.note(told, asked_at=asked_at, answered_at=self._clock.now())
        self._access.confirm()
        return answer

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str],
        content: bytes | None,
        headers: dict[str, str],
        begin_by: datetime | None = None,
    ) -> httpx.Response:
        """One call, and one more with a renewed token after a 401, which executes nothing."""
        token = self._access.token()
        once = partial(
            self._once, method, path, params=params, content=content, headers=headers, begin_by=begin_by
        )
        response = once(token=token)
        if response.status_code == 401:
            token = self._access.renew(token)
            response = once(token=token)
        return response

    def _once(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str],
        content: bytes | None,
        headers: dict[str, str],
        token: str,
        begin_by: datetime | None,
    ) -> httpx.Response:
        # Writes are free; a query is a read however it travels.
        is_read = method == "GET" or path == "query"
        with self._gate.admit(self._realm, is_batch=path == "batch", is_metered=is_read) as ticket:
            # Asked last, because renewing a token and waiting for a place take their time.
            if begin_by is not None and self._clock.now() > begin_by:
                raise NotBegun(provider=TITLE, reason="its turn came too late")
            with self._lock:
                self._calls += 1
            response = self._http.request(
                method,
                f"/v3/company/{self._realm}/{path}",
                params={**params, "minorversion": MINOR_VERSION},
                content=content,
                headers={**headers, "Accept": "application/json", "Authorization": f"Bearer {token}"},
            )
            _learn(ticket, response, is_read=is_read)
        log.debug(
            "quickbooks_call",
            method=method,
            path=path,
            status=response.status_code,
            intuit_tid=response.headers.get("intuit_tid"),
        )
        return response

    def _error(self, fault: Fault, *, label: str, is_write: bool) -> SyncError:
        error = error_of(fault, label=label, is_write=is_write)
        if isinstance(error, AccessExpired):
            self._access.report(error)
        return error


def _learn(ticket: Ticket, response: httpx.Response, *, is_read: bool) -> None:
    """Note what the answer cost; a pause asked of one process is a pause of all. Only reads that succeed are metered."""
    ticket.bytes_read = len(response.content)
    ticket.metered_reads = int(is_read and response.is_success)
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        ticket.is_throttled = True
        ticket.pause_seconds = wait_of(response.headers.get("Retry-After")) or THROTTLE_PAUSE_SECONDS


class _Transient(Exception):
    """A read that may be repeated."""

    def __init__(self, error: RateLimited | ProviderUnavailable) -> None:
        super().__init__(error.code)
        self.error = error


def _pause(error: Exception) -> bool | float:
    """How long to wait before a read is repeated: True leaves it to the backoff, False gives up."""
    if not isinstance(error, _Transient):
        return False
    if isinstance(error.error, RateLimited):
        wait: int = error.error.details["wait_seconds"]
        return wait if wait <= THROTTLE_WAIT_SECONDS_MAX else False
    return True


def _decoded(response: httpx.Response) -> Json | None:
    try:
        body = json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _time(answer: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(answer.get("time")))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _reason(error: httpx.HTTPError) -> str:
    # Never str(error): it can hold an address with a query.
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection was cut"
