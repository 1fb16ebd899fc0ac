"""What went where, as tables: per builder and entity, what waits, and the proof that both sides agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assets.words import ENTITY_TITLES
from pipelines.demo.api import Json
from sync.records import SYNC_ORDER
from sync.summary import OUTCOMES, Tally

HEADINGS = ("pushed", "pulled", "linked", "held", "conflicts", "failed")
WIDE_COLUMNS = 128
CAUSES_SHOWN = 12
CENTS = Decimal("0.01")
INDENT = (0, 0, 0, 2)


def money(amount: Decimal) -> str:
    """Write an amount with thousands and cents."""
    return f"{amount.quantize(CENTS):,.2f}"


def sync_table(title: str, run: Json, *, columns: int) -> list[RenderableType]:
    """Return counts and amounts by entity and outcome of one sync, and what it cost."""
    rows = {ENTITY_TITLES[entity]: _tallies(run, entity) for entity in SYNC_ORDER}
    rows["All"] = {name: _sum(tallies[name] for tallies in rows.values()) for name in OUTCOMES}
    table = _wide(title, rows) if columns >= WIDE_COLUMNS else _narrow(title, rows)
    calls = run["provider_calls"]
    cost = f"{calls} call{'' if calls == 1 else 's'} to the provider; {run['status']}"
    return [table, _line(cost + (f": {run['error_summary']}" if run["error_summary"] else "")), ""]


def unmapped_line(mapping: Json) -> list[RenderableType]:
    """Return which cost codes have no account though documents need one."""
    codes = sorted(
        f"{target['code']} {target['name']}"
        for target in mapping["rows"]
        if target["platform_entity_type"] == "cost_code" and target["state"] != "mapped"
    )
    return [_line(f"Unmapped cost codes: {', '.join(codes)}")] if codes else []


def waiting_lines(waiting: Sequence[Json]) -> list[RenderableType]:
    """Return what waits and for what, one line per cause."""
    groups: dict[str, list[Json]] = {}
    for record in waiting:
        groups.setdefault(str(record["cause"] or record["id"]), []).append(record)
    if not groups:
        return []
    lines: list[RenderableType] = [_line(f"Waiting: {len(waiting)} records, {len(groups)} causes")]
    for records in sorted(groups.values(), key=len, reverse=True)[:CAUSES_SHOWN]:
        amount = sum((Decimal(record["amount"] or 0) for record in records), Decimal(0))
        worth = f" ({money(amount)})" if amount else ""
        state = "held" if records[0]["status"] == "held" else "failed"
        rest = len(records) - 1
        more = f" So {'does' if rest == 1 else 'do'} {rest} more." if rest else ""
        lines.append(_line(f"· {len(records)} {state}{worth}: {records[0]['error_message']}{more}"))
    if len(groups) > CAUSES_SHOWN:
        lines.append(_line(f"· and {len(groups) - CAUSES_SHOWN} causes more"))
    return lines


def conflict_lines(conflicts: Sequence[Json]) -> list[RenderableType]:
    """Return each conflict with the values of both sides, as a person will choose between them."""
    lines: list[RenderableType] = []
    for conflict in conflicts:
        lines.append(
            _line(f"Conflict: {conflict['label']} was changed on both sides; somebody has to choose:")
        )
        for field in conflict["fields"]:
            if isinstance(field["ours"], list) or isinstance(field["theirs"], list):
                continue  # lines of the document; their sum is a field of its own
            sides = (("platform", "ours"), ("last agreed", "base"), ("ledger", "theirs"))
            values = " · ".join(f"{title} {field[f'{side}_shown'] or 'empty'}" for title, side in sides)
            lines.append(_line(f"· {field['field'].replace('_', ' ')}: {values}"))
    return lines


def tie_out_table(
    title: str, proof: Mapping[str, Any], *, trial_balance: Mapping[str, Decimal], conflicts: Sequence[Json]
) -> list[RenderableType]:
    """Return the proof line by line, and what the ledger's own trial balance says about it."""
    table = _table(title, ("platform", "ledger", "difference"))
    for line in proof["lines"]:
        ours, theirs = Decimal(line["ours"]), Decimal(line["theirs"])
        table.add_row(line["name"], money(ours), money(theirs), money(ours - theirs))
    total = sum(trial_balance.values(), Decimal(0))
    books = (
        f"The sandbox's own TrialBalance: {len(trial_balance)} accounts, debits less credits {money(total)}."
    )
    return [table, _line(_verdict(proof, conflicts)), _line(books)]


def _verdict(proof: Mapping[str, Any], conflicts: Sequence[Json]) -> str:
    if proof["is_tied"]:
        return "Both sides tie out to the cent."
    differences = {abs(Decimal(line["ours"]) - Decimal(line["theirs"])) for line in proof["lines"]} - {
        Decimal(0)
    }
    disputed = abs(sum((_disputed(conflict) for conflict in conflicts), Decimal(0)))
    if differences == {disputed}:
        return f"Both sides tie out to the cent, but for the {money(disputed)} of the conflict below."
    return f"Both sides differ; open the tie-out in Dagster to see where ({money(Decimal(proof['difference']))})."


def _disputed(conflict: Json) -> Decimal:
    for field in conflict["fields"]:
        if field["field"] == "total":
            return Decimal(field["ours"]) - Decimal(field["theirs"])
    return Decimal(0)


def _tallies(run: Json, entity: str) -> dict[str, Tally]:
    """Return the outcomes of one entity, both of its log rows (one per direction) added up."""
    steps = [step["summary"] for step in run["steps"] if step["entity_type"] == entity]
    return {
        str(name): _sum(
            Tally(int(told[name]["count"]), Decimal(told[name]["amount"])) for told in steps if name in told
        )
        for name in OUTCOMES
    }


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.count += tally.count
        total.amount += tally.amount
    return total


def _wide(title: str, rows: Mapping[str, Mapping[str, Tally]]) -> Table:
    table = _table(title, HEADINGS)
    for name, tallies in rows.items():
        if name == "All":
            table.add_section()
        table.add_row(name, *(_cell(tally) for tally in tallies.values()))
    return table


def _narrow(title: str, rows: Mapping[str, Mapping[str, Tally]]) -> Table:
    table = _table(title, ("what", "records", "amount"))
    for name, tallies in rows.items():
        told = [
            (heading, tally) for heading, tally in zip(HEADINGS, tallies.values(), strict=True) if tally.count
        ]
        for place, (heading, tally) in enumerate(told or [("nothing to do", Tally())]):
            count = str(tally.count) if tally.count else ""
            table.add_row(
                name if not place else "", heading, count, money(tally.amount) if tally.amount else ""
            )
    return table


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _cell(tally: Tally) -> str:
    if not tally.count:
        return "·"
    return f"{tally.count} · {money(tally.amount)}" if tally.amount else str(tally.count)


def _line(text: str) -> RenderableType:
    return Padding(Text(text), INDENT)
