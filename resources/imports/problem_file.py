"""The file of problems: the rows of a file that did not go in, as they stood, with what is wrong with each.

It is CSV that any spreadsheet opens, made harmless (`sync.imports.formulas`), and it may be corrected and sent back:
the last column is known and left out, and what was made harmless is itself again.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from sync.errors import ImportRejected
from sync.imports.formulas import PROBLEM_HEADING, neutralised
from sync.imports.problems import ImportProblem, ProblemList
from sync.imports.survey import SourceRow, Survey
from sync.imports.texts import Cell, clean_text


def write_problem_file(
    path: Path,
    *,
    rows: Iterable[SourceRow],
    survey: Survey,
    problems: ProblemList,
    only_lines: Collection[int] | None,
) -> None:
    """Write the rows with their problems; `only_lines` leaves out those that went in."""
    ours = [place for place, heading in enumerate(survey.headings) if clean_text(heading) == PROBLEM_HEADING]
    width = len(survey.headings)
    of_rows = dict(problems.of_rows())
    path.parent.mkdir(parents=True, exist_ok=True)
    # The byte order mark tells Excel that this is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_row(survey.headings, leave_out=ours, width=width, last=PROBLEM_HEADING))
        for row in rows:
            if row.line <= survey.heading_line or not any(cell not in (None, "") for cell in row.cells):
                continue
            found = of_rows.pop(row.line, [])
            if only_lines is not None and row.line not in only_lines and not found:
                continue
            said = " ".join(
                f"{problem.column}: {problem.problem}. {problem.suggestion}" if problem.column
                else f"{problem.problem}. {problem.suggestion}"
                for problem in found
            )  # fmt: skip
            writer.writerow(_row(row.cells, leave_out=ours, width=width, last=said))


def write_unread_file(path: Path, *, rows: Iterable[SourceRow], problems: Sequence[ImportProblem]) -> None:
    """Write a file of which nothing was understood: what is wrong on top, like a title, and below it all that could be read.

    The row that was taken for the headings, or the first one, gets the heading by which a corrected file is known.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    headings_from = min((problem.line for problem in problems if problem.column), default=0)
    is_marked = False
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        # In one cell: a title of many rows would push the headings out of sight.
        writer.writerow([neutralised(" ".join(problem.sentence for problem in problems))])
        try:
            for row in rows:
                if not any(cell not in (None, "") for cell in row.cells):
                    continue
                written = [neutralised("" if cell is None else _written(cell)) for cell in row.cells]
                if not is_marked and row.line >= headings_from and PROBLEM_HEADING not in written:
                    written.append(PROBLEM_HEADING)
                is_marked = is_marked or row.line >= headings_from
                writer.writerow(written)
        except ImportRejected:
            # From here on it cannot be read; the reason stands above.
            return


def _row(cells: Iterable[Cell], *, leave_out: Collection[int], width: int, last: str) -> list[str]:
    kept = [
        neutralised("" if cell is None else _written(cell))
        for place, cell in enumerate(cells)
        if place not in leave_out
    ]
    kept += [""] * (width - len(leave_out) - len(kept))
    return [*kept, neutralised(last)]


def _written(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:f}" if not isinstance(cell, str) and hasattr(cell, "as_tuple") else str(cell)
