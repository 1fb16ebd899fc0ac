"""Dates in every usual style become days, and one that could be two days is refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.imports.dates import OrderEvidence, read_date
from sync.imports.problems import UnreadableValue

DAY = date(2026, 3, 31)
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2099, 12, 31))


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-31",
        "2026/3/31",
        "20260331",
        "2026-03-31T00:00:00",
        "3/31/2026",
        "03/31/26",
        "31/03/2026",
        "31.03.2026",
        "31-3-26",
        "Mar 31, 2026",
        "March 31st, 2026",
        "31 Mar 2026",
        "31-Mar-26",
        "31. March 2026",
    ],
)
def test_a_date_is_read_as_its_writer_meant_it(text: str) -> None:
    assert read_date(text, order=None) == DAY


def test_a_date_cell_of_a_workbook_is_that_day() -> None:
    assert read_date(DAY, order=None) == DAY
    assert read_date(datetime(2026, 3, 31, 15, 30), order=None) == DAY  # noqa: DTZ001 - cells know no zone


def test_a_date_that_could_be_two_days_is_refused() -> None:
    with pytest.raises(UnreadableValue, match="can be 2026-03-04 or 2026-04-03"):
        read_date("03/04/2026", order=None)


def test_the_column_settles_which_number_is_the_month() -> None:
    assert read_date("03/04/2026", order="month_first") == date(2026, 3, 4)
    assert read_date("03/04/2026", order="day_first") == date(2026, 4, 3)


def test_equal_numbers_need_no_evidence() -> None:
    assert read_date("5/5/2026", order=None) == date(2026, 5, 5)


def test_one_clear_date_settles_a_column() -> None:
    evidence = OrderEvidence()
    for text in ("03/04/2026", "05/06/2026", "2026-01-31"):
        evidence.note(text)
    assert evidence.order is None
    evidence.note("03/31/2026")
    assert evidence.order == "month_first"


def test_a_column_that_shows_both_orders_settles_nothing() -> None:
    evidence = OrderEvidence()
    evidence.note("03/31/2026")
    evidence.note("31/03/2026")
    assert evidence.order is None


def test_one_stray_among_many_is_the_mistake_and_is_said_to_be() -> None:
    evidence = OrderEvidence()
    for day in range(13, 29):
        evidence.note(f"3/{day}/2026")
    evidence.note("31/03/2026")
    assert evidence.order == "month_first"
    with pytest.raises(UnreadableValue, match="has the day first while the other dates") as refused:
        read_date("31/03/2026", order=evidence.order)
    assert "2026-03-31" in refused.value.suggestion


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("soon", "is not a date"),
        ("31/02/2026", "no day of the calendar"),
        ("2026-13-01", "no day of the calendar"),
        ("13/13/2026", "no day of the calendar"),
        ("0026-03-31", "lies in the year 26"),
        ("3026-03-31", "lies in the year 3026"),
        ("46112", "is a number where a date belongs"),
        (Decimal(46112), "is a number where a date belongs"),
        (Decimal(7), "is not a date"),
        ("31 Foo 2026", "is not a date"),
    ],
)
def test_what_is_no_date_is_refused_with_a_remedy(cell: str | Decimal, said: str) -> None:
    with pytest.raises(UnreadableValue, match=said) as refused:
        read_date(cell, order="month_first")
    assert refused.value.suggestion.endswith(".")


def test_a_day_number_of_excel_is_offered_as_the_day_it_may_be() -> None:
    with pytest.raises(UnreadableValue) as refused:
        read_date("46112", order=None)
    assert "2026-03-31" in refused.value.suggestion


@given(days, st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y", "%d-%b-%Y", "%B %d, %Y"]))
def test_every_day_survives_being_written_and_read(day: date, style: str) -> None:
    assert read_date(day.strftime(style), order="month_first") == day


@given(days, st.sampled_from(["%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"]))
def test_every_day_written_day_first_survives_too(day: date, style: str) -> None:
    assert read_date(day.strftime(style), order="day_first") == day


@given(st.text(max_size=20))
def test_any_text_is_a_day_or_a_sentence(text: str) -> None:
    try:
        found: object = read_date(text, order=None)
    except UnreadableValue as refused:
        found = (refused.problem, refused.suggestion)
    assert isinstance(found, date) or (isinstance(found, tuple) and all(found))
