"""The garbage collector in a process that serves."""

from __future__ import annotations

import gc

# Objects made, less those gone, until the youngest are looked through: more than a page of a list makes, so that most
# requests end, and their objects with them, before anybody looks.
YOUNG_MAX = 20_000
# How many such rounds until the next generation is looked through, and of those until all are.
ROUNDS = 20


def leave_out_what_is_loaded() -> None:
    """Keep code, models and routes out of the collector's rounds: a look through all of them is a pause for every caller."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, ROUNDS, ROUNDS)
