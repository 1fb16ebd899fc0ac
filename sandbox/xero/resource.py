"""What every resource offers to the API: fields, columns to query, views, and its own verbs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from sandbox.xero.books import Books
from sandbox.xero.fields import Fields, Spec, lengths
from sandbox.xero.refusals import ElementRefused, NotFound
from sandbox.xero.table import Document
from sandbox.xero.where import Column, Getter

ViewMode = str  # "created" | "full" | "listed" | "summary" | "nested"


@dataclass
class Call:
    """One request as a resource sees it."""

    books: Books
    dice: random.Random
    app_name: str
    app_id: str
    query: Mapping[str, str] = field(default_factory=dict)
    noise: random.Random = field(default_factory=random.Random)

    def new_id(self) -> str:
        """A fresh GUID from the world's own dice, so that the same seed gives the same ids."""
        return make_guid(self.dice)

    def request_id(self) -> str:
        """An id of the answer itself, from other dice: reading must not change the ids of documents to come."""
        return make_guid(self.noise)

    @property
    def unit_places(self) -> int:
        """Decimal places of UnitAmount in this call."""
        return 4 if self.query.get("unitdp") == "4" else 2

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean query value, any case."""
        value = self.query.get(name.lower())
        return default if value is None else value.lower() == "true"

    def check_lock(self, *days: date | None, echo: Fields | None = None) -> None:
        """Refuse the element when a date lies in a locked period."""
        if self.books.switches("lock_dates") != "allow":
            message = self.books.lock_message(*days)
            if message is not None:
                raise ElementRefused(message, echo=echo)


def make_guid(dice: random.Random) -> str:
    """A random version-4 GUID from given dice."""
    bits = dice.getrandbits(128)
    text = f"{(bits & ~(0xF << 76) & ~(0x3 << 62)) | (4 << 76) | (2 << 62):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Resource:
    """One kind of document: the base offers what most of them share."""

    name: ClassVar[str]
    type_name: ClassVar[str]
    id_field: ClassVar[str]
    spec: ClassVar[Spec]
    scope: ClassVar[str]
    is_paged: ClassVar[bool] = False
    takes_ims: ClassVar[bool] = True
    has_history: ClassVar[bool] = False
    has_attachments: ClassVar[bool] = False
    verbs: ClassVar[frozenset[str]] = frozenset({"GET", "PUT", "POST"})
    search_fields: ClassVar[tuple[str, ...]] = ()
    list_is_light: ClassVar[bool] = False

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What `where` and `order` may name, in lower case."""
        return {}

    def find(self, books: Books, key: str) -> Document | None:
        """A document by the id (or number) in the path."""
        return books[self.name].get(key.lower())

    def require(self, books: Books, key: str) -> Document:
        """As `find`, or 404."""
        document = self.find(books, key)
        if document is None:
            raise NotFound
        return document

    def create(self, call: Call, fields: Fields) -> Document:
        """Make a new document."""
        raise NotImplementedError

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Change a document."""
        raise NotImplementedError

    def match(self, call: Call, fields: Fields) -> Document | None:
        """The document a POST without an id in its path means, or None to create one."""
        key = fields.get(self.id_field)
        return self.require(call.books, key) if key else None

    def delete(self, call: Call, document: Document) -> Document | None:
        """Carry out DELETE; None answers 204."""
        raise NotImplementedError

    def view(self, books: Books, document: Document, mode: ViewMode) -> Document:
        """The document as the wire shows it, in native types."""
        raise NotImplementedError

    def beside(self, books: Books, document: Document) -> tuple[object, ...]:
        """What this document's view shows beyond the document itself; equal tuples mean an equal view."""
        return (books["Contacts"].get(document.get("ContactID", "")),)

    def is_listed(self, call: Call, document: Document) -> bool:
        """Whether a plain list shows the document."""
        return True

    def lists_everything(self, call: Call) -> bool:
        """Whether `is_listed` is true of every document, so that a page can be cut out unseen."""
        return type(self).is_listed is Resource.is_listed

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """Filters from this resource's own query values."""
        return []

    def narrowed(self, call: Call, must_equal: Mapping[str, Any]) -> list[Document] | None:
        """Candidates from an index when the query allows one, else None."""
        return None

    def check_lengths(self, fields: Fields) -> list[str]:
        """Messages for texts that are too long."""
        return lengths(fields, self.spec)


def field_column(name: str, kind: str) -> Column:
    """A column that reads one field."""
    return Column(lambda document: document.get(name), kind)


def columns_of(**kinds: str) -> dict[str, Column]:
    """Columns named by their fields: `columns_of(Status="text", Total="number")`."""
    return {name.lower(): field_column(name, kind) for name, kind in kinds.items()}


def contact_columns(books: Books) -> dict[str, Column]:
    """Columns that reach through to the contact of a document."""

    def reads(name: str) -> Getter:
        def read(document: Mapping[str, Any]) -> Any:
            contact = books["Contacts"].get(document.get("ContactID", ""))
            return None if contact is None else contact.get(name)

        return read

    return {
        "contact.contactid": field_column("ContactID", "guid"),
        "contact.name": Column(reads("Name"), "text"),
        "contact.contactnumber": Column(reads("ContactNumber"), "text"),
        "contact.contactstatus": Column(reads("ContactStatus"), "text"),
    }
