"""`tieout import`: files of a builder into the platform, with every problem said in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sync.imports.problems import ImportReport

PROBLEMS_SHOWN_MAX = 50


def import_command(
    entity: Annotated[
        str,
        typer.Argument(
            help="What the files hold: cost_codes, clients, vendors, jobs, accounts, purchase_orders, invoices, "
            "bills or journal_entries."
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="CSV, .xlsx, JSON or JSON Lines files.")],
    builder: Annotated[str, typer.Option(help="The builder's name or id.")],
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Import what has no problem and report the rest."),
    ] = False,
    by: Annotated[str, typer.Option(help="Who imports, for the record.")] = "command line",
) -> None:
    """Import files; each one whole or, with --partial, all of it that is right.

    Import in this order: cost codes, clients, vendors, jobs, accounts, then documents. The same file twice changes
    nothing. A file that could not be imported does not stop the others; the command then ends with status 1.
    """
    from resources.imports.builders import find_builder
    from resources.imports.importer import Imports, import_entity
    from resources.postgres import database_urls, start_embedded
    from resources.settings import load_settings
    from resources.store.database import Database
    from sync.clock import SystemClock
    from sync.errors import ImportRejected

    wanted = import_entity(entity)
    is_refused = False
    settings = load_settings()
    if settings.is_embedded:
        start_embedded(settings)
    with Database(database_urls(settings)) as database:
        builder_id = find_builder(database, builder)
        imports = Imports(database, clock=SystemClock())
        for file in files:
            try:
                report = imports.import_file(builder_id, wanted, file, imported_by=by, allow_partial=partial)
            except ImportRejected as error:
                is_refused = True
                print(error.user_message)
                _show([_sentence(problem) for problem in error.details["problems"]], error.details["count"])
                continue
            _tell(report)
    if is_refused:
        raise typer.Exit(1)


def _tell(report: ImportReport) -> None:
    print(report.sentence)
    for note in report.notes:
        print(f"  {note}")
    _show([problem.sentence for problem in report.problems], report.problem_count)


def _show(sentences: Sequence[str], count: int) -> None:
    for sentence in sentences[:PROBLEMS_SHOWN_MAX]:
        print(f"  {sentence}")
    if count > PROBLEMS_SHOWN_MAX:
        print(f"  … and {count - PROBLEMS_SHOWN_MAX:,} more like these.")


def _sentence(problem: dict[str, object]) -> str:
    from sync.imports.problems import ImportProblem

    return ImportProblem(
        line=int(str(problem["line"])),
        column=str(problem["column"]),
        problem=str(problem["problem"]),
        suggestion=str(problem["suggestion"]),
    ).sentence
