"""Putting a bug in place of the product's own code for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PlantedBug = Callable[[], Any]


@contextmanager
def instead(place: Any, name: str, replacement: Any) -> Iterator[None]:
    """Let a name of a module or class stand for something else, until the block ends."""
    original = getattr(place, name)
    setattr(place, name, replacement)
    try:
        yield
    finally:
        setattr(place, name, original)
