"""The company's own two objects: CompanyInfo and Preferences."""

from __future__ import annotations

from typing import ClassVar

from sandbox.quickbooks import faults
from sandbox.quickbooks.change import Change
from sandbox.quickbooks.rules import Draft, Rules
from sandbox.quickbooks.times import parse_date


class SoleRules(Rules):
    """An object of which there is exactly one."""

    is_transaction = False
    can_delete = False

    def fresh_id(self, change: Change) -> str:
        """The only one there is."""
        return "1"


class CompanyInfoRules(SoleRules):
    """Name and addresses of the company."""

    entity = "CompanyInfo"
    read_only = frozenset({"CompanyStartDate", "FiscalYearStartMonth", "Country", "NameValue"})

    def complete(self, draft: Draft) -> None:
        """The name must stay."""
        draft.require("CompanyName")


class PreferencesRules(SoleRules):
    """Preferences: a writable subset, no delete."""

    entity = "Preferences"
    writable: ClassVar[frozenset[str]] = frozenset(
        {
            "AccountingInfoPrefs", "SalesFormsPrefs", "VendorAndPurchasesPrefs", "TimeTrackingPrefs", "TaxPrefs",
            "CurrencyPrefs", "ReportPrefs", "OtherPrefs", "ProductAndServicesPrefs", "EmailMessagesPrefs",
        }
    )  # fmt: skip

    def complete(self, draft: Draft) -> None:
        """Merge sections, so that a sparse update of one preference keeps its neighbours."""
        for name in draft.sent - self.writable - {"Id", "SyncToken", "MetaData"}:
            raise faults.unrecognised(name)
        for name in draft.sent & self.writable:
            before = draft.old_value(name)
            if isinstance(before, dict) and isinstance(draft.body.get(name), dict):
                draft.body[name] = {**before, **draft.body[name]}
        closing = (draft.body.get("AccountingInfoPrefs") or {}).get("BookCloseDate")
        if closing is not None and parse_date(closing) is None:
            raise faults.unparsable("BookCloseDate", "java.util.Date", closing)
