"""What a person may choose about an import; all of it has a default that is safe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sync.errors import InvalidInput


class Duplicates(StrEnum):
    """What happens with a record that is here already with other values than the file's."""

    # The platform's stays; the file's is left out and counted.
    SKIP = "skip"
    # The platform's gets the file's values; what it was before is kept for the undo and the audit log.
    UPDATE = "update"
    # It is a problem of the file.
    ERROR = "error"


class Match(StrEnum):
    """By what a record is known again."""

    # Its number, code or name, as the entity has it.
    NUMBER = "number"
    # The id of the program the file comes from; rows without one are known by number.
    EXTERNAL_ID = "external_id"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The choices of one import. `columns` puts a field on a heading, or (None) on none; `fixed` fills whole columns."""

    duplicates: Duplicates = Duplicates.ERROR
    match: Match = Match.NUMBER
    is_partial: bool = False
    columns: Mapping[str, str | None] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    template: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The choices as they are stored."""
        return {
            "duplicates": self.duplicates.value,
            "match": self.match.value,
            "is_partial": self.is_partial,
            "columns": dict(self.columns),
            "fixed": dict(self.fixed),
            "template": self.template,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ImportOptions:
        """Return what `as_json` wrote."""
        return cls(
            duplicates=Duplicates(stored.get("duplicates", Duplicates.ERROR)),
            match=Match(stored.get("match", Match.NUMBER)),
            is_partial=bool(stored.get("is_partial")),
            columns=stored.get("columns") or {},
            fixed=stored.get("fixed") or {},
            template=stored.get("template"),
        )


def duplicates_of(said: str) -> Duplicates:
    """Return the policy a word means; raises InvalidInput with the words there are."""
    try:
        return Duplicates(said.strip().lower())
    except ValueError:
        raise InvalidInput(
            f"There is no policy {said} for duplicates. Choose skip, update or error."
        ) from None


def match_of(said: str) -> Match:
    """Return by what records are known again; raises InvalidInput with the words there are."""
    try:
        return Match(said.strip().lower().replace("-", "_").replace(" ", "_"))
    except ValueError:
        raise InvalidInput(
            f"Records cannot be known again by {said}. Choose number or external_id."
        ) from None
