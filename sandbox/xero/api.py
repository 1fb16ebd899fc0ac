"""One accounting request from path to answer: which resource, which verb, which sub-resource.

Leaves access (tokens, tenants, scopes), limits and faults to `gateway`; works inside one store transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sandbox.kernel.store import Store
from sandbox.xero.answers import Renderer, envelope, to_text
from sandbox.xero.bulk import ElementsRefused, echo_of, read_elements, write_elements, write_rule
from sandbox.xero.credits import ALLOCATION_SPEC, CreditSource
from sandbox.xero.documents import OPEN
from sandbox.xero.fields import read_fields
from sandbox.xero.history import (
    add_history,
    attach,
    attachment_bytes,
    attachment_view,
    find_attachment,
    list_history,
    note,
)
from sandbox.xero.idempotency import Answer
from sandbox.xero.invoice_views import allocation_view
from sandbox.xero.listing import Lists
from sandbox.xero.refusals import (
    ElementRefused,
    NotAllowed,
    NotFound,
    NotImplementedHere,
    WrongMediaType,
    no_data,
    post_data_invalid,
    validation,
)
from sandbox.xero.reports import build_report
from sandbox.xero.resource import Call, Resource
from sandbox.xero.resources import BARE_OBJECT, LEFT_OUT, NO_POST_LIST, ONE_OBJECT, RESOURCES, WRAPPERS
from sandbox.xero.settings import organisation_actions
from sandbox.xero.table import Document
from sandbox.xero.tracking import OPTION_SPEC, TrackingCategories, option_view
from sandbox.xero.wire import NotJson, load

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Incoming:
    """One request, already read."""

    method: str
    parts: tuple[str, ...]
    body: bytes
    media_type: str
    modified_since: str | None
    base_url: str


def split_path(path: str) -> tuple[str, ...]:
    """The parts of a path below /api.xro/2.0, decoded."""
    return tuple(unquote(part) for part in path.strip("/").split("/") if part)


class Api:
    """Carries out accounting requests."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.renderer = Renderer()
        self.lists = Lists()

    def answer(self, call: Call, incoming: Incoming) -> Answer:
        """The answer of one request; refusals are raised."""
        parts = incoming.parts
        if not parts:
            raise NotFound
        head = parts[0].lower()
        if head == "reports":
            return self._report(call, incoming)
        resource = RESOURCES.get(head)
        if resource is None:
            if head in LEFT_OUT:
                raise NotImplementedHere
            raise NotFound
        if len(parts) == 1:
            return self._collection(call, resource, incoming)
        if resource.name == "Organisation":
            return self._organisation(call, parts, incoming)
        if len(parts) == 2:
            return self._one(call, resource, incoming)
        return self._below(call, resource, incoming)

    def wrapped(
        self, call: Call, name: str, texts: list[str], pagination: dict[str, int] | None = None
    ) -> Answer:
        """The answer around texts."""
        body = envelope(
            request_id=call.request_id(),
            app_name=call.app_name,
            now=call.books.now(),
            name=name,
            texts=texts,
            pagination=pagination,
        )
        return Answer(200, body, JSON)

    def wrapped_values(self, call: Call, name: str, values: list[Any]) -> Answer:
        """The answer around native values."""
        return self.wrapped(call, name, [to_text(value) for value in values])

    def _collection(self, call: Call, resource: Resource, incoming: Incoming) -> Answer:
        method = incoming.method
        if method == "GET":
            listed = self.lists.answer(call, resource, modified_since=incoming.modified_since)
            texts = [self.renderer.text(call.books, resource, doc, listed.mode) for doc in listed.documents]
            return self.wrapped(call, WRAPPERS.get(resource.name, resource.name), texts, listed.pagination)
        if method not in resource.verbs or method == "DELETE":
            raise NotAllowed
        if method == "POST" and resource.name in NO_POST_LIST:
            raise NotAllowed
        raw = read_elements(
            read_json(incoming),
            resource.name,
            takes_list=not (method == "PUT" and resource.name in ONE_OBJECT),
            takes_bare=(method == "PUT" and resource.name in ONE_OBJECT)
            or (method == "POST" and resource.name in BARE_OBJECT),
            spec=resource.spec,
        )
        rule = write_rule(call, resource, verb=method, document=None)
        texts = write_elements(call, resource, raw, store=self.store, renderer=self.renderer, write=rule)
        return self.wrapped(call, resource.name, texts)

    def _organisation(self, call: Call, parts: tuple[str, ...], incoming: Incoming) -> Answer:
        if len(parts) != 2 or parts[1].lower() != "actions":
            raise NotFound
        if incoming.method != "GET":
            raise NotAllowed
        return self.wrapped_values(call, "Actions", organisation_actions(call.books))

    def _one(self, call: Call, resource: Resource, incoming: Incoming) -> Answer:
        method, document = incoming.method, resource.require(call.books, incoming.parts[1])
        if method == "GET":
            return self.wrapped(
                call, resource.name, [self.renderer.text(call.books, resource, document, "full")]
            )
        if method == "DELETE" and "DELETE" in resource.verbs:
            return self._delete(call, resource, document)
        if method != "POST" or "POST" not in resource.verbs:
            raise NotAllowed
        raw = read_elements(read_json(incoming), resource.name, takes_bare=True, spec=resource.spec)
        if len(raw) != 1:
            raise post_data_invalid("Exactly one element can be sent to the address of one document.")
        rule = write_rule(call, resource, verb="POST", document=document)
        texts = write_elements(call, resource, raw, store=self.store, renderer=self.renderer, write=rule)
        return self.wrapped(call, resource.name, texts)

    def _delete(self, call: Call, resource: Resource, document: Document) -> Answer:
        try:
            removed = resource.delete(call, document)
        except ElementRefused as refused:
            raise refused_call(resource, document, refused) from None
        if removed is None:
            return Answer(204, b"", None)
        return self.wrapped_values(call, resource.name, [resource.view(call.books, removed, "created")])

    def _below(self, call: Call, resource: Resource, incoming: Incoming) -> Answer:
        document = resource.require(call.books, incoming.parts[1])
        below = incoming.parts[2].lower()
        count = len(incoming.parts)
        if below == "history" and resource.has_history and count == 3:
            return self._history(call, resource, document, incoming)
        if below == "attachments" and resource.has_attachments and count in (3, 4):
            return self._attachments(call, resource, document, incoming)
        if below == "allocations" and isinstance(resource, CreditSource) and count in (3, 4):
            return self._allocations(call, resource, document, incoming)
        if below == "options" and isinstance(resource, TrackingCategories) and count in (3, 4):
            return self._options(call, resource, document, incoming)
        if resource.name in ("Invoices", "CreditNotes") and count == 3 and below == "pdf":
            raise NotImplementedHere
        if resource.name == "Invoices" and count == 3 and below in ("email", "onlineinvoice"):
            return self._invoice_extra(call, document, below, incoming.method)
        raise NotFound

    def _history(self, call: Call, resource: Resource, document: Document, incoming: Incoming) -> Answer:
        key = document[resource.id_field]
        if incoming.method == "GET":
            return self.wrapped_values(call, "HistoryRecords", list_history(call.books, key))
        if incoming.method != "PUT":
            raise NotAllowed
        raw = read_elements(read_json(incoming), "HistoryRecords", takes_bare=False)
        return self.wrapped_values(call, "HistoryRecords", add_history(call, key, raw))

    def _attachments(self, call: Call, resource: Resource, document: Document, incoming: Incoming) -> Answer:
        key = document[resource.id_field]
        url = f"{incoming.base_url}/api.xro/2.0/{resource.name}/{key}/Attachments"
        if len(incoming.parts) == 3:
            if incoming.method != "GET":
                raise NotAllowed
            held = call.books["Attachments"].find("document", key)
            return self.wrapped_values(call, "Attachments", [attachment_view(one, url=url) for one in held])
        name = incoming.parts[3]
        if incoming.method == "GET":
            found = find_attachment(call.books, key, name)
            return Answer(200, attachment_bytes(found), found["MimeType"])
        if incoming.method not in ("PUT", "POST"):
            raise NotAllowed
        made = attach(call, resource, document, name=name, body=incoming.body, mime=incoming.media_type)
        return self.wrapped_values(call, "Attachments", [attachment_view(made, url=url)])

    def _allocations(
        self, call: Call, source: CreditSource, document: Document, incoming: Incoming
    ) -> Answer:
        if len(incoming.parts) == 4:
            if incoming.method != "DELETE":
                raise NotAllowed
            try:
                released = source.release(call, document, incoming.parts[3])
            except ElementRefused as refused:
                raise refused_call(source, document, refused) from None
            return Answer(200, to_text(released).encode(), JSON)
        if incoming.method != "PUT":
            raise NotAllowed
        # Xero takes one allocation, a list of them, or either wrapped.
        raw = read_elements(read_json(incoming), "Allocations", takes_bare=True, spec=ALLOCATION_SPEC)
        made = []
        for index, element in enumerate(raw):
            fields = read_fields(element, ALLOCATION_SPEC, path=f"Allocations[{index}]")
            current = source.require(call.books, document[source.id_field])
            try:
                allocation = source.allocate(call, current, fields)
            except ElementRefused as refused:
                raise refused_call(source, document, refused) from None
            made.append(allocation_view(call.books, allocation) | {"ValidationErrors": []})
        return self.wrapped_values(call, "Allocations", made)

    def _options(
        self, call: Call, resource: TrackingCategories, category: Document, incoming: Incoming
    ) -> Answer:
        method, parts = incoming.method, incoming.parts
        try:
            if len(parts) == 3 and method == "PUT":
                raw = read_elements(
                    read_json(incoming), "Options", takes_bare=True, takes_list=False, spec=OPTION_SPEC
                )
                option = resource.create_option(
                    call, category, read_fields(raw[0], OPTION_SPEC, path="Option")
                )
            elif len(parts) == 4 and method == "POST":
                raw = read_elements(read_json(incoming), "Options", takes_bare=True, spec=OPTION_SPEC)
                fields = read_fields(raw[0], OPTION_SPEC, path="Option")
                option = resource.update_option(call, category, parts[3], fields)
            elif len(parts) == 4 and method == "DELETE":
                option = resource.delete_option(call, category, parts[3])
            else:
                raise NotAllowed
        except ElementRefused as refused:
            raise refused_call(resource, category, refused) from None
        return self.wrapped_values(call, "Options", [option_view(option)])

    def _invoice_extra(self, call: Call, invoice: Document, below: str, method: str) -> Answer:
        if below == "onlineinvoice":
            if method != "GET":
                raise NotAllowed
            if invoice["Type"] != "ACCREC" or invoice["Status"] in OPEN:
                raise NotFound
            url = f"https://in.xero.com/{invoice['InvoiceID'].replace('-', '')}"
            return self.wrapped_values(call, "OnlineInvoices", [{"OnlineInvoiceUrl": url}])
        if method != "POST":
            raise NotAllowed
        is_draft = invoice["Status"] in (*OPEN, "DELETED", "VOIDED")
        if invoice["Type"] != "ACCREC" or (is_draft and call.books.switches("email_draft") == "refuse"):
            raise validation("Invoice not of valid status for emailing")
        contact = call.books["Contacts"].rows[invoice["ContactID"]]
        if not contact.get("EmailAddress"):
            raise validation("The contact of this invoice has no email address.")
        if not invoice.get("SentToContact"):
            sent = invoice | {"SentToContact": True}
            if not (invoice["AmountPaid"] or invoice["AmountCredited"]):
                sent["UpdatedDateUTC"] = call.books.now()
            call.books["Invoices"].put(invoice["InvoiceID"], sent)
        note(
            call,
            invoice["InvoiceID"],
            changes="Invoice emailed",
            details=f"Sent to {contact['EmailAddress']}.",
        )
        return Answer(204, b"", None)

    def _report(self, call: Call, incoming: Incoming) -> Answer:
        if incoming.method != "GET":
            raise NotAllowed
        if len(incoming.parts) != 2:
            raise NotImplementedHere
        report = build_report(call.books, incoming.parts[1], call.query)
        return self.wrapped_values(call, "Reports", [report])


def read_json(incoming: Incoming) -> Any:
    """The JSON body, or the refusal that fits."""
    if not incoming.body.strip():
        raise no_data()
    media = incoming.media_type.partition(";")[0].strip().lower()
    if media not in ("application/json", "text/json", ""):
        raise WrongMediaType
    try:
        return load(incoming.body)
    except NotJson as error:
        raise post_data_invalid(f"JSON for post data was invalid,{error}") from None


def refused_call(resource: Resource, document: Document, refused: ElementRefused) -> ElementsRefused:
    """A refusal of a call about one document, in the shape of a list's."""
    echo = echo_of(resource, refused) | {resource.id_field: document[resource.id_field]}
    return ElementsRefused([echo])
