"""What each asset is, in a bookkeeper's words."""

from __future__ import annotations

from collections.abc import Mapping

from sync.records import Entity

ENTITY_TITLES: Mapping[Entity, str] = {
    Entity.ACCOUNT: "Chart of accounts",
    Entity.CUSTOMER: "Customers",
    Entity.VENDOR: "Vendors",
    Entity.INVOICE: "Invoices and draws",
    Entity.BILL: "Bills",
    Entity.JOURNAL_ENTRY: "Journal entries",
    Entity.PAYMENT: "Payments received",
    Entity.BILL_PAYMENT: "Bill payments",
    Entity.DEPOSIT: "Bank deposits",
}

_DESCRIPTIONS: Mapping[Entity, str] = {
    Entity.ACCOUNT: "The chart of accounts as {provider} has it, and the accounts the platform added to it. "
    "Cost codes are mapped to these accounts.",
    Entity.CUSTOMER: "Clients of the builder as customers in {provider}. A client who is already there by name is "
    "linked, not entered again.",
    Entity.VENDOR: "Vendors and subcontractors of the builder as vendors in {provider}. One who is already there by "
    "name is linked, not entered again.",
    Entity.INVOICE: "Approved client invoices and draws, retainage lines included, as invoices in {provider}. "
    "Lines on a cost code without an account wait until it is mapped.",
    Entity.BILL: "Approved vendor bills, retainage withheld included, as bills in {provider}. "
    "Lines on a cost code without an account wait until it is mapped.",
    Entity.JOURNAL_ENTRY: "Posted adjustments, retainage and work-in-progress entries as journal entries in {provider}. "
    "Debits equal credits in every one of them.",
    Entity.PAYMENT: "Client payments entered in {provider}. They mark the platform's invoices paid or partly paid.",
    Entity.BILL_PAYMENT: "Payments to vendors entered in {provider}. They mark the platform's bills paid or partly paid.",
    Entity.DEPOSIT: "Bank deposits entered in {provider}, with the payments each one took to the bank.",
}

LEDGER_CHANGES_DESCRIPTION = (
    "Everything the bookkeeper changed in {provider} since the last look, brought in with as few calls as possible. "
    "The other assets compare against this copy."
)
TIE_OUT_DESCRIPTION = (
    "The proof that both books agree: what is open with customers and vendors, and what was sent, on the platform and "
    "in {provider}'s own trial balance, with every difference named."
)


def entity_description(entity: Entity, *, provider: str) -> str:
    """Return what an entity's asset holds, with the provider's name in it."""
    return _DESCRIPTIONS[entity].format(provider=provider)
