"""Suggestions that are remembered: never for books that are other ones now, and never more than fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sync.mapping import CostCode, LineKey, ProviderAccount
from sync.mapping_memory import SuggestionMemory
from sync.mapping_overview import mapping_targets

CODES = [CostCode("c1", "03-300", "Cast-in-place concrete", "Concrete")]
CHART = [
    ProviderAccount("a1", "Concrete", "cost_of_goods_sold", "5033"),
    ProviderAccount("a2", "Lumber", "cost_of_goods_sold", "5060"),
]


def answer(name: str) -> Mapping[LineKey, str]:
    return {("cost_code", None): name}


def test_the_same_question_is_worked_out_once_and_another_one_anew() -> None:
    memory: SuggestionMemory[str] = SuggestionMemory()
    first = memory.recall(("a",), lambda: answer("first"), subjects=1)
    again = memory.recall(("a",), lambda: answer("never"), subjects=1)
    other = memory.recall(("b",), lambda: answer("other"), subjects=1)
    assert (again is first, other) == (True, answer("other"))


def test_what_was_not_asked_for_longest_is_forgotten_when_the_memory_is_full() -> None:
    memory: SuggestionMemory[str] = SuggestionMemory(10)
    for name in ("a", "b"):
        memory.recall((name,), lambda: answer("before"), subjects=5)
    memory.recall(("a",), lambda: answer("never"), subjects=5)
    memory.recall(("c",), lambda: answer("before"), subjects=5)
    found = {name: memory.recall((name,), lambda: answer("anew"), subjects=5) for name in ("a", "c", "b")}
    assert found == {"a": answer("before"), "c": answer("before"), "b": answer("anew")}


def test_a_question_larger_than_the_memory_drives_nothing_out() -> None:
    memory: SuggestionMemory[str] = SuggestionMemory(10)
    memory.recall(("a",), lambda: answer("before"), subjects=10)
    memory.recall(("huge",), lambda: answer("huge"), subjects=11)
    assert memory.recall(("a",), lambda: answer("anew"), subjects=10) == answer("before")
    assert memory.recall(("huge",), lambda: answer("anew"), subjects=11) == answer("anew")


def test_suggestions_follow_at_once_when_the_chart_or_a_code_changes() -> None:
    def picked(codes: list[CostCode], chart: list[ProviderAccount]) -> str | None:
        targets = mapping_targets(codes=codes, accounts=chart, rows=[], uses={})
        (found,) = [each for each in targets if each.profile == "cost_code" and each.code is not None]
        return found.suggestion.account_name if found.suggestion else None

    assert picked(CODES, CHART) == picked(list(CODES), list(CHART)) == "5033 Concrete"
    assert picked(CODES, [replace(CHART[0], name="Concrete work"), CHART[1]]) == "5033 Concrete work"
    assert picked(CODES, [replace(CHART[0], is_active=False), CHART[1]]) is None
    assert picked([replace(CODES[0], name="Lumber", division="Wood")], CHART) == "5060 Lumber"
