"""Which line of ours is which line of theirs: identity through the base, and never a guess.

Where a document was sent or taken, its lines stand in the same order on both sides of the base, with the same amounts.
Where two documents were found to be the same, the bookkeeper may have typed the lines in another order. So position
counts only where every pair of lines agrees; otherwise a line is paired by what is unique about it, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync.records import Canonical

Line = Mapping[str, Any]
Pair = tuple[Canonical, Canonical]


def paired_lines(base_ours: Canonical | None, base_theirs: Canonical | None) -> list[Pair]:
    """Return the pairs (our line, their line) that are certain."""
    ours = list((base_ours or {}).get("lines") or [])
    theirs = list((base_theirs or {}).get("lines") or [])
    in_order = list(zip(ours, theirs, strict=False))
    if len(ours) == len(theirs) and all(_amount(mine) == _amount(yours) for mine, yours in in_order):
        counts = Counter(_amount(line) for line in ours)
        if all(counts[_amount(mine)] == 1 or _text(mine) == _text(yours) for mine, yours in in_order):
            return in_order
    pairs = _unique(ours, theirs, lambda line: (_amount(line), _text(line)))
    mine_left = [line for line in ours if not any(line is mine for mine, _ in pairs)]
    yours_left = [line for line in theirs if not any(line is yours for _, yours in pairs)]
    return pairs + _unique(mine_left, yours_left, _amount)


def _unique(
    ours: Sequence[Canonical], theirs: Sequence[Canonical], key: Callable[[Line], object]
) -> list[Pair]:
    mine, yours = Counter(key(line) for line in ours), Counter(key(line) for line in theirs)
    by_key = {key(line): line for line in theirs}
    return [(line, by_key[key(line)]) for line in ours if mine[key(line)] == 1 and yours.get(key(line)) == 1]


def _amount(line: Line) -> tuple[str, str, str]:
    return str(line.get("amount") or ""), str(line.get("debit") or ""), str(line.get("credit") or "")


def _text(line: Line) -> str:
    return " ".join(str(line.get("description") or "").casefold().split())
