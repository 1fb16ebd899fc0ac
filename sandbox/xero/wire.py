"""Xero's own spellings on the wire: dates, money, JSON and the answer envelope.

Promises: Decimal in and Decimal out (never a float), dates as `/Date(ms+0000)/`, numbers without an
exponent and with at least one decimal. Leaves the shape of each resource to `views_*`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import simplejson

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MS_PER_DAY = 86_400_000
CENT = Decimal("0.01")
NUMBER_MAX = Decimal("1e12")
# Dates outside are refused like other nonsense; 1753 is where SQL Server's calendar begins.
YEAR_MIN, YEAR_MAX = 1753, 9000

_MS_DATE = re.compile(r"^/Date\((-?\d{1,15})([+-]\d{4})?\)/$")
_ISO_DATE = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?$")
_GUID = re.compile(r"^\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$")


@lru_cache(maxsize=65536)
def _plain(text: str) -> Decimal:
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0") or "0"
    return Decimal(f"{whole}.{fraction}")


def plain(value: Decimal) -> Decimal:
    """The same number in the form Xero prints: no exponent, at least one decimal."""
    return _plain(format(value, "f"))


def cents(value: Decimal) -> Decimal:
    """Round half away from zero to two decimals, as invoices do."""
    return value.quantize(CENT, rounding="ROUND_HALF_UP")


@lru_cache(maxsize=16384)
def day_ms(day: date) -> str:
    """A calendar date as Xero writes it: midnight UTC, never shifted by a zone."""
    return f"/Date({(day.toordinal() - EPOCH_ORDINAL) * MS_PER_DAY}+0000)/"


def day_text(day: date) -> str:
    """The `DateString` twin of a calendar date."""
    return f"{day.isoformat()}T00:00:00"


def instant_ms(moment: datetime, *, offset: bool = True) -> str:
    """An instant in `/Date(ms)/` form, with or without the `+0000` tail."""
    delta = moment - EPOCH
    ms = delta.days * MS_PER_DAY + delta.seconds * 1000 + delta.microseconds // 1000
    return f"/Date({ms}+0000)/" if offset else f"/Date({ms})/"


def instant_text(moment: datetime) -> str:
    """The `UpdatedDateUTCString` twin of a UTC instant, to the second."""
    return f"{moment.isoformat()[:19]}Z"


def parse_day(text: str) -> date | None:
    """A calendar date from any spelling Xero takes, or None when it is not one."""
    day: date | None = None
    try:
        if found := _MS_DATE.match(text):
            day = (EPOCH + timedelta(milliseconds=int(found[1]))).date()
        elif found := _ISO_DATE.match(text):
            day = date(int(found[1]), int(found[2]), int(found[3]))
    except (ValueError, OverflowError):
        return None
    return day if day is not None and YEAR_MIN <= day.year <= YEAR_MAX else None


def parse_instant(text: str) -> datetime | None:
    """An instant from ISO (bare, Z, offset, millis), `/Date(ms)/` or RFC 1123; bare means UTC."""
    text = text.strip()
    try:
        if found := _MS_DATE.match(text):
            return EPOCH + timedelta(milliseconds=int(found[1]))
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except (ValueError, OverflowError):
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def parse_guid(text: str) -> str | None:
    """A GUID in lower case with dashes, or None."""
    if not _GUID.match(text):
        return None
    digits = text.strip("{}").replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def parse_number(value: object) -> Decimal | None:
    """A finite, bounded Decimal from a JSON number or numeric text, or None."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except ArithmeticError:
        return None
    if not number.is_finite() or abs(number) >= NUMBER_MAX:
        return None
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -12:
        number = number.quantize(Decimal("1e-12"))
    return number


def dump(value: Any) -> str:
    """JSON text of a wire value; Decimals stay exact."""
    text: str = simplejson.dumps(value, use_decimal=True, separators=(",", ":"), ensure_ascii=False)
    return text


class NotJson(ValueError):
    """The body is not JSON; the message says where."""


def load(body: bytes) -> Any:
    """Parse a request body with exact numbers; raises NotJson on anything else."""
    try:
        return simplejson.loads(body.decode("utf-8-sig"), use_decimal=True, allow_nan=False)
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8 text.") from None
    except RecursionError:
        raise NotJson("The body is nested too deeply.") from None
    except (ValueError, ArithmeticError) as error:
        raise NotJson(str(error)) from None
