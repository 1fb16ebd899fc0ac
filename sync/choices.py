"""A person's answer to a conflict: what can be answered, what each answer does, and how the link carries it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sync.records import name_key, number_key
from sync.refusals import ChoiceRejected

Side = Literal["platform", "provider"]
# ignore: both stay as they are until one of them changes · keep_both: two records from now on
Whole = Literal["platform", "provider", "ignore", "keep_both"]
Choice = Whole | Mapping[str, Side]
WHOLE: tuple[Whole, ...] = ("platform", "provider", "ignore", "keep_both")

_DECISIONS: Mapping[str, str] = {"platform": "use_ours", "provider": "use_theirs"}
_GONE = frozenset({"void", "deleted", "inactive"})


def decision_of(choice: Choice, *, fields: Sequence[str], asked: Sequence[str] | None = None) -> str:
    """Return what the link keeps: use_ours, use_theirs, or merge: and a side per field of the conflict.

    `asked` are the fields that must have an answer, if not all. Raises ChoiceRejected where one is missing or is none of
    the conflict's.
    """
    if isinstance(choice, str):
        return _DECISIONS[choice]
    unknown = sorted(choice.keys() - set(fields))
    if unknown:
        raise ChoiceRejected(
            reason=f"{', '.join(unknown)} is not in conflict; the fields in conflict are {', '.join(fields)}"
        )
    missing = [name for name in (fields if asked is None else asked) if name not in choice]
    if missing:
        raise ChoiceRejected(
            reason=f"no side was chosen for {', '.join(missing)}; choose platform or provider for each"
        )
    return "merge:" + json.dumps(dict(choice), sort_keys=True, separators=(",", ":"))


def conflict_version(conflict: Mapping[str, Any]) -> str:
    """Return a short name for the pair of values that a conflict shows; another pair has another name."""
    text = f"{conflict.get('ours_checksum')}|{conflict.get('theirs_checksum')}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def selection_version(versions: Mapping[str, str]) -> str:
    """Return a short name for several conflicts as they were shown together: id → version."""
    text = json.dumps(sorted(versions.items()), separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kind_of(entity: str, conflict: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what makes two conflicts of one kind: the entity and the fields that differ."""
    return (entity, *sorted(fields_of(conflict)))


def fields_of(conflict: Mapping[str, Any]) -> list[str]:
    """Return the fields in conflict, in the order in which they are shown."""
    return [str(each["field"]) for each in conflict.get("fields", [])]


def asked_of(conflict: Mapping[str, Any]) -> list[str]:
    """Return the fields that somebody changed: one that the ledger filled in by itself is no question."""
    return [str(each["field"]) for each in conflict.get("fields", []) if each.get("changed_by") != "neither"]


# ---------------------------------------------------------------- what each answer does


@dataclass(frozen=True, slots=True)
class Effect:
    """What one answer will do to both sides, or why it cannot be given."""

    choice: Whole
    is_allowed: bool
    ledger: str
    platform: str
    why_not: str | None = None


def effects(conflict: Mapping[str, Any], *, label: str, provider: str) -> list[Effect]:
    """Say what each answer to a conflict does on both sides, in sentences with the money."""
    clash = clash_of(conflict, provider=provider)
    money = _money(conflict)
    brings = conflict.get("direction") in ("both", "pull")
    ours_gone = conflict.get("ours_state") in _GONE
    theirs_gone = conflict.get("theirs_state") in _GONE
    to_ledger = (
        f"{label} is voided in {provider}"
        if ours_gone
        else f"{label} is made again in {provider}"
        if theirs_gone
        else f"{label} is changed in {provider}: {_changes(conflict, 'theirs', 'ours')}{money}"
    )
    to_platform = (
        f"{label} is ended here, as it is in {provider}"
        if theirs_gone
        else f"{label} is changed here: {_changes(conflict, 'ours', 'theirs')}{money}"
    )
    return [
        Effect("platform", True, to_ledger, "Nothing changes here."),
        Effect("provider", True, f"Nothing changes in {provider}.", to_platform),
        Effect(
            "keep_both",
            clash is None,
            f"Ours is entered in {provider} as a document of its own; the one that is there stays as it is.",
            "The ledger's comes in as a record of its own."
            if brings
            else "Nothing changes here: records of this kind are not brought in by setting.",
            why_not=clash,
        ),
        Effect(
            "ignore",
            True,
            f"Nothing changes in {provider} until one side changes again.",
            "Nothing changes here until one side changes again.",
        ),
    ]


def clash_of(conflict: Mapping[str, Any], *, provider: str) -> str | None:
    """Say why both records cannot be kept, or None where names and numbers allow it."""
    if conflict.get("direction") == "pull":
        return "Records of this kind are entered in the ledger only; there is nothing of ours to enter beside it."
    if conflict.get("ours_state") != "active" or conflict.get("theirs_state") != "active":
        return "One of the two is no longer valid; choose a side."
    known = conflict.get("names")
    if not isinstance(known, Mapping):
        return "It was found before Tieout kept what this needs. Start a sync; it is shown anew."
    ours, theirs = known.get("ours"), known.get("theirs")
    if known.get("is_name"):
        is_same = name_key(str(ours)) == name_key(str(theirs))
        subject = f"Both are called {ours}, and {provider} takes a name once"
    else:
        is_same = number_key(ours) is not None and number_key(ours) == number_key(theirs)
        subject = f"Both have the number {ours}, and one number is one document"
    return f"{subject}. Rename one of them first, then keep both." if is_same else None


def _changes(conflict: Mapping[str, Any], before: str, after: str) -> str:
    shown = []
    for each in conflict.get("fields", []):
        left, right = each.get(before), each.get(after)
        if each.get("changed_by") == "neither" and not right:
            # The ledger filled it in by itself, and keeps it where nothing is sent.
            continue
        name = str(each["field"]).replace("_", " ")
        is_plain = not isinstance(left, (list, dict)) and not isinstance(right, (list, dict))
        shown.append(f"{name} {left or 'empty'} → {right or 'empty'}" if is_plain else name)
    return ", ".join(shown) or "nothing that is shown"


def _money(conflict: Mapping[str, Any]) -> str:
    found = conflict.get("money_difference")
    if found is None or Decimal(str(found)) == 0:
        return ""
    return f" (a difference of {abs(Decimal(str(found))):,.2f})"
