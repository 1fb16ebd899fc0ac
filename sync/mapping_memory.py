"""Suggestions worked out a moment ago, for books in which nothing changed since.

A suggestion follows from cost codes, accounts and earlier choices alone. They are compared in full: another name,
another account or another choice is another question, so that what is remembered can never be out of date.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sync.mapping import LineKey

Found = TypeVar("Found")

# Codes, accounts and what was asked about them. A code with its three candidates takes about 5 kB: 50 MB at most.
SUBJECTS_MAX = 10_000


class _Question:
    """What was asked; its hash is worked out once, because it goes through every code and every account."""

    __slots__ = ("_asked", "_hash")

    def __init__(self, asked: Hashable) -> None:
        self._asked = asked
        self._hash = hash(asked)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self._asked == other._asked


@dataclass(frozen=True, slots=True)
class _Kept(Generic[Found]):
    question: _Question
    answer: Mapping[LineKey, Found]
    subjects: int


class SuggestionMemory(Generic[Found]):
    """The answers asked for last; one object serves all threads."""

    def __init__(self, subjects_max: int = SUBJECTS_MAX) -> None:
        """Remember answers about so many subjects in all; an answer about more of them is not kept."""
        self._subjects_max = subjects_max
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Question, _Kept[Found]] = OrderedDict()
        self._subjects = 0

    def recall(
        self, asked: Hashable, work_out: Callable[[], Mapping[LineKey, Found]], *, subjects: int
    ) -> Mapping[LineKey, Found]:
        """Return the answer to the same question as before, or work it out; nobody may change it."""
        question = _Question(asked)
        with self._lock:
            kept = self._kept.get(question)
            if kept is not None:
                # By the question that is kept, which is itself at one look.
                self._kept.move_to_end(kept.question)
                return kept.answer
        # Not under the lock: others need not wait. Two who ask the same at once work it out twice, and get the same.
        found = work_out()
        with self._lock:
            if question not in self._kept and subjects <= self._subjects_max:
                self._kept[question] = _Kept(question, found, subjects)
                self._subjects += subjects
            while self._subjects > self._subjects_max:
                _, forgotten = self._kept.popitem(last=False)
                self._subjects -= forgotten.subjects
        return found
