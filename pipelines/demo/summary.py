"""What went where, as tables: per builder and entity, what waits, and the proof that both sides agree."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from assets.words import ENTITY_TITLES
from pipelines.demo.api import Json
from sync.records import SYNC_ORDER
from sync.summary import OUTCOMES, Tally

HEADINGS = ("pushed", "pulled", "linked", "held", "conflicts", "failed")
CAUSES_SHOWN = 12
CENTS = Decimal("0.01")


def money(amount: Decimal) -> str:
    """Write an amount with thousands and cents."""
    return f"{amount.quantize(CENTS):,.2f}"


def sync_table(title: str, run: Json) -> Table:
    """Return counts and amounts by entity and outcome of one sync."""
    table = Table(title=title, title_justify="left", caption_justify="left", pad_edge=False)
    table.add_column("")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    totals = {str(name): Tally() for name in OUTCOMES}
    for entity in SYNC_ORDER:
        tallies = _tallies(run, entity)
        for name, tally in tallies.items():
            totals[name].count += tally.count
            totals[name].amount += tally.amount
        table.add_row(ENTITY_TITLES[entity], *(_cell(tally) for tally in tallies.values()))
    table.add_section()
    table.add_row("All", *(_cell(tally) for tally in totals.values()))
    table.caption = f"{run['provider_calls']} provider calls; {run['status']}" + (
        f": {run['error_summary']}" if run["error_summary"] else ""
    )
    return table


def waiting_lines(waiting: Sequence[Json], conflicts: Sequence[Json]) -> list[RenderableType]:
    """Return what waits and for what, one line per cause, and each conflict."""
    groups: dict[str, list[Json]] = {}
    for record in waiting:
        groups.setdefault(str(record["cause"] or record["id"]), []).append(record)
    lines: list[RenderableType] = []
    if groups:
        lines.append(f"  {len(waiting)} records wait, for {len(groups)} causes:")
    for records in sorted(groups.values(), key=len, reverse=True)[:CAUSES_SHOWN]:
        amount = sum((Decimal(record["amount"] or 0) for record in records), Decimal(0))
        worth = f", {money(amount)}" if amount else ""
        lines.append(f"    {len(records)} {records[0]['status']}{worth}: {records[0]['error_message']}")
    if len(groups) > CAUSES_SHOWN:
        lines.append(f"    … and {len(groups) - CAUSES_SHOWN} causes more")
    lines += [f"  1 conflict: {_conflict_sentence(conflict)}" for conflict in conflicts]
    return lines


def tie_out_table(title: str, proof: dict[str, Any], trial_balance: dict[str, Decimal]) -> Table:
    """Return the proof line by line, and what the ledger's own trial balance says about it."""
    table = Table(title=title, title_justify="left", caption_justify="left", pad_edge=False)
    table.add_column("")
    for heading in ("platform", "ledger", "difference"):
        table.add_column(heading, justify="right")
    for line in proof["lines"]:
        ours, theirs = Decimal(line["ours"]), Decimal(line["theirs"])
        table.add_row(line["name"], money(ours), money(theirs), money(ours - theirs))
    total = sum(trial_balance.values(), Decimal(0))
    verdict = (
        "Both sides tie out" if proof["is_tied"] else f"They differ by {money(Decimal(proof['difference']))}"
    )
    table.caption = (
        f"{verdict}. The sandbox's own TrialBalance: {len(trial_balance)} accounts,"
        f" debits less credits {money(total)}."
    )
    return table


def _tallies(run: Json, entity: str) -> dict[str, Tally]:
    """Return the outcomes in the order of the headings."""
    found = {str(name): Tally() for name in OUTCOMES}
    for step in run["steps"]:
        if step["entity_type"] == entity:
            for name, tally in step["summary"].items():
                if name in found:
                    found[name].count += int(tally["count"])
                    found[name].amount += Decimal(tally["amount"])
    return found


def _cell(tally: Tally) -> str:
    if not tally.count:
        return "·"
    return f"{tally.count}  {money(tally.amount)}" if tally.amount else str(tally.count)


def _conflict_sentence(conflict: Json) -> str:
    fields = "; ".join(
        f"{field['field']}: ours {field['ours']}, last agreed {field['base']}, theirs {field['theirs']}"
        for field in conflict.get("fields", [])
    )
    return f"{conflict['label']}: {fields}"
