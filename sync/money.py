"""Amounts of money: always Decimal, always with a currency, never a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from sync.errors import InvalidAmount

STORED_DIGITS = Decimal("0.0001")  # numeric(19,4) in the database
AMOUNT_MAX = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; adding two currencies is a bug."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        """Add an amount of the same currency."""
        assert self.currency == other.currency, f"cannot add {self.currency} and {other.currency}"
        return Money(self.amount + other.amount, self.currency)

    def __neg__(self) -> Money:
        """Turn the sign."""
        return Money(-self.amount, self.currency)

    def __str__(self) -> str:
        """Show the amount with two digits and its currency."""
        return f"{amount_text(self.amount)} {self.currency}"


def parse_amount(text: object) -> Decimal:
    """Turn a JSON number or text into a Decimal of at most four digits after the point.

    Raises InvalidAmount when it is no finite number, too large, or has more digits than can be kept.
    """
    if isinstance(text, float):
        raise InvalidAmount(
            value=repr(text), reason="it passed through a binary float and may have lost cents"
        )
    try:
        amount = Decimal(str(text).strip())
    except InvalidOperation as error:
        raise InvalidAmount(value=str(text), reason="it is not a number") from error
    if not amount.is_finite():
        raise InvalidAmount(value=str(text), reason="it is not a finite number")
    if abs(amount) >= AMOUNT_MAX:
        raise InvalidAmount(value=str(text), reason="it has more than 15 digits before the point")
    if amount != amount.quantize(STORED_DIGITS):
        raise InvalidAmount(value=str(text), reason="it has more than 4 digits after the point")
    return amount


def amount_text(amount: Decimal) -> str:
    """Write an amount the one way it is compared and hashed: two digits after the point, up to four where needed."""
    text = f"{amount.quantize(STORED_DIGITS):f}"
    if text.endswith("00"):
        text = text[:-2]
    elif text.endswith("0"):
        text = text[:-1]
    return "0.00" if text == "-0.00" else text


def round_cents(amount: Decimal) -> Decimal:
    """Round half up to cents, as both providers do with a line's amount."""
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
