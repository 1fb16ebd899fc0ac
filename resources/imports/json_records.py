"""JSON and JSON Lines: one object per document, its lines nested or in objects of their own.

Numbers are taken digit by digit (`parse_float=Decimal`). The line of a row is the number of its record, in JSON
Lines the line of the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import IO, Any

from resources.imports.refusals import refused
from sync.imports.columns import heading_key
from sync.imports.formats import Format
from sync.imports.survey import SourceRow
from sync.imports.texts import Cell, PlainText

JSON_BYTES_MAX = 64 * 1024 * 1024

Opener = Callable[[], IO[bytes]]
Record = Mapping[str, Any]
# Only these could be taken for something else than the text they are.
_SIGNS = ("=", "'")
_LINE_KEYS = frozenset({"lines", "line items", "items", "entries", "rows", "details", "lineitems", "line"})


class _NotJson(ValueError):
    """What the parser lets through and we do not: NaN and Infinity, or brackets without end."""


def json_rows(opener: Opener, *, name: str, format_: Format) -> Callable[[], Iterator[SourceRow]]:
    """Read a JSON file whole and return what yields its rows."""
    with opener() as stream:
        content = stream.read(JSON_BYTES_MAX + 1)
    if len(content) > JSON_BYTES_MAX:
        megabytes = JSON_BYTES_MAX // 1024 // 1024
        raise refused(
            name, f"the file is larger than {megabytes} MB", "Write it as JSON Lines, one record per line."
        )
    try:
        records = _records(_parse(content), format_, name=name)
    except (json.JSONDecodeError, UnicodeDecodeError, _NotJson) as error:
        raise _not_json(error, name=name) from error
    return lambda: _rows(lambda: enumerate(records, start=1), name=name)


def json_line_rows(opener: Opener, *, name: str, format_: Format) -> Callable[[], Iterator[SourceRow]]:
    """Return what yields the rows of a JSON Lines file, line by line."""

    def records() -> Iterator[tuple[int, Record]]:
        with opener() as stream:
            for line, text in enumerate(stream, start=1):
                if not text.strip():
                    continue
                try:
                    record = _parse(text)
                except (json.JSONDecodeError, UnicodeDecodeError, _NotJson) as error:
                    raise _not_json(error, name=name, line=line) from error
                if not isinstance(record, dict):
                    raise refused(name, "the line is no JSON object", "Write one {…} per line.", line=line)
                yield line, record

    assert format_.fields, "a format has fields"
    return lambda: _rows(records, name=name)


def _parse(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise _NotJson("it is nested without end") from error


def _refuse_constant(text: str) -> None:
    raise _NotJson(f"{text} is no number")


def _records(content: Any, format_: Format, *, name: str) -> list[Record]:
    """Return the list of objects in a JSON document: the document itself, or the one list inside it."""
    if isinstance(content, dict):
        lists = {key: value for key, value in content.items() if isinstance(value, list)}
        named = lists.get(str(format_.entity))
        is_document = any(heading_key(key) in _LINE_KEYS for key in lists)
        if named is not None:
            content = named
        elif len(lists) == 1 and not is_document:
            content = next(iter(lists.values()))
        else:
            content = [content]
    if not content:
        raise refused(name, "the file has no records", "Choose the file that has the rows.")
    for number, record in enumerate(content, start=1):
        if not isinstance(record, dict):
            raise refused(
                name,
                f"record {number} is no JSON object",
                "Write a list of objects: [{…}, {…}].",
                line=number,
            )
    return list(content)


def _rows(records: Callable[[], Iterable[tuple[int, Record]]], *, name: str) -> Iterator[SourceRow]:
    """Yield the headings, then each record with its lines; the document's own values stand on its first row."""
    outer, inner = _keys(records(), name=name)
    shared = outer.keys() & inner.keys()
    headings = [f"document {key}" if key in shared else key for key in outer]
    headings += [f"line {key}" if key in shared else key for key in inner]
    yield SourceRow(0, headings)
    blank: list[Cell] = [None] * len(outer)
    for number, record in records():
        flat, lines = _flatten(record)
        own: list[Cell] = [flat.get(key) for key in outer]
        if not lines:
            yield SourceRow(number, own + [None] * len(inner))
        for index, line in enumerate(lines):
            yield SourceRow(number, (blank if index else own) + [line.get(key) for key in inner], bool(index))


def _keys(records: Iterable[tuple[int, Record]], *, name: str) -> tuple[dict[str, None], dict[str, None]]:
    outer: dict[str, None] = {}
    inner: dict[str, None] = {}
    for _, record in records:
        flat, lines = _flatten(record)
        outer.update(dict.fromkeys(flat))
        for line in lines:
            inner.update(dict.fromkeys(line))
    if not outer:
        raise refused(name, "the records have no values", "Choose the file that has the rows.")
    return outer, inner


def _flatten(record: Record) -> tuple[dict[str, Cell], list[dict[str, Cell]]]:
    """Return a record's own values by heading, and its lines; {"address": {"city": …}} becomes "address city"."""
    flat: dict[str, Cell] = {}
    lines: list[dict[str, Cell]] = []
    for key, value in record.items():
        heading = heading_key(key)
        if isinstance(value, dict):
            inside, _ = _flatten(value)
            flat.update(
                {
                    heading if within == "name" else f"{heading} {within}": cell
                    for within, cell in inside.items()
                }
            )
        elif isinstance(value, list):
            lines += [_flatten(line)[0] for line in value if isinstance(line, dict)]
        else:
            flat[heading] = PlainText(value) if isinstance(value, str) and value[:1] in _SIGNS else value
    return flat, lines


def _not_json(error: Exception, *, name: str, line: int | None = None) -> Exception:
    if isinstance(error, json.JSONDecodeError):
        return refused(
            name, f"this is no valid JSON ({error.msg})", "Correct it there.", line=line or error.lineno
        )
    return refused(
        name, f"this is no valid JSON ({error})", "Save it as UTF-8 with plain numbers.", line=line or 1
    )
