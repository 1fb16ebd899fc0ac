"""Which account a cost code probably belongs to, with a score from 0 to 100 and the reason in words.

Deterministic: names, divisions, kinds of cost, numbers, account types and the builder's own earlier choices
(`sync.mapping_evidence`), no learned model, so that the same books always give the same answer and the reason is the
whole reason. Below the threshold, or where two accounts fit as well as one another, nothing is picked: a wrong bucket
costs a bookkeeper more than an empty one. The nearest accounts are offered all the same, each with its score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sync.mapping import ALLOWED_TYPES, CostCode, Profile, ProviderAccount, type_words
from sync.mapping_evidence import (
    AGREES_BONUS,
    AGREES_MIN,
    CHOSEN_BEFORE,
    NUMBER_BONUS,
    NUMBER_EQUAL_SCORE,
    Choice,
    Evidence,
    weigh,
)
from sync.mapping_likeness import alike
from sync.mapping_words import kind_named, words

# Chosen from the curve that `python -m tests.bench mapping` prints; docs/decisions says how.
THRESHOLD = 70
# Two accounts this close to each other are a question, not an answer.
MARGIN = 3
CANDIDATES_MAX = 3
CANDIDATE_SCORE_MIN = 35
# For rows with nothing of their own to compare: sure of the name is still not sure of the meaning.
USUAL_THRESHOLD = 72
USUAL_SCORE_MAX = 95
ONLY_ACCOUNT_SCORE = 70

Signal = Literal["name", "division", "kind", "history", "agreement", "number", "other_kind", "type", "usual"]

# What the accounts of a profile are usually called, for rows that have no name of their own to compare.
_USUAL_NAMES: Mapping[Profile, tuple[str, ...]] = {
    "revenue": (
        "construction income",
        "contract revenue",
        "construction revenue",
        "job income",
        "progress billings",
        "sales",
    ),
    "asset": ("retainage receivable", "retention receivable"),
    "liability": ("retainage payable", "retention payable"),
    "cost_code": (),
}


@dataclass(frozen=True, slots=True)
class Part:
    """What one signal gave to a score, or took from it, and why."""

    signal: Signal
    points: int
    words: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One account for one cost code (or for a profile's default), and why; the parts add up to the score."""

    profile: Profile
    cost_code_id: str | None
    account_id: str
    account_name: str
    score: int
    reason: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """The nearest accounts of one cost code, best first, and the pick among them if one is sure enough."""

    candidates: tuple[Suggestion, ...]
    pick: Suggestion | None


def rank(
    profile: Profile,
    *,
    cost_codes: Sequence[CostCode],
    accounts: Sequence[ProviderAccount],
    choices: Sequence[Choice] = (),
) -> dict[str, Ranked]:
    """Return for each cost code id the accounts that fit best; `choices` are what the builder chose before."""
    fitting = _fitting(profile, accounts)
    if not fitting or not cost_codes:
        return {}
    evidence = weigh(profile, cost_codes, fitting, choices=choices)
    # In whole points, as people see them, and in the order of the chart: equal scores always fall the same way.
    points = np.floor(evidence.score + 0.5).astype(np.int32)
    order = _best_columns(points)
    fallback = _usual(profile, fitting) if profile == "revenue" else None
    found: dict[str, Ranked] = {}
    for row, code in enumerate(cost_codes):
        near = [int(column) for column in order[row] if points[row, column] >= CANDIDATE_SCORE_MIN]
        candidates = [
            _suggestion(
                profile, code, fitting[column], evidence, (row, column), score=int(points[row, column])
            )
            for column in near
        ]
        pick = candidates[0] if candidates and _is_sure([each.score for each in candidates]) else None
        if pick is None and fallback is not None:
            pick = replace(fallback, cost_code_id=code.id)
            candidates = [pick, *(each for each in candidates if each.account_id != pick.account_id)]
        if candidates:
            found[code.id] = Ranked(tuple(candidates[:CANDIDATES_MAX]), pick)
    return found


def suggest(
    profile: Profile,
    *,
    cost_codes: Sequence[CostCode],
    accounts: Sequence[ProviderAccount],
    choices: Sequence[Choice] = (),
) -> dict[str, Suggestion]:
    """Return the pick for each cost code id that has one; many codes may share an account."""
    ranked = rank(profile, cost_codes=cost_codes, accounts=accounts, choices=choices)
    return {code_id: each.pick for code_id, each in ranked.items() if each.pick is not None}


def suggest_default(profile: Profile, *, accounts: Sequence[ProviderAccount]) -> Suggestion | None:
    """Return the account for a profile's default row, judged by what such accounts are usually called."""
    return _usual(profile, _fitting(profile, accounts))


def plain_name(name: str) -> str:
    """Return a name without case, punctuation, endings, numbers and words that say nothing."""
    return " ".join(stem for stem, _ in words(name))


