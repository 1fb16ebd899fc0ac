"""Document dates as people write them, into plain dates.

ISO dates, dates with month names and real date cells mean one day. In "03/04/2026" either number can be the month:
the column's own other dates settle it; where they do not, the date is refused rather than guessed.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from sync.imports.problems import UnreadableValue
from sync.imports.texts import Cell, cell_text, shown

Order = Literal["month_first", "day_first"]

YEAR_MIN, YEAR_MAX = 1990, 2099
# With this much evidence one stray date is the mistake, not the rule.
STRAY_EVIDENCE_MIN = 10
STRAY_SHARE = 9

_ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?$")
_COMPACT = re.compile(r"^(20\d{2})(\d{2})(\d{2})$")
_NUMERIC = re.compile(r"^(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})(?: \d{1,2}:\d{2}.*)?$")
_DAY_NAME = re.compile(
    r"^(\d{1,2})(?:st|nd|rd|th)?[ \-./]+([a-z]{3,9})\.?[ ,\-./]+(\d{4}|\d{2})$", re.IGNORECASE
)
_NAME_DAY = re.compile(
    r"^([a-z]{3,9})\.?[ \-./]+(\d{1,2})(?:st|nd|rd|th)?,?[ \-./]+(\d{4}|\d{2})$", re.IGNORECASE
)
_SERIAL = re.compile(r"^[34]\d{4}(\.\d+)?$")
_EXCEL_EPOCH = date(1899, 12, 30)
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
           "november", "december")  # fmt: skip


class OrderEvidence:
    """What the dates of one column show about the order of day and month."""

    def __init__(self) -> None:
        """Begin without evidence."""
        self.month_first = 0
        self.day_first = 0

    def note(self, text: str) -> None:
        """Look at one value."""
        found = _NUMERIC.match(text)
        if found is None:
            return
        first, second = int(found[1]), int(found[3])
        self.month_first += first <= 12 < second
        self.day_first += second <= 12 < first

    @property
    def order(self) -> Order | None:
        """The column's order, or None where nothing or both orders were shown."""
        if self._outweighs(self.month_first, self.day_first):
            return "month_first"
        if self._outweighs(self.day_first, self.month_first):
            return "day_first"
        return None

    @staticmethod
    def _outweighs(one: int, other: int) -> bool:
        return one > 0 and (other == 0 or (one >= STRAY_EVIDENCE_MIN and one >= STRAY_SHARE * other))


def read_date(cell: Cell, *, order: Order | None) -> date:
    """Turn a cell into a date; raises UnreadableValue with what to write instead."""
    if isinstance(cell, datetime):
        return _within(cell.date(), written=cell.date().isoformat())
    if isinstance(cell, date):
        return _within(cell, written=cell.isoformat())
    text = cell_text(cell)
    if isinstance(cell, Decimal) or _SERIAL.match(text):
        raise _number_instead(text)
    if found := _ISO.match(text) or _COMPACT.match(text):
        return _day(int(found[1]), int(found[2]), int(found[3]), written=text)
    if found := _NUMERIC.match(text):
        return _numeric(int(found[1]), int(found[3]), _year(found[4]), order=order, written=text)
    if found := _DAY_NAME.match(text):
        return _day(_year(found[3]), _month(found[2], written=text), int(found[1]), written=text)
    if found := _NAME_DAY.match(text):
        return _day(_year(found[3]), _month(found[1], written=text), int(found[2]), written=text)
    raise UnreadableValue(
        f'"{shown(text)}" is not a date', "Write it as year-month-day, for example 2026-03-31."
    )


def _numeric(first: int, second: int, year: int, *, order: Order | None, written: str) -> date:
    if first > 12 or second > 12 or first == second:
        is_day_first = first > 12
        if (
            order is not None
            and first != second
            and is_day_first != (order == "day_first")
            and min(first, second) <= 12
        ):
            meant = (
                _day(year, second, first, written=written)
                if is_day_first
                else _day(year, first, second, written=written)
            )
            here, there = ("the day", "the month") if is_day_first else ("the month", "the day")
            raise UnreadableValue(
                f'"{shown(written)}" has {here} first while the other dates of this column have {there} first',
                f"Write {meant.isoformat()} if that is the day meant.",
            )
        month, day = (second, first) if is_day_first else (first, second)
        return _day(year, month, day, written=written)
    if order is None:
        one, other = _day(year, first, second, written=written), _day(year, second, first, written=written)
        raise UnreadableValue(
            f'"{shown(written)}" can be {one.isoformat()} or {other.isoformat()}, and nothing else in the column says which',
            "Write dates as year-month-day, for example " + one.isoformat() + ".",
        )
    month, day = (second, first) if order == "day_first" else (first, second)
    return _day(year, month, day, written=written)


def _day(year: int, month: int, day: int, *, written: str) -> date:
    try:
        found = date(year, month, day)
    except ValueError as error:
        raise UnreadableValue(f'"{shown(written)}" is no day of the calendar', "Correct the date.") from error
    return _within(found, written=written)


def _within(found: date, *, written: str) -> date:
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise UnreadableValue(f'"{shown(written)}" lies in the year {found.year}', "Correct the year.")
    return found


def _year(text: str) -> int:
    return int(text) + (2000 if int(text) < 70 else 1900) if len(text) == 2 else int(text)


def _month(name: str, *, written: str) -> int:
    for number, month in enumerate(_MONTHS, start=1):
        if month.startswith(name.lower().removesuffix("t") if name.lower() == "sept" else name.lower()):
            return number
    raise UnreadableValue(
        f'"{shown(written)}" is not a date', "Write it as year-month-day, for example 2026-03-31."
    )


def _number_instead(text: str) -> UnreadableValue:
    if not _SERIAL.match(text):
        return UnreadableValue(
            f'"{shown(text)}" is not a date', "Write it as year-month-day, for example 2026-03-31."
        )
    day = _EXCEL_EPOCH + timedelta(days=int(text.partition(".")[0]))
    return UnreadableValue(
        f'"{shown(text)}" is a number where a date belongs',
        f"It may be Excel's day number for {day.isoformat()}: format the column as a date and save again.",
    )
