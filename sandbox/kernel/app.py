"""The ASGI application around an emulator: log, faults and limits first, then the provider's routes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.kernel.control import control_routes
from sandbox.kernel.emulator import Emulator
from sandbox.kernel.faults import FaultRule, RequestFacts
from sandbox.kernel.page import page_routes
from sandbox.kernel.requestlog import RequestEntry


def build_app(emulator: Emulator) -> SandboxApp:
    """Return the application; its `emulator` is the way in for in-process tests."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await emulator.close()

    routes = [
        *page_routes(emulator),
        *emulator.control_routes(),
        *control_routes(emulator),
        *emulator.routes(),
    ]
    return SandboxApp(Starlette(routes=routes, lifespan=lifespan), emulator)


class SandboxApp:
    """The ASGI application: times and logs each wire request and carries out limits and faults.

    It stands outside Starlette, so that it holds the server's own channel and can cut the connection.
    """

    def __init__(self, app: ASGIApp, emulator: Emulator) -> None:
        self._app = app
        self.emulator = self._emulator = emulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event."""
        if scope["type"] != "http" or not self._emulator.is_public(scope["path"]):
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request = Request(scope)
        facts = self._emulator.facts(request)
        entry = RequestEntry(
            at=self._emulator.clock.now().isoformat(timespec="milliseconds"),
            method=scope["method"],
            path=scope["path"],
            query=scope.get("query_string", b"").decode("latin-1"),
            tenant=facts.tenant,
            entity=facts.entity,
            operation=facts.operation,
        )
        scope["sandbox_entry"] = entry
        try:
            await self._serve(request, facts, entry, _Wire(scope, receive, send, entry))
        finally:
            self._emulator.request_done(request, facts)
            entry.ms = round((time.perf_counter() - started) * 1000, 3)
            self._emulator.log.add(entry)

    async def _serve(self, request: Request, facts: RequestFacts, entry: RequestEntry, wire: _Wire) -> None:
        rule = self._emulator.faults.choose(facts)
        if rule is not None:
            entry.fault = rule.kind
        refusal = self._emulator.refuse_by_limit(request, facts)
        if refusal is not None:
            await wire.answer(refusal)
        elif rule is None:
            await self._app(wire.scope, wire.receive, wire.send)
        else:
            await self._misbehave(request, facts, rule, wire)

    async def _misbehave(self, request: Request, facts: RequestFacts, rule: FaultRule, wire: _Wire) -> None:
        kind = rule.kind
        if kind in ("timeout_before", "drop_before", "status"):
            await wire.drain()
        if kind in ("timeout_after", "drop_after", "status_after"):
            await self._app(wire.scope, wire.receive, _swallow)
        if kind.startswith("drop_"):
            await wire.drop()
        elif kind in ("status", "status_after"):
            await wire.answer(self._emulator.refuse_by_fault(request, facts, rule))
        elif kind.startswith("timeout_"):
            if await wire.client_waits(rule.seconds):
                await wire.answer(self._emulator.refuse_by_fault(request, facts, rule))
        elif kind == "slow":
            await asyncio.sleep(rule.seconds)
            await self._app(wire.scope, wire.receive, wire.send)
        elif kind == "cut_body":
            await self._app(wire.scope, wire.receive, wire.cut)
        else:
            answer = await self._emulator.provider_fault(request, facts, rule)
            if answer is not None:
                await wire.drain()
                await wire.answer(answer)
            else:
                wire.after = rule
                await wire.buffer(self._app, self._emulator)


async def _swallow(message: Message) -> None:
    """Drop what the application answers."""


class _Wire:
    """One request's two channels, counting bytes and able to break off."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, entry: RequestEntry) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._entry = entry
        self.after: FaultRule | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        self._entry.bytes_in += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._entry.status = message["status"]
        else:
            self._entry.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def answer(self, response: Response) -> None:
        await response(self.scope, self.receive, self.send)

    async def drain(self) -> None:
        """Read the request body, so that the client is not cut off while sending it."""
        while (await self.receive()).get("more_body", False):
            pass

    async def client_waits(self, seconds: float) -> bool:
        """Wait; return whether the client is still there at the end."""
        try:
            async with asyncio.timeout(seconds):
                while (await self.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return True
        return False

    async def drop(self) -> None:
        """Close the connection without a byte (in process, where there is none, raise instead)."""
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("The sandbox dropped this connection on request.")
        transport.abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def cut(self, message: Message) -> None:
        """Send the head and half of the body, then close."""
        if message["type"] == "http.response.body" and self._entry.bytes_out == 0:
            body = message.get("body", b"")
            await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await asyncio.sleep(0.01)
            await self.drop()
        elif message["type"] == "http.response.start":
            await self.send(message)

    async def buffer(self, app: ASGIApp, emulator: Emulator) -> None:
        """Run the application and let the provider change its answer before it leaves."""
        head: Message = {}
        body = b""

        async def keep(message: Message) -> None:
            nonlocal head, body
            if message["type"] == "http.response.start":
                head = message
            else:
                body += message.get("body", b"")

        await app(self.scope, self.receive, keep)
        if self.after is not None:
            body = emulator.provider_fault_after(self.after, body)
        headers = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
        head["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await self.send(head)
        await self.send({"type": "http.response.body", "body": body})
