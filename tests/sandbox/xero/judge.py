"""The published OpenAPI description as a judge: every answer of the sandbox is held against it.

Known false alarms, each with its reason:
- the description itself fails the OpenAPI meta-schema (defaults such as 'false' written as text), so it is read
  without that check;
- its schemas are cyclic (Invoice, CreditNote, Payment, Allocation name each other); openapi-core resolves them
  lazily, nothing has to be cut;
- no GET and few DELETEs describe a 400, though the wire answers one (a bad where, a used account): such an answer is
  judged by the 400 of PUT /Invoices, whose shape is the same Error;
- paths are spelled in one case, while the wire takes any: the first part is put in the described spelling;
- 401, 403, 404, 405, 406, 412, 429, 501 and 503 are not described at all, so only 200, 204 and 400 are judged here.
No answer of the sandbox and no request of our client needs an exception beyond these. Of requests the judge asks more
than the validator does: a parameter or a field that the description does not know is found, because a validator lets
every unknown name pass, and a misspelt one with them. Bodies of files are not judged: they are bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml
from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.responses.exceptions import ResponseNotFound
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from werkzeug.datastructures import Headers, ImmutableMultiDict

FOLDER = Path(__file__).parent / "openapi"
PREFIX = "/api.xro/2.0"
HOST = "https://api.xero.com"


@dataclass
class JudgedRequest:
    """A request in the form openapi-core reads."""

    method: str
    path: str
    query: str
    body: bytes | None
    content_type: str
    headers: Headers
    host_url: str = HOST

    parameters: RequestParameters = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(parse_qsl(self.query)), header=self.headers, cookie=ImmutableMultiDict()
        )


@dataclass
class JudgedResponse:
    """An answer in the form openapi-core reads."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The description as it is published, read once."""
    with (FOLDER / "xero_accounting.yaml").open(encoding="utf-8") as file:
        found: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    return found


@lru_cache(maxsize=1)
def description() -> OpenAPI:
    """The description made ready for openapi-core, without the meta-schema check."""
    for path in document()["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                # openapi-core cannot check OAuth2 and warns of it at each request; tokens have tests of their own.
                operation.pop("security", None)
    # The description does not pass the OpenAPI meta-schema (defaults such as 'false' as text), so it is not checked.
    return OpenAPI.from_dict(document(), config=Config(spec_validator_cls=None))


def request_problems(request: JudgedRequest) -> str:
    """What the description has against a request (of our own client, say), or an empty text."""
    try:
        description().validate_request(request)
    except OpenAPIError as error:
        return f"{request.method} {request.path}: {error} {str(error.__cause__ or '')[:300]}"
    strangers = undescribed(request)
    return f"{request.method} {request.path}: not described: {', '.join(strangers)}" if strangers else ""


def undescribed(request: JudgedRequest) -> list[str]:
    """Names of a request that the description does not know: a validator lets those pass, so typing errors with them."""
    operation = operation_of(request)
    described = {str(each.get("name")) for each in operation["parameters"]}
    strangers = [f"?{name}" for name in request.parameters.query if name not in described]
    if request.body:
        content = resolved(operation.get("requestBody", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        strangers += _strange_fields(json.loads(request.body), resolved(schema), at="")
    return strangers


def operation_of(request: JudgedRequest) -> dict[str, Any]:
    """The described operation that answers a request, with the parameters of its path; the plainest path wins."""
    path = request.path.removeprefix(PREFIX)
    found: dict[str, Any] = min(
        (
            (template.count("{"), template, methods)
            for template, methods in document()["paths"].items()
            if request.method in methods and re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path)
        )
    )[2]
    operation = dict(found[request.method])
    operation["parameters"] = [
        resolved(each) for each in (*found.get("parameters", ()), *operation.get("parameters", ()))
    ]
    return operation


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """A part of the description, or what it refers to."""
    while "$ref" in node:
        target = document()
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def _strange_fields(value: object, schema: dict[str, Any], *, at: str) -> list[str]:
    if isinstance(value, list):
        return [
            found for one in value for found in _strange_fields(one, resolved(schema.get("items", {})), at=at)
        ]
    if not isinstance(value, dict):
        return []
    properties = schema.get("properties", {})
    strangers = []
    for name, part in value.items():
        where = f"{at}.{name}"
        if name not in properties:
            strangers.append(where)
        else:
            strangers += _strange_fields(part, resolved(properties[name]), at=where)
    return strangers


def problems_of(request: JudgedRequest, response: JudgedResponse) -> str:
    """What the description has against an answer, or an empty text."""
    try:
        try:
            description().validate_response(request, response)
        except ResponseNotFound:
            if response.status_code != 400:
                raise
            described = replace(request, method="put", path=f"{PREFIX}/Invoices", query="")
            description().validate_response(described, response)
    except OpenAPIError as error:
        cause = error.__cause__
        details = [str(one)[:300] for one in getattr(cause, "schema_errors", [])] or [str(cause or "")[:300]]
        return f"{request.method} {request.path} {response.status_code}: {error} {details}"
    return ""


NAMES = (
    "Accounts BankTransactions BankTransfers BatchPayments BrandingThemes Contacts CreditNotes Currencies Invoices Items "
    "ManualJournals Organisation Overpayments Payments Prepayments Reports TaxRates TrackingCategories Users"
)
SPELLINGS = {name.lower(): name for name in NAMES.split()}


def described_path(path: str) -> str:
    """The path with its resource in the description's spelling."""
    head, slash, rest = path[len(PREFIX) + 1 :].partition("/")
    return f"{PREFIX}/{SPELLINGS.get(head.lower(), head)}{slash}{rest}"


DESCRIBED = frozenset({200, 204, 400})


class JudgedApp:
    """Stands inside the sandbox's fault layer and judges every accounting answer that leaves.

    `judges_requests_of` names a client by the beginning of its User-Agent: what that one sends is judged as well, and
    answers to the malformed requests of others are not its fault.
    """

    def __init__(self, app: ASGIApp, *, judges_requests_of: str = "") -> None:
        self._app = app
        self._judged_client = judges_requests_of
        self.problems: list[str] = []
        self.judged = 0
        self.requests_judged = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        head: Message = {}
        body = sent = b""

        async def listen() -> Message:
            nonlocal sent
            message = await receive()
            sent += message.get("body", b"")
            return message

        async def watch(message: Message) -> None:
            nonlocal head, body
            if message["type"] == "http.response.start":
                head = message
            else:
                body += message.get("body", b"")
            await send(message)

        await self._app(scope, listen, watch)
        if head["status"] in DESCRIBED:
            self._judge(scope, sent, head, body)

    def _judge(self, scope: Scope, sent: bytes, head: Message, body: bytes) -> None:
        asked = Headers(
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        )
        headers = Headers([(name.decode(), value.decode()) for name, value in head["headers"]])
        media = asked.get("content-type", "").partition(";")[0]
        request = JudgedRequest(
            scope["method"].lower(),
            described_path(scope["path"]),
            scope["query_string"].decode(),
            sent or None,
            media,
            asked,
        )
        is_file = "/Attachments/" in scope["path"] and scope["method"] == "GET"
        answered = headers.get("content-type", "").partition(";")[0]
        response = JudgedResponse(
            head["status"], body, "application/octet-stream" if is_file else answered, headers
        )
        self.judged += 1
        found = [problems_of(request, response)]
        is_judged = self._judged_client and asked.get("user-agent", "").startswith(self._judged_client)
        if is_judged and "/Attachments/" not in scope["path"]:
            self.requests_judged += 1
            found.append(request_problems(request))
        self.problems += [problem for problem in found if problem]
