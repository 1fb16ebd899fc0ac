"""The chart of accounts."""

from __future__ import annotations

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.names import ListRules
from sandbox.quickbooks.rules import CURRENCY, Draft

CLASSIFICATIONS = {
    "Bank": "Asset", "Accounts Receivable": "Asset", "Other Current Asset": "Asset", "Fixed Asset": "Asset",
    "Other Asset": "Asset", "Accounts Payable": "Liability", "Credit Card": "Liability",
    "Other Current Liability": "Liability", "Long Term Liability": "Liability", "Equity": "Equity",
    "Income": "Revenue", "Other Income": "Revenue", "Cost of Goods Sold": "Expense", "Expense": "Expense",
    "Other Expense": "Expense", "Non-Posting": "Asset",
}  # fmt: skip
SUBTYPES = {
    "Bank": "CashOnHand", "Accounts Receivable": "AccountsReceivable",
    "Other Current Asset": "EmployeeCashAdvances", "Fixed Asset": "FurnitureAndFixtures",
    "Other Asset": "Licenses", "Accounts Payable": "AccountsPayable", "Credit Card": "CreditCard",
    "Other Current Liability": "OtherCurrentLiabilities", "Long Term Liability": "NotesPayable",
    "Equity": "OpeningBalanceEquity", "Income": "ServiceFeeIncome", "Other Income": "OtherInvestmentIncome",
    "Cost of Goods Sold": "SuppliesMaterialsCogs", "Expense": "OtherMiscellaneousServiceCost",
    "Other Expense": "Depreciation", "Non-Posting": "CashOnHand",
}  # fmt: skip
SUBTYPE_OWNERS = {
    "Checking": "Bank", "Savings": "Bank", "CashOnHand": "Bank", "MoneyMarket": "Bank", "TrustAccounts": "Bank",
    "AccountsReceivable": "Accounts Receivable", "Retainage": "Other Current Asset",
    "UndepositedFunds": "Other Current Asset", "Inventory": "Other Current Asset",
    "PrepaidExpenses": "Other Current Asset", "AccountsPayable": "Accounts Payable", "CreditCard": "Credit Card",
    "OtherCurrentLiabilities": "Other Current Liability", "SalesTaxPayable": "Other Current Liability",
    "PayrollTaxPayable": "Other Current Liability", "NotesPayable": "Long Term Liability",
    "OpeningBalanceEquity": "Equity", "RetainedEarnings": "Equity", "ServiceFeeIncome": "Income",
    "SalesOfProductIncome": "Income", "CostOfLaborCos": "Cost of Goods Sold",
    "SuppliesMaterialsCogs": "Cost of Goods Sold", "EquipmentRentalCos": "Cost of Goods Sold",
    "OtherCostsOfServiceCos": "Cost of Goods Sold", "RentOrLeaseOfBuildings": "Expense",
    "Insurance": "Expense", "Utilities": "Expense", "BankCharges": "Expense",
    "AdvertisingPromotional": "Expense", "OfficeGeneralAdministrativeExpenses": "Expense",
}  # fmt: skip
SPECIAL_SUBTYPES = frozenset({"OpeningBalanceEquity", "UndepositedFunds", "RetainedEarnings"})


class AccountRules(ListRules):
    """The chart of accounts."""

    entity = "Account"
    id_space = "Account"
    scope = "Account"
    forbidden = ':"\t\n'
    read_only = frozenset(
        {
            "FullyQualifiedName",
            "Classification",
            "CurrentBalance",
            "CurrentBalanceWithSubAccounts",
            "OpeningBalance",
        }
    )

    def complete(self, draft: Draft) -> None:
        """Settle type, subtype, classification, number and place in the tree."""
        body = draft.body
        self.check_name(draft)
        self._settle_type(draft)
        description = body.get("Description")
        if description is not None and len(description) > 100:
            raise faults.too_long("Description", description, 100)
        self._settle_number(draft)
        draft.default("SubAccount", False)
        if not body["SubAccount"]:
            body.pop("ParentRef", None)
        self.settle_activity(draft)
        self.settle_tree(draft, "SubAccount")
        self.claim_name(draft)
        body["CurrencyRef"] = CURRENCY
        if draft.old is None:
            body["CurrentBalance"] = body["CurrentBalanceWithSubAccounts"] = ZERO

    def _settle_type(self, draft: Draft) -> None:
        body = draft.body
        kind, subtype = body.get("AccountType"), body.get("AccountSubType")
        if kind is None and subtype is None:
            if draft.old is None:
                raise faults.FaultError(
                    "6010",
                    "Account type missing",
                    "Either AccountType or AccountSubType is required",
                    element="AccountType",
                )
            kind, subtype = draft.old.body["AccountType"], draft.old.body["AccountSubType"]
        if kind is None:
            kind = SUBTYPE_OWNERS.get(str(subtype), "Expense")
        if subtype is None:
            subtype = SUBTYPES[kind]
        owner = SUBTYPE_OWNERS.get(subtype)
        if owner is not None and owner != kind:
            raise faults.invalid_choice("AccountSubType", f"{subtype} (of {owner}, not of {kind})")
        was = draft.old_value("AccountType")
        if was is not None and was != kind and {was, kind} & {"Accounts Receivable", "Accounts Payable"}:
            raise faults.business(
                f"The type of an account cannot change from {was} to {kind}", element="AccountType"
            )
        if subtype in SPECIAL_SUBTYPES and body.get("ParentRef") is not None:
            raise faults.business("This account cannot be a subaccount", element="ParentRef")
        body["AccountType"], body["AccountSubType"] = kind, subtype
        body["Classification"] = CLASSIFICATIONS[kind]

    def _settle_number(self, draft: Draft) -> None:
        number = draft.body.get("AcctNum")
        if number is None:
            return
        if len(number) > 7:
            raise faults.too_long("AcctNum", number, 7)
        if ":" in number:
            raise faults.business("The account number contains an invalid character: :", element="AcctNum")
        key = f"acctnum:{number.lower()}"
        for _entity, holder in draft.company.holders(key):
            if holder != draft.id:
                raise faults.FaultError(
                    "6140",
                    "Duplicate Document Number Error",
                    f"Account number {number} is used by account Id={holder}",
                )
        draft.keys.append(key)

    def check_inactivation(self, draft: Draft) -> None:
        """Refuse for accounts that carry a balance or that QuickBooks itself needs."""
        if draft.body["AccountSubType"] in SPECIAL_SUBTYPES:
            raise faults.business("This account is needed by QuickBooks and cannot be made inactive")
        if draft.company.ledger.balance(draft.id) and draft.body["AccountType"] in (
            "Accounts Receivable",
            "Accounts Payable",
        ):
            raise faults.business("An account with open transactions cannot be made inactive")
