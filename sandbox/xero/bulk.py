"""Writing lists: PUT creates, POST creates or updates, with and without summarizeErrors.

Each element is its own transaction inside the call's: a refused element leaves nothing behind. Some refusals end
the whole call whatever was asked: malformed JSON or enum, no data, an unknown id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.kernel.store import Store
from sandbox.xero.answers import Renderer, to_text
from sandbox.xero.fields import Fields, Spec, read_fields
from sandbox.xero.refusals import CallRefused, ElementRefused, no_data, post_data_invalid, query_invalid
from sandbox.xero.resource import Call, Resource
from sandbox.xero.table import Document
from sandbox.xero.wire import ZERO_GUID

ELEMENTS_MAX = 5_000
Write = Callable[[Fields], Document]


class ElementsRefused(CallRefused):
    """At least one element was refused and the caller wants one answer for all."""

    def __init__(self, elements: list[Document]) -> None:
        super().__init__(10, "ValidationException", "A validation exception occurred")
        self.elements = elements

    def body(self) -> dict[str, Any]:
        """ErrorNumber 10 with the refused elements."""
        return super().body() | {"Elements": self.elements}


def read_elements(
    body: Any, name: str, *, takes_bare: bool, takes_list: bool = True, spec: Spec | None = None
) -> list[Any]:
    """The elements of a body: `{"Invoices": [...]}`, a bare list, or, where Xero takes it, one bare object."""
    if isinstance(body, dict):
        wrapped = next((body[key] for key in body if key.lower() == name.lower()), None)
        if wrapped is not None:
            body = (wrapped if isinstance(wrapped, list) else [wrapped]) if takes_list else []
        else:
            known = {field.lower() for field in spec or ()}
            is_bare = spec is None or any(key.lower() in known for key in body)
            body = [body] if takes_bare and body and is_bare else []
    if not isinstance(body, list):
        raise post_data_invalid("JSON for post data was invalid,the body must be an object or a list.")
    if not body:
        raise no_data()
    if len(body) > ELEMENTS_MAX:
        raise post_data_invalid(f"At most {ELEMENTS_MAX} elements can be sent in one call.")
    return body


def summarises(call: Call) -> bool:
    """Whether one bad element ends the call: true unless summarizeErrors=false is sent."""
    text = call.query.get("summarizeerrors")
    if text is None:
        return True
    if text.lower() not in ("true", "false"):
        raise query_invalid("summarizeErrors must be true or false.")
    return text.lower() == "true"


def echo_of(resource: Resource, refused: ElementRefused) -> Document:
    """A refused element: what was sent, a zero id for what does not exist, and why."""
    shown: Document = {resource.id_field: ZERO_GUID} if resource.id_field != "TaxType" else {}
    shown |= {name: value for name, value in refused.echo.items() if value is not None}
    shown |= {"HasErrors": True} if resource.name in ("Invoices", "CreditNotes") else {}
    shown |= {"HasValidationErrors": True}
    shown["ValidationErrors"] = [{"Message": message} for message in refused.messages]
    return shown


def write_elements(
    call: Call,
    resource: Resource,
    raw: list[Any],
    *,
    store: Store,
    renderer: Renderer,
    write: Write,
) -> list[str]:
    """Carry out a list of elements; returns their texts, or raises for the whole call."""
    is_summary = summarises(call)
    elements = [
        read_fields(element, resource.spec, path=f"{resource.name}[{index}]")
        for index, element in enumerate(raw)
    ]
    texts: list[str] = []
    bad: list[Document] = []
    for fields in elements:
        mark = len(call.books.events)
        try:
            with store.transaction():
                document = write(fields)
                text = renderer.text(call.books, resource, document, "created")
        except ElementRefused as refused:
            del call.books.events[mark:]
            echo = echo_of(resource, refused)
            bad.append(echo)
            texts.append(to_text(echo | {"StatusAttributeString": "ERROR"}))
        else:
            texts.append(text if is_summary else f'{text[:-1]},"StatusAttributeString":"OK"}}')
    if bad and is_summary:
        raise ElementsRefused(bad)
    return texts


def write_rule(call: Call, resource: Resource, *, verb: str, document: Document | None) -> Write:
    """PUT creates; POST with an id in the path updates that one; POST without creates or updates."""

    def put(fields: Fields) -> Document:
        return resource.create(call, fields)

    def post(fields: Fields) -> Document:
        found = resource.match(call, fields) if document is None else document
        return resource.create(call, fields) if found is None else resource.update(call, found, fields)

    return put if verb == "PUT" else post
