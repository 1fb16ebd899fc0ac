"""A builder's year: everything drawn up once from its seed, before it is written into files."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from assets.demo.making.costs import bills, journal_entries, purchase_orders
from assets.demo.making.draws import client_invoices, job_progress
from assets.demo.making.plan import Company, Document, Entry


@dataclass(frozen=True, slots=True)
class Books:
    """All documents of one builder, right and complete; the mistakes are made in its files."""

    company: Company
    draws: list[Document]
    invoices: list[Document]
    bills: list[Document]
    orders: list[Document]
    entries: list[Entry]


def draw_up(company: Company, *, invoice_count: int, first_invoice: int) -> Books:
    """Draw up a builder's year."""
    random = Random(company.seed)  # noqa: S311 - made-up figures, the same ones every time
    progress = {job.number: job_progress(company, job, random) for job in company.jobs}
    draws = [draw for found in progress.values() for draw in found.draws]
    made = bills(company, progress, random)
    return Books(
        company=company,
        draws=sorted(draws, key=lambda draw: (draw.on, draw.number)),
        invoices=list(client_invoices(company, random, count=invoice_count, first_number=first_invoice)),
        bills=made,
        orders=purchase_orders(made, random),
        entries=journal_entries(company, draws, random),
    )
