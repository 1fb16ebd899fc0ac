"""The scores of suggestions as anybody would write them down: one pair after the other, in plain loops.

Slow on purpose, and apart from `sync.mapping_evidence` but for its words and weights: the fast form must say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from rapidfuzz import fuzz

from sync import mapping_evidence as fast
from sync import mapping_likeness as likeness
from sync.mapping import ALLOWED_TYPES, CostCode, Profile, ProviderAccount
from sync.mapping_words import (
    CONTRARY,
    KINDS,
    kind_named,
    masterformat_division,
    trades,
    weight,
    words,
)


def plain_scores(
    profile: Profile, codes: Sequence[CostCode], accounts: Sequence[ProviderAccount]
) -> list[list[float]]:
    """Return the score of each pair, one row per cost code."""
    names = [_stems(account.name) for account in accounts]
    every = {word for name in names for word in name}
    by_name = [[100 * _alike(_stems(code.name), name, names, every) for name in names] for code in codes]
    by_division, is_kept = _divisions(codes, names, every, by_name)
    relations = fast.number_relations(codes, accounts)
    strongest: list[list[float]] = []
    second: list[list[float]] = []
    maluses: list[list[float]] = []
    for row, code in enumerate(codes):
        strongest.append([])
        second.append([])
        maluses.append([])
        for column, account in enumerate(accounts):
            kind, malus = _kind(code, account, is_kept=is_kept) if profile == "cost_code" else (0.0, 0.0)
            if account.type != ALLOWED_TYPES[profile][0]:
                malus += fast.SECOND_TYPE_MALUS
            ranked = sorted([by_name[row][column], by_division[row][column], kind, 0.0])
            strongest[row].append(ranked[-1])
            second[row].append(ranked[-2])
            maluses[row].append(malus)
    equal = [pair for pair, relation in relations.items() if relation == "equal"]
    borne = [pair for pair in equal if strongest[pair[0]][pair[1]] >= fast.BORNE_OUT_MIN]
    scores = []
    for row in range(len(codes)):
        scores.append([])
        for column in range(len(accounts)):
            score = strongest[row][column]
            if second[row][column] >= fast.AGREES_MIN:
                score += fast.AGREES_BONUS
            relation = relations.get((row, column))
            if relation == "equal" and len(borne) * 2 >= len(equal):
                score = max(score, fast.NUMBER_EQUAL_SCORE) + fast.NUMBER_BONUS
            elif relation == "prefix" and strongest[row][column] >= fast.BORNE_OUT_MIN:
                score += fast.NUMBER_BONUS
            scores[row].append(min(100.0, max(0.0, min(100.0, score) - maluses[row][column])))
    return scores


def _stems(name: str) -> list[str]:
    return [stem for stem, _ in words(name)]


def _same(left: str, right: str, every: set[str]) -> float:
    if left == right:
        return 1.0
    found = likeness.SAME_TRADE if trades(left) & trades(right) else 0.0
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) >= 3 and len(longer) >= len(shorter) + 2 and longer.startswith(shorter):
        found = max(found, likeness.ABBREVIATION)
    if len(left) >= likeness.MISSPELT_LETTERS_MIN and left not in every and not trades(left):
        ratio = fuzz.ratio(left, right)
        if ratio >= likeness.MISSPELT_ALIKE_MIN:
            found = max(found, ratio / 100 * likeness.MISSPELT)
    return found


def _alike(left: list[str], right: list[str], names: list[list[str]], every: set[str]) -> float:
    if not left or not right:
        return 0.0
    most_left, most_right = max(weight(word) for word in left), max(weight(word) for word in right)
    head = max(range(len(left)), key=lambda place: (weight(left[place]) >= most_left, place))
    best = 0.0
    for place, mine in enumerate(left):
        for yours in right:
            rarity = 1 / sqrt(sum(yours in name for name in names))
            telling = weight(mine) / most_left * (1.0 if place == head else likeness.BEFORE_HEAD)
            best = max(best, _same(mine, yours, every) * telling * weight(yours) / most_right * rarity)
    explained = sum(weight(yours) * max(_same(mine, yours, every) for mine in left) for yours in right)
    covered = sum(weight(mine) * max(_same(mine, yours, every) for yours in right) for mine in left)
    return (
        likeness.BEST_SHARE * best
        + likeness.ACCOUNT_SHARE * explained / sum(weight(word) for word in right)
        + likeness.CODE_SHARE * covered / sum(weight(word) for word in left)
    )


def _divisions(
    codes: Sequence[CostCode], names: list[list[str]], every: set[str], by_name: list[list[float]]
) -> tuple[list[list[float]], bool]:
    found, kept = [], set()
    for row, code in enumerate(codes):
        best = max(by_name[row])
        formal = masterformat_division(code.code) or ""
        found.append([])
        for column, name in enumerate(names):
            said = 100 * _alike(_stems(code.division or ""), name, names, every) * fast.DIVISION_WEIGHT
            if best >= fast.NAMED_MIN and by_name[row][column] < best - fast.NAMED_AHEAD:
                said *= fast.OUTNAMED_WEIGHT
            likeness = 100 * _alike(_stems(formal), name, names, every)
            if formal and likeness > 89.999:
                kept.add(formal)
            found[row].append(max(said, likeness * fast.MASTERFORMAT_WEIGHT))
    return found, len(kept) >= fast.DIVISIONS_KEPT_MIN


def _kind(code: CostCode, account: ProviderAccount, *, is_kept: bool) -> tuple[float, float]:
    shares = dict(zip(KINDS, fast.kind_shares(account.name), strict=True))
    kind, is_said = kind_named(code.cost_type, code.name)
    points, malus, most = 0.0, 0.0, max(shares.values())
    if kind is not None:
        if shares[kind] >= fast.KIND_SHARE_MIN:
            points = fast.KIND_BASE + fast.KIND_SPAN * shares[kind]
        if most >= fast.OTHER_KIND_SHARE_MIN and shares[kind] == 0:
            malus = fast.OTHER_KIND_MALUS
    elif fast.OTHER_KIND_SHARE_MIN <= most < fast.KIND_SHARE_MIN:
        malus = fast.ONE_KIND_MALUS
    if is_kept:
        points, malus = points * fast.BY_DIVISION_KIND, 0.0
    here, there = set(_stems(code.name)), set(_stems(account.name))
    for word, other in CONTRARY.items():
        if word in here and other not in here and other in there and word not in there:
            malus += fast.CONTRARY_MALUS
    return points * (1.0 if is_said else fast.KIND_UNSAID), malus
