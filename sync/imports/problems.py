"""What an import tells: every problem with its place and its remedy, and the report of one file.

A problem never stops the reading; it is collected, and the document it belongs to is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.counting import counted
from sync.errors import ImportRejected

# What a report lists; a file with more is the wrong file, and the first thousand say so clearly enough.
PROBLEMS_KEPT_MAX = 1_000
# What the file of problems says row by row; the rest are counted.
PROBLEMS_WRITTEN_MAX = 50_000


class UnreadableValue(ValueError):
    """One cell cannot be read as what its column holds; says why, and what to write instead."""

    def __init__(self, problem: str, suggestion: str) -> None:
        """Keep both halves of the sentence."""
        super().__init__(f"{problem}. {suggestion}")
        self.problem = problem
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """One thing to correct in a file. `line` counts lines (CSV), sheet rows (XLSX) or records (JSON) from 1."""

    line: int
    column: str
    problem: str
    suggestion: str

    @property
    def sentence(self) -> str:
        """The whole problem in words."""
        place = f"Line {self.line}, {self.column}" if self.column else f"Line {self.line}"
        return f"{place}: {self.problem}. {self.suggestion}"

    def as_json(self) -> dict[str, Any]:
        """The problem as it is stored and sent."""
        return {
            "line": self.line,
            "column": self.column,
            "problem": self.problem,
            "suggestion": self.suggestion,
        }


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of one file.

    `rows_written` counts lines of documents or names, `skipped` rows that were here already with equal values.
    `is_repeated` says that this very file was imported before and nothing was left to do.
    """

    entity: str
    file_name: str
    rows_read: int
    rows_written: int
    documents_written: int
    skipped: int
    problems: Sequence[ImportProblem] = ()
    problem_count: int = 0
    notes: Sequence[str] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    is_repeated: bool = False
    # Of the documents written, how many were here and got the file's values; how many were here and stay as they are.
    updated: int = 0
    left_alone: int = 0
    import_id: str = ""

    @property
    def sentence(self) -> str:
        """The report in one sentence for a bookkeeper."""
        if self.is_repeated:
            return f"{self.file_name} was imported before; nothing was changed."
        parts = [f"{counted(self.rows_read, 'row')} read from {self.file_name}"]
        if self.documents_written != self.rows_written:
            parts.append(
                f"{counted(self.documents_written, 'document')} with {counted(self.rows_written, 'line')} added"
            )
        else:
            parts.append(f"{self.rows_written - self.updated} added")
        if self.updated:
            parts.append(
                f"{self.updated} of them were here and changed"
                if self.documents_written != self.rows_written
                else f"{self.updated} changed"
            )
        if self.skipped:
            parts.append(f"{counted(self.skipped, 'row')} already here")
        if self.problem_count:
            parts.append(f"{counted(self.problem_count, 'problem')} to correct")
        return ", ".join(parts) + "."


class ProblemList:
    """Collects the problems of one file and which documents they spoil."""

    def __init__(self) -> None:
        """Begin with a clean file."""
        self._all: list[ImportProblem] = []
        self.count = 0
        self.rejected: set[str] = set()
        self._seen: set[tuple[str, str, str]] = set()

    def add(self, problem: ImportProblem, *, document: str | None) -> None:
        """Note a problem; the same problem of the same document is said once, at its first line."""
        if document is not None:
            self.rejected.add(document)
            known = (document, problem.column, problem.problem)
            if known in self._seen:
                return
            if len(self._seen) < PROBLEMS_WRITTEN_MAX:
                self._seen.add(known)
        self.count += 1
        if len(self._all) < PROBLEMS_WRITTEN_MAX:
            self._all.append(problem)

    @property
    def kept(self) -> list[ImportProblem]:
        """The first problems, as many as a report lists."""
        return self._all[:PROBLEMS_KEPT_MAX]

    def in_order(self) -> list[ImportProblem]:
        """The first problems from the top of the file to its end."""
        return sorted(self.kept, key=_place)

    def of_rows(self) -> Mapping[int, list[ImportProblem]]:
        """Problems by the line they are on, as many as a file of problems says."""
        found: dict[int, list[ImportProblem]] = {}
        for problem in sorted(self._all, key=_place):
            found.setdefault(problem.line, []).append(problem)
        return found


def _place(problem: ImportProblem) -> tuple[int, str, str]:
    return problem.line, problem.column, problem.problem


def rejection(
    file_name: str, problems: Iterable[ImportProblem], *, count: int | None = None
) -> ImportRejected:
    """Return the error that says nothing of this file was imported, with all its problems in the details."""
    kept = list(problems)
    assert kept, "a file is rejected for a reason"
    return ImportRejected(
        file=file_name,
        count=len(kept) if count is None else count,
        first=kept[0].sentence.rstrip("."),
        problems=[problem.as_json() for problem in kept],
    )
