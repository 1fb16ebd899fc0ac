"""What kind of file this is, told by its content, and how to read its rows as often as needed.

A file that is no table (a PDF, a web page saved as .xls, an old or locked workbook) is refused with a sentence.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from resources.imports.delimited import delimited_rows
from resources.imports.json_records import json_line_rows, json_rows
from resources.imports.refusals import refused
from resources.imports.workbooks import workbook_rows
from sync.imports.formats import Format
from sync.imports.survey import SourceRow

HASH_CHUNK_BYTES = 1 << 20
JSON_LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})

Opener = Callable[[], IO[bytes]]
RowsAgain = Callable[[], Iterator[SourceRow]]


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name, its fingerprint, and its rows, which can be read again and again."""

    name: str
    sha256: str
    rows: RowsAgain
    notes: tuple[str, ...] = ()
    size_bytes: int = 0


def open_source(content: Path | bytes, *, name: str, format_: Format) -> Source:
    """Open a file by its content; raises ImportRejected when it is no table."""
    opener = _opener(content, name=name)
    with opener() as stream:
        head = stream.read(4096)
        digest, size = hashlib.sha256(head), len(head)
        while chunk := stream.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    sha256 = digest.hexdigest()
    if not head.strip():
        raise refused(name, "the file is empty", "Choose the file that has the rows.")
    _refuse_what_is_no_table(head, name=name)
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        rows, notes = workbook_rows(opener, name=name, format_=format_)
        return Source(name, sha256, rows, notes, size_bytes=size)
    if _is_json(head):
        is_lines = Path(name).suffix.lower() in JSON_LINES_SUFFIXES or _is_json_lines(opener)
        return Source(
            name,
            sha256,
            (json_line_rows if is_lines else json_rows)(opener, name=name, format_=format_),
            size_bytes=size,
        )
    return Source(name, sha256, delimited_rows(opener, name=name), size_bytes=size)


def _opener(content: Path | bytes, *, name: str) -> Opener:
    if isinstance(content, bytes):
        return lambda: io.BytesIO(content)
    if not content.is_file():
        raise refused(name, f"there is no file {content}", "Check the path.")
    return lambda: content.open("rb")


def _refuse_what_is_no_table(head: bytes, *, name: str) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"%pdf"):
        raise refused(name, "this is a PDF", "Export the same report as CSV or Excel.")
    if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise refused(
            name, "this is a web page with another ending", "Open it in Excel and save it as .xlsx or CSV."
        )


def _is_json(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _is_json_lines(opener: Opener) -> bool:
    """Say whether every line is an object of its own: the first line ends the first object."""
    with opener() as stream:
        lines = [line.strip() for line in (stream.readline(), stream.readline()) if line.strip()]
    return len(lines) == 2 and all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
