"""Contacts: one entity for customers and suppliers, with Xero's rules on names, numbers and archiving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.fields import FLAG, GUID, WHOLE, Fields, Many, One, Spec, Text, choice
from sandbox.xero.refusals import ElementRefused, NotFound
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

ZERO = Decimal(0)
PERSONS_MAX = 5
_TERM: Spec = {
    "Day": WHOLE,
    "Type": choice("DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"),
}
ADDRESS_SPEC: Spec = {
    "AddressType": choice("POBOX", "STREET"),
    "AddressLine1": Text(500),
    "AddressLine2": Text(500),
    "AddressLine3": Text(500),
    "AddressLine4": Text(500),
    "City": Text(255),
    "Region": Text(255),
    "PostalCode": Text(50),
    "Country": Text(50),
    "AttentionTo": Text(255),
}
PHONE_SPEC: Spec = {
    "PhoneType": choice("DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"),
    "PhoneNumber": Text(50),
    "PhoneAreaCode": Text(10),
    "PhoneCountryCode": Text(20),
}
PERSON_SPEC: Spec = {
    "FirstName": Text(255),
    "LastName": Text(255),
    "EmailAddress": Text(255),
    "IncludeInEmails": FLAG,
}
CONTACT_SPEC: Spec = {
    "ContactID": GUID,
    "ContactNumber": Text(50),
    "AccountNumber": Text(50),
    "ContactStatus": choice("ACTIVE", "ARCHIVED", "GDPRREQUEST"),
    "Name": Text(255),
    "FirstName": Text(255),
    "LastName": Text(255),
    "CompanyNumber": Text(50),
    "EmailAddress": Text(255),
    "ContactPersons": Many(PERSON_SPEC),
    "BankAccountDetails": Text(),
    "TaxNumber": Text(50),
    "AccountsReceivableTaxType": Text(),
    "AccountsPayableTaxType": Text(),
    "Addresses": Many(ADDRESS_SPEC),
    "Phones": Many(PHONE_SPEC),
    "DefaultCurrency": Text(3),
    "SalesDefaultAccountCode": Text(),
    "PurchasesDefaultAccountCode": Text(),
    "PaymentTerms": One({"Bills": One(_TERM), "Sales": One(_TERM)}),
}
# What a nested contact may carry besides its keys; more than the keys edits the contact.
NESTED_KEYS = frozenset({"ContactID", "ContactNumber", "Name"})
ARCHIVED_TEXT = "The contact details matched an archived contact. Archived contacts cannot currently be edited via the API."
NO_KEY_TEXT = (
    "The Contact must contain at least 1 of the following elements to identify the contact: Name, ContactID, "
    "ContactNumber"
)
_EMPTY_ADDRESS = {"City": "", "Region": "", "PostalCode": "", "Country": ""}
_EMPTY_PHONE = {"PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""}
_STORED = frozenset(CONTACT_SPEC) - {"ContactID", "ContactStatus"}


class Contacts(Resource):
    """`/Contacts`."""

    name = "Contacts"
    type_name = "Contact"
    id_field = "ContactID"
    spec = CONTACT_SPEC
    scope = "contacts"
    is_paged = True
    has_history = True
    has_attachments = True
    search_fields = ("Name", "FirstName", "LastName", "EmailAddress", "ContactNumber", "CompanyNumber")
    list_is_light = False

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            ContactID="guid",
            Name="text",
            ContactNumber="text",
            AccountNumber="text",
            ContactStatus="text",
            EmailAddress="text",
            FirstName="text",
            LastName="text",
            IsCustomer="flag",
            IsSupplier="flag",
            UpdatedDateUTC="date",
            CompanyNumber="text",
            TaxNumber="text",
            DefaultCurrency="text",
        )

    def find(self, books: Books, key: str) -> Document | None:
        """By ContactID or ContactNumber."""
        return books["Contacts"].get(key.lower()) or books["Contacts"].first("number", key.casefold())

    def match(self, call: Call, fields: Fields) -> Document | None:
        """ContactID, then ContactNumber, then (by switch) the active Name."""
        if fields.get("ContactID"):
            return self.require(call.books, fields["ContactID"])
        return _match(call.books, fields, by_name=call.books.switches("contact_match_by_name") == "yes")

    def create(self, call: Call, fields: Fields) -> Document:
        """A new contact."""
        if not fields.get("Name") or not fields["Name"].strip():
            raise ElementRefused(NO_KEY_TEXT, echo=fields)
        status = fields.get("ContactStatus") or "ACTIVE"
        contact: Document = {
            "ContactID": call.new_id(),
            "ContactStatus": status,
            "IsCustomer": False,
            "IsSupplier": False,
        }
        return self._keep(call, contact, fields, kind="CREATE")

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """An edit; archived contacts cannot be edited."""
        if document["ContactStatus"] != "ACTIVE":
            raise ElementRefused(ARCHIVED_TEXT, echo=fields)
        contact = dict(document)
        if fields.get("ContactStatus"):
            contact["ContactStatus"] = fields["ContactStatus"]
        return self._keep(call, contact, fields, kind="UPDATE")

    def _keep(self, call: Call, contact: Document, fields: Fields, *, kind: str) -> Document:
        messages = self.check_lengths(fields) + _problems(call.books, contact, fields)
        if messages:
            raise ElementRefused(*messages, echo=fields)
        for name in _STORED & fields.keys():
            if fields[name] is None:
                contact.pop(name, None)
            else:
                contact[name] = fields[name]
        contact["UpdatedDateUTC"] = call.books.now()
        call.books["Contacts"].put(contact["ContactID"], contact)
        call.books.announce("CONTACT", contact["ContactID"], kind)
        return contact

    def is_listed(self, call: Call, document: Document) -> bool:
        """Archived contacts are left out unless asked for."""
        return document["ContactStatus"] == "ACTIVE" or call.flag("includeArchived")

    def filters(self, call: Call) -> list[Callable[[Document], bool]]:
        """`IDs`."""
        wanted = id_list(call.query.get("ids"))
        return [lambda document: document["ContactID"] in wanted] if wanted is not None else []

    def narrowed(self, call: Call, must_equal: Mapping[str, Any]) -> list[Document] | None:
        """Use the id and number indexes."""
        rows = call.books["Contacts"]
        wanted = id_list(call.query.get("ids"))
        if wanted is not None:
            return [contact for key in wanted if (contact := rows.get(key))]
        if "contactid" in must_equal:
            found = rows.get(str(must_equal["contactid"]).lower())
            return [found] if found else []
        if "contactnumber" in must_equal:
            return rows.find("number", str(must_equal["contactnumber"]).casefold())
        return None

    def beside(self, books: Books, document: Document) -> tuple[object, ...]:
        """The balances come from invoices, and what is overdue from the date."""
        return books["Invoices"].contact_stamp(document["ContactID"]), books.today()

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The contact as the wire shows it."""
        if mode == "nested":
            return {
                "ContactID": document["ContactID"],
                "Name": document["Name"],
                "Addresses": [],
                "Phones": [],
                "ContactGroups": [],
                "ContactPersons": [],
                "HasValidationErrors": False,
            }
        shown = {
            name: value
            for name, value in document.items()
            if name not in ("Addresses", "Phones", "PaymentTerms")
        }
        if mode == "summary":
            for name in ("ContactPersons", "BankAccountDetails"):
                shown.pop(name, None)
            return shown
        shown["ContactPersons"] = document.get("ContactPersons", [])
        shown |= _addresses(document)
        if "PaymentTerms" in document:
            shown["PaymentTerms"] = document["PaymentTerms"]
        shown |= {
            "ContactGroups": [],
            "HasAttachments": document.get("HasAttachments", False),
            "HasValidationErrors": False,
        }
        balances = None if mode == "created" else _balances(books, document["ContactID"])
        if balances is not None:
            shown["Balances"] = balances
        return shown


