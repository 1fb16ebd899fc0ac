"""How well each account fits each cost code, signal by signal, for all pairs at once.

Signals: the names (words shared, words of one trade, abbreviations), the division, the kind of cost, the numbers, and
what the builder chose before. The strongest of name, division, kind and choices speaks; a second one that agrees and the
numbers add to it, another kind of cost or a less usual type of account takes away. Five hundred codes against a
thousand accounts are half a million pairs, and every signal is computed for all of them at once
(`tests/support/plain_suggestions.py` has the same sums as loops, and the tests hold the two together).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sync.mapping import ALLOWED_TYPES, CostCode, Profile, ProviderAccount
from sync.mapping_likeness import Scores, alike
from sync.mapping_words import (
    CONTRARY,
    KINDS,
    is_overhead,
    kind_named,
    kind_of_word,
    masterformat_division,
    weight,
    words,
)

DIVISION_WEIGHT = 0.85
# Where the name clearly means another account, the division is only where the code stands in the list.
NAMED_MIN, NAMED_AHEAD, OUTNAMED_WEIGHT = 55.0, 10.0, 0.8
# A MasterFormat number says the division by law of the list, not by the builder's wording.
MASTERFORMAT_WEIGHT = 0.95
KIND_BASE, KIND_SPAN = 60.0, 22.0
KIND_SHARE_MIN = 0.6
# Where nobody but the name says the kind, it says less.
KIND_UNSAID = 0.88
OTHER_KIND_MALUS = 25.0
OTHER_KIND_SHARE_MIN = 0.25
# An account for one kind of a trade's cost, for a code whose kind nobody says.
ONE_KIND_MALUS = 8.0
CONTRARY_MALUS = 20.0
NUMBER_EQUAL_SCORE = 84.0
NUMBER_BONUS = 10.0
BORNE_OUT_MIN = 40.0
ACCOUNT_DIGITS_MIN = 3
AGREES_MIN, AGREES_BONUS = 60.0, 6.0
SECOND_TYPE_MALUS = 4.0
CHOSEN_BEFORE = 92.0
NEIGHBOURS_BASE, NEIGHBOURS_SPAN, NEIGHBOURS_ENOUGH = 55.0, 35.0, 3
# A chart with an account for so many of MasterFormat's divisions is kept by division, not by kind of cost.
DIVISIONS_KEPT_MIN = 8
BY_DIVISION_KIND = 0.6

_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Choice:
    """An account that the builder chose for a cost code, now or in an earlier version."""

    code: CostCode
    account_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each pair, 0 to 100 by signal; one row per cost code, one column per account."""

    name: Scores
    division: Scores
    kind: Scores
    history: Scores
    numbers: Mapping[tuple[int, int], str]
    other_kind: Scores
    second_type: Scores
    score: Scores


def weigh(
    profile: Profile,
    cost_codes: Sequence[CostCode],
    accounts: Sequence[ProviderAccount],
    *,
    choices: Sequence[Choice] = (),
) -> Evidence:
    """Return the evidence for every pair; neither list may be empty."""
    names = [account.name for account in accounts]
    name = alike([code.name for code in cost_codes], names) * 100
    division, by_division = _divisions(cost_codes, names, name=name)
    kind, other_kind = _kinds(cost_codes, names, by_division=by_division)
    if profile != "cost_code":
        # Kinds of cost say nothing about where a sale is booked.
        kind, other_kind = np.zeros_like(kind), np.zeros_like(other_kind)
    history = _history(cost_codes, accounts, choices)
    # Signals that say nothing about any pair are left out of the sums.
    strongest, second = _two_strongest(name, *(each for each in (division, kind, history) if each.any()))
    score = strongest + (second >= AGREES_MIN) * np.float32(AGREES_BONUS)
    numbers = _believed(number_relations(cost_codes, accounts), strongest)
    for pair, relation in numbers.items():
        score[pair] = max(score[pair], NUMBER_EQUAL_SCORE if relation == "equal" else 0.0) + NUMBER_BONUS
    usual = ALLOWED_TYPES[profile][0]
    malus = np.array(
        [0.0 if account.type == usual else SECOND_TYPE_MALUS for account in accounts], dtype=np.float32
    )
    second_type = np.broadcast_to(malus, score.shape)
    # What speaks for a pair is never below 0, and what speaks against it never adds.
    total: Scores = np.minimum(score, np.float32(100))
    total -= other_kind
    total -= second_type
    np.maximum(total, np.float32(0), out=total)
    return Evidence(name, division, kind, history, numbers, other_kind, second_type, total)


