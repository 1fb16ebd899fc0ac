"""JSON with exact decimals, both ways: an amount never passes through a float."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import simplejson

BODY_BYTES_MAX = 120 * 1024 * 1024


# One encoder for all calls: making one costs a tenth of using it.
_ENCODER = simplejson.JSONEncoder(use_decimal=True, separators=(",", ":"), ensure_ascii=False)


class BadJsonError(ValueError):
    """The text is not JSON; the message says where."""


def loads(text: bytes | str) -> Any:
    """Parse JSON, numbers with a fraction as Decimal; raise BadJsonError for anything else."""
    try:
        return simplejson.loads(text, use_decimal=True)
    except RecursionError as error:
        raise BadJsonError("The document is nested too deeply") from error
    except (ValueError, ArithmeticError) as error:
        raise BadJsonError(str(error)) from error


def dumps(value: Any) -> bytes:
    """Serialise compactly as UTF-8, Decimals as plain JSON numbers."""
    return _ENCODER.encode(value).encode()


def money(value: Decimal) -> Decimal:
    """Return the shortest exact form of an amount (`120` not `120.00`), never in exponent notation."""
    if value == value.to_integral_value():
        return value.quantize(Decimal(1))
    return value.normalize()
