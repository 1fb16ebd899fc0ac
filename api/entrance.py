"""Where every call to the API comes in: who asks, how often, and whether the same request came before.

Finds the caller once per request and leaves it in `request.state.caller`; what a route needs of the caller is the
route's own declaration (`api.auth`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.limits import Allowance
from api.problems import database_trouble, problem_response
from api.services import Services
from resources.store.api_keys import PREFIX, Caller, builder_is_here, find_caller
from resources.store.app_access import ACCESS_PREFIX, find_app_caller
from resources.store.requests import Answer, Begun
from sync.errors import InvalidInput, SyncError
from sync.refusals import TooLarge, TooManyRequests

KEY_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# Worth repeating with a repeated answer; everything else is about that one exchange.
_KEPT_HEADERS = frozenset({"content-type", "location", "etag", "set-cookie", "cache-control"})
_ANSWER_BYTES_MAX = 1_000_000
# Its body goes to disk piece by piece and must not be kept here to be compared; a file sent twice is known by itself.
_STREAMED = "/imports"


class Entrance:
    """Answers what must not reach a route, and lets everything else through."""

    def __init__(self, app: ASGIApp, *, root: str) -> None:
        """Guard the paths below `root`."""
        self._app = app
        self._root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the caller, count the request, and carry out a keyed request once."""
        if scope["type"] != "http" or not scope["path"].startswith(self._root):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        services = cast("Services", scope["app"].state.services)
        try:
            is_decided, allowance = _admit_known(request, services)
            if not is_decided:
                allowance = await run_in_threadpool(_admit, request, services)
        except SyncError as error:
            await problem_response(error, request)(scope, receive, send)
            return
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            await database_trouble(request, error)(scope, receive, send)
            return
        send = _with_headers(send, allowance)
        caller: Caller | None = request.state.caller
        if caller is not None:
            # Here, in the request's own context: what a thread binds, no line after it shows.
            structlog.contextvars.bind_contextvars(builder=str(caller.builder_id), caller=caller.actor)
        key = request.headers.get(KEY_HEADER)
        is_streamed = scope["path"] == f"{self._root}{_STREAMED}"
        if caller is None or key is None or scope["method"] != "POST" or is_streamed:
            await self._app(scope, receive, send)
            return
        await self._once(request, services, _Keyed(caller, key), send)

    async def _once(self, request: Request, services: Services, keyed: _Keyed, send: Send) -> None:
        scope, receive = request.scope, request.receive
        try:
            body = await request.body()
            begun = await run_in_threadpool(_begin, request, services, keyed, body)
        except HTTPException as error:
            await problem_response(TooLarge(what="The request", bytes_max=error.detail), request)(
                scope, receive, send
            )
            return
        except SyncError as error:
            await problem_response(error, request)(scope, receive, send)
            return
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            await database_trouble(request, error)(scope, receive, send)
            return
        if isinstance(begun, Answer):
            await _repeated(begun)(scope, receive, send)
            return
        recorder = _Recorder(send)
        try:
            await self._app(scope, _replayed(body, receive), recorder)
        finally:
            await run_in_threadpool(_settle, services, begun, recorder.answer())


@dataclass(frozen=True, slots=True)
class _Keyed:
    caller: Caller
    key: str


def _admit_known(request: Request, services: Services) -> tuple[bool, Allowance | None]:
    """Decide without the database, and so without a thread, where that is possible: whether it was, and the allowance."""
    request.state.caller = None
    token = _bearer(request)
    if token is None:
        return True, None
    # Guessing is slowed down by where it comes from; a wrong key costs a look into the database each.
    _require(services.refusals.take(_host(request), count=0))
    caller = services.callers.find(token)
    if caller is None:
        return False, None
    allowance = services.limit.take_at_hand(_counted(caller))
    if allowance is None and services.limit.per_minute:
        return False, None
    request.state.caller = caller
    return True, _require(allowance)


def _admit(request: Request, services: Services) -> Allowance | None:
    """Find who asks and count the request; raises TooManyRequests."""
    token = _bearer(request)
    assert token is not None, "a request without a token is decided at once"
    caller = services.callers.look_up(token, lambda: _caller_of(services, token))
    if caller is None:
        services.refusals.take(_host(request))
        return None
    request.state.caller = caller
    return _require(services.limit.take(_counted(caller)))


def _host(request: Request) -> str:
    return f"refused:{request.client.host if request.client else ''}"


def _counted(caller: Caller) -> str:
    return f"{caller.builder_id}:{caller.person}"


def _require(allowance: Allowance | None) -> Allowance | None:
    if allowance is not None and not allowance.is_allowed:
        raise TooManyRequests(limit=allowance.limit, wait_seconds=allowance.wait_seconds)
    return allowance


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _caller_of(services: Services, token: str) -> Caller | None:
    if token.startswith(PREFIX):
        return find_caller(services.database, token, now=services.clock.now())
    if token.startswith(ACCESS_PREFIX):
        return find_app_caller(services.database, token, now=services.clock.now())
    caller = services.tokens.caller(token)
    is_here = caller is not None and builder_is_here(services.database, caller.builder_id)
    return caller if is_here else None


def _begin(request: Request, services: Services, keyed: _Keyed, body: bytes) -> Begun | Answer:
    if not _KEY.fullmatch(keyed.key):
        raise InvalidInput(
            what=f"The {KEY_HEADER}", reason="it must have 1 to 255 visible ASCII characters, such as a UUID"
        )
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(body)
    return services.requests.begin(
        keyed.caller.builder_id,
        caller=keyed.caller.person,
        key=keyed.key,
        request_hash=digest.hexdigest(),
        now=services.clock.now(),
    )


def _settle(services: Services, begun: Begun, answer: Answer | None) -> None:
    # What was refused for who asked or for the moment did nothing: the same request may succeed later.
    if answer is None or answer.status >= 500 or answer.status in (401, 403, 429):
        services.requests.give_back(begun)
    else:
        services.requests.answered(begun, answer)


def _repeated(answer: Answer) -> Response:
    response = Response(answer.body, status_code=answer.status)
    response.raw_headers = [
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers),
        (b"content-length", str(len(answer.body.encode())).encode()),
        (b"idempotency-replayed", b"true"),
    ]
    return response


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send, allowance: Allowance | None) -> Send:
    if allowance is None:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(allowance.headers())
        await send(message)

    return sending


class _Recorder:
    """Passes an answer on and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._headers: list[tuple[str, str]] = []
        self._body = b""
        self._is_whole = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [
                (name, value)
                for name, value in Headers(raw=message["headers"]).items()
                if name in _KEPT_HEADERS
            ]
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            self._is_whole = not message.get("more_body", False)
        await self._send(message)

    def answer(self) -> Answer | None:
        """Return the whole answer, or None where there is none that could be repeated."""
        if not self._is_whole or len(self._body) > _ANSWER_BYTES_MAX:
            return None
        try:
            return Answer(self._status, tuple(self._headers), self._body.decode())
        except UnicodeDecodeError:
            return None
