"""The accounts both made-up builders keep their books in, as a construction bookkeeper would set them up."""

from __future__ import annotations

from assets.demo.making.plan import Account

ACCOUNTS = (
    Account("1010", "Operating Checking", "bank", "Day-to-day account"),
    Account("1100", "Accounts Receivable (A/R)", "accounts_receivable"),
    Account("1150", "Retainage Receivable", "other_current_asset", "Held back by clients until completion"),
    Account("1300", "Stored Materials", "other_current_asset", "Billed or bought, not yet built in"),
    Account("1400", "Costs in Excess of Billings", "other_current_asset", "Under-billed jobs"),
    Account("1500", "Vehicles and Equipment", "fixed_asset"),
    Account("1590", "Accumulated Depreciation", "fixed_asset"),
    Account("2000", "Accounts Payable (A/P)", "accounts_payable"),
    Account("2050", "Retainage Payable", "other_current_liability", "Held back from subcontractors"),
    Account("2200", "Accrued Expenses", "other_current_liability"),
    Account("2300", "Billings in Excess of Costs", "other_current_liability", "Over-billed jobs"),
    Account("2400", "Customer Deposits", "other_current_liability"),
    Account("4000", "Construction Income", "income"),
    Account("4050", "Over and Under Billings", "income", "The monthly adjustment only"),
    Account("5010", "Job Materials", "cost_of_goods_sold"),
    Account("5020", "Subcontractors", "cost_of_goods_sold"),
    Account("5030", "Direct Labor", "cost_of_goods_sold"),
    Account("5040", "Equipment Rental", "cost_of_goods_sold"),
    Account("5050", "Permits and Fees", "cost_of_goods_sold"),
    Account("5060", "Jobsite Costs", "cost_of_goods_sold"),
    Account("6100", "Depreciation", "expense"),
    Account("6200", "Insurance", "expense"),
    Account("6300", "Vehicle Expenses", "expense"),
    Account("5090", "Warranty Work", "cost_of_goods_sold", "Call-backs after handover", is_in_ledger=False),
    Account(
        "2250", "Warranty Reserve", "other_current_liability", "Set aside at handover", is_in_ledger=False
    ),
)
