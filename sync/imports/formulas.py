"""Texts that a spreadsheet would take for formulas: made harmless in the files we write, and themselves again when read.

A cell that begins with = + - @ or a tab is run by the program that opens the file, whoever wrote it (CSV injection).
An apostrophe in front makes it a text. Plain numbers stay as they are, negative ones too.
"""

from __future__ import annotations

import re

# The column that our files of problems have, by which they are known when they come back corrected.
PROBLEM_HEADING = "Tieout problem"
# The column that every export has: the record's own id, which an import does not read.
ID_HEADING = "Tieout id"

_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"^[+-]?[0-9][0-9.,]*$")


def neutralised(text: str) -> str:
    """Return the text as it may stand in a file that a spreadsheet opens."""
    if text.startswith("'") or (text.startswith(_STARTS) and not _NUMBER.match(text)):
        return f"'{text}"
    return text


def restored(text: str) -> str:
    """Return what `neutralised` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(("'", *_STARTS)) else text
