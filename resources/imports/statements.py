"""Which named queries import which entity, and what its rows may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync.imports.formats import ImportEntity, ReferenceKind

REGISTERS: Mapping[ReferenceKind, str] = {
    "client": "import_register_client",
    "vendor": "import_register_vendor",
    "job": "import_register_job",
    "cost_code": "import_register_cost_code",
    "account": "import_register_account",
    "purchase_order": "import_register_purchase_order",
}


@dataclass(frozen=True, slots=True)
class Statements:
    """The queries of one entity; `gather` and `insert_lines` are there for documents with lines."""

    stage: str
    copy: str
    existing: str
    insert: str
    insert_lines: str | None = None
    gather: str | None = None
    # The register of the entity itself, for names.
    own_register: ReferenceKind | None = None


STATEMENTS: Mapping[ImportEntity, Statements] = {
    ImportEntity.COST_CODES: Statements(
        "import_stage_cost_codes",
        "import_copy_cost_codes",
        "import_existing_cost_codes",
        "import_insert_cost_codes",
        own_register="cost_code",
    ),
    ImportEntity.CLIENTS: Statements(
        "import_stage_clients",
        "import_copy_clients",
        "import_existing_clients",
        "import_insert_clients",
        own_register="client",
    ),
    ImportEntity.VENDORS: Statements(
        "import_stage_vendors",
        "import_copy_vendors",
        "import_existing_vendors",
        "import_insert_vendors",
        own_register="vendor",
    ),
    ImportEntity.JOBS: Statements(
        "import_stage_jobs",
        "import_copy_jobs",
        "import_existing_jobs",
        "import_insert_jobs",
        own_register="job",
    ),
    ImportEntity.ACCOUNTS: Statements(
        "import_stage_accounts",
        "import_copy_accounts",
        "import_existing_accounts",
        "import_insert_accounts",
        own_register="account",
    ),
    ImportEntity.PURCHASE_ORDERS: Statements(
        "import_stage_documents",
        "import_copy_purchase_orders",
        "import_existing_purchase_orders",
        "import_insert_purchase_orders",
        "import_insert_purchase_orders_lines",
        "import_gather_documents",
    ),
    ImportEntity.INVOICES: Statements(
        "import_stage_documents",
        "import_copy_invoices",
        "import_existing_invoices",
        "import_insert_invoices",
        "import_insert_invoices_lines",
        "import_gather_documents",
    ),
    ImportEntity.BILLS: Statements(
        "import_stage_documents",
        "import_copy_bills",
        "import_existing_bills",
        "import_insert_bills",
        "import_insert_bills_lines",
        "import_gather_documents",
    ),
    ImportEntity.JOURNAL_ENTRIES: Statements(
        "import_stage_journal_entries",
        "import_copy_journal_entries",
        "import_existing_journal_entries",
        "import_insert_journal_entries",
        "import_insert_journal_entries_lines",
        "import_gather_journal_entries",
    ),
}
