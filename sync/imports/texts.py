"""Texts out of cells: what a person meant to type, without the blanks and marks a program left around it."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal

from sync.imports.problems import UnreadableValue


class PlainText(str):
    """A text from where no formula can stand, such as JSON: a sign in front of it is just a sign."""

    __slots__ = ()


Cell = str | Decimal | date | datetime | bool | None

DIGITS_SHOWN_MAX = 60

# Excel's way to keep leading zeros in a CSV: ="00123"
_QUOTED_FORMULA = re.compile(r'^="([^"]*)"$')
_INVISIBLE = frozenset("\ufeff\u200b\u200c\u200d\u2060\u00ad")


def clean_text(text: str) -> str:
    """Return the text without invisible characters, with single blanks inside and none around."""
    if text.isascii() and text.isprintable():
        stripped = text.strip()
        return stripped if "  " not in stripped else " ".join(stripped.split())
    normal = unicodedata.normalize("NFC", text)
    # Cc: tabs, line ends, NUL; Cs: half a character, which no database takes.
    kept = "".join(
        " " if c.isspace() or unicodedata.category(c) in ("Cc", "Cs") else c
        for c in normal
        if c not in _INVISIBLE
    )
    return " ".join(kept.split())


def cell_text(cell: Cell) -> str:
    """Return what stands in a cell as clean text, '' for nothing.

    Raises UnreadableValue for a formula: in a text file only the formula is there, not the value it had.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        # 1E+999999999 is eleven characters in a JSON file and a gigabyte when written out.
        return f"{cell.normalize():f}" if abs(cell.adjusted()) < DIGITS_SHOWN_MAX else str(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    text = clean_text(cell)
    if text.startswith("=") and not isinstance(cell, PlainText):
        quoted = _QUOTED_FORMULA.match(text)
        if quoted is None:
            raise UnreadableValue(
                f'"{shown(text)}" is a formula, not a value', "Replace it by its value and save again."
            )
        text = quoted[1].strip()
    return text


def shown(text: str) -> str:
    """Shorten a text for use inside a sentence."""
    return text if len(text) <= 40 else text[:37] + "..."
