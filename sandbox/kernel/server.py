"""Runs a sandbox's ASGI app: in the foreground, or in a thread on a free port for tests and demos."""

from __future__ import annotations

import socket
import sys
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

START_SECONDS_MAX = 20.0


def serve(app: ASGIApp, *, host: str, port: int, name: str) -> None:
    """Serve until interrupted; port 0 takes a free one. The first line printed is the address."""
    listener = _listen(host, port)
    address = f"http://{host}:{listener.getsockname()[1]}"
    sys.stdout.write(
        f"The {name} sandbox listens on {address}  (page: {address}/, control: {address}/_sandbox/)\n"
    )
    sys.stdout.flush()
    uvicorn.Server(_config(app)).run(sockets=[listener])


class ServerThread:
    """A real HTTP server around an app, for code that must go over the wire.

    Use as `with ServerThread(app) as server: httpx.get(server.url)`.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._listener = _listen(host, port)
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Start and wait until it answers."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"The sandbox server on {self.url} did not start.")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Stop and wait for the thread."""
        self._server.should_exit = True
        self._thread.join(timeout=START_SECONDS_MAX)
        self._listener.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise OSError(
            f"port {port} on {host} cannot be opened ({error.strerror}); choose another --port"
        ) from error
    return listener


def _config(app: ASGIApp) -> uvicorn.Config:
    # h11 on asyncio: the same on every machine, and the transport is reachable for cut connections.
    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=256 * 1024,
    )
