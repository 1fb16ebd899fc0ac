"""Which named queries import which entity, and what its rows may refer to.

The names of what is written and taken back are made of the entity's: `import_insert_bills`, `import_undo_added_bills`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.imports.formats import FORMATS, ImportEntity, ReferenceKind

REGISTERS: Mapping[ReferenceKind, str] = {
    "client": "import_register_client",
    "vendor": "import_register_vendor",
    "job": "import_register_job",
    "cost_code": "import_register_cost_code",
    "account": "import_register_account",
    "purchase_order": "import_register_purchase_order",
    "invoice": "import_register_invoice",
}


@dataclass(frozen=True, slots=True)
class Statements:
    """The queries of one entity. `table` is the entity as which its records are written and taken back."""

    stage: str
    copy: str
    table: str
    gather: str | None = None
    # The register of the entity itself, for names.
    own_register: ReferenceKind | None = None
    # What sync calls these records; None where the accounting system knows none of them.
    synced_as: str | None = None

    @property
    def existing(self) -> str:
        """Which query finds records that are here already."""
        return f"import_existing_{self.table}"


def _names(entity: ImportEntity, register: ReferenceKind, *, synced_as: str | None = None) -> Statements:
    return Statements(
        f"import_stage_{entity}", f"import_copy_{entity}", entity.value, own_register=register, synced_as=synced_as
    )  # fmt: skip


def _documents(entity: ImportEntity, *, synced_as: str | None = None) -> Statements:
    return Statements(
        "import_stage_documents", f"import_copy_{entity}", entity.value, "import_gather_documents", synced_as=synced_as
    )  # fmt: skip


def _entries(entity: ImportEntity) -> Statements:
    return Statements(
        "import_stage_journal_entries", f"import_copy_{entity}", ImportEntity.JOURNAL_ENTRIES.value,
        "import_gather_journal_entries", synced_as="journal_entry",
    )  # fmt: skip


STATEMENTS: Mapping[ImportEntity, Statements] = {
    ImportEntity.COST_CODES: _names(ImportEntity.COST_CODES, "cost_code"),
    ImportEntity.CLIENTS: _names(ImportEntity.CLIENTS, "client", synced_as="customer"),
    ImportEntity.VENDORS: _names(ImportEntity.VENDORS, "vendor", synced_as="vendor"),
    ImportEntity.JOBS: _names(ImportEntity.JOBS, "job"),
    ImportEntity.ACCOUNTS: _names(ImportEntity.ACCOUNTS, "account", synced_as="account"),
    ImportEntity.PURCHASE_ORDERS: _documents(ImportEntity.PURCHASE_ORDERS),
    ImportEntity.INVOICES: _documents(ImportEntity.INVOICES, synced_as="invoice"),
    ImportEntity.BILLS: _documents(ImportEntity.BILLS, synced_as="bill"),
    ImportEntity.JOURNAL_ENTRIES: _entries(ImportEntity.JOURNAL_ENTRIES),
    ImportEntity.OPENING_BALANCES: _entries(ImportEntity.OPENING_BALANCES),
    ImportEntity.PAYMENTS: Statements(
        "import_stage_payments",
        "import_copy_payments",
        "payments",
        "import_gather_payments",
        synced_as="payment",
    ),
}
assert STATEMENTS.keys() == FORMATS.keys(), "every format can be imported"
