"""Amounts, prices and quantities as people write them, into exact Decimals.

"1,234.56", "1.234,56", "1 234,56", "1'234.56", "$1,234.56", "(1,234.56)", "1,234.56-" and "USD 1,234.56" are read.
Which mark is the decimal one is taken from the value where it shows, else from the rest of the file; a value that
could mean two amounts is refused, because the two differ by a factor of a thousand.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

from sync.errors import InvalidAmount
from sync.imports.problems import UnreadableValue
from sync.imports.texts import shown
from sync.money import parse_amount, round_cents

Mark = Literal[".", ","]
AmountKind = Literal["amount", "price", "quantity"]

_SIGNS = {
    "$": frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"}),
    "US$": frozenset({"USD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
}
_CURRENCY = re.compile(r"^(?P<before>US\$|[$€£¥]|[A-Z]{3})?\s*(?P<rest>.*?)\s*(?P<after>[$€£¥]|[A-Z]{3})?$")
_CORE = re.compile(r"^[0-9][0-9.,'’ ]*$|^[.,][0-9]+$")
_PLAIN = re.compile(r"^-?[0-9]+(\.[0-9]{1,2}|\.[0-9]{4})?$")
_NOTHING = frozenset({"-", "–", "—"})


class MarkEvidence:
    """What the amounts of one file show about its decimal mark."""

    def __init__(self) -> None:
        """Begin without evidence."""
        self.points = 0
        self.commas = 0

    def note(self, text: str) -> None:
        """Look at one value."""
        if _PLAIN.match(text):
            self.points += "." in text
            return
        mark = shown_mark(_digits(text))
        self.points += mark == "."
        self.commas += mark == ","

    @property
    def mark(self) -> Mark | None:
        """The file's decimal mark, or None where nothing or both ways were shown."""
        if self.points and not self.commas:
            return "."
        if self.commas and not self.points:
            return ","
        return None


def shown_mark(core: str) -> Mark | None:
    """Return the decimal mark if the digits alone show it; None where they do not, or there is none."""
    points, commas = core.count("."), core.count(",")
    if points and commas:
        return "." if core.rindex(".") > core.rindex(",") else ","
    if points + commas == 0:
        return None
    mark: Mark = "." if points else ","
    other: Mark = "," if points else "."
    if points + commas > 1:
        return other
    before, after = core.split(mark)
    if len(after) == 3 and 1 <= len(before) <= 3 and before.isdigit() and not before.startswith("0"):
        return None
    return mark


def read_number(text: str, *, kind: AmountKind, mark: Mark | None, currency: str | None = None) -> Decimal:
    """Turn a text into an exact number; raises UnreadableValue with what to write instead.

    `mark` is what the file showed. With `currency`, a sign or code of another currency is refused.
    """
    if _PLAIN.match(text):
        return exact(Decimal(text), kind=kind, written=text)
    if text in _NOTHING:
        return Decimal(0)
    core = _digits(text)
    if not _CORE.match(core):
        raise UnreadableValue(
            f'"{shown(text)}" is not {_noun(kind)}', "Write digits with a point, for example 1250.00."
        )
    _check_currency(text, currency)
    decimal_mark = _decide_mark(core, kind=kind, mark=mark, written=text)
    number = Decimal(_plain(core, decimal_mark=decimal_mark, written=text))
    return exact(-number if _is_negative(text) else number, kind=kind, written=text)


def exact(number: Decimal, *, kind: AmountKind, written: str) -> Decimal:
    """Check that a number can be kept to the last digit: cents for amounts, four digits for prices and quantities."""
    try:
        kept = parse_amount(number)
    except InvalidAmount as error:
        raise UnreadableValue(
            f'"{shown(written)}" cannot be kept exactly: {error.details["reason"]}',
            "Round it as the document shows it.",
        ) from error
    if kind == "amount" and kept != round_cents(kept):
        raise UnreadableValue(
            f'"{shown(written)}" has fractions of a cent',
            f"Write {round_cents(kept)} if the document says so.",
        )
    return kept + Decimal(0)  # -0.00 becomes 0.00


def _decide_mark(core: str, *, kind: AmountKind, mark: Mark | None, written: str) -> Mark:
    own = shown_mark(core)
    if own is not None:
        return own
    if "." not in core and "," not in core:
        return "."
    if mark is not None:
        return mark
    if kind == "amount" and "," in core:
        # Money has cents, not mills: three digits after a lone comma are thousands, as in $12,000.
        return "."
    meanings = (core.replace(",", "").replace(".", ""), core.replace(",", "."))
    raise UnreadableValue(
        f'"{shown(written)}" can mean {meanings[0]} or {meanings[1]}',
        "Write it with a point and two digits after it.",
    )


def _digits(text: str) -> str:
    """Return the digits and marks of a text, without sign, parentheses and currency."""
    core = _CURRENCY.sub(lambda m: m["rest"], text.strip("()+-−– ").strip())
    return core.strip("()+-−– ").replace("\u00a0", " ").strip()


def _is_negative(text: str) -> bool:
    bare = _CURRENCY.sub(lambda m: m["rest"], text.strip())
    is_bracketed = ("(" in text) and (")" in text)
    return (
        is_bracketed
        or text.startswith(("-", "−", "–"))
        or bare.startswith(("-", "−", "–"))
        or bare.endswith(("-", "−"))
    )


def _plain(core: str, *, decimal_mark: Mark, written: str) -> str:
    whole, _, fraction = core.partition(decimal_mark)
    groups = re.split(r"[.,'’ ]", whole)
    is_grouped = len(groups) == 1 or (
        1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    )
    if not is_grouped or (fraction and not fraction.isdigit()):
        raise UnreadableValue(
            f'"{shown(written)}" has its separators in unusual places',
            "Write digits with a point, for example 1250.00.",
        )
    return "".join(groups) + ("." + fraction if fraction else "")


def _check_currency(text: str, currency: str | None) -> None:
    found = _CURRENCY.match(text.strip("()+-−– "))
    if currency is None or found is None:
        return
    for sign in (found["before"], found["after"]):
        if sign is not None and currency not in _SIGNS.get(sign, frozenset({sign})):
            raise UnreadableValue(
                f'"{shown(text)}" is not in {currency}',
                f"Give the amount in {currency}, or name the currency in its own column.",
            )


def _noun(kind: AmountKind) -> str:
    return {"amount": "an amount", "price": "a price", "quantity": "a quantity"}[kind]
