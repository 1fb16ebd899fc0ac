"""Reading request elements: which fields a resource knows, of which type, and what Xero says otherwise.

A spec is a dict of field name to kind; unknown fields are ignored, as Xero ignores them. Type errors
end the whole call with ErrorNumber 14; lengths are reported per element by the resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.xero.refusals import post_data_invalid
from sandbox.xero.wire import parse_day, parse_guid, parse_number

DEPTH_MAX = 12


@dataclass(frozen=True)
class Text:
    """Text, with an optional maximum length that is reported as a validation error."""

    length_max: int = 0


@dataclass(frozen=True)
class Choice:
    """One of a closed list of spellings; anything else is ErrorNumber 14."""

    values: frozenset[str]


@dataclass(frozen=True)
class One:
    """A nested object."""

    spec: Mapping[str, Kind]


@dataclass(frozen=True)
class Many:
    """A nested list of objects."""

    spec: Mapping[str, Kind]


class Plain:
    """A kind without options."""

    def __init__(self, name: str) -> None:
        self.name = name


NUMBER = Plain("decimal")
FLAG = Plain("boolean")
DAY = Plain("date")
GUID = Plain("guid")
WHOLE = Plain("integer")

Kind = Text | Choice | One | Many | Plain
Spec = Mapping[str, Kind]
Fields = dict[str, Any]

_LOWER: dict[int, tuple[Spec, dict[str, str]]] = {}


def choice(*values: str) -> Choice:
    """A closed list."""
    return Choice(frozenset(values))


def _spelling(spec: Spec, key: str) -> str | None:
    if key in spec:
        return key
    cached = _LOWER.get(id(spec))
    if cached is None:
        cached = (spec, {name.lower(): name for name in spec})
        _LOWER[id(spec)] = cached
    return cached[1].get(key.lower())


def read_fields(raw: object, spec: Spec, *, path: str, depth: int = 0) -> Fields:
    """The known fields of one raw element, in native types; null stays None."""
    if not isinstance(raw, dict) or depth > DEPTH_MAX:
        raise post_data_invalid(
            f"JSON for post data was invalid,Cannot deserialize the current value. Path '{path}'."
        )
    fields: Fields = {}
    for key, value in raw.items():
        name = _spelling(spec, key)
        if name is not None:
            fields[name] = None if value is None else _read(value, spec[name], f"{path}.{name}", depth)
    return fields


def _wrong(value: object, kind: str, path: str) -> Exception:
    shown = str(value)[:60].encode("utf-8", "replace").decode()
    return post_data_invalid(
        f"JSON for post data was invalid,Error converting value \"{shown}\" to type '{kind}'. Path '{path}'."
    )


def _read(value: Any, kind: Kind, path: str, depth: int) -> Any:
    if isinstance(kind, Text):
        return _text(value, path)
    if isinstance(kind, Choice):
        if isinstance(value, str) and value in kind.values:
            return value
        if value == "":
            return None
        raise _wrong(value, path.rpartition(".")[2], path)
    if isinstance(kind, One):
        return read_fields(value, kind.spec, path=path, depth=depth + 1)
    if isinstance(kind, Many):
        elements = value if isinstance(value, list) else [value]
        return [
            read_fields(element, kind.spec, path=f"{path}[{index}]", depth=depth + 1)
            for index, element in enumerate(elements)
        ]
    return _plain_value(value, kind, path)


def _text(value: Any, path: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if not value.isascii() and not _is_unicode(value):
            raise _wrong(value, "String", path)
        return value
    if isinstance(value, dict | list):
        raise _wrong("", "String", path)
    return str(value)


def _is_unicode(text: str) -> bool:
    """Whether a text can be written; half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain_value(value: Any, kind: Plain, path: str) -> Any:
    if value == "":
        return None
    found: Any = None
    if kind is NUMBER:
        found = parse_number(value)
    elif kind is DAY:
        found = parse_day(value) if isinstance(value, str) else None
    elif kind is GUID:
        found = parse_guid(value) if isinstance(value, str) else None
    elif kind is WHOLE:
        number = parse_number(value)
        found = int(number) if number is not None and number == int(number) else None
    elif kind is FLAG:
        found = value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
    if found is None:
        raise _wrong(value, kind.name, path)
    return found


def lengths(fields: Fields, spec: Spec) -> list[str]:
    """One message per text that is longer than its field allows (the wording is ours, see docs)."""
    found = []
    for name, value in fields.items():
        kind = spec.get(name)
        if (
            isinstance(kind, Text)
            and kind.length_max
            and isinstance(value, str)
            and len(value) > kind.length_max
        ):
            found.append(f"The field {name} must be a string with a maximum length of {kind.length_max}.")
        elif isinstance(kind, One) and isinstance(value, dict):
            found += lengths(value, kind.spec)
        elif isinstance(kind, Many) and isinstance(value, list):
            for element in value:
                found += lengths(element, kind.spec)
    return found
