"""Calls to Xero's accounting API for one organisation.

Reads are repeated when Xero is busy or down; writes are sent once, and again only after an answer that says nothing
was executed (429). What cannot be told about a write is said with OutcomeUnknown. Amounts come out as Decimal and go in
digit by digit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import simplejson
import stamina
import structlog

from resources.gate import Gate, Ticket
from resources.spec import Access
from resources.xero.faults import decoded, error_of, wait_of
from resources.xero.words import TITLE, instant
from sync.clock import Clock, SkewMeter
from sync.errors import AccessExpired, NotBegun, OutcomeUnknown, ProviderUnavailable, RateLimited, SyncError

BASE = "/api.xro/2.0/"
READ_ATTEMPTS_MAX = 4
WRITE_ATTEMPTS_MAX = 3
# A longer pause is the caller's: it lets go of the connection and comes back.
THROTTLE_WAIT_SECONDS_MAX = 65
PAGE_SIZE = 1000

Json = dict[str, Any]

log = structlog.get_logger(__name__)


class Client:
    """Makes the calls of one organisation; safe across threads."""

    def __init__(
        self,
        access: Access,
        *,
        http: httpx.Client,
        gate: Gate,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._access = access
        self._http = http
        self._gate = gate
        self._sleep = sleep
        self._tenant = access.company.company_id
        self._calls = 0
        self._bytes = 0
        self._answered_at: datetime | None = None
        self._clock = clock
        self.meter = SkewMeter()
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """How many calls were made, repeated ones included."""
        return self._calls

    @property
    def bytes_read(self) -> int:
        """How many bytes came back: Xero's price tiers count them."""
        return self._bytes

    @property
    def answered_at(self) -> datetime | None:
        """When the newest answer was made, by Xero's own clock."""
        return self._answered_at

    def read(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        since: datetime | None = None,
        label: str = "the organisation",
    ) -> Json:
        """Ask for something; repeated while Xero is busy or down. `since` asks for what changed from then on."""
        headers = {"If-Modified-Since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if since else {}
        try:
            for attempt in stamina.retry_context(
                on=_pause, attempts=READ_ATTEMPTS_MAX, timeout=None, wait_initial=0.5, wait_max=8.0
            ):
                with attempt:
                    return self._read_once(path, dict(params or {}), headers, label=label)
        except _Transient as transient:
            raise transient.error from None
        raise AssertionError("stamina either returns or raises")

    def rows(
        self, path: str, params: Mapping[str, str] | None = None, *, since: datetime | None = None
    ) -> list[Json]:
        """Return the list an answer holds."""
        return rows_in(self.read(path, params, since=since), path)

    def send(
        self,
        method: str,
        path: str,
        body: Json,
        *,
        key: str,
        params: Mapping[str, str],
        label: str,
        begin_by: datetime | None = None,
    ) -> Json:
        """Send a write exactly once, under an Idempotency-Key that makes a replay harmless for a few minutes.

        No try of it is begun after `begin_by`, waits included: NotBegun says that none may have been executed.

        Raises ProviderUnavailable, RateLimited, AccessExpired or the refusal where it was certainly not executed, and
        OutcomeUnknown where nobody can tell.
        """
        content = simplejson.dumps(body, use_decimal=True, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        for attempt in range(1, WRITE_ATTEMPTS_MAX + 1):
            try:
                response = self._call(
                    method, path, params=dict(params), content=content, headers=headers, begin_by=begin_by
                )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise ProviderUnavailable(provider=TITLE, reason="no connection could be made") from error
            except httpx.HTTPError as error:
                raise OutcomeUnknown(provider=TITLE, label=label, reason=_reason(error)) from error
            if response.is_success:
                answer = decoded(response)
                if not isinstance(answer, dict):
                    raise OutcomeUnknown(provider=TITLE, label=label, reason="its answer could not be read")
                self._access.confirm()
                return answer
            refusal = self._error(response, label=label, is_write=True)
            wait = _patience(refusal)
            if wait is None or attempt == WRITE_ATTEMPTS_MAX:
                raise refusal
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    # ------------------------------------------------------------------ one call

    def _read_once(self, path: str, params: dict[str, str], headers: dict[str, str], *, label: str) -> Json:
        asked_at = self._clock.now()
        try:
            response = self._call("GET", path, params=params, content=None, headers=headers)
        except httpx.HTTPError as error:
            raise _Transient(ProviderUnavailable(provider=TITLE, reason=_reason(error))) from error
        if not response.is_success:
            error_here = self._error(response, label=label, is_write=False)
            if isinstance(error_here, RateLimited | ProviderUnavailable):
                raise _Transient(error_here)
            raise error_here
        answer = decoded(response)
        if not isinstance(answer, dict):
            raise _Transient(ProviderUnavailable(provider=TITLE, reason="its answer could not be read"))
        told = instant(answer.get("DateTimeUTC"))
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
        if response.status_code == httpx.codes.UNAUTHORIZED and not response.headers.get(
            "www-authenticate", ""
        ).count("scope"):
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
        with self._gate.admit(self._tenant) as ticket:
            # Asked last, because renewing a token and waiting for a place take their time.
            if begin_by is not None and self._clock.now() > begin_by:
                raise NotBegun(provider=TITLE, reason="its turn came too late")
            with self._lock:
                self._calls += 1
            response = self._http.request(
                method,
                BASE + path,
                params=params,
                content=content,
                headers={
                    **headers,
                    # Without it Xero answers in XML.
                    "Accept": "application/json",
                    "Authorization": f"Bearer {token}",
                    "Xero-tenant-id": self._tenant,
                },
            )
            _learn(ticket, response)
        with self._lock:
            self._bytes += len(response.content)
        log.debug(
            "xero_call",
            method=method,
            path=path,
            status=response.status_code,
            bytes=len(response.content),
            correlation_id=response.headers.get("xero-correlation-id"),
        )
        return response

    def _error(self, response: httpx.Response, *, label: str, is_write: bool) -> SyncError:
        error = error_of(response, label=label, is_write=is_write)
        if isinstance(error, AccessExpired):
            self._access.report(error)
        return error


def rows_in(answer: Mapping[str, Any], path: str) -> list[Json]:
    """Return the list in an answer, which carries the resource's name."""
    rows = answer.get(path.partition("/")[0])
    return (
        [row for row in rows if isinstance(row, dict)]
        if isinstance(rows, Sequence) and not isinstance(rows, str)
        else []
    )


def _learn(ticket: Ticket, response: httpx.Response) -> None:
    """Note what the answer says about the budget; a pause asked of one process is a pause of all."""
    ticket.day_remaining = wait_of(response.headers.get("x-daylimit-remaining"))
    ticket.bytes_read = len(response.content)
    ticket.is_throttled = response.status_code == httpx.codes.TOO_MANY_REQUESTS
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        ticket.pause_seconds = wait_of(response.headers.get("retry-after")) or 1.0
    elif (
        response.headers.get("x-minlimit-remaining") == "0"
        or response.headers.get("x-appminlimit-remaining") == "0"
    ):
        # The window is used up, perhaps by somebody else; it begins anew at a moment nobody tells.
        ticket.pause_seconds = 1.0


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
        wait = _patience(error.error)
        return False if wait is None else wait
    return True


def _patience(error: SyncError) -> float | None:
    """How long to wait after a refusal for too many calls; None where waiting here makes no sense."""
    if not isinstance(error, RateLimited):
        return None
    wait = float(error.details.get("wait_seconds") or 1)  # not money: seconds
    return wait if wait <= THROTTLE_WAIT_SECONDS_MAX else None


def _reason(error: httpx.HTTPError) -> str:
    # Never str(error): it can hold an address with a query.
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection was cut"
