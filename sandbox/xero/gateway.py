"""The HTTP edge of the accounting API: token, tenant, scope, idempotency, transaction, and every error's body."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.kernel.clock import MovableClock
from sandbox.kernel.store import Store
from sandbox.xero.answers import to_text
from sandbox.xero.api import JSON, Api, Incoming, split_path
from sandbox.xero.books import Books
from sandbox.xero.bulk import ElementsRefused
from sandbox.xero.idempotency import Answer, IdempotencyMemory, check_key, fingerprint_of
from sandbox.xero.identity import Identity
from sandbox.xero.identity_routes import IdentityRoutes, bearer
from sandbox.xero.refusals import (
    AccessRefused,
    CallRefused,
    ElementRefused,
    NotAllowed,
    NotFound,
    NotImplementedHere,
    Refusal,
    TooLarge,
    WrongMediaType,
    validation,
)
from sandbox.xero.reports import SCOPES
from sandbox.xero.resource import Call, make_guid
from sandbox.xero.resources import RESOURCES
from sandbox.xero.scopes import is_allowed_for
from sandbox.xero.switches import Switches
from sandbox.xero.table import Document
from sandbox.xero.webhooks import Webhooks
from sandbox.xero.wire import parse_guid

PREFIX = "/api.xro/2.0"
BODY_BYTES_MAX = 11 * 1024 * 1024
WRITES = frozenset({"PUT", "POST", "PATCH"})
OFFLINE_TEXT = "The Organisation is offline"


class Gateway:
    """Serves the accounting API and /connections."""

    def __init__(  # noqa: PLR0913 - the edge is where all parts meet
        self,
        *,
        store: Store,
        clock: MovableClock,
        switches: Switches,
        identity: Identity,
        pages: IdentityRoutes,
        webhooks: Webhooks,
        books: Mapping[str, Books],
        dice: random.Random,
        counters: Callable[[str, str], dict[str, str]],
    ) -> None:
        self.api = Api(store)
        self.memory = IdempotencyMemory()
        self.noise = random.Random(0)
        self._store, self._clock, self._switches = store, clock, switches
        self._identity, self._pages, self._webhooks = identity, pages, webhooks
        self._books, self._dice, self._counters = books, dice, counters

    async def accounting(self, request: Request) -> Response:
        """One call of the accounting API."""
        app_id = ""
        try:
            body = await read_body(request)
            grant = self.grant(request)
            app_id = grant["ClientID"]
            answer = self._answer(request, grant, body)
            response = Response(answer.body, status_code=answer.status, media_type=None)
            if answer.media_type is not None:
                response.headers["content-type"] = answer.media_type
        except Refusal as refusal:
            response = self.refusal(refusal)
        for name, value in self._counters(tenant_of(request), app_id).items():
            response.headers[name] = value
        response.headers["xero-correlation-id"] = make_guid(self.noise)
        return response

    async def connections(self, request: Request) -> Response:
        """`/connections` in any case."""
        try:
            grant = self.grant(request)
        except Refusal as refusal:
            return self.refusal(refusal)
        if request.method == "GET":
            query = {name.lower(): value for name, value in request.query_params.items()}
            return self._pages.list_connections(grant, query)
        return self.refusal(NotAllowed())

    async def connection(self, request: Request) -> Response:
        """`DELETE /connections/{id}`."""
        try:
            grant = self.grant(request)
        except Refusal as refusal:
            return self.refusal(refusal)
        if request.method != "DELETE":
            return self.refusal(NotAllowed())
        return self._pages.delete_connection(grant, str(request.path_params["id"]))

    def grant(self, request: Request) -> Document:
        """The consent behind the call's token; expired and unknown tokens are refused."""
        found = self._identity.grant_of(bearer(request))
        if found is None:
            raise AccessRefused(401, "AuthenticationUnsuccessful", challenge='Bearer error="invalid_token"')
        grant, expires_at = found
        if expires_at <= self._clock.timestamp():
            shown = datetime.fromtimestamp(expires_at, UTC).strftime("%m/%d/%Y %H:%M:%S")
            raise AccessRefused(
                401, f"TokenExpired: token expired at {shown}", challenge='Bearer error="invalid_token"'
            )
        return grant

    def _answer(self, request: Request, grant: Document, body: bytes) -> Answer:
        parts = split_path(request.url.path[len(PREFIX) :])
        books = self._tenant(request, grant)
        self._check_scope(grant, parts, request.method)
        self._check_accept(request, parts)
        query: dict[str, str] = {}
        for name, value in request.query_params.items():
            query[name.lower()] = value
        app = self._identity.get("apps", grant["ClientID"]) or {"Name": grant["ClientID"]}
        call = Call(
            books=books,
            dice=self._dice,
            app_name=app["Name"],
            app_id=grant["ClientID"],
            query=query,
            noise=self.noise,
        )
        incoming = Incoming(
            method=request.method,
            parts=parts,
            body=body,
            media_type=request.headers.get("content-type", ""),
            modified_since=request.headers.get("if-modified-since"),
            base_url=str(request.base_url).rstrip("/"),
        )
        key = request.headers.get("idempotency-key")
        if key is None or request.method not in WRITES:
            return self.committed(call, incoming)
        check_key(key)
        owner = app_owner(grant, books, self._switches)
        fingerprint = fingerprint_of(request.method, str(request.url), body)
        kept = self.memory.recall(owner, key, fingerprint=fingerprint, now=self._clock.timestamp())
        if kept is not None:
            return kept
        try:
            answer = self.committed(call, incoming)
        except Refusal as refusal:
            if self._switches("idempotency_keeps_errors") == "no":
                raise
            response = self.refusal(refusal)
            answer = Answer(response.status_code, bytes(response.body), response.headers.get("content-type"))
        self.memory.keep(owner, key, fingerprint=fingerprint, now=self._clock.timestamp(), answer=answer)
        return answer

    def committed(self, call: Call, incoming: Incoming) -> Answer:
        """Carry out one request in one transaction, and tell webhooks once it is committed."""
        books = call.books
        if incoming.method == "GET":
            return self.api.answer(call, incoming)
        books.events.clear()
        refused: ElementsRefused | None = None
        try:
            with self._store.transaction():
                try:
                    answer = self.api.answer(call, incoming)
                except ElementsRefused as error:
                    if self._switches("bulk_400_keeps_good") == "no":
                        raise
                    refused = error
        except BaseException:
            books.events.clear()
            raise
        if books.events:
            events, books.events = books.events, []
            linked = self._identity.rows("connections").values()
            connected = {row["ClientID"] for row in linked if row["TenantID"] == books.organisation_id}
            self._webhooks.notice(books.organisation_id, events, connected=connected)
        if refused is not None:
            raise refused
        return answer

    def _tenant(self, request: Request, grant: Document) -> Books:
        tenant = tenant_of(request)
        custom = (self._identity.get("apps", grant["ClientID"]) or {}).get("CustomTenant", "")
        if custom and grant["GrantID"].startswith("custom-") and tenant in ("", custom):
            tenant = custom
        elif not self._identity.is_connected(grant, tenant):
            raise AccessRefused(403, "AuthenticationUnsuccessful")
        books = self._books.get(tenant)
        if books is None or tenant not in books["Organisation"].rows:
            raise AccessRefused(403, "AuthenticationUnsuccessful")
        access = books.profile.get("Access", "open")
        if access == "offline":
            raise Offline
        if access == "expired":
            raise AccessRefused(403, "AuthenticationUnsuccessful")
        return books

    def _check_scope(self, grant: Document, parts: tuple[str, ...], method: str) -> None:
        head = parts[0].lower() if parts else ""
        if head == "reports":
            area = f"reports.{SCOPES.get(parts[1].lower(), '') if len(parts) > 1 else ''}"
            if area == "reports.":
                return
        elif len(parts) > 2 and parts[2].lower() == "attachments":
            area = "attachments"
        else:
            resource = RESOURCES.get(head)
            if resource is None:
                return
            area = resource.scope
        if not is_allowed_for(frozenset(grant["Scopes"]), area=area, is_write=method != "GET"):
            status = int(self._switches("missing_scope_status"))
            raise AccessRefused(
                status, "AuthorizationUnsuccessful", challenge='Bearer error="insufficient_scope"'
            )

    def _check_accept(self, request: Request, parts: tuple[str, ...]) -> None:
        accept = request.headers.get("accept", "")
        is_file = len(parts) == 4 and parts[2].lower() == "attachments"
        if request.method == "GET" and is_file:
            return
        if "json" not in accept.lower():
            raise XmlWanted

    def refusal(self, refusal: Refusal) -> Response:
        """The answer that carries a refusal."""
        if isinstance(refusal, AccessRefused):
            headers = {"www-authenticate": refusal.challenge} if refusal.challenge else {}
            return JSONResponse(
                refusal.body(make_guid(self.noise)), status_code=refusal.status, headers=headers
            )
        if isinstance(refusal, ElementRefused):
            refusal = validation(refusal.messages[0])
        if isinstance(refusal, CallRefused):
            response = Response(to_text(refusal.body()).encode(), status_code=400)
            response.headers["content-type"] = JSON
            return response
        if isinstance(refusal, NotFound):
            return Response(refusal.text, status_code=404, media_type="text/html")
        return PlainTextResponse(_TEXTS.get(type(refusal), ""), status_code=refusal.status)


