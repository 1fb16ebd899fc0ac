"""The network as a function call: it runs a sandbox in this process, and can go wrong on the way there or back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from starlette.types import ASGIApp

from tests.simulation.faults import Death, Fault, FaultPlan
from tests.simulation.time import VirtualClock

LATE_SECONDS = 110.0  # the provider may still be working for this long (Intuit cuts a call at 120 s)
# A process stands still: another has time to look up what it was about to send, and the provider to forget it.
PAUSE_SECONDS = (170.0, 430.0)
FORGETTING_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes over the wire."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        """Put a request together."""
        parts = urlsplit(url)
        query = urlencode(params, quote_via=quote) if params else parts.query
        told = {"host": "sandbox", **{name.lower(): value for name, value in (headers or {}).items()}}
        return cls(
            method,
            parts.path if parts.path.startswith("/") else f"/{parts.path}",
            query.encode(),
            tuple((name.encode(), value.encode()) for name, value in told.items()),
            content or b"",
        )


class InProcess:
    """Hands calls straight to an ASGI application, whose handlers wait for nothing."""

    def __init__(self, app: ASGIApp) -> None:
        """Serve this application."""
        self._app = app

    def run(self, call: Call) -> httpx.Response:
        """Run the application on one call and collect its answer."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": call.method,
            "headers": list(call.headers),
            "scheme": "http",
            "path": call.path,
            "raw_path": call.path.encode(),
            "query_string": call.query,
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        status, headers, content = 500, [], b""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": call.body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status, headers, content
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            elif message["type"] == "http.response.body":
                content += message.get("body", b"")

        work = self._app(scope, receive, send)
        try:
            work.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return httpx.Response(status, headers=headers, content=content)
        work.close()  # type: ignore[attr-defined]
        raise AssertionError(
            f"{call.method} {call.path} waits for something; the simulator has no event loop"
        )

    def json(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Use a control route."""
        content = None if body is None else json.dumps(body, default=str).encode()
        return self.run(Call.of(method, path, content=content, headers={"content-type": "application/json"}))

    def form(self, path: str, fields: Mapping[str, str], *, authorization: str) -> httpx.Response:
        """Post a form, as token endpoints want it."""
        headers = {"content-type": "application/x-www-form-urlencoded", "authorization": authorization}
        return self.run(Call.of("POST", path, content=urlencode(fields).encode(), headers=headers))


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one provider says that something is wrong, and which calls are writes."""

    answers: Mapping[Fault, tuple[int, Mapping[str, Any]]]
    broken: tuple[int, Mapping[str, Any]]
    point: Callable[[Call], tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Surprises:
    """What the world does when a fault asks for more than a wrong answer; each is told the call under way."""

    interfere: Callable[[], None]
    same_record: Callable[[Call], None]
    forget: Callable[[], None]
    revoke: Callable[[], None]
    outage: Callable[[], None]
    another_sync: Callable[[], None]
    unheard: Callable[[Call], None]
    witness: Callable[[Call], None]
    tell: Callable[[str], None]


class FaultyWire:
    """A client of a sandbox on whose wire the plan's faults strike; stands in for `httpx.Client`."""

    def __init__(
        self,
        inner: InProcess,
        plan: FaultPlan,
        clock: VirtualClock,
        *,
        dialect: Dialect,
        surprises: Surprises,
    ) -> None:
        """Put faults before a wire."""
        self._inner = inner
        self._plan = plan
        self._clock = clock
        self._dialect = dialect
        self._surprises = surprises
        self.is_out = False

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send one request, or go wrong."""
        call = Call.of(method, url, params=params, content=content, headers=headers)
        self._clock.move(0.2)
        self._surprises.witness(call)
        if self.is_out:
            self._clock.move(5)
            raise httpx.ConnectError("no route")
        point, is_write = self._dialect.point(call)
        fault = self._plan.at_write(point) if is_write else self._plan.at_read(point)
        if fault is None:
            return self._inner.run(call)
        self._surprises.tell(f"! {point}: {fault.value.partition(': ')[2]}")
        return self._struck(fault, call)

    def _struck(self, fault: Fault, call: Call) -> httpx.Response:
        if fault in self._dialect.answers:
            status, more = self._dialect.answers[fault]
            return httpx.Response(status, **more)
        if fault in _EXECUTED:
            self._inner.run(call)
            self._surprises.unheard(call)
        match fault:
            case Fault.DEATH_BEFORE_SEND | Fault.DEATH_AFTER_SEND:
                raise Death
            case Fault.CUT_REPLY:
                raise httpx.RemoteProtocolError("peer closed the connection")
            case Fault.LATE | Fault.LOST_REQUEST | Fault.LOST_REPLY:
                if fault is Fault.LATE:
                    self._clock.later(LATE_SECONDS, lambda: self._deliver(call))
                self._clock.move(30)
                raise httpx.ReadTimeout("no answer")
            case Fault.ERROR_BEFORE | Fault.ERROR_AFTER:
                status, more = self._dialect.broken
                return httpx.Response(status, **more)
        self._surprise(fault, call)
        if fault in (Fault.NO_CONNECTION, Fault.OUTAGE):
            raise httpx.ConnectError("no route")
        return self._inner.run(call)

    def _surprise(self, fault: Fault, call: Call) -> None:
        match fault:
            case Fault.PAUSED:
                before, after = PAUSE_SECONDS
                self._clock.move(before)
                self._surprises.another_sync()
                self._clock.move(after)
                if self._plan.dice.random() < FORGETTING_SHARE:
                    self._surprises.forget()
            case Fault.OUTAGE:
                self._surprises.outage()
            case Fault.REVOKED:
                self._surprises.revoke()
            case Fault.FORGOTTEN:
                self._surprises.forget()
            case Fault.INTERFERENCE:
                self._surprises.interfere()
            case Fault.SAME_RECORD:
                self._surprises.same_record(call)

    def _deliver(self, call: Call) -> None:
        self._inner.run(call)


# Faults after which the provider has done what it was asked.
_EXECUTED = frozenset({Fault.LOST_REPLY, Fault.CUT_REPLY, Fault.ERROR_AFTER, Fault.DEATH_AFTER_SEND})
