"""Mischief by rule or by seed: which requests go wrong, how, and how often.

A rule matches by method, path (shell pattern), entity, operation and tenant, skips the first `nth - 1` matches,
then fires `count` times (no limit when null) with `probability`. The same seed and the same requests give the
same mischief.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

KERNEL_KINDS = {
    "timeout_before": "the request is not executed and its answer does not come (504 after `seconds`)",
    "timeout_after": "the request is executed but its answer does not come (504 after `seconds`)",
    "drop_before": "the connection closes without a byte; the request is not executed",
    "drop_after": "the request is executed, then the connection closes without a byte",
    "cut_body": "the request is executed and the connection closes in the middle of the answer",
    "status": "the provider's own error body with `status` (429, 500, 502, 503, 504 ...); not executed",
    "status_after": "as status, but the request has been executed",
    "slow": "the answer comes after `seconds`",
}
TIMEOUT_SECONDS_DEFAULT = 120.0


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What a rule can match on, and what the log shows; the provider fills it from the request."""

    method: str
    path: str
    tenant: str = ""
    entity: str = ""
    operation: str = ""


@dataclass(slots=True)
class FaultRule:
    """One kind of mischief and the requests it befalls."""

    id: str
    kind: str
    method: str = "*"
    path: str = "*"
    entity: str = "*"
    operation: str = "*"
    tenant: str = "*"
    nth: int = 1
    count: int | None = 1
    probability: float = 1.0
    seconds: float = TIMEOUT_SECONDS_DEFAULT
    status: int = 503
    options: dict[str, Any] = field(default_factory=dict)
    matched: int = 0
    fired: int = 0

    def matches(self, facts: RequestFacts) -> bool:
        """Return whether the request is one this rule speaks of."""
        return (
            _like(facts.method.upper(), self.method.upper())
            and _like(facts.path, self.path)
            and _like(facts.entity.lower(), self.entity.lower())
            and _like(facts.operation.lower(), self.operation.lower())
            and _like(facts.tenant, self.tenant)
        )

    def describe(self) -> dict[str, Any]:
        """Return what the control route shows."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class FaultBook:
    """The rules in force."""

    def __init__(self, *, provider_kinds: dict[str, str] | None = None, seed: int = 0) -> None:
        self.kinds = KERNEL_KINDS | (provider_kinds or {})
        self._rules: dict[str, FaultRule] = {}
        self._next = 1
        self._random = random.Random(seed)

    def add(self, wanted: dict[str, Any]) -> FaultRule:
        """Add a rule from its JSON; ValueError says what is wrong and what is allowed."""
        kind = wanted.get("kind")
        if not isinstance(kind, str) or kind not in self.kinds:
            raise ValueError(f"Unknown fault kind {kind!r}. Known: {', '.join(sorted(self.kinds))}.")
        unknown = set(wanted) - (set(FaultRule.__dataclass_fields__) - {"id", "matched", "fired"})
        if unknown:
            raise ValueError(f"A fault rule has no {', '.join(sorted(unknown))}.")
        _check_types(wanted)
        if str(kind).startswith("timeout_"):
            wanted = {"status": 504, **wanted}
        rule = FaultRule(id=str(self._next), **wanted)
        self._next += 1
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        """Remove one rule; False when there is none of that id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Remove every rule."""
        self._rules.clear()

    def reseed(self, seed: int) -> None:
        """Start the dice again."""
        self._random = random.Random(seed)

    def rules(self) -> list[FaultRule]:
        """Return the rules in order of entry."""
        return list(self._rules.values())

    def choose(self, facts: RequestFacts) -> FaultRule | None:
        """Return the first rule that fires on this request; every matching rule counts it."""
        chosen: FaultRule | None = None
        for rule in self._rules.values():
            if not rule.matches(facts):
                continue
            rule.matched += 1
            is_due = rule.matched >= rule.nth and (rule.count is None or rule.fired < rule.count)
            if (
                chosen is None
                and is_due
                and (rule.probability >= 1 or self._random.random() < rule.probability)
            ):
                rule.fired += 1
                chosen = rule
        return chosen


def _like(value: str, pattern: str) -> bool:
    return pattern == "*" or fnmatchcase(value, pattern)


def _check_types(wanted: dict[str, Any]) -> None:
    for name in ("method", "path", "entity", "operation", "tenant"):
        if type(wanted.get(name, "")) is not str:
            raise ValueError(f"{name} must be text; * stands for anything.")
    for name, least in (("nth", 1), ("count", 1), ("status", 200)):
        value = wanted.get(name, least)
        if name == "count" and value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}.")
    for name in ("probability", "seconds"):
        value = wanted.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{name} must be a number of at least 0.")
    if type(wanted.get("options", {})) is not dict:
        raise ValueError("options must be an object.")