class Offline(Refusal):
    """The organisation cannot be reached for now."""

    status = 503


class XmlWanted(Refusal):
    """Xero answers XML unless JSON is asked for; this sandbox speaks JSON only and says so."""

    status = 406


_TEXTS: dict[type[Refusal], str] = {
    Offline: OFFLINE_TEXT,
    XmlWanted: "Send 'Accept: application/json'. Without it Xero answers XML, which this sandbox does not speak.",
    NotAllowed: "The method is not allowed for this endpoint.",
    NotImplementedHere: "This endpoint exists at Xero and is left out of this sandbox.",
    TooLarge: "The request body is too large.",
    WrongMediaType: "The body must be application/json.",
}


def app_owner(grant: Document, books: Books, switches: Switches) -> str:
    """Whom an idempotency key belongs to."""
    tenant = f"/{books.organisation_id}" if switches("idempotency_scope") == "tenant" else ""
    return f"{grant['ClientID']}{tenant}"


def tenant_of(request: Request) -> str:
    """The tenant header as a GUID, or an empty text."""
    return parse_guid(request.headers.get("xero-tenant-id", "").strip()) or ""


async def read_body(request: Request) -> bytes:
    """The whole body, up to what Xero takes."""
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise TooLarge
        parts.append(chunk)
    return b"".join(parts)
