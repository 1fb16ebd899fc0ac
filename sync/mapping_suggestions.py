"""Which account a cost code probably belongs to, with a score from 0 to 100 and the reason in words.

Deterministic: names, divisions, numbers and account types, no learned model, so that the same chart always gives
the same answer and the reason is the whole reason. Below the threshold nothing is suggested: a wrong bucket costs
a bookkeeper more than an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from sync.mapping import ALLOWED_TYPES, CostCode, Profile, ProviderAccount

THRESHOLD = 62
# A division names the family, not the code: an account named after it is right for many codes, but less surely.
DIVISION_WEIGHT = 0.9
OWN_WORD_BONUS = 15
LETTERS_ONLY_WEIGHT = 0.75
NUMBER_EQUAL_SCORE = 84
NUMBER_BONUS = 10
ACCOUNT_DIGITS_MIN = 3
SECOND_TYPE_MALUS = 4
# For rows with nothing of their own to compare: sure of the name is still not sure of the meaning.
USUAL_THRESHOLD = 72
USUAL_SCORE_MAX = 95
ONLY_ACCOUNT_SCORE = 70

Scores = NDArray[np.float64]

# Words that nearly every account and code carries, and that therefore say nothing about which one it is.
_EMPTY_WORDS = frozenset(
    {
        "a",
        "and",
        "cost",
        "costs",
        "cog",
        "cogs",
        "expense",
        "expenses",
        "for",
        "goods",
        "job",
        "of",
        "other",
        "sold",
        "the",
        "to",
    }
)
# The trade writes these in several ways.
_SAME_WORDS: Mapping[str, str] = {
    "hvac": "heating ventilation air conditioning",
    "mep": "mechanical electrical plumbing",
    "sub": "subcontractor",
    "subs": "subcontractor",
    "subcontract": "subcontractor",
    "subcontracted": "subcontractor",
    "labour": "labor",
    "sitework": "site work",
    "earthworks": "earthwork",
    "equip": "equipment",
    "mat": "material",
    "matl": "material",
    "mgmt": "management",
    "elec": "electrical",
    "electric": "electrical",
    "retention": "retainage",
    "gc": "general condition",
}
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
_WORD = re.compile(r"[a-z]+")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One account for one cost code (or for a profile's default), and why."""

    profile: Profile
    cost_code_id: str | None
    account_id: str
    account_name: str
    score: int
    reason: str


def suggest(
    profile: Profile, *, cost_codes: Sequence[CostCode], accounts: Sequence[ProviderAccount]
) -> dict[str, Suggestion]:
    """Return the best account for each cost code id that has one good enough; many codes may share an account."""
    fitting = _fitting(profile, accounts)
    if not fitting or not cost_codes:
        return {}
    evidence = _weigh(profile, cost_codes, fitting)
    fallback = _usual(profile, fitting) if profile == "revenue" else None
    found: dict[str, Suggestion] = {}
    for row, code in enumerate(cost_codes):
        column = int(evidence.score[row].argmax())
        score = max(0, min(100, round(evidence.score[row, column].item())))
        if score >= THRESHOLD:
            account = fitting[column]
            reason = _reason(code, account, evidence=evidence, row=row, column=column)
            found[code.id] = Suggestion(profile, code.id, account.id, account.label, score, reason)
        elif fallback is not None:
            found[code.id] = replace(fallback, cost_code_id=code.id)
    return found


def suggest_default(profile: Profile, *, accounts: Sequence[ProviderAccount]) -> Suggestion | None:
    """Return the account for a profile's default row, judged by what such accounts are usually called."""
    return _usual(profile, _fitting(profile, accounts))


def plain_name(name: str) -> str:
    """Return a name without case, punctuation, endings, numbers and words that say nothing."""
    return " ".join(stem for stem, _ in _stems(name))


def _stems(name: str) -> list[tuple[str, str]]:
    """Return each telling word of a name as (stem, the word as written)."""
    stems: list[tuple[str, str]] = []
    for word in _WORD.findall(name.casefold()):
        if word not in _EMPTY_WORDS:
            stems.extend((_stem(part), word) for part in _SAME_WORDS.get(word, word).split())
    return stems


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:-3] if len(word) > 6 and word.endswith("ing") else word


