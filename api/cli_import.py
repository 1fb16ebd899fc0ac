"""`tieout import` and `tieout imports`: files of a builder into the platform, with every problem said in words, and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_builders import BuilderOption, builder_named, open_database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.imports.work import OnProgress
    from sync.imports.problems import ImportReport

PROBLEMS_SHOWN_MAX = 50
LISTED_MAX = 50

ByOption = Annotated[str, typer.Option(help="Who does it, for the record.")]

imports = typer.Typer(no_args_is_help=True, help="See the imports of a builder, and take one back.")


def import_command(  # noqa: PLR0917 - each argument is an option of the command
    entity: Annotated[
        str,
        typer.Argument(
            help="What the files hold: cost_codes, clients, vendors, jobs, accounts, purchase_orders, invoices, "
            "bills, journal_entries, opening_balances or payments."
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="CSV, .xlsx, JSON or JSON Lines files.")],
    builder: BuilderOption,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Import what has no problem and report the rest."),
    ] = False,
    duplicates: Annotated[
        str, typer.Option(help="What is here already with other values: skip, update or error.")
    ] = "error",
    match: Annotated[str, typer.Option(help="Known again by number or by external_id.")] = "number",
    template: Annotated[
        str | None, typer.Option(help="Saved columns to read the files with; by default whichever fits.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="A column put right, as field=Heading; several times for several. field= leaves it out."
        ),
    ] = None,
    fill: Annotated[
        list[str] | None,
        typer.Option(
            help="A value for a column that the files lack, as field=value, such as date=2026-01-01."
        ),
    ] = None,
    problems: Annotated[
        Path | None,
        typer.Option(help="Folder for files of problems, to correct and import again."),
    ] = None,
    by: ByOption = "command line",
) -> None:
    """Import files; each one whole or, with --partial, all of it that is right.

    Import in this order: cost codes, clients, vendors, jobs, accounts, then documents, then payments. The same file
    twice changes nothing; one whose import broke off goes on. A file that could not be imported does not stop the
    others; the command then ends with status 1.
    """
    from resources.imports.importer import Imports, Watch, import_entity
    from sync.clock import SystemClock
    from sync.errors import ImportRejected
    from sync.imports.options import ImportOptions, duplicates_of, match_of

    wanted = import_entity(entity)
    options = ImportOptions(
        duplicates=duplicates_of(duplicates),
        match=match_of(match),
        is_partial=partial,
        template=template,
        columns={name: value or None for name, value in _pairs(column)},
        fixed=dict(_pairs(fill)),
    )
    is_refused = False
    with open_database() as database:
        builder_id = builder_named(database, builder)
        importer = Imports(database, clock=SystemClock())
        for file in files:
            problem_file = None if problems is None else problems / f"{file.stem}.problems.csv"
            try:
                with _bar(file.name) as on_progress:
                    report = importer.import_file(
                        builder_id,
                        wanted,
                        file,
                        imported_by=by,
                        options=options,
                        watch=Watch(on_progress, problem_file),
                    )
            except ImportRejected as error:
                is_refused = True
                print(error.user_message)
                _show([_sentence(problem) for problem in error.details["problems"]], error.details["count"])
                _point_to(problem_file)
                continue
            _tell(report)
            _point_to(problem_file)
    if is_refused:
        raise typer.Exit(1)


@imports.command("list")
def list_imports(builder: BuilderOption) -> None:
    """List the newest imports with their ids."""
    from resources.imports.steps import newest

    with open_database() as database:
        rows = newest(
            database,
            builder_named(database, builder),
            entity=None,
            status=None,
            after=None,
            rows_max=LISTED_MAX,
        )
    for row in rows:
        told = f"{row['documents_written']:,} written, {row['problem_count']:,} problems"
        print(f"{row['id']}  {row['imported_at']:%Y-%m-%d %H:%M}  {row['status']:<9}  {row['entity']:<16}  {row['file_name']}  ({told})")  # fmt: skip
    if not rows:
        print("Nothing was imported for this builder yet.")


@imports.command("undo")
def undo(
    import_id: Annotated[str, typer.Argument(help="The import's id, from `tieout imports list`.")],
    builder: BuilderOption,
    by: ByOption = "command line",
) -> None:
    """Take an import back, as long as no accounting system has anything of it and nothing refers to it."""
    from uuid import UUID

    from resources.imports.undoing import undo_import
    from sync.clock import SystemClock
    from sync.errors import NotFound

    try:
        wanted = str(UUID(import_id))
    except ValueError:
        raise NotFound(what="import", id=import_id) from None
    with open_database() as database:
        removed, restored = undo_import(
            database, builder_named(database, builder), wanted, actor=by, now=SystemClock().now()
        )
    print(f"Undone: {removed:,} removed, {restored:,} as they were before.")


def _pairs(said: list[str] | None) -> list[tuple[str, str]]:
    from sync.errors import InvalidInput

    found = []
    for each in said or []:
        name, sign, value = each.partition("=")
        if not sign or not name.strip():
            raise InvalidInput(f"{each} is not understood. Write field=value, for example date=2026-01-01.")
        found.append((name.strip(), value.strip()))
    return found


@contextmanager
def _bar(name: str) -> Iterator[OnProgress | None]:
    """Show a bar while a file is at work, where somebody is looking; nothing of it goes into a log."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} rows"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=None)

        def on_progress(part: str, done: int, of: int) -> None:
            progress.update(task, description=f"{name}: {part}", completed=done, total=of or None)

        yield on_progress


def _point_to(problem_file: Path | None) -> None:
    if problem_file is not None and problem_file.exists():
        print(f"  The rows to correct are in {problem_file}; correct them there and import that file.")


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
