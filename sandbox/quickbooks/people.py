"""Customers and jobs, vendors, employees: one pool of display names."""

from __future__ import annotations

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.change import stated_balances
from sandbox.quickbooks.names import ListRules
from sandbox.quickbooks.rules import CURRENCY, Draft


class PersonRules(ListRules):
    """Customers, vendors and employees: one pool of display names."""

    id_space = "Names"
    name_field = "DisplayName"
    name_limit = 500
    scope = "Names"

    def key(self, draft: Draft, name: str) -> str:
        """Display names are unique across the three kinds, whatever their parent."""
        return f"name:Names:{name.lower()}"

    def settle_person(self, draft: Draft) -> None:
        """Build the display name if need be and check what all people share."""
        body = draft.body
        if body.get("DisplayName") is None:
            parts = [body.get(part) for part in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")]
            built = " ".join(str(part) for part in parts if part) or body.get("CompanyName")
            if draft.old is not None:
                built = draft.old.body["DisplayName"]
            if not built:
                raise faults.required("DisplayName")
            body["DisplayName"] = built
        self.check_name(draft)
        address = (body.get("PrimaryEmailAddr") or {}).get("Address")
        if address is not None and ("@" not in address or "." not in address):
            raise faults.FaultError(
                "2210",
                "Email Address is not valid",
                f"Email Address does not conform to the standard: {address[:80]}",
                element="PrimaryEmailAddr",
            )
        if address is not None and len(address) > 100:
            raise faults.too_long("PrimaryEmailAddr", address, 100)
        self._settle_addresses(draft)
        self.settle_activity(draft)
        self.claim_name(draft)
        names = " ".join(str(body[part]) for part in ("GivenName", "FamilyName") if body.get(part))
        draft.default("PrintOnCheckName", (body.get("CompanyName") or names or body["DisplayName"])[:110])
        body["CurrencyRef"] = CURRENCY

    def _settle_addresses(self, draft: Draft) -> None:
        for field in ("BillAddr", "ShipAddr"):
            address = draft.body.get(field)
            if isinstance(address, dict) and address and not address.get("Id"):
                before = draft.old_value(field) or {}
                if {**before, "Id": None} == {**address, "Id": None}:
                    address["Id"] = before["Id"]
                else:
                    address["Id"] = draft.change.next_id("Address")


class CustomerRules(PersonRules):
    """Customers and jobs."""

    entity = "Customer"
    read_only = frozenset(
        {
            "Balance",
            "BalanceWithJobs",
            "Level",
            "FullyQualifiedName",
            "IsProject",
            "ClientEntityId",
            "V4IDPseudonym",
        }
    )

    def complete(self, draft: Draft) -> None:
        """Settle names, tree and flags."""
        body = draft.body
        draft.default("Taxable", False)
        draft.default("Job", False)
        draft.default("BillWithParent", False)
        if body.get("ParentRef") is not None and not body["Job"]:
            body["Job"] = True
        if body["Job"] and body.get("ParentRef") is None:
            raise faults.required("ParentRef")
        if body["BillWithParent"] and body.get("ParentRef") is None:
            raise faults.business("BillWithParent needs a ParentRef", element="BillWithParent")
        self.settle_person(draft)
        self.settle_tree(draft, None)
        if body["Job"]:
            body["Level"] = body["FullyQualifiedName"].count(":")
        draft.default("PreferredDeliveryMethod", "Print")
        body.update(IsProject=False, ClientEntityId="0")
        if draft.old is None:
            body["Balance"] = body["BalanceWithJobs"] = ZERO
        for field, entity in (("SalesTermRef", "Term"), ("PaymentMethodRef", "PaymentMethod")):
            if body.get(field) is not None:
                draft.refer(field, entity)

    def check_inactivation(self, draft: Draft) -> None:
        """Refuse while a balance is open."""
        if stated_balances(draft.company, "Customer", draft.id)["BalanceWithJobs"]:
            raise faults.business("A customer with an open balance cannot be made inactive", element="Active")


class VendorRules(PersonRules):
    """Vendors."""

    entity = "Vendor"
    read_only = frozenset({"Balance", "V4IDPseudonym"})

    def complete(self, draft: Draft) -> None:
        """Settle names, flags and terms."""
        body = draft.body
        self.settle_person(draft)
        draft.default("Vendor1099", False)
        if body.get("TaxIdentifier") is not None and not str(body["TaxIdentifier"]).startswith("XXX"):
            body["TaxIdentifier"] = "XXXXXXX" + str(body["TaxIdentifier"])[-4:]
        if draft.old is None:
            body["Balance"] = ZERO
        if body.get("TermRef") is not None:
            draft.refer("TermRef", "Term")

    def check_inactivation(self, draft: Draft) -> None:
        """Refuse while a balance is open."""
        if stated_balances(draft.company, "Vendor", draft.id)["Balance"]:
            raise faults.business("A vendor with an open balance cannot be made inactive", element="Active")


class EmployeeRules(PersonRules):
    """Employees, as far as names go."""

    entity = "Employee"

    def complete(self, draft: Draft) -> None:
        """Settle names."""
        self.settle_person(draft)
