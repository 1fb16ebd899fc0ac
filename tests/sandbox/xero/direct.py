"""Calls the sandbox's ASGI app in process, without HTTP, for tests that make thousands of calls."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from starlette.types import Message

from sandbox.xero import create_app
from sandbox.xero.scopes import GRANULAR
from sandbox.xero.world import XeroEmulator

API = "/api.xro/2.0/"
T = TypeVar("T")


class Direct:
    """A connected sandbox in this process."""

    def __init__(self, *, scenario: str = "empty") -> None:
        self.app = create_app(seed=scenario)
        emulator = self.app.emulator
        assert isinstance(emulator, XeroEmulator)
        self.emulator = emulator
        self.runner = asyncio.Runner()
        self.tenant = ""
        self.headers: dict[str, str] = {}
        self.connect()

    def connect(self) -> None:
        identity = self.emulator.identity
        app = next(iter(identity.rows("apps").values()))
        code = identity.consent(
            client_id=app["ClientID"],
            scopes=sorted(GRANULAR),
            tenants=self.emulator.tenants(),
            redirect_uri="",
            challenge="",
            nonce="",
        )
        token = identity.exchange({"code": code, "redirect_uri": ""}, app, issuer="http://localhost")
        self.tenant = next(iter(self.emulator.books))
        self.headers = {
            "authorization": f"Bearer {token['access_token']}",
            "xero-tenant-id": self.tenant,
            "accept": "application/json",
            "content-type": "application/json",
            "host": "localhost",
        }

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def raw(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        return self.run(self._call(method, path, body, query, self.headers if headers is None else headers))

    async def _call(
        self, method: str, path: str, body: bytes, query: str, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        status, parts = 0, []
        told = False

        async def receive() -> Message:
            nonlocal told
            if told:
                return {"type": "http.disconnect"}
            told = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": query.encode("utf-8", "replace"),
            "root_path": "",
            "headers": [(n.lower().encode(), v.encode("latin-1", "replace")) for n, v in headers.items()],
            "server": ("localhost", 80),
            "client": ("127.0.0.1", 1),
        }
        await self.app(scope, receive, send)
        return status, b"".join(parts)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        content = b"" if body is None else json.dumps(body, default=str).encode()
        status, answer = self.raw(method, API + path, body=content, query=urlencode(query))
        is_json = answer[:1] in (b"{", b"[")
        return status, json.loads(answer, parse_float=Decimal) if is_json else answer

    def problems(self) -> list[str]:
        """Everything that is wrong with the books."""
        checks = self.emulator.check_books()
        return [problem for check in checks.values() for problem in check.problems]

    def close(self) -> None:
        self.runner.close()


def pick(dice: random.Random, values: list[T]) -> T | None:
    return dice.choice(values) if values else None
