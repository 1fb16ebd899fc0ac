"""The threads in which lists are read: few, in the request's own context, and never held up by somebody else's answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest

from api.readers import Readers, quick_read

THREADS = 2
bound: ContextVar[str] = ContextVar("bound")


@pytest.fixture
def readers() -> Iterator[Readers]:
    found = Readers(THREADS)
    yield found
    found.close()


def test_more_reads_than_threads_wait_in_line(readers: Readers) -> None:
    lock, under_way, most = threading.Lock(), 0, 0

    def read() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        pause.wait(0.02)
        with lock:
            under_way -= 1

    async def all_at_once() -> None:
        await asyncio.gather(*(readers.run(read) for _ in range(3 * THREADS)))

    pause = threading.Event()
    asyncio.run(all_at_once())
    assert most == THREADS


def test_a_read_knows_what_its_request_was_about(readers: Readers) -> None:
    async def ask(value: str) -> str:
        bound.set(value)
        return await readers.run(bound.get)

    async def two() -> list[str]:
        return await asyncio.gather(ask("one"), ask("two"))

    assert asyncio.run(two()) == ["one", "two"]


def test_what_breaks_in_a_read_reaches_who_asked(readers: Readers) -> None:
    def read() -> None:
        raise LookupError("gone")

    async def ask() -> None:
        await readers.run(read)

    with pytest.raises(LookupError, match="gone"):
        asyncio.run(ask())


def test_a_read_that_asks_somebody_else_stays_out_of_the_line(readers: Readers) -> None:
    routes: list[Callable[..., Any]] = []

    @quick_read(routes.append, unless=lambda values: values["refresh"])
    def thread_of(*, services: object, refresh: bool) -> str:
        assert services is not None
        return threading.current_thread().name

    async def ask(*, refresh: bool) -> str:
        name: str = await routes[0](services=SimpleNamespace(readers=readers), refresh=refresh)
        return name

    quick, slow = asyncio.run(ask(refresh=False)), asyncio.run(ask(refresh=True))
    assert quick.startswith("reader")
    assert not slow.startswith("reader")
    # The function itself is what the pages call.
    assert thread_of(services=readers, refresh=False) == threading.main_thread().name
