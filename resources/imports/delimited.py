"""CSV and its relatives: any usual separator and encoding, with or without a byte order mark, line by line."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import IO

from resources.imports.refusals import refused
from sync.imports.survey import SourceRow

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_LINES = 60
DECODE_CHUNK_BYTES = 1 << 20

Opener = Callable[[], IO[bytes]]


def delimited_rows(opener: Opener, *, name: str) -> Callable[[], Iterator[SourceRow]]:
    """Settle encoding and separator, and return what reads the rows."""
    encoding = _encoding(opener, name=name)
    with _text(opener, encoding) as text:
        sample = list(islice(text, SAMPLE_LINES))
    separator, lines_before = _separator(sample)

    def rows() -> Iterator[SourceRow]:
        with _text(opener, encoding) as text:
            for _ in range(lines_before):
                next(text)
            reader = csv.reader(text, delimiter=separator, strict=True)
            while True:
                line = reader.line_num + lines_before + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    raise refused(
                        name,
                        f"the quotes from here on do not match ({error})",
                        "Close or remove the quote.",
                        line=line,
                    ) from error
                yield SourceRow(line, cells)

    return rows


def _text(opener: Opener, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(opener(), encoding=encoding, newline="")


def _encoding(opener: Opener, *, name: str) -> str:
    """Return the encoding by its mark, else UTF-8 if the whole file is valid, else what Excel on Windows writes."""
    with opener() as stream:
        head = stream.read(4)
    has_mark = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if has_mark else ("utf-8-sig", "windows-1252"):
        if _is_valid(opener, encoding):
            return encoding
    raise refused(name, "this is no text file", "Save it as CSV (UTF-8) or as .xlsx.")


def _is_valid(opener: Opener, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with opener() as stream:
        try:
            while chunk := stream.read(DECODE_CHUNK_BYTES):
                if "\x00" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _separator(sample: list[str]) -> tuple[str, int]:
    """Return the separator that cuts most sample lines into the same number of cells, and lines to leave out."""
    if (
        sample
        and sample[0].lstrip("\ufeff").lower().startswith("sep=")
        and len(sample[0].strip("\ufeff\r\n")) == 5
    ):
        return sample[0].strip("\ufeff\r\n")[4], 1
    best = max(SEPARATORS, key=lambda separator: _evenness(sample, separator))
    return best, 0


def _evenness(sample: list[str], separator: str) -> tuple[int, int]:
    try:
        widths = Counter(len(cells) for cells in csv.reader(sample, delimiter=separator) if len(cells) > 1)
    except csv.Error:
        return (0, 0)
    if not widths:
        return (0, 0)
    width, lines = widths.most_common(1)[0]
    return (lines, width)
