"""The few threads in which lists are read: each read makes one trip to one of them, and more reads than threads wait in line.

Threads of one process take turns at the interpreter. Forty of them at once, the framework's measure, make every one dear:
each comes back from the database to a queue of others, and the turns cost more than the reads. A few keep the processor
as busy and the answers quick. Whatever may take long for another reason, such as a provider's answer, stays out of this line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from api.services import Services

Answer = TypeVar("Answer")
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Readers:
    """Threads for reads that end soon."""

    def __init__(self, threads: int) -> None:
        """Start at most so many threads, each when it is first needed."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="reader")

    async def run(self, read: Callable[[], Answer]) -> Answer:
        """Do a read in one of the threads, within the caller's context."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(copy_context().run, read))

    def close(self) -> None:
        """Let the reads under way end."""
        self._threads.shutdown()


def quick_read(
    register: Callable[[Callable[..., Any]], Any],
    *,
    unless: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> Callable[[Endpoint], Endpoint]:
    """Answer a route in one of the readers' threads; for what asks nobody but the database, and that for no more than a page.

    Goes around the router's own decorator. `unless` tells by the arguments when a read asks somebody else after all. The
    function itself stays as it is, for the pages that show the same.
    """

    def routed(endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def answered(**values: Any) -> Any:
            read = partial(endpoint, **values)
            if unless(values):
                return await run_in_threadpool(read)
            services: Services = values["services"]
            return await services.readers.run(read)

        register(answered)
        return endpoint

    return routed
