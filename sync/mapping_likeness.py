"""How alike two names are by their words: shared, of one trade, cut short or misspelt; each pair of words compared once.

All names of one list against all of another, as sums over the words in the first place of every name, then in the
second, and so on: a thousand small sums take many times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from sync.mapping_words import trades, weight, words

# Shares of the name's score: its most telling word, how much of the account's name the code explains, and the reverse.
BEST_SHARE = 0.45
ACCOUNT_SHARE = 0.3
CODE_SHARE = 0.25
# A word before the head of a name tells less than the head.
BEFORE_HEAD = 0.85
SAME_TRADE = 0.85
BLOCK_NAMES = 64
ABBREVIATION = 0.85
MISSPELT = 0.9
MISSPELT_ALIKE_MIN = 84.0
MISSPELT_LETTERS_MIN = 4

# Scores, not money: single precision is exact to a thousandth of a point, and half the memory.
Scores = NDArray[np.float32]


def alike(left: Sequence[str], right: Sequence[str]) -> Scores:
    """Return how alike each name on the left is to each on the right, 0 to 1, by their words."""
    lefts, rights = _Names.of(left), _Names.of(right)
    same = _same_words(lefts.vocabulary, rights.vocabulary)
    # What each word on the left finds in each name on the right, and how much each name on the right must explain.
    found = rights.most(same.T.copy()).T.copy()
    telling_right = rights.telling * rights.rarity()[rights.flat]
    telling, known = lefts.most(same, lefts.telling * _heads(lefts)).T, lefts.most(same).T
    covered = lefts.sums(found, lefts.weights) / lefts.totals[:, None]
    result: Scores = np.empty((len(left), len(right)), dtype=np.float32)
    # In blocks that stay in the processor's cache; whole, the same sums take three times as long.
    for first in range(0, len(left), BLOCK_NAMES):
        block = slice(first, first + BLOCK_NAMES)
        best = rights.most(telling[:, block].copy(), telling_right)
        explained = rights.sums(known[:, block].copy(), rights.weights)
        result[block] = (
            BEST_SHARE * best + ACCOUNT_SHARE * explained / rights.totals[:, None]
        ).T + CODE_SHARE * covered[block]
    return result[lefts.places].take(rights.places, axis=1)


def _heads(names: _Names) -> Scores:
    """Return 1 for the last telling word of each name and less for those before it: roof trusses are trusses."""
    factors: Scores = np.full(len(names.flat), BEFORE_HEAD, dtype=np.float32)
    telling = np.where(names.telling >= 1.0, np.arange(len(names.flat)), -1)
    last = np.maximum.reduceat(telling, names.starts)
    ends = np.append(names.starts[1:], len(names.flat)) - 1
    factors[np.where(last < 0, ends, last)] = 1.0
    return factors


@dataclass(frozen=True, slots=True)
class _Names:
    """Names as runs of word numbers, the longest first; number 0 is no word, so that an empty name is a run too.

    As the longest come first, those that have a second word, a third … are always the first few: one sum over them
    for each place in a name is several times as fast as one for each name.
    """

    vocabulary: tuple[str, ...]
    flat: NDArray[np.intp]
    starts: NDArray[np.intp]
    lengths: NDArray[np.intp]
    # Where each name of the list that was asked about is among the runs.
    places: NDArray[np.intp]
    # Per word of each name: how much it tells, and how much beside the most telling one.
    weights: Scores
    telling: Scores
    totals: Scores

    @classmethod
    def of(cls, names: Sequence[str]) -> _Names:
        split = [tuple(found for found, _ in words(name)) for name in names]
        vocabulary = ("", *sorted(set(chain.from_iterable(split))))
        numbers = {word: number for number, word in enumerate(vocabulary)}
        order = sorted(range(len(split)), key=lambda place: -len(split[place]))
        runs = [[numbers[word] for word in split[place]] or [0] for place in order]
        lengths = np.fromiter(map(len, runs), dtype=np.intp)
        flat = np.fromiter(chain.from_iterable(runs), dtype=np.intp)
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.intp)
        places = np.empty(len(order), dtype=np.intp)
        places[order] = np.arange(len(order))
        weights = np.array([0.0, *(weight(word) for word in vocabulary[1:])], dtype=np.float32)[flat]
        most = np.maximum.reduceat(weights, starts)
        totals = np.add.reduceat(weights, starts)
        # Beside a word that tells more the others fade; alone, even a poor word is all there is.
        telling = weights / np.repeat(np.where(most == 0, np.float32(1), most), lengths)
        totals = np.where(totals == 0, np.float32(1), totals)
        return cls(vocabulary, flat, starts, lengths, places, weights, telling, totals)

    def most(self, by_word: Scores, factors: Scores | None = None) -> Scores:
        """Return for each name the greatest of what its words have, times each word's own factor."""
        return self._over_words(np.maximum, by_word, factors)

    def sums(self, of_words: Scores, factors: Scores) -> Scores:
        """Return for each name the sum of what its words have, times each word's own factor."""
        return self._over_words(np.add, of_words, factors)

    def _over_words(self, gather: np.ufunc, by_word: Scores, factors: Scores | None) -> Scores:
        result: Scores | None = None
        for place in range(int(self.lengths[0])):
            run = self.starts[: int((self.lengths > place).sum())] + place
            part: Scores = by_word[self.flat[run]]
            if factors is not None:
                part *= factors[run, None]
            if result is None:
                result = part
            else:
                gather(result[: len(run)], part, out=result[: len(run)])
        assert result is not None, "every name is a run of one word at least"
        return result

    def rarity(self) -> Scores:
        """1 for a word that one name has, less for one that several share: it names that one and no other."""
        counts = np.bincount(self.flat, minlength=len(self.vocabulary))
        result: Scores = (1.0 / np.sqrt(np.maximum(counts, 1))).astype(np.float32)
        return result


