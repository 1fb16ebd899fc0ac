"""The outermost layer: gives every request an id, writes one line about it, counts it, and sets the safe headers."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from api.metrics import Metrics
from api.problems import bug_response

log = structlog.get_logger("tieout.access")

REQUEST_ID_HEADER = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_RUN = re.compile(r"/sync/runs/([0-9a-f-]{36})$")

# A program's answers load nothing. Pages bring their own policy, which is kept.
API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# FastAPI's own page of the document loads its viewer from a CDN and starts it with a script in the page.
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' https://fastapi.tiangolo.com data:; frame-ancestors 'none'; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net"
)
DOCS_PATH = "/docs"
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Books are nobody's business but the asker's; what may be kept says so itself.
    "Cache-Control": "no-store",
}
HTTPS_ONLY = "max-age=31536000; includeSubDomains"


class Journal:
    """Wraps everything else; also the process edge at which a bug becomes an answer."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, is_https: bool) -> None:
        """`is_https` says whether browsers reach this installation by https only."""
        self._app = app
        self._metrics = metrics
        headers = {**SAFE_HEADERS, **({"Strict-Transport-Security": HTTPS_ONLY} if is_https else {})}
        self._headers = _raw({**headers, "Content-Security-Policy": API_POLICY})
        self._docs_headers = _raw({**headers, "Content-Security-Policy": DOCS_POLICY})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and write down how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Request(scope))
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        seen: dict[str, Any] = {"status": 0, "location": ""}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower(): value for name, value in message["headers"]}
                wanted = self._docs_headers if scope["path"] == DOCS_PATH else self._headers
                message["headers"] = [
                    *message["headers"],
                    *(each for each in wanted if each[0] not in said),
                    (REQUEST_ID_HEADER.lower().encode(), request_id.encode()),
                ]
                seen.update(
                    status=int(message["status"]), location=said.get(b"location", b"").decode("latin-1")
                )
            await send(message)

        started = time.perf_counter()
        self._metrics.under_way.inc()
        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 - the edge of the process: a bug is logged and answered
            response = bug_response(Request(scope), error)
            if seen["status"] == 0:
                await response(scope, receive, sending)
        finally:
            self._metrics.under_way.dec()
            self._write(scope, seen, seconds=time.perf_counter() - started)

    def _write(self, scope: Scope, seen: dict[str, Any], *, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        # The route's pattern, never the path: paths are endless, and each would be a series of its own.
        route = _pattern(scope)
        self._metrics.requests.labels(method, route, str(seen["status"])).inc()
        self._metrics.seconds.labels(method, route).observe(seconds)
        log.info(
            "request",
            method=method,
            route=route,
            status=seen["status"],
            client=scope["client"][0] if scope.get("client") else "",
            milliseconds=round(1000 * seconds, 1),
            **_about(scope, route, seen["location"]),
        )


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _request_id(request: Request) -> str:
    given = request.headers.get(REQUEST_ID_HEADER, "")
    return given if _REQUEST_ID.fullmatch(given) else str(uuid7())


def _pattern(scope: Scope) -> str:
    """Return the route's whole pattern; a route that was included knows only its own part."""
    path = getattr(scope.get("route"), "path", None)
    if path is None:
        return "none"
    depth = scope["path"].count("/") - path.count("/")
    return "/".join(scope["path"].split("/")[: depth + 1]) + path if depth > 0 else str(path)


def _about(scope: Scope, route: str, location: str) -> dict[str, str]:
    """Say which connection and run a request was about, where its address tells; anything that is no id is left out."""
    ids = scope.get("path_params", {})
    if not ids and not location and not scope["query_string"]:
        return {}
    query = QueryParams(scope["query_string"])
    started = _RUN.search(location)
    found = {
        "connection": ids.get("id") if "/connections/{id}" in route else query.get("connection_id"),
        "run": ids.get("id")
        if "/runs/{id}" in route
        else (started.group(1) if started else query.get("run_id")),
    }
    return {name: str(value) for name, value in found.items() if _is_id(value)}


def _is_id(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
