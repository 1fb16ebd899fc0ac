"""The records a file's rows may name: found by number or name, and the nearest one offered when it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from sync.imports.formats import ReferenceKind
from sync.imports.problems import UnreadableValue
from sync.imports.texts import shown
from sync.records import name_key

OFFERED_SCORE = 72.0

_NOUNS: Mapping[ReferenceKind, tuple[str, str]] = {
    "client": ("client", "clients"),
    "vendor": ("vendor", "vendors"),
    "job": ("job", "jobs"),
    "cost_code": ("cost code", "cost codes"),
    "account": ("account", "accounts"),
    "purchase_order": ("purchase order", "purchase orders"),
    "invoice": ("invoice", "invoices"),
}


class Register:
    """Everything of one kind that the builder has, found by its first name (number, code) or by its other names."""

    def __init__(self) -> None:
        """Begin empty."""
        self.first: dict[str, str] = {}
        # By the id of the program they came from, as it is written.
        self.external: dict[str, str] = {}
        self._other: dict[str, str] = {}
        self._shared: set[str] = set()
        self._names: dict[str, str] = {}
        self._offers: dict[str, str | None] = {}

    def add(self, record_id: str, *, names: Iterable[str | None]) -> None:
        """Enter a record under its names, the surest first; a name that two records share names neither."""
        for rank, name in enumerate(names):
            if not name:
                continue
            key = name_key(name)
            known = self._other if rank else self.first
            if known.setdefault(key, record_id) != record_id:
                self._shared.add(key)
            if not rank:
                self._names.setdefault(key, name)

    def find(self, text: str) -> str | None:
        """Return the id of the record with this name."""
        key = name_key(text)
        found = self.first.get(key)
        if found is None:
            found = self._other.get(key)
        return None if key in self._shared else found

    def is_shared(self, text: str) -> bool:
        """Say whether several records have this name."""
        return name_key(text) in self._shared

    def nearest(self, text: str) -> str | None:
        """Return the name most like the text, if one is alike enough to be meant."""
        key = name_key(text)
        if key not in self._offers:
            found = process.extractOne(
                key, self._names.keys(), scorer=fuzz.WRatio, score_cutoff=OFFERED_SCORE
            )
            self._offers[key] = self._names[found[0]] if found else None
        return self._offers[key]


@dataclass(slots=True)
class References:
    """The registers of one builder, by kind."""

    registers: dict[ReferenceKind, Register] = field(default_factory=dict)

    def of(self, kind: ReferenceKind) -> Register:
        """Return the register of a kind, empty where nothing was loaded."""
        return self.registers.setdefault(kind, Register())

    def resolve(self, kind: ReferenceKind, text: str) -> str:
        """Return the id of what a cell names; raises UnreadableValue with the nearest name there is."""
        register = self.of(kind)
        found = register.find(text)
        if found is None and kind in ("cost_code", "job", "account"):
            found = _by_first_word(register, text)
        if found is not None:
            return found
        if register.is_shared(text):
            raise UnreadableValue(f'several records go by "{shown(text)}"', "Use the number or code instead.")
        noun, nouns = _NOUNS[kind]
        alike = register.nearest(text)
        if alike is not None:
            suggestion = f'Correct it to "{alike}" if that is meant, or import the {noun} first.'
        else:
            suggestion = f"Correct it, or import the {nouns} first."
        raise UnreadableValue(f'there is no {noun} "{shown(text)}"', suggestion)


def _by_first_word(register: Register, text: str) -> str | None:
    """Find "0310 Footings" or "0310 - Footings" by its code: exports often put code and name into one cell."""
    first, _, rest = text.partition(" ")
    return register.find(first.rstrip(":-")) if rest else None
