"""Call limits: token buckets and moving windows, on sandbox time, off unless switched on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from sandbox.kernel.clock import MovableClock


class TokenBucket:
    """Allows `rate` calls a second on average and `burst` at once."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._seen: float | None = None

    def take(self, now: float) -> float:
        """Take one token; return 0 when allowed, else the seconds until the next token."""
        if self._seen is not None and now > self._seen:
            self._tokens = min(self.burst, self._tokens + (now - self._seen) * self.rate)
        self._seen = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate


class MovingWindow:
    """Allows `limit` calls in any `seconds`."""

    def __init__(self, *, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._taken: deque[float] = deque()

    def take(self, now: float, *, counts_refusals: bool = False) -> float:
        """Take one call; return 0 when allowed, else the seconds until one is."""
        self._forget(now)
        if len(self._taken) < self.limit:
            self._taken.append(now)
            return 0.0
        if not self._taken:
            return self.seconds
        if counts_refusals:
            self._taken.append(now)
        return max(self._taken[0] + self.seconds - now, 0.001)

    def used(self, now: float) -> int:
        """Return how many calls count at this moment."""
        self._forget(now)
        return len(self._taken)

    def remaining(self, now: float) -> int:
        """Return how many calls are still allowed."""
        return max(self.limit - self.used(now), 0)

    def _forget(self, now: float) -> None:
        while self._taken and (self._taken[0] <= now - self.seconds or self._taken[0] > now):
            self._taken.popleft()


class FixedWindow:
    """Allows `limit` calls in each slice of `seconds`; the count starts anew when a slice ends."""

    def __init__(self, *, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._slice = -1
        self._count = 0

    def take(self, now: float) -> float:
        """Take one call, refused ones counted too; return 0 when allowed, else the seconds until the next slice."""
        self._turn(now)
        self._count += 1
        return 0.0 if self._count <= self.limit else (self._slice + 1) * self.seconds - now

    def used(self, now: float) -> int:
        """Return how many calls count at this moment."""
        self._turn(now)
        return self._count

    def remaining(self, now: float) -> int:
        """Return how many calls are still allowed."""
        return max(self.limit - self.used(now), 0)

    def _turn(self, now: float) -> None:
        current = int(now // self.seconds)
        if current != self._slice:
            self._slice, self._count = current, 0


@dataclass(slots=True)
class LimitRule:
    """One named limit of a provider: `limit` calls per `seconds` for each key, in moving or fixed windows."""

    name: str
    limit: int
    seconds: float
    is_fixed: bool = False


class Limits:
    """A provider's named moving-window limits, one window per key (company, application)."""

    def __init__(self, clock: MovableClock, rules: list[LimitRule], *, is_enabled: bool = False) -> None:
        self._clock = clock
        self._defaults = {rule.name: (rule.limit, rule.seconds) for rule in rules}
        self._default_enabled = is_enabled
        self.is_enabled = is_enabled
        self.rules = {rule.name: rule for rule in rules}
        self._windows: dict[tuple[str, str], MovingWindow | FixedWindow] = {}

    def take(self, name: str, key: str) -> float:
        """Count one call against a limit; return 0 when allowed, else the seconds to wait."""
        rule = self.rules[name]
        wait = self.window(name, key).take(self._clock.timestamp()) if rule.limit > 0 else 0.0
        return wait if self.is_enabled else 0.0

    def window(self, name: str, key: str) -> MovingWindow | FixedWindow:
        """Return the window of one key, made on first use."""
        rule = self.rules[name]
        window = self._windows.get((name, key))
        if window is None or (window.limit, window.seconds) != (rule.limit, rule.seconds):
            make = FixedWindow if rule.is_fixed else MovingWindow
            window = self._windows[(name, key)] = make(limit=rule.limit, seconds=rule.seconds)
        return window

    def configure(self, changes: dict[str, Any]) -> None:
        """Apply `{"enabled": bool, "<name>": {"limit": n, "seconds": s}}`; ValueError says what is wrong."""
        for name, value in changes.items():
            if name == "enabled":
                if not isinstance(value, bool):
                    raise ValueError("enabled must be true or false.")
                self.is_enabled = value
            elif name not in self.rules:
                raise ValueError(f"There is no limit {name!r}. Known: {', '.join(self.rules)}.")
            else:
                self._change(self.rules[name], value)

    def describe(self) -> dict[str, Any]:
        """Return the limits and what is used of them."""
        now = self._clock.timestamp()
        used: dict[str, dict[str, int]] = {}
        for (name, key), window in self._windows.items():
            used.setdefault(name, {})[key] = window.used(now)
        rules = {
            rule.name: {"limit": rule.limit, "seconds": rule.seconds, "used": used.get(rule.name, {})}
            for rule in self.rules.values()
        }
        return {"enabled": self.is_enabled, "limits": rules}

    def reset(self) -> None:
        """Forget all counts and return to the provider's own numbers."""
        self._windows.clear()
        self.is_enabled = self._default_enabled
        for name, (limit, seconds) in self._defaults.items():
            self.rules[name].limit, self.rules[name].seconds = limit, seconds

    def _change(self, rule: LimitRule, value: Any) -> None:
        if not isinstance(value, dict) or set(value) - {"limit", "seconds"}:
            raise ValueError(f'{rule.name} takes {{"limit": calls, "seconds": window}}.')
        limit, seconds = value.get("limit", rule.limit), value.get("seconds", rule.seconds)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise ValueError(f"{rule.name}: limit must be a whole number, 0 for none.")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds <= 0:
            raise ValueError(f"{rule.name}: seconds must be greater than zero.")
        rule.limit, rule.seconds = limit, float(seconds)
