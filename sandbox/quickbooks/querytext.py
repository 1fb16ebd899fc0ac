"""The query language's text: from a statement to a `Query`, with the parser's own faults."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.quickbooks import faults

ROWS_DEFAULT = 100
ROWS_MAX = 1000
_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:\\.|[^'\\])*')|(?P<number>-?\d+(?:\.\d+)?(?![\w:-]))"
    r"|(?P<word>[A-Za-z_][\w.]*)|(?P<sign><=|>=|!=|=|<|>|\(|\)|,|\*))"
)
_KEYWORDS = frozenset(
    [
        "select",
        "from",
        "where",
        "and",
        "or",
        "in",
        "like",
        "orderby",
        "order",
        "by",
        "startposition",
        "maxresults",
        "count",
        "asc",
        "desc",
    ]
)
_END = "<EOF>"


@dataclass(frozen=True, slots=True)
class Condition:
    """`property operator values`; `is_text` tells quoted from bare values."""

    name: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed statement."""

    entity: str
    fields: tuple[str, ...] | None
    is_count: bool
    conditions: tuple[Condition, ...]
    order: tuple[tuple[str, bool], ...]
    start: int
    rows: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


def parser_error(token: _Token) -> faults.FaultError:
    """4000, in the words of the real parser."""
    if token.kind == "bad":
        letter = token.text.encode("ascii", "backslashreplace").decode()
        return faults.FaultError(
            "4000",
            "Error parsing query",
            f"Invalid content. Lexical error at line 1, column {token.column}.  Encountered:"
            f' "{letter}" ({ord(token.text)}), after : ""',
        )
    shown = token.text if token.kind == "end" else f' <{token.kind.upper()}> "{token.text}'
    return faults.FaultError(
        "4000",
        "Error parsing query",
        f'QueryParserError: Encountered "{shown} "" at line 1, column {token.column}.\nWas expecting one of:\n'
        '    <EOF> \n    "and" ...\n    "or" ...\n    "orderby" ...\n    "startposition" ...\n    "maxresults" ...',
    )


def validation_error(detail: str) -> faults.FaultError:
    """4001: the statement reads well but asks for what is not there."""
    return faults.FaultError("4001", "Invalid query", f"QueryValidationError: {detail}")


def parse(text: str, *, allow_bare_numbers: bool, allow_zero_start: bool) -> Query:
    """Parse a statement; 4000 or 4001 when it is not one."""
    return _Parser(text, allow_bare_numbers=allow_bare_numbers, allow_zero_start=allow_zero_start).statement()


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            skipped = position + len(text[position:]) - len(text[position:].lstrip())
            letter = text[skipped]
            found.append(_Token("bad", letter, skipped + 1))
            break
        kind = match.lastgroup or "sign"
        body = match.group(kind)
        if kind == "word":
            kind = "keyword" if body.lower() in _KEYWORDS else "identifier"
        found.append(_Token(kind, body, match.start(match.lastgroup or 0) + 1))
        position = match.end()
    found.append(_Token("end", _END, len(text) + 1))
    return found


class _Parser:
    def __init__(self, text: str, *, allow_bare_numbers: bool, allow_zero_start: bool) -> None:
        self._tokens = _tokens(text)
        self._place = 0
        self._allow_bare_numbers = allow_bare_numbers
        self._start_min = 0 if allow_zero_start else 1

    @property
    def _now(self) -> _Token:
        return self._tokens[self._place]

    def statement(self) -> Query:
        self._expect("select")
        fields, is_count = self._projection()
        self._expect("from")
        entity = self._identifier()
        conditions = self._conditions() if self._accept("where") else ()
        order = self._order()
        start = self._position("startposition", 1, least=self._start_min, most=2**31 - 1)
        rows = self._position("maxresults", ROWS_DEFAULT, least=1, most=ROWS_MAX)
        if self._accept("startposition"):
            raise parser_error(self._tokens[self._place - 1])
        if self._now.kind != "end":
            raise parser_error(self._now)
        return Query(entity, fields, is_count, conditions, order, max(start, 1), rows)

    def _projection(self) -> tuple[tuple[str, ...] | None, bool]:
        if self._accept("count"):
            self._expect("(")
            self._expect("*")
            self._expect(")")
            return None, True
        names: list[str] = []
        has_all = False
        while True:
            if self._accept("*"):
                has_all = True
            else:
                names.append(self._identifier())
            if not self._accept(","):
                return (None if has_all else tuple(names)), False

    def _conditions(self) -> tuple[Condition, ...]:
        found = [self._condition()]
        while self._accept("and"):
            found.append(self._condition())
        if self._now.text.lower() == "or" and self._now.kind == "keyword":
            raise parser_error(self._now)
        return tuple(found)

    def _condition(self) -> Condition:
        name = self._identifier()
        token = self._take()
        operator = token.text.lower()
        if operator == "in":
            self._expect("(")
            values = [self._value()]
            while self._accept(","):
                values.append(self._value())
            self._expect(")")
            return Condition(name, "in", tuple(values))
        if operator not in ("=", "<", ">", "<=", ">=", "like"):
            raise parser_error(token)
        return Condition(name, operator, (self._value(),))

    def _value(self) -> str:
        token = self._take()
        if token.kind == "string":
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        if token.kind == "number" and self._allow_bare_numbers:
            return token.text
        if token.kind == "identifier" and token.text.lower() in ("true", "false", "current_date"):
            return token.text.lower()
        raise parser_error(token)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if self._accept("order"):
            self._expect("by")
        elif not self._accept("orderby"):
            return ()
        found: list[tuple[str, bool]] = []
        while True:
            name = self._identifier()
            is_descending = self._accept("desc")
            if not is_descending:
                self._accept("asc")
            found.append((name, is_descending))
            if not self._accept(","):
                return tuple(found)

    def _position(self, keyword: str, default: int, *, least: int, most: int) -> int:
        if not self._accept(keyword):
            return default
        token = self._take()
        text = token.text[1:-1] if token.kind == "string" else token.text
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise parser_error(token)
        value = int(text)
        if value < least:
            raise validation_error(f"value {value} is too small. Min allowed value is {least}")
        if value > most:
            raise validation_error(f"value {value} is too large. Max allowed value is {most}")
        return value

    def _take(self) -> _Token:
        token = self._now
        if token.kind != "end":
            self._place += 1
        return token

    def _accept(self, text: str) -> bool:
        if self._now.text.lower() == text and self._now.kind in ("keyword", "sign"):
            self._place += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise parser_error(self._now)

    def _identifier(self) -> str:
        token = self._take()
        if token.kind == "identifier" or (
            token.kind == "keyword" and token.text.lower() in ("count", "order")
        ):
            return token.text
        raise parser_error(token)
