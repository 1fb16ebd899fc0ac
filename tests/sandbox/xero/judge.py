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
No answer of the sandbox needs an exception beyond these.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
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
def description() -> OpenAPI:
    """The description, read once, without the meta-schema check."""
    with (FOLDER / "xero_accounting.yaml").open(encoding="utf-8") as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                # openapi-core cannot check OAuth2 and warns of it at each request; tokens have tests of their own.
                operation.pop("security", None)
    # The description does not pass the OpenAPI meta-schema (defaults such as 'false' as text), so it is not checked.
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


def request_problems(request: JudgedRequest) -> str:
    """What the description has against a request (of our own client, say), or an empty text."""
    try:
        description().validate_request(request)
    except OpenAPIError as error:
        return f"{request.method} {request.path}: {error} {str(error.__cause__ or '')[:300]}"
    return ""


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

    With `judges_requests` it judges what clients send as well; tests of malformed requests leave that off.
    """

    def __init__(self, app: ASGIApp, *, judges_requests: bool = False) -> None:
        self._app = app
        self._judges_requests = judges_requests
        self.problems: list[str] = []
        self.judged = 0

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
        if self._judges_requests and "/Attachments/" not in scope["path"]:
            found.append(request_problems(request))
        self.problems += [problem for problem in found if problem]
