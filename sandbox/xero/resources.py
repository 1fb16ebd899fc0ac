"""The registry of resources: one line each, found by their path in any case."""

from __future__ import annotations

from sandbox.xero.accounts import ACCOUNTS
from sandbox.xero.bank_transactions import BANK_TRANSACTIONS
from sandbox.xero.bank_transfers import BANK_TRANSFERS
from sandbox.xero.batch_payments import BATCH_PAYMENTS
from sandbox.xero.contacts import CONTACTS
from sandbox.xero.credits import CREDIT_NOTES, OVERPAYMENTS, PREPAYMENTS
from sandbox.xero.invoices import INVOICES
from sandbox.xero.items import ITEMS
from sandbox.xero.manual_journals import MANUAL_JOURNALS
from sandbox.xero.payments import PAYMENTS
from sandbox.xero.resource import Resource
from sandbox.xero.settings import BRANDING_THEMES, CURRENCIES, ORGANISATIONS, TAX_RATES, USERS
from sandbox.xero.tracking import TRACKING_CATEGORIES

RESOURCES: dict[str, Resource] = {
    resource.name.lower(): resource
    for resource in (
        ACCOUNTS,
        BANK_TRANSACTIONS,
        BANK_TRANSFERS,
        BATCH_PAYMENTS,
        BRANDING_THEMES,
        CONTACTS,
        CREDIT_NOTES,
        CURRENCIES,
        INVOICES,
        ITEMS,
        MANUAL_JOURNALS,
        ORGANISATIONS,
        OVERPAYMENTS,
        PAYMENTS,
        PREPAYMENTS,
        TAX_RATES,
        TRACKING_CATEGORIES,
        USERS,
    )
}
# Endpoints Xero has and this sandbox answers with 501.
LEFT_OUT = frozenset(
    {
        "budgets",
        "contactgroups",
        "employees",
        "expenseclaims",
        "invoicereminders",
        "journals",
        "linkedtransactions",
        "paymentservices",
        "purchaseorders",
        "quotes",
        "receipts",
        "repeatinginvoices",
        "setup",
    }
)
# The key of the list inside the answer, where it is not the path's own name.
WRAPPERS = {"Organisation": "Organisations"}
# PUT takes one object here, not a list.
ONE_OBJECT = frozenset({"Accounts", "TrackingCategories", "Currencies"})
# POST takes a bare object here even without an id in the path.
BARE_OBJECT = frozenset({"Payments", "BatchPayments"})
# POST without an id in the path is not offered here (create with PUT, change under the id).
NO_POST_LIST = frozenset({"Accounts", "TrackingCategories"})
