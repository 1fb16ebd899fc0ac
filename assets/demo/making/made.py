"""All files of all made-up builders, from their seeds."""

from __future__ import annotations

from collections.abc import Iterator

from assets.demo.making.books import draw_up
from assets.demo.making.files import manifest_bytes
from assets.demo.making.halvorsen import HALVORSEN
from assets.demo.making.halvorsen_files import LONG_NUMBER as HALVORSEN_LONG_NUMBER
from assets.demo.making.halvorsen_files import halvorsen_files
from assets.demo.making.larkspur import LARKSPUR
from assets.demo.making.larkspur_files import LONG_NUMBER as LARKSPUR_LONG_NUMBER
from assets.demo.making.larkspur_files import larkspur_files
from assets.demo.making.manifest import manifest

INVOICES = 28


def made_files() -> Iterator[tuple[str, bytes]]:
    """Yield every file with its place below the demo folder."""
    for company, make, first_invoice, long_number in (
        (LARKSPUR, larkspur_files, 4103, LARKSPUR_LONG_NUMBER),
        (HALVORSEN, halvorsen_files, 7201, HALVORSEN_LONG_NUMBER),
    ):
        books = draw_up(company, invoice_count=INVOICES, first_invoice=first_invoice)
        files = make(books)
        for made in files:
            yield f"{company.slug}/{made.name}", made.content
        yield f"{company.slug}/manifest.json", manifest_bytes(manifest(books, files, long_number=long_number))
