"""Totals rows at the end of a file, or under each document: told apart from records, and used as a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from sync.counting import counted
from sync.imports.formats import Format
from sync.imports.problems import ImportProblem
from sync.imports.survey import Survey
from sync.imports.texts import Cell, clean_text

# "Total", "Grand total:", "Totals (34 vendors)", "Total for 1042"; never "Total Fire Protection".
_GRAND = re.compile(
    r"^(grand |report |file |overall )?totals?"
    r"( (amount|due|all|bills?|invoices?|draws?|orders?|entries|lines?|rows?))*\s*(\(.*\))?\s*[:=]?$",
    re.IGNORECASE,
)
_WORD_ONLY = re.compile(r"^(grand |report |file |overall |sub)?[- ]?totals?\s*[:=]?$", re.IGNORECASE)
_OF_ONE = re.compile(r"^(sub[- ]?totals?|totals? (for|of) .+)\s*[:=]?$", re.IGNORECASE)


def is_totals_row(format_: Format, texts: Mapping[str, str], cells: Sequence[Cell]) -> bool:
    """Say whether a row sums up others: it begins with "Total" and names no party and no date of its own."""
    first = next((clean_text(cell) for cell in cells if isinstance(cell, str) and cell.strip()), "")
    if "total" not in first.lower():
        return False
    if not format_.has_lines:
        others = [text for name, text in texts.items() if name not in format_.key and text]
        return bool(_WORD_ONLY.match(first)) or (
            first.lower().startswith("total") and first.endswith(":") and not others
        )
    if any(texts.get(name) and clean_text(texts[name]) != first for name in ("date", "party")):
        return False
    return bool(_GRAND.match(first) or _OF_ONE.match(first) or _WORD_ONLY.match(first))


class TotalsCheck:
    """Adds up a file's amounts and compares them with the totals row at its end."""

    def __init__(self, format_: Format, survey: Survey) -> None:
        """Begin with nothing added."""
        self.names = [
            field.name
            for field in format_.fields
            if field.name in ("amount", "debit", "credit", "contract_amount") and field.name in survey.columns
        ]
        self._headings = {name: survey.heading(format_.of(name)) for name in self.names}
        self._sums = dict.fromkeys(self.names, Decimal(0))
        self._last: tuple[int, dict[str, Decimal]] | None = None
        self._rows_left_out = 0
        self._is_spoilt = False

    def add(self, amounts: Sequence[Decimal | None]) -> None:
        """Add one row: its amounts in the order of the names."""
        self._last = None
        for name, amount in zip(self.names, amounts, strict=True):
            if amount:
                self._sums[name] += amount

    def spoil(self) -> None:
        """A row could not be read: the sums prove nothing any more."""
        self._is_spoilt = True

    def note_totals_row(self, line: int, amounts: dict[str, Decimal]) -> None:
        """Remember a totals row; only one at the very end speaks for the whole file."""
        self._rows_left_out += 1
        self._last = (line, amounts)

    @property
    def notes(self) -> list[str]:
        """What was left out, in words."""
        if not self._rows_left_out:
            return []
        left_out = f"{counted(self._rows_left_out, 'totals row')} left out"
        is_proof = (
            self._last is not None
            and any(self._last[1].values())
            and not self._is_spoilt
            and not [*self.problems()]
        )
        return [f"{left_out}; the rows add up to the total at the end." if is_proof else f"{left_out}."]

    def problems(self) -> Iterator[ImportProblem]:
        """Yield a problem for each total at the end that the rows do not add up to."""
        if self._last is None or self._is_spoilt:
            return
        line, amounts = self._last
        for name, amount in amounts.items():
            if amount != self._sums[name]:
                yield ImportProblem(
                    line, self._headings[name], f"the totals row says {amount}, the rows above add up to {self._sums[name]}",
                    "Look for a row that is missing, doubled or changed.",
                )  # fmt: skip
