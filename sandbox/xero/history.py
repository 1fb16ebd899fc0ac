"""History notes and attachments: what hangs on a document without being part of it."""

from __future__ import annotations

import base64
import re
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.fields import Fields, Spec, Text, read_fields
from sandbox.xero.refusals import ElementRefused, NotFound, validation
from sandbox.xero.resource import Call, Resource
from sandbox.xero.table import Document
from sandbox.xero.wire import instant_text

DETAILS_MAX = 450
ATTACHMENTS_MAX = 10
ATTACHMENT_BYTES_MAX = 10 * 1024 * 1024
NAME_MAX = 255
_BAD_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
HISTORY_SPEC: Spec = {"Details": Text(DETAILS_MAX), "Changes": Text(), "User": Text()}
SALES_TABLES = frozenset({"Invoices", "CreditNotes"})


def history_view(record: Document) -> Document:
    """A note as the wire shows it."""
    return {
        "Changes": record["Changes"],
        "DateUTCString": instant_text(record["DateUTC"])[:-1],
        "DateUTC": record["DateUTC"],
        "User": record["User"],
        "Details": record["Details"],
    }


def list_history(books: Books, key: str) -> list[Document]:
    """A document's notes, newest first."""
    found = sorted(books["History"].find("document", key), key=lambda record: record["Order"], reverse=True)
    return [history_view(record) for record in found]


def note(call: Call, key: str, *, changes: str, details: str) -> Document:
    """Write one history record."""
    rows = call.books["History"]
    record_id = call.new_id()
    record: Document = {
        "HistoryID": record_id,
        "DocumentID": key,
        "Changes": changes,
        "Details": details,
        "User": f"System Generated ({call.app_name})",
        "DateUTC": call.books.now(),
        "Order": len(rows.rows),
    }
    rows.put(record_id, record)
    return record


def add_history(call: Call, key: str, raw: list[Any]) -> list[Document]:
    """Add notes; they can never be changed or removed."""
    made = []
    for index, element in enumerate(raw):
        fields = read_fields(element, HISTORY_SPEC, path=f"HistoryRecords[{index}]")
        details = fields.get("Details")
        if not details or len(details) > DETAILS_MAX:
            raise validation(f"Details must be specified, with at most {DETAILS_MAX} characters.")
        made.append(history_view(note(call, key, changes="Note", details=details)) | {"ValidationErrors": []})
    return made


def attachment_view(attachment: Document, *, url: str) -> Document:
    """An attachment's description."""
    return {
        "AttachmentID": attachment["AttachmentID"],
        "FileName": attachment["FileName"],
        "Url": f"{url}/{attachment['FileName']}",
        "MimeType": attachment["MimeType"],
        "ContentLength": attachment["ContentLength"],
        "IncludeOnline": attachment["IncludeOnline"],
    }


def attachment_bytes(attachment: Document) -> bytes:
    """The file itself."""
    return base64.b64decode(attachment["Content"])


def find_attachment(books: Books, key: str, name: str) -> Document:
    """By AttachmentID or by file name."""
    for attachment in books["Attachments"].find("document", key):
        if attachment["AttachmentID"] == name.lower() or attachment["FileName"].casefold() == name.casefold():
            return attachment
    raise NotFound


def attach(
    call: Call, resource: Resource, document: Document, *, name: str, body: bytes, mime: str
) -> Document:
    """Add a file, or replace the one of that name."""
    books, key = call.books, document[resource.id_field]
    held = books["Attachments"].find("document", key)
    same = next((other for other in held if other["FileName"].casefold() == name.casefold()), None)
    if not name or len(name) > NAME_MAX or _BAD_NAME.search(name):
        raise validation("The file name contains characters that are not allowed.")
    if not body:
        raise validation("The attachment is empty.")
    if len(body) > ATTACHMENT_BYTES_MAX:
        raise validation("The attachment is larger than 10 MB.")
    if same is None and len(held) >= ATTACHMENTS_MAX:
        raise validation("A document can have at most 10 attachments.")
    attachment: Document = {
        "AttachmentID": same["AttachmentID"] if same else call.new_id(),
        "DocumentID": key,
        "FileName": name,
        "MimeType": mime.partition(";")[0].strip() or "application/octet-stream",
        "ContentLength": len(body),
        "IncludeOnline": call.flag("IncludeOnline") and resource.name in SALES_TABLES,
        "Content": base64.b64encode(body).decode(),
    }
    books["Attachments"].put(attachment["AttachmentID"], attachment)
    # The document shows that it has a file; whether that moves UpdatedDateUTC is not documented, so it does not.
    books[resource.name].put(key, document | {"HasAttachments": True})
    note(call, key, changes="Attached a file", details=f"Attached the file {name} through the Xero API.")
    return attachment


def read_single(raw: Any, spec: Spec, *, path: str) -> Fields:
    """One bare element read by its spec."""
    fields = read_fields(raw, spec, path=path)
    if not fields:
        raise ElementRefused("No data has been processed for this endpoint.")
    return fields
