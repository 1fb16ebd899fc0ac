"""What a rehearsal found, as Dagster metadata: totals, and a table of the records a sync would touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets.report import TABLE_ROWS_MAX, Metadata
from sync.money import amount_text
from sync.rehearsal import Book, Foreseen, ForeseenOutcome, ForeseenTotal, Rehearsal

_VERBS: Mapping[tuple[ForeseenOutcome, Book | None], str] = {
    ("created", "ledger"): "created in the ledger",
    ("changed", "ledger"): "changed in the ledger",
    ("voided", "ledger"): "voided in the ledger",
    ("created", "platform"): "brought in here",
    ("changed", "platform"): "changed here",
    ("voided", "platform"): "voided here",
    ("linked", None): "linked",
    ("held", None): "held",
    ("conflict", None): "in conflict",
    ("failed", None): "failed",
}


def rehearsal_metadata(rehearsal: Rehearsal, *, company: str) -> Metadata:
    """Describe a rehearsal: one sentence, the totals, and the diff (all of it is in the API by the rehearsal's id)."""
    return {
        "result": dg.MetadataValue.text(rehearsal_sentence(rehearsal, company=company)),
        "rehearsal": dg.MetadataValue.text(rehearsal.id),
        "provider calls": dg.MetadataValue.int(rehearsal.provider_calls),
        "records read": dg.MetadataValue.int(rehearsal.records_read),
        "totals": _totals(rehearsal.totals),
        "diff": _diff(rehearsal.records),
    }


def rehearsal_sentence(rehearsal: Rehearsal, *, company: str) -> str:
    """Say in one sentence what a sync would do."""
    if not rehearsal.totals:
        return f"A sync with {company} would do nothing: both sides agree. Nothing was written."
    counts: dict[str, int] = {}
    for total in rehearsal.totals:
        verb = _VERBS[total.outcome, total.book]
        counts[verb] = counts.get(verb, 0) + total.records
    parts = ", ".join(f"{number} {verb}" for verb, number in counts.items())
    return f"A sync with {company} would leave {parts}. This was a rehearsal: nothing was written."


def _totals(totals: Sequence[ForeseenTotal]) -> dg.TableMetadataValue:
    return _table(
        [
            {
                "record": total.entity.value.replace("_", " "),
                "what would happen": _VERBS[total.outcome, total.book],
                "records": str(total.records),
                "amount": amount_text(total.amount),
                "currency": total.currency or "",
            }
            for total in totals
        ],
        columns=("record", "what would happen", "records", "amount", "currency"),
    )


def _diff(records: Sequence[Foreseen]) -> dg.TableMetadataValue:
    return _table(
        [
            {
                "record": each.label,
                "what would happen": _VERBS[each.outcome, each.book],
                "amount": "" if each.amount is None else amount_text(each.amount),
                "fields": "; ".join(_field(change) for change in each.fields),
                "why": each.reason,
            }
            for each in records[:TABLE_ROWS_MAX]
        ],
        columns=("record", "what would happen", "amount", "fields", "why"),
    )


def _field(change: Mapping[str, Any]) -> str:
    left, right = ("ours", "theirs") if "theirs" in change else ("before", "after")
    name = str(change["field"]).replace("_", " ")
    if name == "lines":
        return f"lines: {len(change.get(left) or [])} → {len(change.get(right) or [])}"
    return f"{name}: {change.get(left) or '–'} → {change.get(right) or '–'}"


def _table(rows: Sequence[Mapping[str, str]], *, columns: Sequence[str]) -> dg.TableMetadataValue:
    schema = dg.TableSchema(columns=[dg.TableColumn(name) for name in columns])
    return dg.MetadataValue.table([dg.TableRecord(dict(row)) for row in rows], schema=schema)