def _two_strongest(first: Scores, *others: Scores) -> tuple[Scores, Scores]:
    strongest: Scores = first
    second: Scores = np.zeros(first.shape, dtype=np.float32)
    for other in others:
        second = np.maximum(second, np.minimum(strongest, other))
        strongest = np.maximum(strongest, other)
    return strongest, second


def _divisions(cost_codes: Sequence[CostCode], names: Sequence[str], *, name: Scores) -> tuple[Scores, bool]:
    """Return how well each code's division names each account, and whether the chart is kept by divisions."""
    formal = [masterformat_division(code.code) for code in cost_codes]
    said = [code.division or "" for code in cost_codes]
    # Divisions repeat: each is compared once.
    texts = sorted({*said, *(text or "" for text in formal)})
    place = {text: number for number, text in enumerate(texts)}
    compared = alike(texts, names) * 100
    by_said = compared[[place[text] for text in said]] * DIVISION_WEIGHT
    best = name.max(axis=1)[:, None]
    is_outnamed = (best >= NAMED_MIN) & (name < best - NAMED_AHEAD)
    by_said = np.where(is_outnamed, by_said * OUTNAMED_WEIGHT, by_said)
    if not any(formal):
        return by_said, False
    by_number = compared[[place[text or ""] for text in formal]] * MASTERFORMAT_WEIGHT
    kept = sum(1 for text in {text for text in formal if text} if compared[place[text]].max() >= 90 - 1e-9)
    return np.maximum(by_said, by_number), kept >= DIVISIONS_KEPT_MIN


def _kinds(
    cost_codes: Sequence[CostCode], names: Sequence[str], *, by_division: bool
) -> tuple[Scores, Scores]:
    """Return what the kind of cost says for an account that is all about it, and against one about another."""
    shares = np.array([kind_shares(name) for name in names], dtype=np.float32)
    points = np.where(shares >= KIND_SHARE_MIN, KIND_BASE + KIND_SPAN * shares, 0.0)
    if by_division:
        points = points * BY_DIVISION_KIND
    is_of_one = (shares.max(axis=1) >= OTHER_KIND_SHARE_MIN)[:, None]
    others = np.where(is_of_one & (shares == 0), OTHER_KIND_MALUS, 0.0)
    unsaid = np.where(is_of_one & (shares.max(axis=1) < KIND_SHARE_MIN)[:, None], ONE_KIND_MALUS, 0.0)
    points, others = (
        np.hstack([points, np.zeros((len(names), 1))]).astype(np.float32),
        np.hstack([others, unsaid]).astype(np.float32),
    )
    found = [kind_named(code.cost_type, code.name) for code in cost_codes]
    columns = [KINDS.index(kind) if kind is not None else len(KINDS) for kind, _ in found]
    sure = np.array([1.0 if is_said else KIND_UNSAID for _, is_said in found], dtype=np.float32)
    against = CONTRARY_MALUS * _contrary(cost_codes, names)
    if not by_division:
        against += others.T.copy()[columns]
    return points.T.copy()[columns] * sure[:, None], against


def _contrary(cost_codes: Sequence[CostCode], names: Sequence[str]) -> Scores:
    """Mark pairs of which one says the opposite of the other: interior doors are no exterior doors."""
    there = [{stem for stem, _ in words(name)} for name in names]
    against = {
        word: np.array([other in each and word not in each for each in there], dtype=np.float32)
        for word, other in CONTRARY.items()
    }
    result: Scores = np.zeros((len(cost_codes), len(names)), dtype=np.float32)
    for row, code in enumerate(cost_codes):
        here = {stem for stem, _ in words(code.name)}
        for word in here & CONTRARY.keys():
            if CONTRARY[word] not in here:
                result[row] = against[word]
    return result


