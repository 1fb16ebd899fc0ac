"""Numbers with what they count, as a person says them."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun: 1 record, 2 records, 1,200 records."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
