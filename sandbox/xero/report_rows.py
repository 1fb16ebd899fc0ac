"""The building blocks of report answers: header, section, row and summary, all values strings."""

from __future__ import annotations

from datetime import date
from typing import Any

Row = dict[str, Any]


def cell(value: str, *, account_id: str = "", id_name: str = "account") -> Row:
    """One cell, with the id it stands for when it has one."""
    return (
        {"Value": value, "Attributes": [{"Value": account_id, "Id": id_name}]}
        if account_id
        else {"Value": value}
    )


def header(*titles: str) -> Row:
    """The column titles."""
    return {"RowType": "Header", "Cells": [{"Value": title} for title in titles]}


def row(*values: str, account_id: str = "", id_name: str = "account") -> Row:
    """A line of figures."""
    return {
        "RowType": "Row",
        "Cells": [cell(value, account_id=account_id, id_name=id_name) for value in values],
    }


def summary(*values: str) -> Row:
    """A line of sums."""
    return {"RowType": "SummaryRow", "Cells": [{"Value": value} for value in values]}


def section(title: str, rows: list[Row]) -> Row:
    """A titled group of rows."""
    return {"RowType": "Section", "Title": title, "Rows": rows}


def shown_date(day: date) -> str:
    """A date as report titles spell it: 31 January 2026."""
    return f"{day.day} {day:%B} {day.year}"