def _addresses(document: Document) -> Document:
    addresses = {entry.get("AddressType", "POBOX"): entry for entry in document.get("Addresses", ())}
    phones = {entry.get("PhoneType", "DEFAULT"): entry for entry in document.get("Phones", ())}
    kinds = ["DDI", "DEFAULT", "FAX", "MOBILE"] + (["OFFICE"] if "OFFICE" in phones else [])
    return {
        "Addresses": [
            {"AddressType": kind} | _EMPTY_ADDRESS | _without_none(addresses.get(kind, {}))
            for kind in ("STREET", "POBOX")
        ],
        "Phones": [
            {"PhoneType": kind} | _EMPTY_PHONE | _without_none(phones.get(kind, {})) for kind in kinds
        ],
    }


def _without_none(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _balances(books: Books, contact_id: str) -> Document | None:
    shown = {}
    for kind, name in (("ACCREC", "AccountsReceivable"), ("ACCPAY", "AccountsPayable")):
        outstanding = overdue = ZERO
        today: date | None = None
        for invoice in books["Invoices"].find("contact", contact_id):
            if invoice["Type"] == kind and invoice["Status"] == "AUTHORISED":
                today = today or books.today()
                outstanding += invoice["AmountDue"]
                if invoice.get("DueDate") and invoice["DueDate"] < today:
                    overdue += invoice["AmountDue"]
        shown[name] = {"Outstanding": plain(outstanding), "Overdue": plain(overdue)}
    is_empty = all(not part["Outstanding"] for part in shown.values())
    return None if is_empty else shown


def _match(books: Books, fields: Fields, *, by_name: bool) -> Document | None:
    number = fields.get("ContactNumber")
    if number:
        found = books["Contacts"].first("number", number.casefold())
        if found is not None:
            return found
    if by_name and fields.get("Name"):
        return books["Contacts"].first("name", fields["Name"].casefold())
    return None


def _problems(books: Books, contact: Document, fields: Fields) -> list[str]:
    messages = []
    name = fields.get("Name", contact.get("Name"))
    if not name or not name.strip():
        messages.append("Contact Name cannot be empty.")
    elif contact["ContactStatus"] == "ACTIVE":
        other = books["Contacts"].first("name", name.casefold())
        if other is not None and other["ContactID"] != contact["ContactID"]:
            messages.append(
                f"The contact name {name} is already assigned to another contact. The contact name must be unique "
                "across all active contacts."
            )
    number = fields.get("ContactNumber")
    if number:
        other = books["Contacts"].first("number", number.casefold())
        if other is not None and other["ContactID"] != contact["ContactID"]:
            messages.append(
                f"The contact number {number} is already assigned to another contact. The contact number must be "
                "unique across all contacts."
            )
    emails = [
        fields.get("EmailAddress"),
        *(p.get("EmailAddress") for p in fields.get("ContactPersons") or ()),
    ]
    if any(email and not _is_email(email) for email in emails):
        messages.append("Email address must be valid.")
    if len(fields.get("ContactPersons") or ()) > PERSONS_MAX:
        messages.append("A contact can have at most 5 contact persons.")
    return messages


def _is_email(text: str) -> bool:
    name, at, domain = text.partition("@")
    return bool(name and at and "." in domain.strip(".") and " " not in text and "@" not in domain)


def id_list(text: str | None) -> dict[str, None] | None:
    """A comma list of GUIDs as an ordered set, or None when the query has none."""
    return (
        None
        if text is None
        else dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip())
    )


