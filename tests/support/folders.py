"""A folder outside pytest's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A new folder for tests that start a server in it.

    Every pytest session of a user closes the folder they all share (pytest-of-…) to others when it begins; as root,
    a server that runs as a user of its own would then lose the way to its data.
    """
    with tempfile.TemporaryDirectory(prefix="tieout-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()