def _best_columns(points: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the columns of each row's best few, best first, the earlier column first among equals."""
    columns = points.shape[1]
    # A score of at most 100 times the columns of any chart of accounts fits.
    places = points * np.int32(-columns) + np.arange(columns, dtype=np.int32)
    few = min(CANDIDATES_MAX, columns)
    best = np.sort(np.partition(places, few - 1, axis=1)[:, :few], axis=1)
    result: NDArray[np.int32] = best % columns
    return result


def _is_sure(scores: Sequence[int]) -> bool:
    return scores[0] >= THRESHOLD and (len(scores) == 1 or scores[0] - scores[1] >= MARGIN)


def _fitting(profile: Profile, accounts: Sequence[ProviderAccount]) -> list[ProviderAccount]:
    """Return the active accounts of a type the profile allows, in an order that makes ties fall the same way."""
    allowed = ALLOWED_TYPES[profile]
    fitting = [account for account in accounts if account.is_active and account.type in allowed]
    return sorted(
        fitting,
        key=lambda account: (allowed.index(account.type), account.number or "", account.name, account.id),
    )


def _suggestion(
    profile: Profile,
    code: CostCode,
    account: ProviderAccount,
    evidence: Evidence,
    pair: tuple[int, int],
    *,
    score: int,
) -> Suggestion:
    parts = _parts(code, account, evidence, pair, score=score)
    reason = _sentence("; ".join(part.words for part in parts))
    return Suggestion(profile, code.id, account.id, account.label, score, reason, parts)


def _parts(
    code: CostCode, account: ProviderAccount, evidence: Evidence, pair: tuple[int, int], *, score: int
) -> tuple[Part, ...]:
    """Take a score apart into what each signal gave; the rounding and the limit of 100 fall to the strongest."""
    said: list[tuple[float, Signal]] = sorted(
        (
            (evidence.name[pair], "name"),
            (evidence.division[pair], "division"),
            (evidence.kind[pair], "kind"),
            (evidence.history[pair], "history"),
        ),
        key=lambda each: -each[0],
    )
    (first_points, first), (second_points, second) = said[:2]
    more: list[Part] = []
    if second_points >= AGREES_MIN:
        more.append(Part("agreement", round(AGREES_BONUS), _words(second, code, account, second_points)))
    relation = evidence.numbers.get(pair)
    if relation == "equal":
        raised = max(0.0, NUMBER_EQUAL_SCORE - first_points - sum(part.points for part in more))
        more.append(Part("number", round(NUMBER_BONUS + raised), "its number is the code's own"))
    elif relation == "prefix":
        text = f"its number {account.number} begins like the code {code.code}"
        more.append(Part("number", round(NUMBER_BONUS), text))
    if evidence.other_kind[pair] > 0:
        text = f"but it is for another kind of cost than {code.name} may be"
        more.append(Part("other_kind", -round(evidence.other_kind[pair]), text))
    if evidence.second_type[pair] > 0:
        text = f"but it is an account of type {type_words(account.type)}"
        more.append(Part("type", -round(evidence.second_type[pair]), text))
    rest = score - sum(part.points for part in more)
    return (Part(first, rest, _words(first, code, account, first_points)), *more)


def _words(
    signal: Signal, code: CostCode, account: ProviderAccount, points: float
) -> str:  # not money: points
    """Say in words what a signal saw."""
    if signal == "division":
        return f"{account.label} is what its division {code.division or code.code[:2]} is about"
    if signal == "kind":
        return f"{account.label} takes all {kind_named(code.cost_type, code.name)[0]} cost"
    if signal == "history":
        return _history_words(account, points)
    return _name_words(code, account, points)


def _name_words(code: CostCode, account: ProviderAccount, points: float) -> str:  # not money: points
    if points >= 99.5:
        return f"{account.label} has the same name"
    there = {stem for stem, _ in words(account.name)}
    shared = [word for stem, word in words(code.name) if stem in there]
    if shared:
        said = " and ".join(f"“{word}”" for word in shared)
        return f"{code.name} and {account.label} share {said} ({round(points)} % alike)"
    return f"{code.name} and {account.label} are of one trade ({round(points)} % alike)"


def _history_words(account: ProviderAccount, points: float) -> str:  # not money: points
    if points >= CHOSEN_BEFORE:
        return f"you mapped it to {account.label} before"
    return f"you mapped its neighbours to {account.label}"


def _usual(profile: Profile, fitting: Sequence[ProviderAccount]) -> Suggestion | None:
    usual = _USUAL_NAMES[profile]
    if not usual or not fitting:
        return None
    likeness = (alike([account.name for account in fitting], usual) * 100).max(axis=1)
    position = int(likeness.argmax())
    score, account = round(likeness[position].item()), fitting[position]
    if score >= USUAL_THRESHOLD:
        return _plain(
            profile, account, min(score, USUAL_SCORE_MAX), "is what such an account is usually called"
        )
    if profile == "revenue" and len(fitting) == 1:
        return _plain(profile, account, ONLY_ACCOUNT_SCORE, "is the only revenue account")
    return None


def _plain(profile: Profile, account: ProviderAccount, score: int, said: str) -> Suggestion:
    reason = _sentence(f"{account.label} {said}")
    return Suggestion(
        profile,
        None,
        account.id,
        account.label,
        score,
        reason,
        (Part("usual", score, f"{account.label} {said}"),),
    )


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