def kind_shares(name: str) -> list[float]:  # not money: shares of a name
    """Return how much of an account's name says each kind of cost, 0 to 1; nothing for an account of the office."""
    stems = [found for found, _ in words(name)]
    kinds = [kind_of_word(found) for found in stems]
    if not any(kinds) or any(is_overhead(found) for found in stems):
        return [0.0] * len(KINDS)
    weights = [1.0 if kind else weight(found) for found, kind in zip(stems, kinds, strict=True)]
    return [
        sum(each for each, kind in zip(weights, kinds, strict=True) if kind == wanted) / sum(weights)
        for wanted in KINDS
    ]


def number_relations(
    cost_codes: Sequence[CostCode], accounts: Sequence[ProviderAccount]
) -> dict[tuple[int, int], str]:
    """Find pairs whose numbers are equal, or begin alike.

    5033 is the usual account of code 03 300: the first digit is the class of account, zeros at the end only fill up.
    """
    by_digits: dict[str, list[int]] = {}
    by_prefix: dict[str, list[int]] = {}
    for column, account in enumerate(accounts):
        digits = "".join(_DIGITS.findall(account.number or ""))
        if len(digits) < ACCOUNT_DIGITS_MIN:
            continue
        by_digits.setdefault(digits, []).append(column)
        for prefix in {text[:length] for text in (digits, digits[1:]) for length in range(2, len(text) + 1)}:
            by_prefix.setdefault(prefix, []).append(column)
    found: dict[tuple[int, int], str] = {}
    for row, code in enumerate(cost_codes):
        digits = "".join(_DIGITS.findall(code.code))
        if len(digits) < 2:
            continue
        found.update(
            dict.fromkeys(((row, column) for column in by_prefix.get(digits.rstrip("0"), [])), "prefix")
        )
        found.update(dict.fromkeys(((row, column) for column in by_digits.get(digits, [])), "equal"))
    return found


def _believed(relations: Mapping[tuple[int, int], str], otherwise: Scores) -> dict[tuple[int, int], str]:
    """Keep the relations that are no coincidence.

    Two lists that are both numbered by hundreds share numbers without meaning it: an equal number counts where half of
    all equal numbers are borne out by something else, a beginning where its own pair is.
    """
    equal = [pair for pair, relation in relations.items() if relation == "equal"]
    borne_out = sum(1 for pair in equal if otherwise[pair] >= BORNE_OUT_MIN)
    is_one_scheme = bool(equal) and borne_out * 2 >= len(equal)
    return {
        pair: relation
        for pair, relation in relations.items()
        if (is_one_scheme if relation == "equal" else otherwise[pair] >= BORNE_OUT_MIN)
    }


def _history(
    cost_codes: Sequence[CostCode], accounts: Sequence[ProviderAccount], choices: Sequence[Choice]
) -> Scores:
    """Return what the builder chose for the same code before, or for its neighbours."""
    scores: Scores = np.zeros((len(cost_codes), len(accounts)), dtype=np.float32)
    columns = {account.id: column for column, account in enumerate(accounts)}
    known = [choice for choice in choices if choice.account_id in columns]
    groups: dict[tuple[str, str], dict[int, int]] = {}
    for choice in known:
        for group in neighbourhoods(choice.code):
            counts = groups.setdefault(group, {})
            column = columns[choice.account_id]
            counts[column] = counts.get(column, 0) + 1
    own = {choice.code.id: columns[choice.account_id] for choice in known}
    for row, code in enumerate(cost_codes):
        for group in neighbourhoods(code):
            counts = groups.get(group, {})
            total = sum(counts.values())
            for column, count in counts.items():
                points = NEIGHBOURS_BASE + NEIGHBOURS_SPAN * count / total * min(
                    1.0, total / NEIGHBOURS_ENOUGH
                )
                scores[row, column] = max(scores[row, column], points)
        if code.id in own:
            scores[row, own[code.id]] = CHOSEN_BEFORE
    return scores


def neighbourhoods(code: CostCode) -> list[tuple[str, str]]:
    """Return the groups of codes that are usually booked together: one division and kind of cost."""
    kind, _ = kind_named(code.cost_type, code.name)
    division = code.division or masterformat_division(code.code) or ""
    if not division and kind is None:
        return []
    return [(division.casefold(), kind or code.cost_type or "")]
