"""A one-page PDF of a document: enough for a client that downloads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.quickbooks import faults
from sandbox.quickbooks.registry import BY_PATH

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call


def document_pdf(call: Call) -> bytes:
    """Return the PDF of a sales form or order."""
    entity = BY_PATH.get(call.parts[0].lower(), "")
    record = call.company.find(entity, call.parts[1]) if entity else None
    if record is None or "TotalAmt" not in record.body:
        raise faults.not_found()
    shown = f"{entity} {record.body.get('DocNumber', record.id)}  {record.body['TxnDate']}  {record.body['TotalAmt']}"
    safe = "".join(letter for letter in shown if letter.isascii() and letter not in "()\\")
    stream = f"BT /F1 14 Tf 72 720 Td ({safe}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content = b"%PDF-1.4\n"
    places: list[int] = []
    for number, each in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    tail = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(content))
    return content + table + tail
