"""Draws and client invoices: what a job's schedule of values says was done, month by month.

Each line of the schedule runs from the start to the end of its division's window; a draw bills what was done since
the last one, stored materials apart, less retainage. When the job is done the retainage is billed as one release.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from assets.demo.making.plan import Company, Document, Job, Line, cents

YEAR = 2026
LAST_MONTH = 11
LAST_DAY = date(YEAR, 11, 20)
ZERO = Decimal("0.00")


@dataclass(slots=True)
class Value:
    """One line of a job's schedule of values."""

    code: str
    name: str
    scheduled: Decimal
    start: Decimal
    end: Decimal
    billed: Decimal = ZERO
    stored: Decimal = ZERO


@dataclass(slots=True)
class Progress:
    """A job's draws, and what each month's work was worth by cost code (what the bills are drawn from)."""

    draws: list[Document] = field(default_factory=list)
    work: dict[int, list[tuple[str, Decimal]]] = field(default_factory=dict)


def month_end(month: int) -> date:
    """Return the last day of a month; the current month is billed in its middle."""
    return (
        date(YEAR, month, 15)
        if month == LAST_MONTH
        else date(YEAR, month, calendar.monthrange(YEAR, month)[1])
    )


def schedule_of_values(company: Company, job: Job, random: Random) -> list[Value]:
    """Divide a contract among cost codes; the values add up to the contract to the cent."""
    values: list[Value] = []
    contract = Decimal(job.contract)
    left = contract
    divisions = [division for division, share in company.shares.items() if share]
    for place, division in enumerate(divisions):
        share = contract * company.shares[division] / 100
        amount = left if place == len(divisions) - 1 else cents(share / 100) * 100
        left -= amount
        start, end = (Decimal(edge) for edge in company.windows[division])
        codes = [
            code for code in company.codes if code.division.startswith(division + " ") and not code.items
        ]
        chosen = sorted(random.sample(codes, k=min(2, len(codes))), key=lambda code: code.code)
        first = cents(amount * random.randint(45, 65) / 10_000) * 100
        parts = [amount] if len(chosen) == 1 else [first, amount - first]
        values += [
            Value(code.code, code.name, part, start, end) for code, part in zip(chosen, parts, strict=True)
        ]
    assert sum(value.scheduled for value in values) == contract
    return values


def job_progress(company: Company, job: Job, random: Random) -> Progress:
    """Draw up a job's draws from its start to its end or to the current month."""
    found = Progress()
    if job.status == "planned":
        return found
    values = schedule_of_values(company, job, random)
    withheld = ZERO
    last = min(job.start_month + job.months - 1, LAST_MONTH)
    for number, month in enumerate(range(job.start_month, last + 1), start=1):
        done = Decimal(month - job.start_month + 1) / job.months
        draw = _draw(company, job, number, month, values, done, random)
        found.work[month] = [
            (line.code, line.amount) for line in draw.lines if line.role == "work" and line.code
        ]
        if not draw.lines:
            continue
        if job.retainage_percent:
            held = cents(draw.total * job.retainage_percent / 100)
            withheld += held
            draw.lines.append(Line(f"Retainage withheld {job.retainage_percent}%", -held, role="retainage"))
        found.draws.append(draw)
    is_done = job.start_month + job.months - 1 <= LAST_MONTH
    on = month_end(last) + timedelta(days=25)
    if is_done and withheld and on <= LAST_DAY:
        found.draws.append(_release(company, job, on=on, withheld=withheld))
    return found


def _draw(
    company: Company, job: Job, number: int, month: int, values: list[Value], done: Decimal, random: Random
) -> Document:
    on = month_end(month)
    draw = Document(
        "draw", f"{company.draw_prefix}-{job.number}-{number:02d}", job.client, job.number, on,
        on + timedelta(days=15), f"Draw {number}, work through {on.isoformat()}",
    )  # fmt: skip
    stored: list[Line] = []
    for value in values:
        share = min(max((done - value.start) / (value.end - value.start), Decimal(0)), Decimal(1))
        percent = Decimal(round(share * 100)) if share < 1 else Decimal(100)
        to_date = cents(value.scheduled * percent / 100)
        this_period = to_date - value.billed
        if this_period:
            draw.lines.append(Line(f"{value.name}, {percent}% complete", this_period, value.code))
            value.billed = to_date
        if value.stored and to_date >= value.stored:
            stored.append(
                Line(
                    f"{value.name}, stored materials built in", -value.stored, value.code, "stored_materials"
                )
            )
            value.stored = ZERO
        elif (
            not value.stored and share == 0 and value.start < done + Decimal("0.12") and random.random() < 0.2
        ):
            value.stored = cents(value.scheduled * 3 / 1000) * 100
            stored.append(
                Line(f"{value.name}, materials stored on site", value.stored, value.code, "stored_materials")
            )
    draw.lines += stored
    return draw


def _release(company: Company, job: Job, *, on: date, withheld: Decimal) -> Document:
    return Document(
        "draw", f"{company.draw_prefix}-{job.number}-R", job.client, job.number, on, on + timedelta(days=15),
        "Release of retainage", [Line("Retainage released", withheld, role="retainage")],
    )  # fmt: skip


_EXTRAS = (
    ("Carpenter, extra work", "78.00"),
    ("Laborer, extra work", "54.50"),
    ("Superintendent time", "96.00"),
    ("Design change, drafting hours", "110.00"),
    ("Service call, heating", "135.00"),
    ("Snow clearing, visit", "185.00"),
    ("Additional outlets", "212.40"),
)


def client_invoices(company: Company, random: Random, *, count: int, first_number: int) -> Iterator[Document]:
    """Draw up small invoices for extra work, by the hour or the piece."""
    jobs = [job for job in company.jobs if job.status != "planned"]
    codes = [code for code in company.codes if code.division.startswith(("12 ", "13 ", "100 ", "950 "))]
    for place in range(count):
        job = random.choice(jobs)
        month = random.randint(job.start_month, LAST_MONTH)
        on = min(date(YEAR, month, random.randint(2, 27)), LAST_DAY)
        document = Document(
            "invoice", f"INV-{first_number + place}", job.client, job.number, on, on + timedelta(days=30), "Extra work",
        )  # fmt: skip
        for description, price in random.sample(_EXTRAS, k=random.randint(1, 3)):
            quantity = Decimal(random.randint(2, 60)) / 4
            rate = Decimal(price)
            document.lines.append(
                Line(description, cents(quantity * rate), random.choice(codes).code, "work", quantity, rate)
            )
        if document.total > 1500 and random.random() < 0.25:
            credit = cents(document.total / 20)
            document.lines.append(Line("Courtesy credit", -credit, document.lines[0].code))
        yield document
