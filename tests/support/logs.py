"""The process's own logging, for tests that log in another way for a while."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def logging_put_back() -> Iterator[None]:
    """Leave the process logging as it was before.

    structlog's defaults would not do: they paint every local variable of every frame of an error, while other threads
    change these, and a painter that breaks takes the place of the error that it was to show.
    """
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.configure(**ours)
        structlog.contextvars.clear_contextvars()
