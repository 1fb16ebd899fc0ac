"""The wire: `/v3/company/{realm}/...` from request to answer."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.kernel import wire
from sandbox.quickbooks import faults, writing
from sandbox.quickbooks.capture import capture
from sandbox.quickbooks.change import changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.faults import FaultError, GatewayError, fault_json, fault_xml
from sandbox.quickbooks.query import run_query
from sandbox.quickbooks.registry import BY_PATH
from sandbox.quickbooks.times import wire_time
from sandbox.quickbooks.uploads import download, upload

if TYPE_CHECKING:
    from sandbox.quickbooks.emulator import QuickBooks

LOG = logging.getLogger("sandbox.quickbooks")
BATCH_ITEMS_MAX = 30
REQUEST_ID_MAX = 50
BATCH_REQUEST_ID_MAX = 36
Done = tuple[bytes, int]


class Call:
    """One authenticated request to one company."""

    def __init__(self, emulator: QuickBooks, request: Request, company: Company, body: bytes) -> None:
        self.emulator = emulator
        self.request = request
        self.company = company
        self.body = body
        self.started: datetime = emulator.clock.now()
        self.query = request.query_params
        self.method = request.method
        self.parts = [part for part in request.path_params["path"].split("/") if part]

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; 2010 or 2020 when it is none."""
        if not self.body.strip():
            raise faults.required("request body")
        try:
            value = wire.loads(self.body)
        except (wire.BadJsonError, UnicodeDecodeError) as error:
            raise faults.FaultError(
                "2010",
                "Request has invalid or unsupported property",
                f"Unexpected or malformed JSON: {str(error)[:120]}",
            ) from error
        if not isinstance(value, dict):
            raise faults.unparsable("request body", "object", value)
        return value

    def envelope(self, name: str, inner: bytes) -> bytes:
        """Return `{"<name>": ..., "time": ...}`."""
        return b'{"%s":%s,"time":"%s"}' % (
            name.encode(),
            inner,
            wire_time(self.started, milliseconds=True).encode(),
        )


