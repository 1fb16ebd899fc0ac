"""Worlds to start with: `empty`, `contractor` (chart, a few names), `contractor_with_history`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sandbox.kernel.emulator import ControlError
from sandbox.quickbooks import chart, writing
from sandbox.quickbooks.accounts import CLASSIFICATIONS
from sandbox.quickbooks.change import Change, changing
from sandbox.quickbooks.company import Company
from sandbox.quickbooks.records import Body, Effects
from sandbox.quickbooks.rules import CURRENCY

SCENARIOS = {
    "contractor": "chart of accounts of a contractor, a few customers, vendors and items, no documents",
    "empty": "chart of accounts only",
    "contractor_with_history": "contractor, and half a year of invoices, bills, payments and deposits",
}
DEFAULT_COMPANIES = (
    ("9341450000000101", "Sandbox Custom Homes LLC"),
    ("9341450000000202", "Sandbox Commercial Contractors Inc"),
)
ADDRESS = {"Id": "1", "Line1": "100 Foundry Street", "City": "Alder Falls", "CountrySubDivisionCode": "CA",
           "PostalCode": "94025", "Country": "USA"}  # fmt: skip


def build_company(company: Company, name: str, scenario: str, *, seed: int = 0) -> None:
    """Fill an empty company."""
    if scenario not in SCENARIOS:
        raise ControlError(f"There is no scenario {scenario!r}. Known: {', '.join(SCENARIOS)}.")
    with changing(company) as change:
        _settings(change, name)
        _accounts(change)
        _lists(change)
    if scenario == "empty":
        return
    with changing(company) as change:
        _names(change)
    if scenario == "contractor_with_history":
        from sandbox.quickbooks.seeding import seed_documents

        seed_documents(company, size=180, seed=seed)


def _fixed(change: Change, entity: str, number: str, body: Body, key: str = "") -> None:
    """Store a system object with a given id, outside the rules of its entity."""
    keys = (key,) if key else ()
    change.put(entity, {"Id": number, **body}, old=None, effects=Effects(keys=keys))


def _settings(change: Change, name: str) -> None:
    started = (change.company.today() - timedelta(days=900)).isoformat()
    _fixed(change, "CompanyInfo", "1", {
        "CompanyName": name, "LegalName": name, "CompanyAddr": ADDRESS, "CustomerCommunicationAddr": ADDRESS,
        "LegalAddr": ADDRESS, "PrimaryPhone": {"FreeFormNumber": "(650) 555-0100"},
        "CompanyStartDate": started, "FiscalYearStartMonth": "January", "Country": "USA",
        "Email": {"Address": "books@example.com"}, "WebAddr": {"URI": "https://example.com"},
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"}, {"Name": "IndustryType", "Value": "Construction"},
            {"Name": "SubscriptionStatus", "Value": "PAID"}, {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "DefaultTimeZone", "Value": "America/Los_Angeles"},
        ],
    })  # fmt: skip
    _fixed(change, "Preferences", "1", {
        "AccountingInfoPrefs": {
            "UseAccountNumbers": True, "TrackDepartments": True, "ClassTrackingPerTxn": False,
            "ClassTrackingPerTxnLine": True, "CustomerTerminology": "Customers",
        },
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityWithPriceAndRate": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": False, "AllowDeposit": True, "AllowDiscount": True, "AllowEstimates": True,
            "DefaultTerms": {"value": "3"}, "UsingProgressInvoicing": False, "AutoApplyCredit": False,
            "AutoApplyPayments": False,
        },
        "VendorAndPurchasesPrefs": {
            "BillableExpenseTracking": True, "TrackingByCustomer": True, "UseCustomTxnNumbers": False,
        },
        "TimeTrackingPrefs": {"UseServices": True, "BillCustomers": True},
        "TaxPrefs": {"UsingSalesTax": False, "PartnerTaxEnabled": False},
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": "USD"}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {"NameValue": [{"Name": "ProjectsEnabled", "Value": "false"}]},
    })  # fmt: skip


def _accounts(change: Change) -> None:
    names = {number: name for number, _, name, _, _, _ in chart.ACCOUNTS}
    parents = {number: parent for number, _, _, _, _, parent in chart.ACCOUNTS}
    for number, code, name, kind, subtype, parent in chart.ACCOUNTS:
        path, above = [name], parent
        while above:
            path.insert(0, names[above])
            above = parents[above]
        full = ":".join(path)
        body: Body = {
            "Name": name, "SubAccount": bool(parent), "FullyQualifiedName": full, "Active": True,
            "Classification": CLASSIFICATIONS[kind], "AccountType": kind, "AccountSubType": subtype,
            "AcctNum": code, "CurrentBalance": 0, "CurrentBalanceWithSubAccounts": 0, "CurrencyRef": CURRENCY,
        }  # fmt: skip
        if parent:
            body["ParentRef"] = {"value": parent}
        keys = (f"name:Account:{parent}:{name.lower()}", f"acctnum:{code}")
        change.put("Account", {"Id": number, **body}, old=None, effects=Effects(keys=keys))


def _lists(change: Change) -> None:
    for name, days in chart.TERMS:
        writing.create(change, "Term", {"Name": name, "DueDays": days})
    for name in chart.PAYMENT_METHODS:
        kind = "CREDIT_CARD" if name in ("Visa", "MasterCard") else "NON_CREDIT_CARD"
        writing.create(change, "PaymentMethod", {"Name": name, "Type": kind})
    agency = {
        "DisplayName": "State Board of Equalization",
        "TaxTrackedOnPurchases": False,
        "TaxTrackedOnSales": True,
    }
    _fixed(change, "TaxAgency", "1", agency)
    rate = {"Name": "State Sales Tax", "Description": "State sales tax", "Active": True, "RateValue": 8,
            "AgencyRef": {"value": "1"}, "SpecialTaxType": "NONE", "DisplayType": "ReadOnly"}  # fmt: skip
    _fixed(change, "TaxRate", "1", rate, "name:TaxRate::state sales tax")
    code = {"Name": "State", "Description": "State sales tax", "Active": True, "Taxable": True, "TaxGroup": True,
            "SalesTaxRateList": {"TaxRateDetail": [{"TaxRateRef": {"value": "1", "name": "State Sales Tax"},
                                                    "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}]},
            "PurchaseTaxRateList": {"TaxRateDetail": []}}  # fmt: skip
    _fixed(change, "TaxCode", "1", code, "name:TaxCode::state")
    for name in chart.CLASSES:
        writing.create(change, "Class", {"Name": name})
    for name in chart.DEPARTMENTS:
        writing.create(change, "Department", {"Name": name})
    for name, income, expense, description in chart.ITEMS:
        writing.create(change, "Item", {
            "Name": name, "Type": "Service", "Description": description, "IncomeAccountRef": {"value": income},
            "ExpenseAccountRef": {"value": expense},
        })  # fmt: skip


def _names(change: Change) -> None:
    for name, given, family in chart.CUSTOMERS:
        body: dict[str, Any] = {"DisplayName": name, "GivenName": given, "FamilyName": family}
        body["BillAddr"] = {"Line1": f"{len(name)} Quarry Road", "City": "Alder Falls",
                            "CountrySubDivisionCode": "CA", "PostalCode": "94025"}  # fmt: skip
        writing.create(change, "Customer", body)
    for name, email in chart.VENDORS:
        writing.create(
            change,
            "Vendor",
            {"DisplayName": name, "CompanyName": name, "PrimaryEmailAddr": {"Address": email}},
        )