def _same_words(left: Sequence[str], right: Sequence[str]) -> Scores:
    """Return how much each word on the left means each on the right: the same, the same trade, cut short, misspelt."""
    same: Scores = np.zeros((len(left), len(right)), dtype=np.float32)
    of_left, of_right = _by_trade(left), _by_trade(right)
    # Trade by trade rather than as one product of matrices, whose threads cost more than they bring.
    for trade in of_left.keys() & of_right.keys():
        same[np.ix_(of_left[trade], of_right[trade])] = SAME_TRADE
    columns = {word: number for number, word in enumerate(right)}
    rows = {word: number for number, word in enumerate(left)}
    cut = [(rows[short], column) for short, column in _beginnings(columns, among=rows)]
    cut += [(row, columns[short]) for short, row in _beginnings(rows, among=columns)]
    if cut:
        pairs = tuple(np.array(cut, dtype=np.intp).T)
        same[pairs] = np.maximum(same[pairs], np.float32(ABBREVIATION))
    shared = [(number, columns[word]) for word, number in rows.items() if word in columns]
    same[tuple(np.array(shared, dtype=np.intp).T)] = 1.0
    unknown = [
        number
        for number, word in enumerate(left)
        if len(word) >= MISSPELT_LETTERS_MIN and word not in columns and not trades(word)
    ]
    if unknown:
        close = process.cdist(
            [left[number] for number in unknown], right, scorer=fuzz.ratio, score_cutoff=MISSPELT_ALIKE_MIN
        )
        same[unknown] = np.maximum(same[unknown], close.astype(np.float32) / 100 * MISSPELT)
    same[0, :] = 0.0
    same[:, 0] = 0.0
    return same


def _beginnings(longer: Mapping[str, int], *, among: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Find the words of one list that are words of the other cut short by two letters or more."""
    for word, number in longer.items():
        for length in range(3, len(word) - 1):
            if word[:length] in among:
                yield word[:length], number


def _by_trade(vocabulary: Sequence[str]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for number, word in enumerate(vocabulary):
        for trade in trades(word):
            found.setdefault(trade, []).append(number)
    return found
