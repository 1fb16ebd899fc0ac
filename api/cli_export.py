"""`tieout export`: a builder's records, mappings, queues, history and audit log into a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_builders import BuilderOption, builder_named, open_database

if TYPE_CHECKING:
    from resources.exports.writing import OnRows


def export_command(  # noqa: PLR0917 - each argument is an option of the command
    dataset: Annotated[
        str,
        typer.Argument(
            help="cost_codes, clients, vendors, jobs, accounts, purchase_orders, invoices, bills, journal_entries, "
            "payments, bill_payments, deposits, mappings, errors, conflicts, history, records, evidence or audit."
        ),
    ],
    builder: BuilderOption,
    format_: Annotated[str, typer.Option("--format", help="csv, xlsx or jsonl.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; by default named after the export, here.")
    ] = None,
    status: Annotated[str | None, typer.Option(help="Only records in this state.")] = None,
    entity: Annotated[str | None, typer.Option(help="Only this entity, such as bill.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From this day on.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this day.")] = None,
) -> None:
    """Export to a file. What can be imported has the headings of an import: correct the file and import it again."""
    from resources.exports.exporter import ExportWanted, export
    from sync.clock import SystemClock
    from sync.exports.datasets import dataset_of, format_of

    filters = {"status": status, "entity": entity, "since": since, "until": until}
    wanted = ExportWanted(dataset_of(dataset), format_of(format_), filters)
    path = output or Path(wanted.file_name(now=SystemClock().now()))
    with open_database() as database, _bar(path.name) as on_rows:
        done = export(database, builder_named(database, builder), wanted, path=path, on_rows=on_rows)
    print(f"{done.rows:,} rows written to {done.path}.")


@contextmanager
def _bar(name: str) -> Iterator[OnRows]:
    """Count the rows on a terminal; say nothing elsewhere."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} rows"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda rows: progress.update(task, completed=rows)
