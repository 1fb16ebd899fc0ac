"""What the demo remembers between two calls, under TIEOUT_HOME: who its builders are and how far each has come.

Written after every step, so that a demo that was broken off goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

FILE = "demo.json"


@dataclass(slots=True)
class BuilderState:
    """One demo builder: its ids, its key, and the steps already taken."""

    builder_id: str = field(default_factory=lambda: str(uuid4()))
    api_key: str = ""
    # The accounting system the books were founded in, and the company's id there.
    provider: str = ""
    company: str = ""
    connection_id: str = ""
    done: list[str] = field(default_factory=list)
    last_run: str = ""


class DemoState:
    """The demo's memory; only its owner can read it, because it holds API keys."""

    def __init__(self, home: Path) -> None:
        self._file = home / FILE
        self.builders: dict[str, BuilderState] = {}
        if self._file.exists():
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            self.builders = {slug: _read(values) for slug, values in kept["builders"].items()}

    def of(self, slug: str) -> BuilderState:
        """Return what is known of a builder."""
        return self.builders.setdefault(slug, BuilderState())

    def save(self) -> None:
        """Write everything down, all or nothing."""
        kept = {"builders": {slug: asdict(state) for slug, state in self.builders.items()}}
        unfinished = self._file.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(kept, indent=2), encoding="utf-8")
        unfinished.replace(self._file)

    def mark(self, slug: str, step: str) -> None:
        """Remember that a builder has taken a step."""
        if step not in self.of(slug).done:
            self.of(slug).done.append(step)
        self.save()


def _read(values: dict[str, Any]) -> BuilderState:
    """Read one builder; homes made before there was a choice had their books in QuickBooks."""
    if "realm" in values:
        realm = values.pop("realm")
        values |= {"company": realm, "provider": "quickbooks_online" if realm else ""}
    return BuilderState(**values)