def company_routes(emulator: QuickBooks) -> list[BaseRoute]:
    """Return the one route that serves every company resource."""

    async def serve(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        tid = f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"
        headers = {"intuit_tid": tid, "qbo-version": "1976.207", "cache-control": "no-cache, no-store"}
        if (entry := request.scope.get("sandbox_entry")) is not None:
            entry.request_id = request.query_params.get("requestid", "")
        body = await request.body()
        wants_xml = emulator.switches["xml_answers"] == "without_json_accept" and "json" not in accept
        try:
            content, status, kind = answer(emulator, request, body, wants_xml=wants_xml)
        except FaultError as fault:
            return fault_response(emulator, fault, headers=headers, wants_xml=wants_xml)
        except Exception:
            # The edge of the process: our own bug looks like Intuit's, and is logged as ours.
            LOG.exception("%s %s failed", request.method, request.url.path)
            return fault_response(emulator, faults.system_failure(), headers=headers, wants_xml=wants_xml)
        return Response(content, status_code=status, media_type=kind, headers=headers)

    methods = ["GET", "POST", "PUT", "DELETE", "PATCH"]

    async def nowhere(request: Request) -> Response:
        return fault_response(emulator, faults.unsupported(f"Unsupported operation: {request.url.path[:80]}"))

    return [
        Route("/v3/company/{realm}/{path:path}", serve, methods=methods),
        Route("/v3/{path:path}", nowhere, methods=methods),
    ]


def fault_response(
    emulator: QuickBooks, fault: FaultError, *, headers: dict[str, str] | None = None, wants_xml: bool = False
) -> Response:
    """Return a fault as the wire shows it."""
    now = emulator.clock.now()
    headers = dict(headers or {})
    headers.setdefault("intuit_tid", f"gw-{uuid.uuid4()}")
    if fault.status == 429 and emulator.switches["retry_after"] == "present":
        headers["retry-after"] = "60"
    if wants_xml:
        return Response(
            fault_xml(fault, now), status_code=fault.status, media_type="application/xml", headers=headers
        )
    return Response(
        fault_json(fault, now), status_code=fault.status, media_type="application/json", headers=headers
    )


def answer(emulator: QuickBooks, request: Request, body: bytes, *, wants_xml: bool) -> tuple[bytes, int, str]:
    """Authenticate, run, and serialise one request."""
    realm = request.path_params["realm"]
    emulator.oauth.authenticate(request.headers.get("authorization", ""), realm)
    if not emulator.has_company(realm):
        raise faults.unauthorised(f"ApplicationAuthorizationFailed: company {realm[:40]} not found")
    call = Call(emulator, request, emulator.company(realm), body)
    resource = call.parts[0].lower() if call.parts else ""
    if resource == "upload":
        return upload(call), 200, "application/json"
    if resource == "download" and len(call.parts) == 2:
        return download(call, call.parts[1]), 200, "text/plain"
    if len(call.parts) == 3 and call.parts[2].lower() == "pdf":
        return emulator.document_pdf(call), 200, "application/pdf"
    content = dispatch(call, resource)
    if not wants_xml:
        return content, 200, "application/json;charset=UTF-8"
    from sandbox.quickbooks.xml import as_xml

    return as_xml(wire.loads(content)), 200, "application/xml;charset=UTF-8"


def dispatch(call: Call, resource: str) -> bytes:
    """Run the resource a path names."""
    if resource == "query":
        return query(call)
    if resource == "cdc":
        _only(call, "GET")
        return capture(call)
    if resource == "reports":
        _only(call, "GET")
        from sandbox.quickbooks.reports import report

        return report(call)
    if call.method == "POST" and resource in ("batch", "taxservice"):
        return batch(call) if resource == "batch" else tax_service(call)
    entity = BY_PATH.get(resource)
    if entity is None or len(call.parts) > 3:
        raise faults.unsupported(f"Unsupported operation: {'/'.join(call.parts)[:80]}")
    if call.method == "GET":
        return read(call, entity)
    _only(call, "POST")
    if len(call.parts) == 3 and call.parts[2].lower() == "send":
        return send(call, entity)
    if len(call.parts) > 1:
        raise faults.unsupported(f"Unsupported operation: POST {'/'.join(call.parts)[:80]}")
    return write(call, entity)


def _only(call: Call, method: str) -> None:
    if call.method != method:
        raise faults.unsupported(f"Unsupported operation: {call.method} {'/'.join(call.parts)[:80]}")


def read(call: Call, entity: str) -> bytes:
    """GET one object."""
    number = call.parts[1] if len(call.parts) == 2 else ""
    if entity == "Preferences" and not number:
        number = "1"
    if entity == "CompanyInfo":
        number = "1"
    if not number:
        raise faults.required("Id")
    if not number.lstrip("-").isdecimal():
        raise faults.invalid_id("Id", number)
    record = call.company.find(entity, number)
    if record is None:
        raise faults.not_found(
            "Object Not Found : Something you're trying to use has been made inactive or deleted."
        )
    return call.envelope(entity, record.wire)


def query(call: Call) -> bytes:
    """Run a query given in the address or as the body."""
    text = call.query.get("query", "")
    if call.method == "POST" and not text:
        kind = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind and kind not in ("application/text", "text/plain", "application/octet-stream"):
            raise faults.FaultError(
                "4000", "Error parsing query", f"QueryParserError: content type {kind[:40]} is not text"
            )
        try:
            text = call.body.decode()
        except UnicodeDecodeError as error:
            raise faults.FaultError(
                "4000", "Error parsing query", "Invalid content. The query is not UTF-8"
            ) from error
    if not text.strip():
        raise faults.FaultError(
            "4000", "Error parsing query", 'QueryParserError: Encountered "<EOF> "" at line 1, column 1.'
        )
    return call.envelope("QueryResponse", run_query(call.company, text).wire())


def write(call: Call, entity: str) -> bytes:
    """Create, update, delete or void, once per request id."""
    operation = call.query.get("operation", "").lower()
    include = [part.strip().lower() for part in call.query.get("include", "").split(",")]
    request_id = call.query.get("requestid", "")
    if len(request_id) > REQUEST_ID_MAX:
        raise faults.too_long("requestid", request_id, REQUEST_ID_MAX)
    raw = call.json()
    fingerprint = hashlib.sha256(call.body + f"{entity}?{operation}&{include}".encode()).hexdigest()

    def run() -> bytes:
        return call.envelope(entity, perform(call, entity, operation, raw, include))

    return once(call.company, request_id, fingerprint, run)


def perform(call: Call, entity: str, operation: str, raw: dict[str, Any], include: list[str]) -> bytes:
    """Do one write and return the object's JSON."""
    company = call.company
    with changing(company, allow_duplicate_numbers="allowduplicatedocnum" in include) as change:
        if operation == "delete":
            result = wire.dumps(writing.delete(change, entity, raw))
        elif operation == "void" or "void" in include:
            if operation == "void" and entity != "Invoice" and company.switch("void_style") == "per_entity":
                raise faults.unsupported(f"Operation void is not supported for {entity}; use include=void")
            result = writing.void(change, entity, raw).wire
        elif operation in ("", "update", "create"):
            if entity == "Preferences":
                current = company.find("Preferences", "1")
                raw = {"Id": "1", "SyncToken": current.body["SyncToken"] if current else "0", **raw}
            record = writing.save(change, entity, raw)
            change.finish()
            result = (company.find(entity, record.id) or record).wire
        else:
            raise faults.unsupported(f"Unsupported operation: {operation[:40]}")
    call.emulator.announce(company, change.events)
    return result


def once(company: Company, request_id: str, fingerprint: str, run: Callable[[], bytes]) -> bytes:
    """Run a write, or return the stored answer of the first run with the same request id."""
    if not request_id or company.switch("requestid_memory") == "expired":
        return run()
    table = company.path("_requests")
    kept = company.store.get(table, request_id)
    if kept is not None:
        if kept["fingerprint"] != fingerprint and company.switch("requestid_other_body") == "fault":
            raise faults.FaultError(
                "600", "Duplicate Request Id", f"The request id {request_id} was used with other content"
            )
        return str(kept["answer"]).encode()
    # The answer is remembered in the same transaction as the write: a crash loses both or neither.
    with company.store.transaction():
        content = run()
        company.store.put(table, request_id, {"fingerprint": fingerprint, "answer": content.decode()})
    return content


def batch(call: Call) -> bytes:
    """Run up to 30 independent items; each has its own answer or fault."""
    items = call.json().get("BatchItemRequest")
    if not isinstance(items, list) or not items:
        raise faults.required("BatchItemRequest")
    if len(items) > BATCH_ITEMS_MAX:
        raise faults.FaultError(
            "1040",
            "Batch request has too many items",
            f"The batch has {len(items)} items; the maximum is {BATCH_ITEMS_MAX}",
        )
    request_id = call.query.get("requestid", "")
    if len(request_id) > BATCH_REQUEST_ID_MAX:
        raise faults.too_long("requestid", request_id, BATCH_REQUEST_ID_MAX)
    answers = [_batch_item(call, item, request_id) for item in items]
    time = wire_time(call.started, milliseconds=True).encode()
    return b'{"BatchItemResponse":[' + b",".join(answers) + b'],"time":"' + time + b'"}'


def _batch_item(call: Call, item: Any, request_id: str) -> bytes:
    number = item.get("bId") if isinstance(item, dict) else None
    prefix = b'{"bId":%s,' % wire.dumps("" if number is None else str(number)[:64])
    try:
        if not isinstance(item, dict):
            raise faults.unparsable("BatchItemRequest", "BatchItemRequest", item)
        if number in (None, ""):
            raise faults.required("bId")
        return prefix + _run_item(call, item, str(number), request_id) + b"}"
    except GatewayError:
        raise
    except FaultError as fault:
        return prefix + b'"Fault":%s}' % wire.dumps(fault.body())


def _run_item(call: Call, item: dict[str, Any], number: str, request_id: str) -> bytes:
    if "Query" in item:
        if not isinstance(item["Query"], str):
            raise faults.unparsable("Query", "java.lang.String", item["Query"])
        return b'"QueryResponse":%s' % run_query(call.company, item["Query"]).wire()
    names = [name for name in item if name not in ("bId", "operation", "optionsData")]
    entity = BY_PATH.get(names[0].lower()) if len(names) == 1 else None
    if entity is None:
        raise faults.unsupported(f"Unsupported batch item: {', '.join(names)[:80] or 'no entity'}")
    raw = item[names[0]]
    if not isinstance(raw, dict):
        raise faults.unparsable(entity, entity, raw)
    operation = str(item.get("operation", "")).lower()
    if operation not in ("create", "update", "delete"):
        raise faults.invalid_choice("operation", item.get("operation"))
    if request_id and len(number) > 10:
        raise faults.too_long("bId", number, 10)
    if operation == "create":
        raw = {name: value for name, value in raw.items() if name != "Id"}
    include = [part.strip().lower() for part in str(item.get("optionsData") or "").split(",")]
    fingerprint = hashlib.sha256(wire.dumps([names[0], operation, raw, include])).hexdigest()
    key = f"{request_id}|{number}" if request_id else ""
    inner = once(call.company, key, fingerprint, lambda: perform(call, entity, operation, raw, include))
    return b'"%s":%s' % (entity.encode(), inner)


def tax_service(call: Call) -> bytes:
    """Create a tax code with its rates."""
    if [part.lower() for part in call.parts] != ["taxservice", "taxcode"]:
        raise faults.unsupported(f"Unsupported operation: {'/'.join(call.parts)[:80]}")
    from sandbox.quickbooks.taxes import create_tax_code

    return wire.dumps(create_tax_code(call.company, call.json()))


def send(call: Call, entity: str) -> bytes:
    """Pretend to e-mail a document: EmailStatus becomes EmailSent."""
    record = call.company.find(entity, call.parts[1])
    if record is None or entity not in ("Invoice", "Estimate", "CreditMemo", "SalesReceipt", "PurchaseOrder"):
        raise faults.not_found()
    address = call.query.get("sendTo") or (record.body.get("BillEmail") or {}).get("Address")
    if not address:
        raise faults.required("BillEmail")
    with changing(call.company) as change:
        body = {**record.body, "EmailStatus": "EmailSent", "BillEmail": {"Address": address}}
        change.refresh(entity, record, body)
        change.events = [(entity, record.id, "Emailed")]
    call.emulator.announce(call.company, change.events)
    fresh = call.company.find(entity, record.id) or record
    return call.envelope(entity, fresh.wire)
