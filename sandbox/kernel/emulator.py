"""What a provider's emulator must offer for the kernel to serve, control and show it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.faults import FaultBook, FaultRule, RequestFacts
from sandbox.kernel.ledger import LedgerCheck
from sandbox.kernel.limits import LimitRule, Limits
from sandbox.kernel.requestlog import RequestLog
from sandbox.kernel.store import Codec, Store


class ControlError(ValueError):
    """A control call that cannot be done; the message tells the caller what to do."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One documented choice between behaviours the provider's papers leave open."""

    name: str
    values: tuple[str, ...]
    help: str

    @property
    def default(self) -> str:
        """The first value is the default, and the stricter."""
        return self.values[0]


@dataclass(frozen=True, slots=True)
class PageTable:
    """A table of the sandbox's HTML page."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    numbers: tuple[int, ...] = ()  # columns to align right


@dataclass(frozen=True, slots=True)
class MischiefButton:
    """A button of the page: a label and the fault rule it adds."""

    label: str
    rule: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the HTML page shows about one company (the kernel adds log, clock, faults)."""

    tenants: Sequence[tuple[str, str]]
    tenant: str
    tables: Sequence[PageTable]
    buttons: Sequence[MischiefButton] = field(default_factory=tuple)


class Emulator(ABC):
    """One running sandbox: the kernel's parts, and the questions a provider answers."""

    name: str
    title: str

    def __init__(
        self,
        *,
        data: Path | None = None,
        codec: Codec | None = None,
        clock: MovableClock | None = None,
        limits: Sequence[LimitRule] = (),
        switches: Sequence[Switch] = (),
        fault_kinds: dict[str, str] | None = None,
    ) -> None:
        self.clock = clock or MovableClock()
        self.store = Store(folder=data, codec=codec, listener=self.on_change)
        self.faults = FaultBook(provider_kinds=fault_kinds)
        self.limits = Limits(self.clock, list(limits))
        self.log = RequestLog()
        self.switch_help = {switch.name: switch for switch in switches}
        self.switches = {switch.name: switch.default for switch in switches}

    @abstractmethod
    def on_change(self, table: str, key: str, old: Any, new: Any) -> None:
        """Keep indexes and ledgers in step with one changed object (also on roll-back and loading)."""

    @abstractmethod
    def routes(self) -> list[BaseRoute]:
        """Return the provider's own wire routes."""

    def control_routes(self) -> list[BaseRoute]:
        """Return control routes only this provider has, paths below `/_sandbox`."""
        return []

    @abstractmethod
    def facts(self, request: Request) -> RequestFacts:
        """Say what a request is about, from method, path and query alone."""

    def is_public(self, path: str) -> bool:
        """Return whether a path belongs to the provider's wire, and so to log, limits and faults."""
        return not path.startswith("/_sandbox") and path not in ("/", "/favicon.ico")

    def refuse_by_limit(self, request: Request, facts: RequestFacts) -> Response | None:
        """Count the call and return the provider's throttle answer when it is one too many."""
        return None

    def request_done(self, request: Request, facts: RequestFacts) -> None:  # noqa: B027 - optional
        """Hear that a wire request has ended, however it ended (to count requests in flight)."""

    @abstractmethod
    def refuse_by_fault(self, request: Request, facts: RequestFacts, rule: FaultRule) -> Response:
        """Return the provider's own error body for a `status` rule or an elapsed timeout."""

    async def provider_fault(
        self,
        request: Request,
        facts: RequestFacts,
        rule: FaultRule,
    ) -> Response | None:
        """Carry out a provider kind before the request; a Response ends it, None goes on."""
        return None

    def provider_fault_after(self, rule: FaultRule, body: bytes) -> bytes:
        """Change the answer of a request under a provider kind (a truncated page, for example)."""
        return body

    def forget(self) -> None:  # noqa: B027 - a hook
        """Forget what is not in the store (counters, subscribers) before a snapshot takes its place."""

    @abstractmethod
    def reset(self, options: dict[str, Any]) -> dict[str, Any]:
        """Empty the world and build the asked scenario; return a summary."""

    @abstractmethod
    def seed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Add documents by scenario and size; return a summary."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Summarise companies and object counts."""

    @abstractmethod
    def check_books(self) -> dict[str, LedgerCheck]:
        """Add up every company's ledger, and compare every stated balance with its postings."""

    @abstractmethod
    def page(self, tenant: str) -> Page:
        """Return what the HTML page shows; an empty tenant means the first."""

    def set_switches(self, changes: dict[str, Any]) -> None:
        """Change switches; ControlError names the allowed values."""
        for name, value in changes.items():
            switch = self.switch_help.get(name)
            if switch is None:
                raise ControlError(f"There is no switch {name!r}. Known: {', '.join(self.switch_help)}.")
            if value not in switch.values:
                raise ControlError(f"{name} can be {' or '.join(switch.values)}, not {value!r}.")
        self.switches |= changes

    async def close(self) -> None:
        """Let go of files and background work."""
        self.store.close()
