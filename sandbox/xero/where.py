"""The `where` and `order` languages: parsed once, then run over documents as plain functions.

Covers comparison, AND/OR/NOT and their symbols, brackets, text, numbers, true/false/null, Guid("…"),
DateTime(y,m,d[,h,m,s]), DateTime.Parse("…"), dotted fields and Contains/StartsWith/EndsWith/ToLower/ToUpper.
A resource says what its fields are; an unknown field or a clash of types is ErrorNumber 16.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sandbox.xero.refusals import query_invalid
from sandbox.xero.wire import parse_guid, parse_instant

LENGTH_MAX = 8000
DEPTH_MAX = 50

Document = Mapping[str, Any]
Getter = Callable[[Document], Any]
Test = Callable[[Document], bool]


@dataclass(frozen=True)
class Column:
    """A field that queries may name: how to read it and which kind of value it holds."""

    read: Getter
    kind: str  # text | number | date | flag | guid


@dataclass(frozen=True)
class Query:
    """A parsed `where`: the test, the equalities every match must meet (for indexes), the fields named."""

    test: Test
    must_equal: dict[str, Any] = field(default_factory=dict)
    names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Operand:
    read: Getter
    kind: str
    name: str = ""
    constant: Any = None
    is_constant: bool = False


_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<op>==|!=|<>|>=|<=|&&|\|\||[=<>!(),.])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}
_CASES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper, "trim": str.strip}


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise query_invalid(f"Syntax error '{text[position : position + 20]}' (at index {position})")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        position = match.end()
    return found


def _as_instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.combine(value, time.min, UTC)


class _Parser:
    def __init__(self, text: str, *, columns: Mapping[str, Column], type_name: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.columns = columns
        self.type_name = type_name
        self.must_equal: dict[str, Any] = {}
        self.depth = 0
        self.names: set[str] = set()

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, text: str) -> None:
        found = self.take()[1]
        if found != text:
            raise query_invalid(f"'{text}' expected, found '{found or 'end of expression'}'")

    def word(self, *words: str) -> bool:
        if self.peek()[1].lower() in words and self.peek()[0] in ("name", "op"):
            self.at += 1
            return True
        return False

    def parse(self) -> Query:
        if not self.tokens:
            raise query_invalid("Expression expected")
        test = self.either(is_top=True)
        if self.at < len(self.tokens):
            raise query_invalid(f"Syntax error near '{self.peek()[1]}'")
        return Query(test, self.must_equal, frozenset(self.names))

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise query_invalid("The expression is nested too deeply")

    def either(self, *, is_top: bool) -> Test:
        self.deeper()
        equal_before = dict(self.must_equal)
        tests = [self.both(is_top=is_top)]
        while self.word("or", "||"):
            self.must_equal = equal_before
            tests.append(self.both(is_top=False))
            self.must_equal = equal_before
        self.depth -= 1
        return tests[0] if len(tests) == 1 else lambda doc: any(test(doc) for test in tests)

    def both(self, *, is_top: bool) -> Test:
        tests = [self.one(is_top=is_top)]
        while self.word("and", "&&"):
            tests.append(self.one(is_top=is_top))
        return tests[0] if len(tests) == 1 else lambda doc: all(test(doc) for test in tests)

    def one(self, *, is_top: bool) -> Test:
        if self.word("not", "!"):
            self.deeper()
            inner = self.one(is_top=False)
            self.depth -= 1
            return lambda doc: not inner(doc)
        if self.word("("):
            test = self.either(is_top=False)
            self.expect(")")
            return test
        left = self.operand()
        kind, symbol = self.peek()
        if kind == "op" and symbol in _COMPARE:
            self.at += 1
            return self.compare(left, symbol, self.operand(), is_top=is_top)
        if left.kind == "flag":
            return lambda doc: bool(left.read(doc))
        raise query_invalid("Expression of type 'Boolean' expected")

    def compare(self, left: _Operand, symbol: str, right: _Operand, *, is_top: bool) -> Test:
        kinds = {left.kind, right.kind} - {"null"}
        if kinds == {"guid", "text"}:
            kinds = {"text"}
        if len(kinds) > 1 or (kinds <= {"flag"} and symbol not in ("==", "=", "!=", "<>")):
            raise query_invalid(
                f"Operator '{symbol}' incompatible with operand types '{left.kind}' and '{right.kind}'"
            )
        compare, fold = _COMPARE[symbol], _folding(kinds)
        if (
            is_top
            and symbol in ("==", "=")
            and left.name
            and right.is_constant
            and right.constant is not None
        ):
            self.must_equal[left.name] = right.constant
        read_left, read_right = left.read, right.read
        is_ordering = compare not in (operator.eq, operator.ne)
        if right.is_constant:
            constant = None if right.constant is None else fold(right.constant)
            read_right = lambda doc: constant  # noqa: E731

        def test(doc: Document) -> bool:
            first, second = read_left(doc), read_right(doc)
            if first is None or second is None:
                return False if is_ordering else compare(first, second)
            return compare(fold(first), second if right.is_constant else fold(second))

        return test

    def operand(self) -> _Operand:
        kind, text = self.take()
        if kind == "number":
            return _constant(Decimal(text), "number")
        if kind == "text":
            return _constant(re.sub(r"\\(.)", r"\1", text[1:-1]), "text")
        if kind != "name":
            raise query_invalid(f"Syntax error near '{text or 'end of expression'}'")
        lower = text.lower()
        if lower in ("true", "false"):
            return _constant(lower == "true", "flag")
        if lower == "null":
            return _constant(None, "null")
        if lower == "guid" and self.peek()[1] in ("(", "."):
            return self.guid()
        if lower == "datetime" and self.peek()[1] in ("(", "."):
            return self.moment()
        return self.column(text)

    def guid(self) -> _Operand:
        if self.word("."):
            self.expect_word("parse")
        self.expect("(")
        kind, text = self.take()
        found = parse_guid(text[1:-1]) if kind == "text" else None
        if found is None:
            raise query_invalid(
                "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx)."
            )
        self.expect(")")
        return _constant(found, "guid")

    def expect_word(self, word: str) -> None:
        if not self.word(word):
            raise query_invalid(f"No method '{self.peek()[1]}' exists here")

    def moment(self) -> _Operand:
        if self.word("."):
            self.expect_word("parse")
            self.expect("(")
            kind, text = self.take()
            found = parse_instant(text[1:-1]) if kind == "text" else None
        else:
            self.expect("(")
            parts: list[int] = []
            while len(parts) < 7:
                kind, text = self.take()
                if kind != "number" or "." in text:
                    raise query_invalid("No applicable constructor exists in type 'DateTime'")
                parts.append(int(text))
                if not self.word(","):
                    break
            try:
                found = datetime(*parts, tzinfo=UTC) if len(parts) >= 3 else None  # type: ignore[misc, arg-type]
            except (ValueError, OverflowError):
                found = None
        if found is None:
            raise query_invalid("String was not recognized as a valid DateTime.")
        self.expect(")")
        return _constant(found, "date")

    def column(self, name: str) -> _Operand:
        path = name
        while self.peek()[1] == "." and self.at + 1 < len(self.tokens):
            following = self.tokens[self.at + 1][1]
            if following.lower() in _METHODS or following.lower() in _CASES:
                break
            self.at += 2
            path = f"{path}.{following}"
        column = self.columns.get(path.lower())
        if column is None:
            raise query_invalid(f"No property or field '{path}' exists in type '{self.type_name}'")
        self.names.add(path.lower())
        return self.methods(_Operand(column.read, column.kind, name=path.lower()))

    def methods(self, operand: _Operand) -> _Operand:
        while self.word("."):
            _, name = self.take()
            if operand.kind != "text":
                raise query_invalid(f"No applicable method '{name}' exists in type '{operand.kind}'")
            self.expect("(")
            operand = self.method(operand, name.lower())
            self.expect(")")
        return operand

    def method(self, operand: _Operand, name: str) -> _Operand:
        read = operand.read
        if name in _CASES:
            change = _CASES[name]
            return _Operand(lambda doc: None if (text := read(doc)) is None else change(text), "text")
        if name not in _METHODS:
            raise query_invalid(f"No applicable method '{name}' exists in type 'String'")
        self.deeper()
        argument = self.operand()
        self.depth -= 1
        if argument.kind != "text":
            raise query_invalid(f"No applicable method '{name}' exists in type 'String'")
        matches, read_part = _METHODS[name], argument.read
        return _Operand(
            lambda doc: (text := read(doc)) is not None and matches(text, read_part(doc) or ""), "flag"
        )


def _constant(value: Any, kind: str) -> _Operand:
    return _Operand(lambda doc: value, kind, constant=value, is_constant=True)


def _folding(kinds: set[str]) -> Callable[[Any], Any]:
    """Equality of text ignores case, as recorded for contact names; dates and instants compare together."""
    if kinds & {"text", "guid"}:
        return str.casefold
    if kinds == {"date"}:
        return _as_instant
    return lambda value: value


def parse_where(text: str, *, columns: Mapping[str, Column], type_name: str) -> Query:
    """Parse a `where`; every problem is ErrorNumber 16."""
    if len(text) > LENGTH_MAX:
        raise query_invalid("The where expression is too long")
    return _Parser(text, columns=columns, type_name=type_name).parse()


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    if isinstance(value, date):
        return (1, _as_instant(value))
    if isinstance(value, str):
        return (1, value.casefold())
    return (1, value)


def parse_order(
    text: str, *, columns: Mapping[str, Column], type_name: str
) -> Callable[[list[Any]], list[Any]]:
    """Parse an `order` list into a function that sorts documents."""
    steps: list[tuple[Getter, bool]] = []
    for part in text.split(","):
        words = part.split()
        if not words or len(words) > 2 or (len(words) == 2 and words[1].lower() not in _DIRECTIONS):
            raise query_invalid(f"Syntax error in order '{part.strip()}'")
        column = columns.get(words[0].lower())
        if column is None:
            raise query_invalid(f"No property or field '{words[0]}' exists in type '{type_name}'")
        steps.append((column.read, len(words) == 2 and _DIRECTIONS[words[1].lower()]))

    def arrange(documents: list[Any]) -> list[Any]:
        for read, is_descending in reversed(steps):
            documents = sorted(documents, key=lambda doc: _sort_key(read(doc)), reverse=is_descending)
        return documents

    return arrange


_DIRECTIONS = {"asc": False, "ascending": False, "desc": True, "descending": True}
