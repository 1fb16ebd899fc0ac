"""Which fields each kind of file can have, under which headings people write them, and which must be there.

The order of an entity's fields is the order of the columns of its stage (`sql/queries/imports.sql`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sync.imports.choices import (
    ACCOUNT_TYPES,
    DOCUMENT_STATUS,
    JOB_STATUS,
    JOURNAL_KIND,
    JOURNAL_STATUS,
    KIND,
    ORDER_STATUS,
    PAYMENT_STATUS,
    ROLE,
    YES_NO,
)


class ImportEntity(StrEnum):
    """What a file holds."""

    COST_CODES = "cost_codes"
    CLIENTS = "clients"
    VENDORS = "vendors"
    JOBS = "jobs"
    ACCOUNTS = "accounts"
    PURCHASE_ORDERS = "purchase_orders"
    INVOICES = "invoices"
    BILLS = "bills"
    JOURNAL_ENTRIES = "journal_entries"
    OPENING_BALANCES = "opening_balances"
    PAYMENTS = "payments"


ValueKind = Literal["text", "amount", "price", "quantity", "date", "choice", "reference", "currency"]
ReferenceKind = Literal["client", "vendor", "job", "cost_code", "account", "purchase_order", "invoice"]


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a row: its name in the stage, its heading for people, and other headings it goes by."""

    name: str
    title: str
    kind: ValueKind = "text"
    synonyms: tuple[str, ...] = ()
    is_required: bool = False
    # A line's own value; the others belong to the document and may stand on its first row only.
    is_of_line: bool = False
    reference: ReferenceKind | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    length_max: int = 500


@dataclass(frozen=True, slots=True)
class Format:
    """The fields of one entity, and by which of them its rows belong together."""

    entity: ImportEntity
    noun: str
    fields: tuple[Field, ...]
    # Rows with equal values in these fields are one document (or one name).
    key: tuple[str, ...]
    has_lines: bool = False
    # Any one of these columns stands for the first: an invoice line is an amount, or a quantity and a price.
    alternatives: tuple[tuple[str, ...], ...] = ()

    def of(self, name: str) -> Field:
        """Return the field with this name."""
        return next(field for field in self.fields if field.name == name)


_EXTERNAL_ID = Field(
    "external_id", "External id", synonyms=("external id", "external ref", "source id", "guid")
)
_ACTIVE = Field(
    "is_active",
    "Active",
    "choice",
    ("active", "is active", "status", "in use"),
    choices=YES_NO,
    default="true",
)
_PERSON = (
    Field("email", "Email", synonyms=("email", "e mail", "email address", "contact email", "main email")),
    Field("phone", "Phone", synonyms=("phone", "telephone", "tel", "phone number", "main phone", "mobile", "cell")),
    Field("address_line", "Address", synonyms=("address", "street", "address line", "address line 1", "address 1", "street address", "billing street", "mailing address")),
    Field("city", "City", synonyms=("city", "town", "billing city", "address city")),
    Field("region", "State", synonyms=("state", "region", "province", "st", "billing state", "address region", "address state")),
    Field("postal_code", "Zip", synonyms=("zip", "zip code", "postal code", "postcode", "billing zip", "address postal code", "address zip")),
)  # fmt: skip

