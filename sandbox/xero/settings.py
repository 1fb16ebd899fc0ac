"""The organisation and its small tables: tax rates, currencies, users, branding themes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from sandbox.xero.books import Books
from sandbox.xero.chart import rate_document
from sandbox.xero.fields import FLAG, NUMBER, Fields, Many, Spec, Text, choice
from sandbox.xero.refusals import ElementRefused
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column
from sandbox.xero.wire import plain

_PRIVATE = ("LastInvoiceNumber", "TaxRateNumber", "Access")
_LOCKS = ("PeriodLockDate", "EndOfYearLockDate")
CURRENCY_CODES = frozenset(
    [
        "AED",
        "AUD",
        "BRL",
        "CAD",
        "CHF",
        "CNY",
        "CZK",
        "DKK",
        "EUR",
        "FJD",
        "GBP",
        "HKD",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "JPY",
        "KRW",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PGK",
        "PHP",
        "PLN",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "TWD",
        "USD",
        "VND",
        "WST",
        "XPF",
        "ZAR",
    ]
)


class Organisations(Resource):
    """`/Organisation`."""

    name = "Organisation"
    type_name = "Organisation"
    id_field = "OrganisationID"
    spec: ClassVar[Spec] = {}
    scope = "settings"
    takes_ims = False
    verbs = frozenset({"GET"})

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The profile without the sandbox's own counters."""
        hidden = (*_PRIVATE, *(_LOCKS if books.switches("lock_dates") == "untold" else ()))
        shown = {name: value for name, value in document.items() if name not in hidden}
        return shown | {"Addresses": [], "Phones": [], "ExternalLinks": [], "PaymentTerms": {}}


