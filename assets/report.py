"""What a sync did, as Dagster metadata a bookkeeper can read: counts, amounts, and what waits for what.

Counts are integers, so that Dagster plots them over time; amounts are texts, because money is never a float.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import dagster as dg

from sync.money import amount_text
from sync.summary import OUTCOMES, EntitySummary, Outcome, PullSummary, TieOut, Trouble

TABLE_ROWS_MAX = 100

Metadata = dict[str, dg.MetadataValue]

_VERBS: Mapping[Outcome, str] = {
    "pushed": "sent",
    "pulled": "brought in",
    "linked": "linked",
    "held": "held",
    "conflict": "in conflict",
    "failed": "failed",
}


def entity_metadata(summary: EntitySummary) -> Metadata:
    """Describe one entity's sync."""
    metadata: Metadata = {
        "result": dg.MetadataValue.text(entity_sentence(summary)),
        "dagster/row_count": dg.MetadataValue.int(summary.processed),
    }
    for outcome in OUTCOMES:
        tally = summary.tallies[outcome]
        metadata[outcome] = dg.MetadataValue.int(tally.count)
        if tally.amount:
            metadata[f"{outcome} amount"] = dg.MetadataValue.text(amount_text(tally.amount))
    if summary.held:
        metadata["what is held and why"] = dg.MetadataValue.md(held_markdown(summary))
    if summary.conflicts:
        metadata["conflicts"] = trouble_table(summary.conflicts)
    if summary.failed:
        metadata["failures"] = trouble_table(summary.failed)
    return metadata


def entity_sentence(summary: EntitySummary) -> str:
    """Say in one sentence what one entity's sync did."""
    if not summary.is_enabled:
        return "Switched off in this connection's settings."
    parts = []
    for outcome in OUTCOMES:
        tally = summary.tallies[outcome]
        if tally.count:
            amount = f" ({amount_text(tally.amount)})" if tally.amount else ""
            parts.append(f"{tally.count} {_VERBS[outcome]}{amount}")
    return f"{', '.join(parts)}." if parts else "Both sides agree; nothing had to be done."


def held_markdown(summary: EntitySummary) -> str:
    """List what is held, one line per cause, as a Markdown table."""
    rows = [
        (str(count), amount_text(amount), sentence)
        for _cause, sentence, count, amount in summary.held_by_cause()
    ]
    return _markdown_table(("records", "amount", "why, and what to do"), rows)


def trouble_table(troubles: Sequence[Trouble]) -> dg.TableMetadataValue:
    """List records that did not get through: which, why, and what to do."""
    columns = [
        dg.TableColumn("record", description="The record on the platform or in the ledger"),
        dg.TableColumn("amount", description="Its total"),
        dg.TableColumn("why, and what to do"),
        dg.TableColumn("remedy", description="What has to happen next"),
    ]
    records = [
        dg.TableRecord(
            {
                "record": trouble.label,
                "amount": _amount(trouble.amount),
                "why, and what to do": trouble.sentence,
                "remedy": trouble.remedy.replace("_", " "),
            }
        )
        for trouble in troubles[:TABLE_ROWS_MAX]
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns=columns))


def pull_metadata(summary: PullSummary, *, company: str) -> Metadata:
    """Describe what the look at the provider's changes brought."""
    how = "The whole ledger was read" if summary.is_full else "The changes since the last look were read"
    metadata: Metadata = {
        "result": dg.MetadataValue.text(
            f"{how} from {company}: {summary.read} records, of which {summary.changed} are new or changed"
            f" and {summary.deleted} were deleted; {summary.provider_calls} calls."
        ),
        "dagster/row_count": dg.MetadataValue.int(summary.read),
        "read": dg.MetadataValue.int(summary.read),
        "changed": dg.MetadataValue.int(summary.changed),
        "deleted": dg.MetadataValue.int(summary.deleted),
        "provider calls": dg.MetadataValue.int(summary.provider_calls),
    }
    if summary.counted:
        metadata["counted by the census"] = dg.MetadataValue.int(summary.counted)
        metadata["found by the census"] = dg.MetadataValue.int(summary.missed)
    if summary.by_entity:
        rows = [(name.replace("_", " "), str(count)) for name, count in sorted(summary.by_entity.items())]
        metadata["by kind of record"] = dg.MetadataValue.md(_markdown_table(("record", "changed"), rows))
    return metadata


def tie_out_metadata(tie_out: TieOut, *, company: str) -> Metadata:
    """Describe the proof that both sides agree."""
    rows = [
        (
            line.name,
            amount_text(line.ours),
            amount_text(line.theirs),
            amount_text(line.difference),
            line.explanation,
        )
        for line in tie_out.lines
    ]
    return {
        "result": dg.MetadataValue.text(tie_out_sentence(tie_out, company=company)),
        "difference": dg.MetadataValue.text(amount_text(tie_out.difference)),
        "lines that differ": dg.MetadataValue.int(sum(1 for line in tie_out.lines if line.difference)),
        "lines": dg.MetadataValue.md(
            _markdown_table(("what", "platform", company, "difference", "explanation"), rows)
        ),
    }


def tie_out_sentence(tie_out: TieOut, *, company: str) -> str:
    """Say in one sentence whether both sides agree."""
    if tie_out.is_tied:
        since = "" if tie_out.is_fresh else " (nothing changed since the last proof)"
        return f"The platform and {company} agree to the cent in all {len(tie_out.lines)} lines{since}."
    differing = sum(1 for line in tie_out.lines if line.difference)
    return (
        f"The platform and {company} differ in {differing} of {len(tie_out.lines)} lines,"
        f" up to {amount_text(tie_out.difference)}; open the lines below to see where."
    )


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else amount_text(amount)


def _markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in list(rows)[:TABLE_ROWS_MAX])]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