_NUMBER_WORDS = (
    "number",
    "doc number",
    "document number",
    "ref number",
    "reference number",
    "ref",
    "reference",
)
_DATE_WORDS = ("date", "doc date", "document date", "txn date", "transaction date")
_DUE = Field("due_date", "Due date", "date", ("due date", "due", "payment due", "pay by", "net due"))
_CURRENCY = Field("currency", "Currency", "currency", ("currency", "currency code", "ccy"), length_max=3)
_MEMO = Field(
    "memo",
    "Memo",
    synonyms=(
        "memo",
        "note",
        "notes",
        "document memo",
        "document description",
        "private note",
        "comment",
        "remarks",
    ),
    default="",
    length_max=3900,
)
_TOTAL = Field(
    "total", "Total", "amount", ("total", "document total", "document amount", "invoice total", "bill total", "grand total", "total amount", "amount due", "current payment due")
)  # fmt: skip
_JOB = Field(
    "job", "Job", "reference", ("job", "project", "job number", "project number", "job no", "job name", "project name"), reference="job"
)  # fmt: skip
_DESCRIPTION = Field(
    "description", "Description", synonyms=("description", "line description", "item description", "work description", "details", "scope", "desc", "line memo"), is_of_line=True, default="", length_max=3900
)  # fmt: skip
_CODE = Field(
    "cost_code", "Cost code", "reference", ("cost code", "code", "costcode", "phase", "phase code", "cost code number", "budget code", "division code"), is_of_line=True, reference="cost_code"
)  # fmt: skip
_QUANTITY = Field("quantity", "Quantity", "quantity", ("quantity", "qty", "units", "hours"), is_of_line=True)
_PRICE = Field(
    "unit_price", "Unit price", "price", ("unit price", "price", "rate", "unit cost", "cost each", "price each"), is_of_line=True
)  # fmt: skip
_ROLE = Field(
    "role", "Line type", "choice", ("line type", "role", "line role", "type of line", "line kind"), is_of_line=True, choices=ROLE, default="work"
)  # fmt: skip
_AMOUNT = Field(
    "amount", "Amount", "amount", ("amount", "line amount", "line total", "amount this period", "this period", "extended", "ext amount", "net amount"), is_required=True, is_of_line=True
)  # fmt: skip
_BY_QUANTITY = (("amount", "quantity", "unit_price"),)


def _number(*words: str, is_required: bool = True) -> Field:
    return Field(
        "number", "Number", synonyms=(*words, *_NUMBER_WORDS), is_required=is_required, length_max=100
    )


def _date(*words: str) -> Field:
    return Field("date", "Date", "date", (*words, *_DATE_WORDS), is_required=True)


_CLIENT_WORDS = (
    "client",
    "customer",
    "client name",
    "customer name",
    "owner",
    "bill to",
    "customer full name",
)
_VENDOR_WORDS = (
    "vendor", "supplier", "vendor name", "supplier name", "subcontractor", "sub", "payee", "company", "trade partner",
)  # fmt: skip

_CLIENT = Field("party", "Client", "reference", _CLIENT_WORDS, is_required=True, reference="client")
_VENDOR = Field("party", "Vendor", "reference", _VENDOR_WORDS, is_required=True, reference="vendor")


def _name(*words: str) -> Field:
    return Field("name", "Name", synonyms=(*words, "name", "display name", "full name"), is_required=True)


