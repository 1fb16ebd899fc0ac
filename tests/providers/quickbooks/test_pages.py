"""Reading a list in pages while somebody else changes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import pytest

from resources.quickbooks.chart import PAGE_ROWS_MAX, rows_of
from resources.quickbooks.client import Client


class FakeCompany:
    """A list that answers queries as QuickBooks does, and changes between them."""

    def __init__(
        self, count: int, between: Callable[[FakeCompany, int], None] = lambda _company, _call: None
    ) -> None:
        self.ids = list(range(1, count + 1))
        self.between = between
        self.calls = 0

    def query(self, statement: str) -> dict[str, Any]:
        self.calls += 1
        self.between(self, self.calls)
        assert " ORDERBY Id " in statement
        start, size = (int(text) for text in re.findall(r"(?:STARTPOSITION|MAXRESULTS) (\d+)", statement))
        rows = [{"Id": str(number)} for number in self.ids[start - 1 : start - 1 + size]]
        return {"Vendor": rows} if rows else {}

    def read(self) -> list[int]:
        return [
            int(row["Id"]) for page in rows_of(cast("Client", self), "Vendor", is_list=True) for row in page
        ]


@pytest.mark.parametrize(
    "count", [0, 1, PAGE_ROWS_MAX - 1, PAGE_ROWS_MAX, PAGE_ROWS_MAX + 1, 3 * PAGE_ROWS_MAX]
)
def test_every_row_is_read_once(count: int) -> None:
    company = FakeCompany(count)
    assert company.read() == list(range(1, count + 1))


def test_a_short_list_costs_one_call() -> None:
    company = FakeCompany(PAGE_ROWS_MAX - 1)
    company.read()
    assert company.calls == 1


@pytest.mark.parametrize("removed", [1, 19, 20, 21, 400, 990])
def test_rows_removed_meanwhile_hide_no_others(removed: int) -> None:
    def remove(company: FakeCompany, call: int) -> None:
        if call == 2:
            company.ids = company.ids[removed:]

    company = FakeCompany(2500, between=remove)
    assert company.read() == list(range(1, 2501))


def test_rows_added_meanwhile_are_read_too() -> None:
    def add(company: FakeCompany, call: int) -> None:
        if call == 2:
            company.ids.append(5000)

    assert FakeCompany(1500, between=add).read() == [*range(1, 1501), 5000]
