"""What all name lists share, and the small ones: items, classes, departments, terms, payment methods, taxes."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from sandbox.kernel.ledger import ZERO
from sandbox.quickbooks import faults
from sandbox.quickbooks.records import Body
from sandbox.quickbooks.rules import Draft, Rules

LEVELS_MAX = 5


class ListRules(Rules):
    """Names that cannot be deleted, only made inactive."""

    is_transaction = False
    can_delete = False
    name_field: ClassVar[str] = "Name"
    name_limit: ClassVar[int] = 100
    forbidden: ClassVar[str] = ":\t\n"
    scope: ClassVar[str]

    def check_name(self, draft: Draft) -> str:
        """Require a name of legal length and letters."""
        draft.require(self.name_field)
        name = str(draft.body[self.name_field])
        if len(name) > self.name_limit:
            raise faults.too_long(self.name_field, name, self.name_limit, least=1)
        bad = next((letter for letter in self.forbidden if letter in name), None)
        if bad is not None or not name.strip():
            shown = {"\t": "tab", "\n": "new line"}.get(bad or "", bad or "only blanks")
            raise faults.business(
                f"The {self.name_field} '{name[:60]}' contains an invalid character: {shown}",
                element=self.name_field,
            )
        return name

    def settle_activity(self, draft: Draft) -> None:
        """Default Active, and mark the name of what becomes inactive."""
        is_active = draft.default("Active", True)
        was_active = draft.old is None or draft.old.body.get("Active", True)
        name = str(draft.body[self.name_field])
        if was_active and not is_active:
            self.check_inactivation(draft)
            marked = f"{name} (deleted)"
            count = 0
            while self._taken(draft, marked):
                count += 1
                marked = f"{name} (deleted-{count})"
            draft.body[self.name_field] = marked
        elif not was_active and is_active and name.endswith(" (deleted)"):
            draft.body[self.name_field] = name.removesuffix(" (deleted)")

    def check_inactivation(self, draft: Draft) -> None:
        """Refuse to make inactive what must stay."""

    def key(self, draft: Draft, name: str) -> str:
        """Return the index key under which the name must be unique."""
        parent = (draft.body.get("ParentRef") or {}).get("value", "")
        return f"name:{self.scope}:{parent}:{name.lower()}"

    def claim_name(self, draft: Draft) -> None:
        """6240 when the name is taken; otherwise note its key."""
        name = str(draft.body[self.name_field])
        holder = self._taken(draft, name)
        if holder:
            raise faults.duplicate_name(holder)
        draft.keys.append(self.key(draft, name))

    def settle_tree(self, draft: Draft, flag: str | None) -> None:
        """Check ParentRef and compute FullyQualifiedName."""
        body = draft.body
        ref = draft.refer("ParentRef", self.entity) if body.get("ParentRef") is not None else None
        if flag is not None:
            if body.get(flag) and ref is None:
                raise faults.required("ParentRef")
            if ref is not None and not body.get(flag):
                body[flag] = True
        names = [str(body[self.name_field])]
        seen = {draft.id}
        while ref is not None:
            parent = draft.company.find(self.entity, ref["value"])
            if parent is None or ref["value"] in seen:
                raise faults.business(
                    f"A {self.entity.lower()} cannot be its own parent", element="ParentRef"
                )
            seen.add(ref["value"])
            names.append(str(parent.body[self.name_field]))
            ref = parent.body.get("ParentRef")
        if len(names) > LEVELS_MAX:
            raise faults.FaultError(
                "6250", "Too many levels", f"{self.entity} can be nested {LEVELS_MAX} levels deep"
            )
        body["FullyQualifiedName"] = ":".join(reversed(names))

    def _taken(self, draft: Draft, name: str) -> str:
        for entity, number in draft.company.holders(self.key(draft, name)):
            if (entity, number) != (self.entity, draft.id):
                return number
        return ""


class ItemRules(ListRules):
    """Products and services."""

    entity = "Item"
    id_space = "Item"
    scope = "Item"
    read_only = frozenset({"FullyQualifiedName", "Level"})
    types: ClassVar[frozenset[str]] = frozenset({"Service", "NonInventory", "Inventory", "Category"})

    def complete(self, draft: Draft) -> None:
        """Settle type and accounts."""
        body = draft.body
        self.check_name(draft)
        kind = draft.default("Type", draft.old_value("Type") or "Service")
        if kind not in self.types:
            raise faults.invalid_choice("Type", kind)
        if (
            draft.old is not None
            and draft.old.body["Type"] != kind
            and "Inventory" in (draft.old.body["Type"], kind)
        ):
            raise faults.FaultError(
                "6560", "Inventory item type", "An inventory item's type can't be changed"
            )
        if kind == "Inventory":
            draft.require(
                "IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef", "QtyOnHand", "InvStartDate"
            )
            if not body.get("TrackQtyOnHand"):
                raise faults.required("TrackQtyOnHand")
        elif (
            kind != "Category"
            and body.get("IncomeAccountRef") is None
            and body.get("ExpenseAccountRef") is None
        ):
            raise faults.required("IncomeAccountRef")
        for field in ("IncomeAccountRef", "ExpenseAccountRef", "AssetAccountRef"):
            ref = draft.refer(field, "Account") if body.get(field) is not None else None
            if ref is not None and draft.company.account_type(ref["value"]) in (
                "Accounts Receivable",
                "Accounts Payable",
            ):
                raise faults.FaultError(
                    "6430",
                    "Invalid account type",
                    f"Invalid account type: {field} cannot be an A/R or A/P account",
                    element=field,
                )
        self._settle_prices(body)
        self.settle_activity(draft)
        self.settle_tree(draft, "SubItem")
        self.claim_name(draft)
        draft.default("Taxable", False)
        draft.default("TrackQtyOnHand", False)

    def _settle_prices(self, body: Body) -> None:
        for field in ("UnitPrice", "PurchaseCost"):
            price = body.setdefault(field, Decimal(0)) if body.get(field) is None else body[field]
            if body[field] is None:
                body[field] = price = Decimal(0)
            if abs(price) > 99999999999:
                raise faults.invalid_number(field, price)


class TreeRules(ListRules):
    """Classes and departments: a name and a parent."""

    flag: ClassVar[str]
    read_only = frozenset({"FullyQualifiedName"})

    def complete(self, draft: Draft) -> None:
        """Settle name and tree."""
        self.check_name(draft)
        self.settle_activity(draft)
        draft.default(self.flag, False)
        self.settle_tree(draft, self.flag)
        self.claim_name(draft)


class ClassRules(TreeRules):
    """Classes."""

    entity = "Class"
    id_space = "Class"
    scope = "Class"
    flag = "SubClass"


class DepartmentRules(TreeRules):
    """Departments (locations)."""

    entity = "Department"
    id_space = "Department"
    scope = "Department"
    flag = "SubDepartment"


class TermRules(ListRules):
    """Payment terms."""

    entity = "Term"
    id_space = "Term"
    scope = "Term"
    name_limit = 31

    def complete(self, draft: Draft) -> None:
        """Tell standard from date-driven and check the ranges."""
        body = draft.body
        self.check_name(draft)
        self.settle_activity(draft)
        if body.get("DueDays") is None and body.get("DayOfMonthDue") is None:
            raise faults.required("DueDays")
        body["Type"] = "STANDARD" if body.get("DueDays") is not None else "DATE_DRIVEN"
        for field, least, most in (
            ("DueDays", 0, 999),
            ("DayOfMonthDue", 1, 31),
            ("DiscountPercent", 0, 100),
        ):
            value = body.get(field)
            if value is not None and not least <= value <= most:
                raise faults.invalid_number(field, value)
        draft.default("DiscountPercent", ZERO)
        self.claim_name(draft)


class PaymentMethodRules(ListRules):
    """Ways to be paid."""

    entity = "PaymentMethod"
    id_space = "PaymentMethod"
    scope = "PaymentMethod"
    name_limit = 31

    def complete(self, draft: Draft) -> None:
        """Settle name and type."""
        self.check_name(draft)
        self.settle_activity(draft)
        draft.default("Type", "NON_CREDIT_CARD")
        self.claim_name(draft)


class SystemListRules(ListRules):
    """Tax codes, rates and agencies: made through the tax service or with the company, then only read."""

    def complete(self, draft: Draft) -> None:
        """Settle the name (called by the tax service and the scenarios only)."""
        self.check_name(draft)
        self.settle_activity(draft)
        self.claim_name(draft)


class TaxCodeRules(SystemListRules):
    """Tax codes."""

    entity = "TaxCode"
    id_space = "TaxCode"
    scope = "TaxCode"


class TaxRateRules(SystemListRules):
    """Tax rates."""

    entity = "TaxRate"
    id_space = "TaxRate"
    scope = "TaxRate"


class TaxAgencyRules(SystemListRules):
    """Tax agencies."""

    entity = "TaxAgency"
    id_space = "TaxAgency"
    scope = "TaxAgency"
    name_field = "DisplayName"
