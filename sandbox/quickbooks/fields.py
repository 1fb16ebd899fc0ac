"""The schema of the wire: which properties each type has, and what they hold.

`fields.json` lists the names and kinds of the public V3 schema. A kind is one letter (s text, i id, n integer,
d decimal, b boolean, D date, T time, r reference, x anything), `e:Name` for an enumeration or `o:Name` for an
object; `*` before it means a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from sandbox.kernel.wire import money
from sandbox.quickbooks import faults
from sandbox.quickbooks.times import parse_date, parse_moment

Body = dict[str, Any]

_SCHEMA = json.loads((Path(__file__).parent / "fields.json").read_text())
TYPES: dict[str, dict[str, str]] = _SCHEMA["types"]
ENUMS: dict[str, frozenset[str]] = {name: frozenset(values) for name, values in _SCHEMA["enums"].items()}
_ENVELOPE = frozenset({"domain", "sparse", "status", "time"})
_MEMO_NAMES = frozenset({"CustomerMemo"})
DIGITS_MAX = 15
LINES_MAX = 10_000
DEPTH_MAX = 12
TEXT_LIMITS = {
    "PrivateNote": 4000, "DocNumber": 21, "Description": 4000, "CustomerMemo": 1000, "GivenName": 100,
    "MiddleName": 100, "FamilyName": 100, "Title": 16, "Suffix": 16, "CompanyName": 100, "PrintOnCheckName": 110,
    "ResaleNum": 16, "Line1": 500, "Line2": 500, "Line3": 500, "Line4": 500, "Line5": 500, "City": 255,
    "PostalCode": 30, "FreeFormNumber": 30, "URI": 1000, "DisplayName": 500, "Sku": 100, "FileName": 1000,
    "Note": 2000, "PaymentRefNum": 21, "PurchaseDesc": 1000,
}  # fmt: skip


def clean(entity: str, raw: Any) -> Body:
    """Return a checked copy of a request object: known names, right kinds, exact decimals.

    A property sent as null or empty text becomes None at the top level (it clears the property) and is
    dropped below.
    """
    if not isinstance(raw, dict):
        raise faults.unparsable(entity, entity, raw)
    return _object(entity, raw, path="", depth=0)


def _object(type_name: str, raw: Body, *, path: str, depth: int) -> Body:
    if depth > DEPTH_MAX:
        raise faults.unparsable(path, type_name, "...")
    known = TYPES[type_name]
    result: Body = {}
    for name, value in raw.items():
        kind = known.get(name)
        if kind is None:
            if name in _ENVELOPE:
                continue
            raise faults.unrecognised(f"{path}{name}"[:200])
        if value is None or value == "":
            if depth == 0:
                result[name] = None
            continue
        kept = _value(kind, value, name=name, path=f"{path}{name}", depth=depth)
        if kept is not None or depth == 0:
            result[name] = kept
    return result


def _value(kind: str, value: Any, *, name: str, path: str, depth: int) -> Any:
    if kind[0] == "*":
        if not isinstance(value, list):
            raise faults.unparsable(path, "java.util.ArrayList", value)
        if len(value) > LINES_MAX:
            raise faults.business(f"{path} has more than {LINES_MAX:,} elements")
        return [
            _value(kind[1:], each, name=name, path=path, depth=depth) for each in value if each is not None
        ]
    if kind[:2] == "o:":
        if not isinstance(value, dict):
            raise faults.unparsable(path, kind[2:], value)
        return _object(kind[2:], value, path=f"{path}.", depth=depth + 1)
    if kind[:2] == "e:":
        if not isinstance(value, str) or value not in ENUMS[kind[2:]]:
            raise faults.invalid_choice(path, value)
        return value
    return _READERS[kind](value, path, name)


def _text(value: Any, path: str, name: str) -> str:
    if isinstance(value, dict | list):
        raise faults.unparsable(path, "java.lang.String", "START_OBJECT")
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    limit = TEXT_LIMITS.get(name)
    if limit is not None and len(text) > limit:
        raise faults.too_long(path, text, limit)
    if "\x00" in text:
        raise faults.unparsable(path, "java.lang.String", "control character")
    return text


def _id(value: Any, path: str, _name: str) -> str:
    if isinstance(value, bool | dict | list):
        raise faults.unparsable(path, "java.lang.String", value)
    text = str(value)
    if len(text) > 40:
        raise faults.invalid_id(path, text)
    return text


def _decimal(value: Any, path: str, _name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise faults.unparsable(path, "java.math.BigDecimal", value)
    try:
        number = Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except (InvalidOperation, ValueError) as error:
        raise faults.unparsable(path, "java.math.BigDecimal", value) from error
    if not number.is_finite():
        raise faults.unparsable(path, "java.math.BigDecimal", value)
    if number.adjusted() >= DIGITS_MAX or number.adjusted() < -DIGITS_MAX:
        if number == 0:
            return Decimal(0)
        raise faults.invalid_number(path, value)
    return money(round(number, 10))


def _integer(value: Any, path: str, _name: str) -> int:
    number = _decimal(value, path, _name)
    if number != number.to_integral_value() or abs(number) >= 2**31:
        raise faults.unparsable(path, "java.lang.Integer", value)
    return int(number)


def _boolean(value: Any, path: str, _name: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise faults.unparsable(path, "java.lang.Boolean", value)


def _date(value: Any, path: str, _name: str) -> str:
    parsed = parse_date(value) if isinstance(value, str) else None
    if parsed is None or not 1900 <= parsed.year <= 9998:
        raise faults.unparsable(path, "java.util.Date", value)
    return parsed.isoformat()


def _moment(value: Any, path: str, _name: str) -> str:
    if not isinstance(value, str) or parse_moment(value) is None:
        raise faults.unparsable(path, "java.util.Date", value)
    return value


def _reference(value: Any, path: str, name: str) -> Body | None:
    if isinstance(value, str | int) and not isinstance(value, bool) and name in _MEMO_NAMES:
        value = {"value": value}
    if not isinstance(value, dict):
        raise faults.unparsable(path, "com.intuit.schema.finance.v3.ReferenceType", value)
    unknown = set(value) - {"value", "name", "type"}
    if unknown:
        raise faults.unrecognised(f"{path}.{min(unknown)}"[:200])
    if value.get("value") in (None, ""):
        return None
    kept: Body = {"value": _text(value["value"], f"{path}.value", name)}
    for part in ("name", "type"):
        if value.get(part) not in (None, ""):
            kept[part] = _text(value[part], f"{path}.{part}", "")
    return kept


def _anything(_value: Any, _path: str, _name: str) -> None:
    return None


_READERS: dict[str, Callable[[Any, str, str], Any]] = {
    "s": _text, "i": _id, "d": _decimal, "n": _integer, "b": _boolean, "D": _date, "T": _moment, "r": _reference,
    "x": _anything,
}  # fmt: skip
