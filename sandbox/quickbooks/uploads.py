"""Attachable files: the multipart upload, and the address a download answers with."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from sandbox.kernel import wire
from sandbox.quickbooks import faults, writing
from sandbox.quickbooks.attachables import UPLOAD_BYTES_MAX
from sandbox.quickbooks.change import changing
from sandbox.quickbooks.faults import FaultError
from sandbox.quickbooks.times import wire_time

if TYPE_CHECKING:
    from sandbox.quickbooks.endpoints import Call

PARTS_MAX = 40


def upload(call: Call) -> bytes:
    """Answer `POST /upload`: pairs of `file_metadata_NN` (JSON) and `file_content_NN`."""
    if call.method != "POST":
        raise faults.unsupported("Unsupported operation: upload")
    parts = _parts(call.request.headers.get("content-type", ""), call.body)
    numbers = sorted({name.rpartition("_")[2] for name in parts if name.startswith("file_")})
    if not numbers:
        raise faults.required("file_metadata_01")
    answers = [_one(call, parts, number) for number in numbers]
    time = wire_time(call.started, milliseconds=True)
    return b'{"AttachableResponse":[' + b",".join(answers) + b'],"time":"' + time.encode() + b'"}'


def _one(call: Call, parts: dict[str, tuple[dict[str, str], bytes]], number: str) -> bytes:
    try:
        _headers, text = parts.get(f"file_metadata_{number}", ({}, b"{}"))
        try:
            metadata = wire.loads(text)
        except wire.BadJsonError as error:
            raise faults.unparsable(f"file_metadata_{number}", "Attachable", "malformed JSON") from error
        content = parts.get(f"file_content_{number}")
        if content is None:
            raise faults.required(f"file_content_{number}")
        headers, raw = content
        if len(raw) > UPLOAD_BYTES_MAX:
            raise faults.FaultError("6030", "Attachment too big", "The attachment is bigger than 100 MB")
        if isinstance(metadata, dict) and not metadata.get("FileName"):
            disposition = re.search(r'filename="([^"]*)"', headers.get("content-disposition", ""))
            metadata["FileName"] = disposition.group(1) if disposition else ""
        with changing(call.company) as change:
            record = writing.create(change, "Attachable", metadata)
            place = f"/v3/company/{call.company.realm}/download/{record.id}"
            body = {**record.body, "FileAccessUri": place, "Size": len(raw),
                    "ContentType": record.body.get("ContentType") or headers.get("content-type", ""),
                    "TempDownloadUri": f"{str(call.request.base_url).rstrip('/')}/_sandbox/files/{call.company.realm}/{record.id}"}  # fmt: skip
            change.refresh("Attachable", record, body, bumps=False)
            kept = {"kind": body["ContentType"], "content": base64.b64encode(raw).decode()}
            call.company.store.put(call.company.path("_files"), record.id, kept)
        fresh = call.company.find("Attachable", record.id) or record
        return b'{"Attachable":%s}' % fresh.wire
    except FaultError as fault:
        return b'{"Fault":%s}' % wire.dumps(fault.body())


def download(call: Call, number: str) -> bytes:
    """Answer `GET /download/{id}`: the bare address, good for 15 minutes."""
    record = call.company.find("Attachable", number)
    if record is None or not record.body.get("TempDownloadUri"):
        raise faults.not_found()
    return str(record.body["TempDownloadUri"]).encode()


def _parts(content_type: str, body: bytes) -> dict[str, tuple[dict[str, str], bytes]]:
    """Read a multipart body, also the bare-LF kind some clients send."""
    match = re.search(r'boundary="?([^";]+)"?', content_type)
    if "multipart/form-data" not in content_type.lower() or match is None:
        raise faults.FaultError(
            "2010", "Request has invalid or unsupported property", "The upload is not multipart/form-data"
        )
    found: dict[str, tuple[dict[str, str], bytes]] = {}
    for piece in body.split(b"--" + match.group(1).strip().encode())[: PARTS_MAX + 2]:
        head, blank, rest = piece.lstrip(b"\r\n").replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
        if not blank:
            continue
        headers = _headers(head)
        name = re.search(r'name="([^"]*)"', headers.get("content-disposition", ""))
        if name is None:
            continue
        content: bytes = rest.rstrip(b"\r\n")
        if headers.get("content-transfer-encoding", "").lower() == "base64":
            try:
                content = base64.b64decode(content)
            except binascii.Error as error:
                raise faults.unparsable(name.group(1), "base64", "...") from error
        found[name.group(1)] = (headers, content)
    return found


def _headers(head: bytes) -> dict[str, str]:
    lines: list[Any] = head.decode("latin-1").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
