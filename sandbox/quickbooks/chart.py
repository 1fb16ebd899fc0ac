"""A construction company's chart of accounts, and the names a company starts with."""

from __future__ import annotations

# id, number, name, type, subtype, parent id
ACCOUNTS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("1", "4000", "Contract Income", "Income", "ServiceFeeIncome", ""),
    ("2", "3900", "Retained Earnings", "Equity", "RetainedEarnings", ""),
    ("3", "3000", "Opening Balance Equity", "Equity", "OpeningBalanceEquity", ""),
    ("4", "1050", "Undeposited Funds", "Other Current Asset", "UndepositedFunds", ""),
    ("5", "1000", "Operating Checking", "Bank", "Checking", ""),
    ("6", "1010", "Payroll Checking", "Bank", "Checking", ""),
    ("7", "1020", "Money Market Reserve", "Bank", "MoneyMarket", ""),
    ("8", "1100", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", ""),
    ("9", "1150", "Retainage Receivable", "Other Current Asset", "Retainage", ""),
    ("10", "1200", "Costs in Excess of Billings", "Other Current Asset", "OtherCurrentAssets", ""),
    ("11", "1300", "Prepaid Insurance", "Other Current Asset", "PrepaidExpenses", ""),
    ("12", "1320", "Materials Inventory", "Other Current Asset", "Inventory", ""),
    ("13", "1350", "Employee Advances", "Other Current Asset", "EmployeeCashAdvances", ""),
    ("14", "1500", "Construction Equipment", "Fixed Asset", "MachineryAndEquipment", ""),
    ("15", "1510", "Vehicles", "Fixed Asset", "Vehicles", ""),
    ("16", "1590", "Accumulated Depreciation", "Fixed Asset", "AccumulatedDepreciation", ""),
    ("17", "1800", "Plan and Security Deposits", "Other Asset", "SecurityDeposits", ""),
    ("18", "2000", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", ""),
    ("19", "2050", "Retainage Payable", "Other Current Liability", "OtherCurrentLiabilities", ""),
    ("20", "2100", "Company Credit Card", "Credit Card", "CreditCard", ""),
    ("21", "2200", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable", ""),
    ("22", "2210", "Payroll Liabilities", "Other Current Liability", "PayrollTaxPayable", ""),
    ("23", "2300", "Customer Deposits", "Other Current Liability", "OtherCurrentLiabilities", ""),
    ("24", "2350", "Billings in Excess of Costs", "Other Current Liability", "OtherCurrentLiabilities", ""),
    ("25", "2500", "Equipment Loans", "Long Term Liability", "NotesPayable", ""),
    ("26", "3100", "Owner's Capital", "Equity", "OwnersEquity", ""),
    ("27", "3200", "Owner's Draws", "Equity", "OwnersEquity", ""),
    ("28", "4100", "Change Order Income", "Income", "ServiceFeeIncome", ""),
    ("29", "4200", "Design and Preconstruction Fees", "Income", "ServiceFeeIncome", ""),
    ("30", "4300", "Reimbursed Expenses", "Income", "OtherPrimaryIncome", ""),
    ("31", "4900", "Discounts Given", "Income", "DiscountsRefundsGiven", ""),
    ("32", "5000", "Job Costs", "Cost of Goods Sold", "SuppliesMaterialsCogs", ""),
    ("33", "5100", "Job Labor", "Cost of Goods Sold", "CostOfLaborCos", "32"),
    ("34", "5150", "Labor Burden", "Cost of Goods Sold", "CostOfLaborCos", "32"),
    ("35", "5200", "Job Materials", "Cost of Goods Sold", "SuppliesMaterialsCogs", "32"),
    ("36", "5210", "Lumber and Framing Materials", "Cost of Goods Sold", "SuppliesMaterialsCogs", "35"),
    ("37", "5220", "Concrete and Masonry Materials", "Cost of Goods Sold", "SuppliesMaterialsCogs", "35"),
    ("38", "5230", "Finish Materials", "Cost of Goods Sold", "SuppliesMaterialsCogs", "35"),
    ("39", "5300", "Subcontractors", "Cost of Goods Sold", "OtherCostsOfServiceCos", "32"),
    ("40", "5310", "Electrical Subcontractors", "Cost of Goods Sold", "OtherCostsOfServiceCos", "39"),
    ("41", "5320", "Plumbing Subcontractors", "Cost of Goods Sold", "OtherCostsOfServiceCos", "39"),
    ("42", "5330", "Mechanical Subcontractors", "Cost of Goods Sold", "OtherCostsOfServiceCos", "39"),
    ("43", "5340", "Sitework Subcontractors", "Cost of Goods Sold", "OtherCostsOfServiceCos", "39"),
    ("44", "5400", "Equipment Rental", "Cost of Goods Sold", "EquipmentRentalCos", "32"),
    ("45", "5500", "Permits and Inspections", "Cost of Goods Sold", "OtherCostsOfServiceCos", "32"),
    ("46", "5600", "Dump and Disposal Fees", "Cost of Goods Sold", "OtherCostsOfServiceCos", "32"),
    ("47", "5700", "Site Supervision", "Cost of Goods Sold", "CostOfLaborCos", "32"),
    ("48", "5800", "Bonds and Job Insurance", "Cost of Goods Sold", "OtherCostsOfServiceCos", "32"),
    ("49", "6000", "Advertising", "Expense", "AdvertisingPromotional", ""),
    ("50", "6100", "Bank Charges", "Expense", "BankCharges", ""),
    ("51", "6150", "Dues and Licenses", "Expense", "DuesSubscriptions", ""),
    ("52", "6200", "General Liability Insurance", "Expense", "Insurance", ""),
    ("53", "6300", "Legal and Professional Fees", "Expense", "LegalProfessionalFees", ""),
    ("54", "6400", "Office Supplies and Software", "Expense", "OfficeGeneralAdministrativeExpenses", ""),
    ("55", "6500", "Office Rent", "Expense", "RentOrLeaseOfBuildings", ""),
    ("56", "6600", "Vehicle Fuel and Repairs", "Expense", "Auto", ""),
    ("57", "6700", "Utilities and Telephone", "Expense", "Utilities", ""),
    ("58", "7000", "Interest Earned", "Other Income", "InterestEarned", ""),
    ("59", "8000", "Depreciation", "Other Expense", "Depreciation", ""),
    ("60", "8100", "Interest Paid", "Expense", "InterestPaid", ""),
)

# name, income account, expense account, sales price, description
ITEMS: tuple[tuple[str, str, str, str], ...] = (
    ("Contract Draw", "1", "39", "Progress billing under the contract"),
    ("Change Order", "28", "39", "Approved change order"),
    ("Retainage", "9", "19", "Retainage withheld or released"),
    ("Design Fee", "29", "53", "Design and preconstruction"),
    ("Reimbursable", "30", "35", "Reimbursed cost"),
    ("Job Materials", "1", "35", "Materials for the job"),
    ("Labor Hours", "1", "33", "Field labor"),
    ("Equipment Rental", "1", "44", "Rented equipment"),
)

TERMS: tuple[tuple[str, int], ...] = (
    ("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60), ("Net 10", 10),
)  # fmt: skip
PAYMENT_METHODS = ("Cash", "Check", "Visa", "MasterCard", "ACH")
CUSTOMERS: tuple[tuple[str, str, str], ...] = (
    ("Marlow Residence", "Jane", "Marlow"),
    ("Pinecrest Dental Group", "Owen", "Frye"),
    ("City of Alder Falls", "Ruth", "Okafor"),
    ("Delgado Kitchen Remodel", "Luis", "Delgado"),
)
VENDORS: tuple[tuple[str, str], ...] = (
    ("Alder Falls Lumber", "yard@alderfallslumber.example"),
    ("Bright Wire Electric", "billing@brightwire.example"),
    ("Copperline Plumbing", "office@copperline.example"),
    ("Granite State Concrete", "ar@granitestate.example"),
    ("Summit Equipment Rental", "rentals@summit.example"),
    ("County Permit Office", "permits@county.example"),
)
CLASSES = ("Residential", "Commercial", "Service")
DEPARTMENTS = ("Main Office", "North Yard")
