"""Attachables: notes and files hung on transactions and names."""

from __future__ import annotations

from sandbox.quickbooks import faults
from sandbox.quickbooks.rules import Draft, Rules

FILE_TYPES = frozenset(
    [
        "ai",
        "csv",
        "doc",
        "docx",
        "eps",
        "gif",
        "jpeg",
        "jpg",
        "ods",
        "pdf",
        "png",
        "rtf",
        "tif",
        "txt",
        "xls",
        "xlsx",
        "xml",
    ]
)
UPLOAD_BYTES_MAX = 100 * 1024 * 1024


class AttachableRules(Rules):
    """Notes and files."""

    entity = "Attachable"
    id_space = "Attachable"
    is_transaction = False
    read_only = frozenset(
        {"FileAccessUri", "TempDownloadUri", "Size", "ThumbnailFileAccessUri", "ThumbnailTempDownloadUri"}
    )

    def complete(self, draft: Draft) -> None:
        """Check what it hangs on."""
        body = draft.body
        if body.get("Note") is None and body.get("FileName") is None:
            raise faults.required("Note")
        name = body.get("FileName")
        if name is not None and name.rpartition(".")[2].lower() not in FILE_TYPES:
            raise faults.business(f"Files of the type of {name[-40:]} cannot be attached", element="FileName")
        for link in body.get("AttachableRef") or []:
            ref = link.get("EntityRef")
            if ref is None:
                continue
            entity = ref.get("type")
            if entity is None:
                raise faults.required("AttachableRef.EntityRef.type")
            found = next((known for known in draft.company.tables if known.lower() == entity.lower()), entity)
            if draft.company.find(found, ref["value"]) is None:
                raise faults.invalid_reference(entity, ref["value"], "AttachableRef.EntityRef")
            link["EntityRef"] = {"value": ref["value"], "type": found}
