"""The network as a function call: an httpx transport that runs the sandbox in this process and can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
from starlette.types import ASGIApp

from tests.simulation.faults import Death, Fault, FaultPlan
from tests.simulation.time import VirtualClock

LATE_SECONDS = 110.0  # the provider may still be working for this long (Intuit cuts a call at 120 s)


class InProcess(httpx.BaseTransport):
    """Hands requests straight to an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        """Serve this application."""
        self._app = app
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Run the application on one request and collect its answer."""
        body = request.read()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": "http",
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        answer: dict[str, Any] = {"content": b"", "status": 500, "headers": []}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer["status"], answer["headers"] = message["status"], message["headers"]
            elif message["type"] == "http.response.body":
                answer["content"] += message.get("body", b"")

        self._loop.run_until_complete(self._app(scope, receive, send))  # type: ignore[arg-type]
        return httpx.Response(answer["status"], headers=answer["headers"], content=answer["content"])

    def close(self) -> None:
        """Close the loop."""
        self._loop.close()


class FaultyWire(httpx.BaseTransport):
    """A wire on which the plan's faults strike; `interfere` lets the bookkeeper act, `forget` drops request ids."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        plan: FaultPlan,
        clock: VirtualClock,
        *,
        interfere: Callable[[], None],
        forget: Callable[[], None],
    ) -> None:
        """Put faults before a wire."""
        self._inner = inner
        self._plan = plan
        self._clock = clock
        self._interfere = interfere
        self._forget = forget

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, or go wrong."""
        self._clock.move(0.2)
        is_write = request.method == "POST" and not request.url.path.endswith(("/query", "/bearer"))
        fault = self._plan.at_write() if is_write else self._plan.at_read()
        if fault is None:
            return self._inner.handle_request(request)
        return self._struck(fault, request)

    def _struck(self, fault: Fault, request: httpx.Request) -> httpx.Response:
        if fault in _ANSWERED:
            status, content = _ANSWERED[fault]
            return httpx.Response(status, **content)
        if fault in _EXECUTED:
            self._inner.handle_request(request)
        if fault is Fault.LATE:
            again = httpx.Request(
                request.method, request.url, headers=request.headers, content=request.read()
            )
            self._clock.later(LATE_SECONDS, lambda: self._deliver(again))
        match fault:
            case Fault.DEATH_BEFORE_SEND | Fault.DEATH_AFTER_SEND:
                raise Death
            case Fault.NO_CONNECTION:
                raise httpx.ConnectError("no route", request=request)
            case Fault.CUT_REPLY:
                raise httpx.RemoteProtocolError("peer closed the connection", request=request)
            case Fault.LOST_REQUEST | Fault.LATE | Fault.LOST_REPLY:
                self._clock.move(30)
                raise httpx.ReadTimeout("no answer", request=request)
            case Fault.ERROR_AFTER:
                return httpx.Response(500, json=_BROKEN)
            case Fault.FORGOTTEN:
                self._forget()
            case Fault.INTERFERENCE:
                self._interfere()
        return self._inner.handle_request(request)

    def _deliver(self, request: httpx.Request) -> None:
        self._inner.handle_request(request)


_THROTTLED = {"Fault": {"Error": [{"Message": "ThrottleExceeded", "code": "3001"}], "type": "SERVICE"}}
_BROKEN = {
    "Fault": {
        "Error": [{"Message": "An application error has occurred", "code": "10000"}],
        "type": "SystemFault",
    }
}
_EXPIRED = {
    "fault": {
        "error": [
            {
                "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
                "detail": "Token expired",
                "code": "3200",
            }
        ],
        "type": "AUTHENTICATION",
    }
}

# Faults after which the provider has done what it was asked, and faults that it answers by itself.
_EXECUTED = frozenset({Fault.LOST_REPLY, Fault.CUT_REPLY, Fault.ERROR_AFTER, Fault.DEATH_AFTER_SEND})
_ANSWERED: dict[Fault, tuple[int, dict[str, Any]]] = {
    Fault.THROTTLED: (429, {"json": _THROTTLED, "headers": {"Retry-After": "60"}}),
    Fault.ERROR_BEFORE: (500, {"json": _BROKEN}),
    Fault.TOKEN_EXPIRED: (401, {"json": _EXPIRED}),
}
