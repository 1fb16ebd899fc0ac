"""All entities: their rules, their place on the wire, and what a query may do with them."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.quickbooks import accounts, banking, names, payments, people, purchases, sales, settings
from sandbox.quickbooks.attachables import AttachableRules
from sandbox.quickbooks.rules import Rules

RULES: dict[str, Rules] = {
    rules.entity: rules
    for rules in (
        settings.CompanyInfoRules(),
        settings.PreferencesRules(),
        accounts.AccountRules(),
        people.CustomerRules(),
        people.VendorRules(),
        people.EmployeeRules(),
        names.ItemRules(),
        names.ClassRules(),
        names.DepartmentRules(),
        names.TermRules(),
        names.PaymentMethodRules(),
        names.TaxCodeRules(),
        names.TaxRateRules(),
        names.TaxAgencyRules(),
        sales.InvoiceRules(),
        sales.CreditMemoRules(),
        sales.EstimateRules(),
        sales.SalesReceiptRules(),
        sales.RefundReceiptRules(),
        payments.PaymentRules(),
        payments.BillPaymentRules(),
        purchases.BillRules(),
        purchases.VendorCreditRules(),
        purchases.PurchaseOrderRules(),
        purchases.PurchaseRules(),
        banking.DepositRules(),
        banking.TransferRules(),
        banking.JournalEntryRules(),
        AttachableRules(),
    )
}
BY_PATH = {entity.lower(): entity for entity in RULES}
CDC_EXCLUDED = frozenset({"JournalCode", "TaxAgency", "TimeActivity", "TaxCode", "TaxRate"})
READ_ONLY_ENTITIES = frozenset({"TaxCode", "TaxRate"})
WEBHOOK_EXCLUDED = frozenset({"TaxCode", "TaxRate", "Attachable", "CompanyInfo"})


@dataclass(frozen=True, slots=True)
class Queryable:
    """What may be filtered, and what may be sorted by, in the query language."""

    filters: frozenset[str]
    sorts: frozenset[str]
    has_total: bool = False


_META = "MetaData.CreateTime MetaData.LastUpdatedTime"


def _queryable(both: str, *, filters: str = "", sorts: str = "", has_total: bool = False) -> Queryable:
    shared = frozenset(f"Id {_META} {both}".split())
    return Queryable(shared | frozenset(filters.split()), shared | frozenset(sorts.split()), has_total)


_PERSON = "DisplayName GivenName MiddleName FamilyName Active CompanyName Balance PrintOnCheckName FullyQualifiedName"
QUERYABLE: dict[str, Queryable] = {
    "Customer": _queryable(_PERSON, filters="PrimaryEmailAddr Job ParentRef"),
    "Vendor": _queryable(_PERSON, filters="PrimaryEmailAddr"),
    "Employee": _queryable(_PERSON, filters="PrimaryEmailAddr"),
    "Account": _queryable(
        "Name FullyQualifiedName Active Classification AccountType AccountSubType CurrentBalance AcctNum",
        filters="SubAccount ParentRef Description",
    ),
    "Item": _queryable(
        "Name",
        filters="Active FullyQualifiedName SubItem Taxable Type Sku ParentRef",
        sorts="UnitPrice PurchaseCost",
    ),
    "Class": _queryable("Name Active FullyQualifiedName"),
    "Department": _queryable("Name Active FullyQualifiedName"),
    "Term": _queryable("Name Active"),
    "PaymentMethod": _queryable("Name Active"),
    "TaxCode": _queryable("Name Description Active"),
    "TaxRate": _queryable("Name Description Active AgencyRef"),
    "TaxAgency": _queryable("DisplayName"),
    "Invoice": _queryable(
        "DocNumber TxnDate DueDate Balance TotalAmt",
        filters="CustomerRef ProjectRef SalesTermRef",
        has_total=True,
    ),
    "CreditMemo": _queryable(
        "DocNumber TxnDate Balance TotalAmt", filters="CustomerRef ProjectRef SalesTermRef"
    ),
    "Estimate": _queryable("DocNumber TxnDate DueDate TotalAmt", filters="CustomerRef ProjectRef TxnStatus"),
    "SalesReceipt": _queryable("DocNumber TxnDate Balance TotalAmt", filters="CustomerRef ProjectRef"),
    "RefundReceipt": _queryable("DocNumber TxnDate Balance TotalAmt", filters="CustomerRef ProjectRef"),
    "Payment": _queryable("TxnDate", filters="CustomerRef TotalAmt PaymentMethodRef PaymentRefNum"),
    "Bill": _queryable(
        "VendorRef TxnDate DueDate DocNumber APAccountRef SalesTermRef TotalAmt",
        filters="Balance",
        has_total=True,
    ),
    "VendorCredit": _queryable(
        "DocNumber TxnDate TotalAmt APAccountRef", filters="VendorRef", sorts="Balance"
    ),
    "BillPayment": _queryable(
        "VendorRef TxnDate DocNumber TotalAmt APAccountRef CheckPayment CreditCardPayment", has_total=True
    ),
    "Purchase": _queryable("TxnDate DocNumber TotalAmt PaymentType", filters="EntityRef"),
    "PurchaseOrder": _queryable(
        "DocNumber TxnDate DueDate TotalAmt", filters="VendorRef POStatus", has_total=True
    ),
    "JournalEntry": _queryable("DocNumber TxnDate", has_total=True),
    "Deposit": _queryable("TxnDate DocNumber TotalAmt", filters="DepositToAccountRef", has_total=True),
    "Transfer": _queryable("TxnDate Amount"),
    "Attachable": _queryable(
        "FileName Note Category ContentType Size Tag",
        filters="AttachableRef.EntityRef.value AttachableRef.EntityRef.type AttachableRef.EntityRef.Value"
        " AttachableRef.EntityRef.Type",
    ),
    "CompanyInfo": _queryable("CompanyName"),
    "Preferences": _queryable(""),
}