class TaxRates(Resource):
    """`/TaxRates`."""

    name = "TaxRates"
    type_name = "TaxRate"
    id_field = "TaxType"
    spec: ClassVar[Spec] = {
        "Name": Text(50),
        "TaxType": Text(50),
        "Status": choice("ACTIVE", "DELETED", "ARCHIVED", "PENDING"),
        "ReportTaxType": Text(),
        "TaxComponents": Many(
            {
                "Name": Text(50),
                "Rate": NUMBER,
                "IsCompound": FLAG,
                "IsNonRecoverable": FLAG,
            }
        ),
    }
    scope = "settings"
    takes_ims = False

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            Name="text",
            TaxType="text",
            Status="text",
            EffectiveRate="number",
            DisplayTaxRate="number",
            CanApplyToAssets="flag",
            CanApplyToEquity="flag",
            CanApplyToExpenses="flag",
            CanApplyToLiabilities="flag",
            CanApplyToRevenue="flag",
            ReportTaxType="text",
        )

    def find(self, books: Books, key: str) -> Document | None:
        """By TaxType."""
        return books["TaxRates"].first("type", key.casefold())

    def match(self, call: Call, fields: Fields) -> Document | None:
        """By TaxType, then by Name."""
        if fields.get("TaxType"):
            return self.require(call.books, fields["TaxType"])
        name = (fields.get("Name") or "").casefold()
        return next(
            (doc for doc in call.books["TaxRates"].rows.values() if doc["Name"].casefold() == name), None
        )

    def create(self, call: Call, fields: Fields) -> Document:
        """A user's own rate; its TaxType is TAX001, TAX002 and so on."""
        rate = self._rate(call, fields)
        books = call.books
        if any(
            doc["Name"].casefold() == fields["Name"].casefold() for doc in books["TaxRates"].rows.values()
        ):
            raise ElementRefused("Please enter a unique Name.", echo=fields)
        number = books.profile.get("TaxRateNumber", 0) + 1
        books["Organisation"].put(books.organisation_id, books.profile | {"TaxRateNumber": number})
        made = rate_document(fields["Name"], f"TAX{number:03d}", str(rate), sales=True, purchases=True)
        made["TaxComponents"] = fields["TaxComponents"]
        books["TaxRates"].put(made["TaxType"], made)
        return made

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Status, name and components of a user's own rate."""
        if not document["TaxType"].startswith("TAX"):
            raise ElementRefused("System tax rates cannot be changed.", echo=fields)
        changed = dict(document)
        if fields.get("TaxComponents"):
            rate = plain(self._rate(call, {"Name": document["Name"], **fields}))
            changed |= {
                "TaxComponents": fields["TaxComponents"],
                "EffectiveRate": rate,
                "DisplayTaxRate": rate,
            }
        for name in ("Name", "Status"):
            if fields.get(name):
                changed[name] = fields[name]
        call.books["TaxRates"].put(document["TaxType"], changed)
        return changed

    def _rate(self, call: Call, fields: Fields) -> Decimal:
        messages = self.check_lengths(fields)
        components = fields.get("TaxComponents") or []
        if not fields.get("Name"):
            messages.append("Name must be specified.")
        rates = [component.get("Rate") for component in components]
        if not components or any(rate is None or not 0 <= rate <= 100 for rate in rates):
            messages.append("At least one tax component with a Rate from 0 to 100 must be specified.")
        total = sum((rate for rate in rates if rate is not None), Decimal(0))
        if total > 100:
            messages.append("The rates of a tax rate must not exceed 100.")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        return total

    def is_listed(self, call: Call, document: Document) -> bool:
        """Deleted rates are gone."""
        return bool(document["Status"] != "DELETED")

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The rate as stored."""
        return document


class Currencies(Resource):
    """`/Currencies`: the first is the base; others need a plan with multi-currency."""

    name = "Currencies"
    type_name = "Currency"
    id_field = "Code"
    spec: ClassVar[Spec] = {"Code": Text(3), "Description": Text()}
    scope = "settings"
    takes_ims = False
    verbs = frozenset({"GET", "PUT"})

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(Code="text", Description="text")

    def create(self, call: Call, fields: Fields) -> Document:
        """Subscribe to a currency."""
        code = (fields.get("Code") or "").upper()
        if code not in CURRENCY_CODES:
            raise ElementRefused(f"'{code}' is not a currency Xero knows.", echo=fields)
        if not has_multi_currency(call.books):
            raise ElementRefused(
                "The plan of this organisation does not include multi-currency.", echo=fields
            )
        currency: Document = {"Code": code, "Description": code}
        call.books["Currencies"].put(code, currency)
        return currency

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """Code and description."""
        return {"Code": document["Code"], "Description": document["Description"]}


class Users(Resource):
    """`/Users`."""

    name = "Users"
    type_name = "User"
    id_field = "UserID"
    spec: ClassVar[Spec] = {}
    scope = "settings"
    verbs = frozenset({"GET"})

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(
            UserID="guid",
            EmailAddress="text",
            FirstName="text",
            LastName="text",
            UpdatedDateUTC="date",
            OrganisationRole="text",
            IsSubscriber="flag",
        )

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The user as stored."""
        return document


class BrandingThemes(Resource):
    """`/BrandingThemes`."""

    name = "BrandingThemes"
    type_name = "BrandingTheme"
    id_field = "BrandingThemeID"
    spec: ClassVar[Spec] = {}
    scope = "settings"
    takes_ims = False
    verbs = frozenset({"GET"})

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The theme as stored."""
        return document


def has_multi_currency(books: Books) -> bool:
    """Whether the plan allows other currencies."""
    return str(books.profile["Class"]) in ("DEMO", "PREMIUM", "ULTIMATE", "COMPREHENSIVE", "TRIAL")


def organisation_actions(books: Books) -> list[Document]:
    """`GET /Organisation/Actions`."""
    is_multi = has_multi_currency(books)
    names = {
        "CreateApprovedInvoice": True,
        "CreateDraftInvoice": True,
        "CreateApprovedBill": True,
        "CreateDraftBill": True,
        "CreateBankTransaction": True,
        "CreateContact": True,
        "CreateManualJournal": True,
        "UseMulticurrency": is_multi,
        "UseTracking": True,
        "UseInventory": False,
    }
    return [{"Name": name, "Status": "ALLOWED" if is_on else "NOT-ALLOWED"} for name, is_on in names.items()]


ORGANISATIONS = Organisations()
TAX_RATES = TaxRates()
CURRENCIES = Currencies()
USERS = Users()
BRANDING_THEMES = BrandingThemes()
