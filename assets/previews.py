"""Features that Dagster 1.13 marks as beta or preview and that Tieout uses knowingly, the version being pinned.

Backfill policies (one run per builder) and checks per partition (or one builder's passing check would hide another's
failing one). Tests run with warnings as errors; anything else that is not stable still shows up there.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg


@contextmanager
def accepted_previews() -> Iterator[None]:
    """Declare definitions without Dagster's warnings about the features named above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=dg.PreviewWarning)
        warnings.simplefilter("ignore", category=dg.BetaWarning)
        yield
