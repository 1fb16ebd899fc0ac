"""Whatever way a file is written, its bills are read as they were meant, to the cent and to the day."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import simplejson
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.imports.sources import open_source
from sync.imports.cells import Reading
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.problems import ProblemList
from sync.imports.references import References
from sync.imports.rows import RowReader, stage_columns
from sync.imports.survey import survey

BILLS = FORMATS[ImportEntity.BILLS]
VENDORS = ("Cedar Hollow Lumber", "Peña Brothers Painting", "Total Signal & Alarm", "A, B; C | D")
HEADINGS = ("Bill No", "Vendor", "Date", "Description", "Amount")


@dataclass(frozen=True)
class Bill:
    number: str
    vendor: str
    on: date
    lines: tuple[tuple[str, Decimal], ...]


words = st.sampled_from(
    ["Footings", 'Pipe, 2" copper', "Café counter; oak", "Total demolition", "line one\nline two", "=not"]
)
cents = st.decimals(min_value=Decimal("-99999.99"), max_value=Decimal("9999999.99"), places=2)
texts = words.filter(lambda word: not word.startswith("="))
bills = st.lists(
    st.builds(
        Bill,
        number=st.from_regex(r"[A-Z]{1,3}-?[0-9]{1,6}", fullmatch=True),
        vendor=st.sampled_from(VENDORS),
        on=st.dates(min_value=date(2024, 1, 1), max_value=date(2026, 12, 31)),
        lines=st.lists(st.tuples(texts, cents), min_size=1, max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda bill: bill.number,
)

AMOUNTS: dict[str, Callable[[Decimal], str]] = {
    "plain": lambda amount: f"{amount:.2f}",
    "american": lambda amount: f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}",
    "european": lambda amount: f"{amount:,.2f}".translate(str.maketrans(",.", ".,")),
    "swiss": lambda amount: f"{amount:,.2f}".replace(",", "'"),
}
DATES: dict[str, str] = {
    "iso": "%Y-%m-%d",
    "american": "%m/%d/%Y",
    "european": "%d.%m.%Y",
    "named": "%d %b %Y",
}


def as_csv(
    made: list[Bill], *, separator: str, encoding: str, amounts: str, dates: str, repeated: bool
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(HEADINGS)
    # One day that is nobody's month, so that the column says its own order.
    for bill in [*made, Bill("ORDER-1", VENDORS[0], date(2026, 1, 31), (("Footings", Decimal("1234.56")),))]:
        for place, (description, amount) in enumerate(bill.lines):
            own = [bill.number, bill.vendor, bill.on.strftime(DATES[dates])]
            writer.writerow(
                [*(own if repeated or not place else ["", "", ""]), description, AMOUNTS[amounts](amount)]
            )
    return text.getvalue().encode(encoding)


def as_workbook(made: list[Bill]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False}) as book:
        page = book.add_worksheet()
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        page.write_row(2, 0, HEADINGS)
        line = 3
        for bill in made:
            for place, (description, amount) in enumerate(bill.lines):
                if not place:
                    page.write_row(line, 0, [bill.number, bill.vendor])
                    page.write_datetime(line, 2, bill.on, day)
                page.write_string(line, 3, description)
                page.write_number(line, 4, amount)
                line += 1
    return content.getvalue()


def as_json(made: list[Bill]) -> bytes:
    return simplejson.dumps(
        [
            {
                "billNumber": bill.number, "vendor": {"name": bill.vendor}, "date": bill.on.isoformat(),
                "lines": [{"description": description, "amount": amount} for description, amount in bill.lines],
            }
            for bill in made
        ],
        use_decimal=True,
    ).encode()  # fmt: skip


def read(content: bytes) -> dict[str, Bill]:
    """Read a file's bills; a problem fails the test."""
    references = References()
    for place, vendor in enumerate(VENDORS):
        references.of("vendor").add(str(place), names=[vendor])
    source = open_source(content, name="file", format_=BILLS)
    problems = ProblemList()
    reading = Reading(BILLS, survey(source.rows(), BILLS, file_name="file"), references, "USD")
    names = stage_columns(BILLS)
    found: dict[str, Bill] = {}
    for values in RowReader(reading, problems=problems).read(source.rows()):
        row = dict(zip(names, values, strict=True))
        line = (row["description"], row["amount"])
        before = found.get(row["document"])
        lines = (*before.lines, line) if before else (line,)
        found[row["document"]] = Bill(row["number"], VENDORS[int(row["party"])], row["date"], lines)
    assert problems.kept == []
    return {bill.number: bill for bill in found.values() if bill.number != "ORDER-1"}


def meant(made: list[Bill]) -> dict[str, Bill]:
    return {
        bill.number: Bill(
            bill.number, bill.vendor, bill.on,
            tuple((" ".join(description.split()), amount) for description, amount in bill.lines),
        )
        for bill in made
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    made=bills,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "windows-1252", "utf-16"]),
    amounts=st.sampled_from(sorted(AMOUNTS)),
    dates=st.sampled_from(sorted(DATES)),
    repeated=st.booleans(),
)
def test_a_text_file_in_any_style_is_read_as_meant(made: list[Bill], **style: object) -> None:
    assert read(as_csv(made, **style)) == meant(made)  # type: ignore[arg-type]  # the style's own words


@settings(max_examples=25, deadline=None)
@given(made=bills)
def test_a_workbook_is_read_as_meant(made: list[Bill]) -> None:
    assert read(as_workbook(made)) == meant(made)


@settings(max_examples=40, deadline=None)
@given(made=bills)
def test_json_is_read_as_meant(made: list[Bill]) -> None:
    content = as_json(made)
    assert json.loads(content)
    assert read(content) == meant(made)
