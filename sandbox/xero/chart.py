"""What a new organisation starts with: chart of accounts, tax rates, currency, a user and a branding theme.

The chart is the sandbox's own, shaped like Xero's demo company and widened by what a builder needs.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.xero.books import Books
from sandbox.xero.table import Document
from sandbox.xero.wire import plain

CLASS_OF_TYPE = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}

# (country, currency, zone, sales tax, purchase tax, rate, label)
REGIONS: dict[str, dict[str, str]] = {
    "NZ": {
        "country": "NZ",
        "currency": "NZD",
        "zone": "NEWZEALANDSTANDARDTIME",
        "out": "OUTPUT2",
        "in": "INPUT2",
        "rate": "15",
        "tax": "GST",
        "zero": "ZERORATED",
    },
    "AU": {
        "country": "AU",
        "currency": "AUD",
        "zone": "AUSEASTERNSTANDARDTIME",
        "out": "OUTPUT",
        "in": "INPUT",
        "rate": "10",
        "tax": "GST",
        "zero": "EXEMPTOUTPUT",
    },
    "UK": {
        "country": "GB",
        "currency": "GBP",
        "zone": "GMTSTANDARDTIME",
        "out": "OUTPUT2",
        "in": "INPUT2",
        "rate": "20",
        "tax": "VAT",
        "zero": "ZERORATEDOUTPUT",
    },
    "US": {
        "country": "US",
        "currency": "USD",
        "zone": "EASTERNSTANDARDTIME",
        "out": "OUTPUT",
        "in": "INPUT",
        "rate": "0",
        "tax": "Sales Tax",
        "zero": "EXEMPTOUTPUT",
    },
    "GLOBAL": {
        "country": "SG",
        "currency": "SGD",
        "zone": "SINGAPORESTANDARDTIME",
        "out": "OUTPUT",
        "in": "INPUT",
        "rate": "9",
        "tax": "Tax",
        "zero": "EXEMPTOUTPUT",
    },
}

# code, name, type, system account, tax role (out, in, none), takes payments
_CHART = (
    ("090", "Business Bank Account", "BANK", "", "none", False),
    ("091", "Business Savings Account", "BANK", "", "none", False),
    ("200", "Construction Income", "REVENUE", "", "out", False),
    ("201", "Change Order Income", "REVENUE", "", "out", False),
    ("260", "Other Revenue", "OTHERINCOME", "", "out", False),
    ("270", "Interest Income", "OTHERINCOME", "", "none", False),
    ("300", "Materials", "DIRECTCOSTS", "", "in", False),
    ("310", "Subcontractors", "DIRECTCOSTS", "", "in", False),
    ("320", "Site Labour", "DIRECTCOSTS", "", "none", False),
    ("330", "Equipment Hire", "DIRECTCOSTS", "", "in", False),
    ("340", "Permits and Fees", "DIRECTCOSTS", "", "none", False),
    ("400", "Advertising", "EXPENSE", "", "in", False),
    ("404", "Bank Fees", "EXPENSE", "", "none", False),
    ("429", "General Expenses", "EXPENSE", "", "in", False),
    ("433", "Insurance", "EXPENSE", "", "in", False),
    ("469", "Rent", "OVERHEADS", "", "in", False),
    ("477", "Salaries", "EXPENSE", "", "none", False),
    ("498", "Realised Currency Gains", "EXPENSE", "REALISEDCURRENCYGAIN", "none", False),
    ("497", "Unrealised Currency Gains", "EXPENSE", "UNREALISEDCURRENCYGAIN", "none", False),
    ("499", "Bank Revaluations", "EXPENSE", "BANKCURRENCYGAIN", "none", False),
    ("610", "Accounts Receivable", "CURRENT", "DEBTORS", "none", False),
    ("615", "Undeposited Receipts", "CURRENT", "", "none", True),
    ("620", "Prepayments", "PREPAYMENT", "", "none", False),
    ("630", "Work in Progress", "INVENTORY", "", "none", False),
    ("710", "Office Equipment", "FIXED", "", "in", False),
    ("800", "Accounts Payable", "CURRLIAB", "CREDITORS", "none", False),
    ("820", "GST", "CURRLIAB", "GST", "none", False),
    ("825", "Retention Payable", "CURRLIAB", "", "none", True),
    ("835", "Customer Deposits", "CURRLIAB", "", "none", False),
    ("840", "Historical Adjustment", "CURRLIAB", "HISTORICAL", "none", False),
    ("860", "Rounding", "CURRLIAB", "ROUNDING", "none", False),
    ("877", "Tracking Transfers", "CURRLIAB", "TRACKINGTRANSFERS", "none", False),
    ("880", "Owner Drawings", "EQUITY", "", "none", True),
    ("900", "Loan", "TERMLIAB", "", "none", False),
    ("960", "Retained Earnings", "EQUITY", "RETAINEDEARNINGS", "none", False),
    ("970", "Owner Funds Introduced", "EQUITY", "", "none", True),
)


# Units per US dollar, fixed, in place of the day rates Xero takes from XE.com.
_PER_DOLLAR = {
    "USD": "1",
    "NZD": "1.68",
    "AUD": "1.53",
    "GBP": "0.79",
    "EUR": "0.92",
    "CAD": "1.37",
    "SGD": "1.34",
    "JPY": "150",
}


def day_rate(books: Books, code: str) -> Decimal:
    """The rate of a currency when a document names none, six decimals, in the direction the switch says."""
    base = Decimal(_PER_DOLLAR.get(books.profile["BaseCurrency"], "1"))
    other = Decimal(_PER_DOLLAR.get(code, "1"))
    rate = other / base if books.switches("currency_rate_direction") == "document_per_base" else base / other
    return plain(rate.quantize(Decimal("0.000001")))


def rate_document(name: str, tax_type: str, rate: str, *, sales: bool, purchases: bool) -> Document:
    """A tax rate as the API shows it."""
    number = plain(Decimal(rate))
    components = [{"Name": name, "Rate": number, "IsCompound": False, "IsNonRecoverable": False}]
    return {
        "Name": name,
        "TaxType": tax_type,
        "Status": "ACTIVE",
        "EffectiveRate": number,
        "DisplayTaxRate": number,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": purchases,
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": sales,
        "TaxComponents": components,
    }


def _rates(region: dict[str, str]) -> list[Document]:
    rate, tax = region["rate"], region["tax"]
    return [
        rate_document(f"{rate}% {tax} on Income", region["out"], rate, sales=True, purchases=False),
        rate_document(f"{rate}% {tax} on Expenses", region["in"], rate, sales=False, purchases=True),
        rate_document("Zero Rated", region["zero"], "0", sales=True, purchases=False),
        rate_document("No Tax", "NONE", "0", sales=True, purchases=True),
    ]


def open_organisation(
    books: Books, *, name: str, version: str, now: datetime, new_id: Any, is_demo: bool, short_code: str
) -> None:
    """Fill empty books with a profile and everything a new organisation has."""
    region = REGIONS[version]
    books["Organisation"].put(
        books.organisation_id,
        {
            "OrganisationID": books.organisation_id,
            "Name": name,
            "LegalName": name,
            "PaysTax": True,
            "Version": version,
            "OrganisationType": "COMPANY",
            "BaseCurrency": region["currency"],
            "CountryCode": region["country"],
            "IsDemoCompany": is_demo,
            "OrganisationStatus": "ACTIVE",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 12 if version in ("US", "GLOBAL") else 3,
            "SalesTaxBasis": "ACCRUALS" if version in ("UK", "US") else "PAYMENTS",
            "SalesTaxPeriod": "TWOMONTHS",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "CreatedDateUTC": now,
            "OrganisationEntityType": "COMPANY",
            "Timezone": region["zone"],
            "ShortCode": short_code,
            "Class": "DEMO" if is_demo else "PREMIUM",
            "Edition": "BUSINESS",
        },
    )
    for rate in _rates(region):
        books["TaxRates"].put(rate["TaxType"], rate)
    roles = {"out": region["out"], "in": region["in"], "none": "NONE"}
    for code, title, kind, system, role, takes_payments in _CHART:
        account = {
            "AccountID": new_id(),
            "Code": code,
            "Name": region["tax"] if system == "GST" else title,
            "Status": "ACTIVE",
            "Type": kind,
            "TaxType": roles[role],
            "Class": CLASS_OF_TYPE[kind],
            "EnablePaymentsToAccount": takes_payments,
            "ShowInExpenseClaims": False,
            "ReportingCode": "",
            "UpdatedDateUTC": now,
        }
        if system:
            account["SystemAccount"] = system
        if kind == "BANK":
            account |= {
                "BankAccountNumber": f"12-3456-{code}7890-00",
                "BankAccountType": "BANK",
                "CurrencyCode": region["currency"],
            }
        books["Accounts"].put(account["AccountID"], account)
    books["Currencies"].put(
        region["currency"], {"Code": region["currency"], "Description": region["currency"]}
    )
    user, theme = new_id(), new_id()
    books["Users"].put(
        user,
        {
            "UserID": user,
            "EmailAddress": "bookkeeper@example.com",
            "FirstName": "Bo",
            "LastName": "Keeper",
            "UpdatedDateUTC": now,
            "IsSubscriber": True,
            "OrganisationRole": "FINANCIALADVISER",
        },
    )
    books["BrandingThemes"].put(
        theme,
        {
            "BrandingThemeID": theme,
            "Name": "Standard",
            "Type": "INVOICE",
            "SortOrder": 0,
            "CreatedDateUTC": now,
        },
    )
