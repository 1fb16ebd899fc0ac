"""Making a failing world smaller: steps are left out and faults kept away as long as the same promise still breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.run import WorldResult

Run = Callable[[frozenset[int], frozenset[int]], WorldResult]


@dataclass
class Smaller:
    """The smallest world found: which steps it can do without, and in which nothing has to go wrong."""

    result: WorldResult
    left_out: frozenset[int] = frozenset()
    quiet: frozenset[int] = frozenset()
    tries: int = field(default=0)


def shrink(first: WorldResult, run: Run) -> Smaller:
    """Leave out what the broken promise does not need: halves first, then single steps, then their faults."""
    wanted = _promise(first)
    best = Smaller(first)

    def try_with(left_out: frozenset[int], quiet: frozenset[int]) -> bool:
        best.tries += 1
        result = run(left_out, quiet)
        if not any(sentence.startswith(wanted) for sentence in result.broken):
            return False
        best.result, best.left_out, best.quiet = result, left_out, quiet
        return True

    size = max(first.steps // 2, 1)
    while size:
        for start in range(0, first.steps, size):
            part = frozenset(range(start, min(start + size, first.steps))) - best.left_out
            if part:
                try_with(best.left_out | part, best.quiet)
        size //= 2
    for step in sorted(frozenset(range(first.steps)) - best.left_out):
        try_with(best.left_out, best.quiet | {step})
    return best


def _promise(result: WorldResult) -> str:
    return result.broken[0].partition(":")[0] + ":"