def _fitting(profile: Profile, accounts: Sequence[ProviderAccount]) -> list[ProviderAccount]:
    """Return the active accounts of a type the profile allows, in an order that makes ties fall the same way."""
    allowed = ALLOWED_TYPES[profile]
    fitting = [account for account in accounts if account.is_active and account.type in allowed]
    return sorted(
        fitting,
        key=lambda account: (allowed.index(account.type), account.number or "", account.name, account.id),
    )


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What speaks for each pair: one row per cost code, one column per account."""

    by_name: Scores
    by_division: Scores
    own_words: Mapping[tuple[int, int], str]
    numbers: Mapping[tuple[int, int], str]
    score: Scores


def _weigh(
    profile: Profile, cost_codes: Sequence[CostCode], accounts: Sequence[ProviderAccount]
) -> _Evidence:
    account_names = [plain_name(account.name) for account in accounts]
    by_name = _similarities([plain_name(code.name) for code in cost_codes], account_names)
    # Divisions repeat: each is compared once.
    divisions, division_of = np.unique(
        [plain_name(code.division or "") for code in cost_codes], return_inverse=True
    )
    by_division = _similarities([str(division) for division in divisions], account_names)[division_of]
    own_words = _own_words(cost_codes, accounts)
    numbers = _number_relations(cost_codes, accounts)
    score = by_name.copy()
    for pair in own_words:
        score[pair] = min(100, score[pair] + OWN_WORD_BONUS)
    score = np.maximum(score, by_division * DIVISION_WEIGHT)
    for pair, relation in numbers.items():
        if relation == "equal":
            score[pair] = max(score[pair].item(), NUMBER_EQUAL_SCORE) + NUMBER_BONUS
        else:
            score[pair] += NUMBER_BONUS
    usual_type = ALLOWED_TYPES[profile][0]
    for column, account in enumerate(accounts):
        if account.type != usual_type:
            score[:, column] -= SECOND_TYPE_MALUS
    return _Evidence(by_name, by_division, own_words, numbers, score)


def _similarities(names: Sequence[str], account_names: Sequence[str]) -> Scores:
    """Return how alike each name is to each account name, 0 to 100.

    Half of it is the whole name, half the words shared: "Framing labor" belongs to "Labor", though less surely than
    to "Framing labor". Names without a word in common are alike by their letters only, which says little
    ("elevator" and "labor").
    """
    whole = process.cdist(names, account_names, scorer=fuzz.token_sort_ratio)
    shared = process.cdist(names, account_names, scorer=fuzz.token_set_ratio)
    alike = np.asarray((whole + shared) / 2, dtype=np.float64)
    columns_of: dict[str, list[int]] = {}
    for column, account_name in enumerate(account_names):
        for word in set(account_name.split()):
            columns_of.setdefault(word, []).append(column)
    for row, name in enumerate(names):
        has_shared_word = np.zeros(len(account_names), dtype=bool)
        for word in name.split():
            has_shared_word[columns_of.get(word, [])] = True
        alike[row, ~has_shared_word] *= LETTERS_ONLY_WEIGHT
    return alike


def _own_words(
    cost_codes: Sequence[CostCode], accounts: Sequence[ProviderAccount]
) -> dict[tuple[int, int], str]:
    """Find pairs that share a word which no other account has: it names this account and no other."""
    columns_of: dict[str, list[int]] = {}
    for column, account in enumerate(accounts):
        for stem in {stem for stem, _ in _stems(account.name)}:
            columns_of.setdefault(stem, []).append(column)
    found: dict[tuple[int, int], str] = {}
    for row, code in enumerate(cost_codes):
        for stem, word in _stems(code.name):
            columns = columns_of.get(stem, [])
            if len(columns) == 1:
                found.setdefault((row, columns[0]), word)
    return found


def _number_relations(
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


def _reason(code: CostCode, account: ProviderAccount, *, evidence: _Evidence, row: int, column: int) -> str:
    alike, by_division = evidence.by_name[row, column].item(), evidence.by_division[row, column].item()
    word = evidence.own_words.get((row, column))
    own = alike + (OWN_WORD_BONUS if word else 0)
    if alike >= 99.5:
        reason = f"{account.label} has the same name"
    elif by_division * DIVISION_WEIGHT > own:
        is_same = by_division >= 99.5
        reason = (
            f"{account.label} has the name of its division"
            if is_same
            else (f"its division {code.division} is {round(by_division)} % like the name {account.label}")
        )
    elif word:
        reason = f"{account.label} is the only account that says “{word}”, and the names are {round(alike)} % alike"
    else:
        reason = f"the names {code.name} and {account.label} are {round(alike)} % alike"
    relation = evidence.numbers.get((row, column))
    if relation == "equal":
        reason += "; its number is the code's own"
    elif relation == "prefix":
        reason += f"; its number {account.number} begins like the code {code.code}"
    return _sentence(reason)


def _usual(profile: Profile, fitting: Sequence[ProviderAccount]) -> Suggestion | None:
    usual = [plain_name(name) for name in _USUAL_NAMES[profile]]
    if not usual or not fitting:
        return None
    alike = _similarities([plain_name(account.name) for account in fitting], usual).max(axis=1)
    position = int(alike.argmax())
    score, account = round(alike[position].item()), fitting[position]
    if score >= USUAL_THRESHOLD:
        reason = f"{account.label} is what such an account is usually called"
        return Suggestion(
            profile, None, account.id, account.label, min(score, USUAL_SCORE_MAX), _sentence(reason)
        )
    if profile == "revenue" and len(fitting) == 1:
        reason = f"{account.label} is the only revenue account"
        return Suggestion(profile, None, account.id, account.label, ONLY_ACCOUNT_SCORE, _sentence(reason))
    return None


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
