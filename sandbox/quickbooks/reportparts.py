"""The frame every report comes in: header, columns, rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.quickbooks import faults
from sandbox.quickbooks.times import parse_date, wire_time

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

Row = dict[str, Any]
Column = tuple[str, str, str]


def two(amount: Decimal) -> str:
    """Return an amount with two places."""
    return f"{amount:.2f}"


def cell(value: str, number: str | None = None) -> Row:
    """Return one cell, with the id it stands for."""
    return {"value": value} if number is None else {"value": value, "id": number}


def data_row(*cells: Row) -> Row:
    """Return a row of data."""
    return {"ColData": list(cells), "type": "Data"}


def section(header: list[Row], rows: list[Row], summary: list[Row]) -> Row:
    """Return a section with its total."""
    return {
        "Header": {"ColData": header},
        "Rows": {"Row": rows},
        "Summary": {"ColData": summary},
        "type": "Section",
    }


def asked_date(call: Call, name: str) -> date | None:
    """Return a date parameter; 2180 when it is none."""
    text = call.query.get(name)
    if not text:
        return None
    parsed = parse_date(text)
    if parsed is None:
        raise faults.FaultError("2180", "Invalid date", f"Invalid date : {name} {text[:40]}", element=name)
    return parsed


def period(call: Call) -> tuple[date, date]:
    """Return start_date and end_date, by default the year so far."""
    today = call.company.today()
    end = asked_date(call, "end_date") or asked_date(call, "report_date") or today
    start = asked_date(call, "start_date") or date(end.year, 1, 1)
    if start > end:
        raise faults.FaultError("2180", "Invalid date", "Invalid date : start_date is after end_date")
    method = call.query.get("accounting_method", "Accrual")
    if method.lower() not in ("accrual", "cash"):
        raise faults.invalid_choice("accounting_method", method)
    return start, end


def frame(call: Call, name: str, start: date, end: date, columns: Iterable[Column], rows: list[Row]) -> Row:
    """Return the whole report."""
    header: Row = {
        "Time": wire_time(call.started),
        "ReportName": name,
        "ReportBasis": "Accrual",
        "StartPeriod": start.isoformat(),
        "EndPeriod": end.isoformat(),
        "Currency": "USD",
        "Option": [{"Name": "NoReportData", "Value": "false" if rows else "true"}],
    }
    return {
        "Header": header,
        "Columns": {
            "Column": [
                {"ColTitle": title, "ColType": kind, "MetaData": [{"Name": "ColKey", "Value": key}]}
                for title, kind, key in columns
            ]
        },
        "Rows": {"Row": rows},
    }
