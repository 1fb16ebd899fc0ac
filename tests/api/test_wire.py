"""What the server makes of bytes whose end two servers could see in two places, behind which a second request hides."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tests.api.world import ROOT, World

START_SECONDS_MAX = 20


@pytest.fixture(scope="module")
def port(shared_world: World) -> Iterator[int]:
    """The application behind the parser that `tieout serve` has, which is uvicorn's own choice."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(shared_world.app, lifespan="off", log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    ends = time.monotonic() + START_SECONDS_MAX
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < ends, "the server did not start in time"
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def answered(port: int, lengths: str) -> bytes:
    """Everything that comes back for a request with these headers and another one where its body would end."""
    second = "GET /healthz HTTP/1.1\r\nHost: tieout.example\r\nConnection: close\r\n\r\n"
    sent = f"POST {ROOT}/sync HTTP/1.1\r\nHost: tieout.example\r\n{lengths}\r\n\r\n5\r\nhello\r\n0\r\n\r\n{second}"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        wire.sendall(sent.encode())
        return b"".join(iter(lambda: wire.recv(65536), b""))


@pytest.mark.parametrize(
    "lengths",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: -1",
        "Content-Length: 5, 6",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ],
)
def test_a_request_whose_end_is_doubtful_is_refused_with_what_hides_behind_it(
    port: int, lengths: str
) -> None:
    answers = answered(port, lengths)
    assert answers.startswith(b"HTTP/1.1 400"), answers
    assert answers.count(b"HTTP/1.1 ") == 1, answers


def test_two_proper_requests_in_a_row_are_both_answered(port: int) -> None:
    answers = answered(port, "Transfer-Encoding: chunked")
    assert answers.count(b"HTTP/1.1 ") == 2, answers
    assert b"HTTP/1.1 200" in answers, answers
