"""Refuses request bodies that are larger than anything that could be meant, before they are read into memory.

FastAPI's own limit answers in plain text; every refusal of this API is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_response
from sync.refusals import TooLarge

BODY_BYTES_MAX = 1_000_000


class BodyLimit:
    """Counts what a request sends, by what it announces and by what really comes."""

    def __init__(self, app: ASGIApp, *, larger: Mapping[tuple[str, str], int]) -> None:
        """`larger` has the limits of routes that take more, by method and path; `…/{id}` stands for any one thing."""
        self._app = app
        self._larger = larger

    def _bytes_max(self, method: str, path: str) -> int:
        any_one = f"{path.rpartition('/')[0]}/{{id}}"
        return self._larger.get((method, path), self._larger.get((method, any_one), BODY_BYTES_MAX))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an oversized request with a problem, and let every other one through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = self._bytes_max(scope["method"], scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > bytes_max:
            await problem_response(_too_large(bytes_max), Request(scope))(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > bytes_max:
                # Only this kind of error passes through the framework's reading of bodies as it is.
                raise HTTPException(413, detail=str(bytes_max))
            return message

        await self._app(scope, counted, send)


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(what="The request", bytes_max=bytes_max)