CONTACTS = Contacts()


def resolve_contact(call: Call, fields: Fields, *, echo: Fields) -> Document:
    """The contact a document names; a new name creates it, more than keys edits it (Xero does both)."""
    books = call.books
    contact_id = fields.get("ContactID")
    if contact_id:
        contact = books["Contacts"].get(contact_id)
        if contact is None:
            raise NotFound
    else:
        contact = _match(books, fields, by_name=True)
        if contact is None and not fields.get("Name"):
            raise ElementRefused(NO_KEY_TEXT, echo=echo)
    if contact is None:
        return CONTACTS.create(
            call, {name: value for name, value in fields.items() if name != "ContactStatus"}
        )
    if contact["ContactStatus"] != "ACTIVE" and books.switches("archived_contact_on_documents") == "refuse":
        raise ElementRefused(ARCHIVED_TEXT, echo=echo)
    extras = {name: value for name, value in fields.items() if name not in NESTED_KEYS and value is not None}
    renamed = contact_id and fields.get("Name") and fields["Name"] != contact["Name"]
    if (extras or renamed) and contact["ContactStatus"] == "ACTIVE":
        # A nested contact with more than its id rewrites the contact, and drops persons that are not sent.
        edits = {name: value for name, value in fields.items() if name != "ContactID"}
        contact = CONTACTS.update(call, contact, {"ContactPersons": [], **edits})
    return contact


def mark_role(books: Books, contact_id: str, *, is_sale: bool) -> None:
    """Set IsCustomer or IsSupplier; UpdatedDateUTC does not move, as documented."""
    contact = books["Contacts"].rows[contact_id]
    name = "IsCustomer" if is_sale else "IsSupplier"
    if not contact[name]:
        books["Contacts"].put(contact_id, contact | {name: True})