FORMATS: Mapping[ImportEntity, Format] = {
    found.entity: found
    for found in (
        Format(
            ImportEntity.COST_CODES,
            "cost code",
            (
                Field("code", "Code", synonyms=("code", "cost code", "cost code number", "number", "phase", "costcode"), is_required=True, length_max=60),
                Field("name", "Name", synonyms=("name", "description", "title", "cost code name", "cost code description"), is_required=True),
                Field("division", "Division", synonyms=("division", "group", "category", "section", "parent")),
                Field("cost_type", "Cost type", synonyms=("cost type", "type", "cost category", "cost class")),
                _EXTERNAL_ID,
                _ACTIVE,
            ),
            key=("code",),
        ),
        Format(
            ImportEntity.CLIENTS,
            "client",
            (_name(*_CLIENT_WORDS), *_PERSON, _EXTERNAL_ID, _ACTIVE),
            key=("name",),
        ),
        Format(
            ImportEntity.VENDORS,
            "vendor",
            (
                _name(*_VENDOR_WORDS),
                *_PERSON,
                Field("license_number", "License", synonyms=("license", "license number", "licence", "contractor license", "lic", "license no")),
                _EXTERNAL_ID,
                _ACTIVE,
            ),
            key=("name",),
        ),
        Format(
            ImportEntity.JOBS,
            "job",
            (
                Field("number", "Number", synonyms=("job number", "project number", "job no", "job", *_NUMBER_WORDS, "code"), is_required=True, length_max=60),
                Field("name", "Name", synonyms=("job name", "project name", "name", "project", "description", "title"), is_required=True),
                Field("client", "Client", "reference", _CLIENT_WORDS, reference="client"),
                Field("status", "Status", "choice", ("status", "job status", "stage"), choices=JOB_STATUS, default="active"),
                Field("contract_amount", "Contract amount", "amount", ("contract amount", "contract", "contract value", "contract sum", "original contract", "budget")),
                _EXTERNAL_ID,
            ),
            key=("number",),
        ),
        Format(
            ImportEntity.ACCOUNTS,
            "account",
            (
                Field("number", "Number", synonyms=("account number", "acct no", "number", "account no", "acct number", "gl code", "code"), length_max=20),
                Field("name", "Name", synonyms=("account name", "name", "account", "gl account", "title"), is_required=True, length_max=100),
                Field("account_type", "Type", "choice", ("type", "account type", "acct type", "category", "class"), is_required=True, choices=ACCOUNT_TYPES),
                Field("description", "Description", synonyms=("description", "note", "notes", "details")),
                _EXTERNAL_ID,
                _ACTIVE,
            ),
            key=("name",),
        ),
        Format(
            ImportEntity.PURCHASE_ORDERS,
            "purchase order",
            (
                _number("po number", "po", "purchase order", "order number", "po no", "purchase order number"),
                _VENDOR,
                _JOB,
                _date("order date", "po date"),
                _CURRENCY,
                _TOTAL,
                Field("status", "Status", "choice", ("status", "po status", "order status"), choices=ORDER_STATUS, default="open"),
                Field("delivery_status", "Delivery", synonyms=("delivery", "delivery status", "shipping status")),
                _EXTERNAL_ID,
                _DESCRIPTION, _CODE, _QUANTITY, _PRICE, _AMOUNT,
            ),
            key=("number",),
            has_lines=True,
            alternatives=_BY_QUANTITY,
        ),
        Format(
            ImportEntity.INVOICES,
            "invoice",
            (
                _number("invoice number", "invoice", "invoice no", "inv no", "inv number", "draw number", "draw", "application number", "pay app"),
                _CLIENT,
                _JOB,
                _date("invoice date", "draw date", "billing date"),
                _DUE, _CURRENCY, _MEMO, _TOTAL,
                Field("kind", "Kind", "choice", ("kind", "document type", "invoice type", "type"), choices=KIND, default="invoice"),
                Field("status", "Status", "choice", ("status", "invoice status"), choices=DOCUMENT_STATUS, default="approved"),
                _EXTERNAL_ID,
                _DESCRIPTION, _CODE, _ROLE, _QUANTITY, _PRICE, _AMOUNT,
            ),
            key=("number",),
            has_lines=True,
            alternatives=_BY_QUANTITY,
        ),
        Format(
            ImportEntity.BILLS,
            "bill",
            (
                _number("bill number", "invoice number", "bill no", "vendor invoice", "vendor invoice number", "invoice no", "supplier invoice", "bill", "invoice", is_required=False),
                _VENDOR,
                Field("purchase_order", "Purchase order", "reference", ("purchase order", "po", "po number", "po no"), reference="purchase_order"),
                _date("bill date", "invoice date"),
                _DUE, _CURRENCY, _MEMO, _TOTAL,
                Field("status", "Status", "choice", ("status", "bill status", "approval"), choices=DOCUMENT_STATUS, default="approved"),
                _EXTERNAL_ID,
                _DESCRIPTION, _CODE,
                Field("job", "Job", "reference", _JOB.synonyms, is_of_line=True, reference="job"),
                _ROLE, _QUANTITY, _PRICE, _AMOUNT,
            ),
            key=("party", "number"),
            has_lines=True,
            alternatives=_BY_QUANTITY,
        ),
        Format(
            ImportEntity.JOURNAL_ENTRIES,
            "journal entry",
            (
                _number("journal number", "entry number", "journal no", "je number", "je", "entry", "entry no", "journal", "num"),
                _date("entry date", "journal date", "posting date"),
                Field("kind", "Kind", "choice", ("kind", "entry type", "journal type", "type"), choices=JOURNAL_KIND, default="adjustment"),
                _CURRENCY, _MEMO,
                Field("status", "Status", "choice", ("status",), choices=JOURNAL_STATUS, default="posted"),
                _EXTERNAL_ID,
                _DESCRIPTION,
                Field("account", "Account", "reference", ("account", "account name", "gl account", "ledger account"), is_of_line=True, reference="account"),
                _CODE,
                Field("client", "Client", "reference", _CLIENT_WORDS, is_of_line=True, reference="client"),
                Field("vendor", "Vendor", "reference", _VENDOR_WORDS, is_of_line=True, reference="vendor"),
                Field("job", "Job", "reference", _JOB.synonyms, is_of_line=True, reference="job"),
                Field("debit", "Debit", "amount", ("debit", "dr", "debits", "debit amount", "amount debit"), is_required=True, is_of_line=True),
                Field("credit", "Credit", "amount", ("credit", "cr", "credits", "credit amount", "amount credit"), is_required=True, is_of_line=True),
            ),
            key=("number",),
            has_lines=True,
        ),
        Format(
            ImportEntity.OPENING_BALANCES,
            "opening balance",
            (
                _date("as of", "as of date", "balance date", "opening date"),
                _CURRENCY, _MEMO,
                Field("status", "Status", "choice", ("status",), choices=JOURNAL_STATUS, default="posted"),
                _EXTERNAL_ID,
                _DESCRIPTION,
                Field("account", "Account", "reference", ("account", "account name", "gl account", "ledger account", "account number"), is_required=True, is_of_line=True, reference="account"),
                Field("client", "Client", "reference", _CLIENT_WORDS, is_of_line=True, reference="client"),
                Field("vendor", "Vendor", "reference", _VENDOR_WORDS, is_of_line=True, reference="vendor"),
                Field("job", "Job", "reference", _JOB.synonyms, is_of_line=True, reference="job"),
                Field("debit", "Debit", "amount", ("debit", "dr", "debits", "debit amount", "amount debit", "debit balance"), is_required=True, is_of_line=True),
                Field("credit", "Credit", "amount", ("credit", "cr", "credits", "credit amount", "amount credit", "credit balance"), is_required=True, is_of_line=True),
            ),
            key=("date",),
            has_lines=True,
        ),
        Format(
            ImportEntity.PAYMENTS,
            "payment",
            (
                Field("number", "Reference", synonyms=("check number", "check no", "check", "cheque number", "payment number", "receipt", "receipt number", "payment reference", *_NUMBER_WORDS), length_max=100),
                _CLIENT,
                _date("payment date", "received", "date received", "received on"),
                _CURRENCY,
                Field("paid", "Amount", "amount", ("amount", "payment amount", "amount received", "total", "received amount"), is_required=True),
                Field("method", "Method", synonyms=("method", "payment method", "paid by", "payment type", "type"), length_max=100),
                _MEMO,
                Field("status", "Status", "choice", ("status", "payment status"), choices=PAYMENT_STATUS, default="posted"),
                _EXTERNAL_ID,
                Field("invoice", "Invoice", "reference", ("invoice", "invoice number", "invoice no", "inv no", "applied to", "draw", "draw number"), is_of_line=True, reference="invoice"),
                Field("applied", "Applied", "amount", ("applied", "applied amount", "amount applied", "invoice amount"), is_of_line=True),
            ),
            key=("party", "number"),
            has_lines=True,
        ),
    )
}  # fmt: skip
