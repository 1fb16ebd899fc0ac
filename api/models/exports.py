"""What can be exported, and as what."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypeAliasType

DatasetName = TypeAliasType(
    "DatasetName",
    Literal[
        "cost_codes",
        "clients",
        "vendors",
        "jobs",
        "accounts",
        "purchase_orders",
        "invoices",
        "bills",
        "journal_entries",
        "payments",
        "bill_payments",
        "deposits",
        "mappings",
        "errors",
        "conflicts",
        "history",
        "records",
        "evidence",
        "audit",
    ],
)
FormatName = TypeAliasType("FormatName", Literal["csv", "xlsx", "jsonl"])
