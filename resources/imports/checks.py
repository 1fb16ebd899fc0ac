"""What only the whole file can show: numbers used twice, totals that do not add up, records that are here already.

Each check is one set-based query over the stage; what it finds is left out of what is written.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from resources.imports.statements import STATEMENTS
from resources.store.database import Transaction
from sync.imports.formats import Format, ImportEntity
from sync.imports.problems import ImportProblem, ProblemList
from sync.imports.survey import Survey
from sync.money import amount_text

_FIELD_OF_COLUMN = {"client_id": "client", "address_line": "address", "region": "state", "postal_code": "zip"}


@dataclass(slots=True)
class StageChecks:
    """Checks one staged file inside its transaction. `excused` are lines that were imported from this file before."""

    transaction: Transaction
    builder_id: str
    format: Format
    survey: Survey
    problems: ProblemList
    # None: the file is new. Otherwise the lines that had a problem when it was imported before.
    faulty_before: Collection[int] | None = None
    skipped: int = 0

    def names(self) -> None:
        """Check a stage of names: repeated rows first, then what is here already."""
        found = self.transaction.rows("import_names_repeated")
        for row in found:
            if row["differing"]:
                problem = (
                    f"it stands on line {row['earlier_line']} too, with another {_listed(row['differing'])}"
                )
                self._add(row["line"], self._key(), problem, "Keep the row that is right.", document=None)
            else:
                self.skipped += 1
        self.transaction.run("import_names_drop_repeated")
        here = self.transaction.rows(STATEMENTS[self.format.entity].existing, builder_id=self.builder_id)
        for row in here:
            if row["differing"] and not self._is_excused(row):
                problem = f"this {self.format.noun} is here already with another {_listed(row['differing'])}"
                suggestion = "Change it there if the file is right; otherwise leave out the row."
                self._add(row["line"], self._key(), problem, suggestion, document=row["document"])
            else:
                self.skipped += 1
        self._reject([row["document"] for row in here])
        self.transaction.run("import_rows_drop_rejected")

    def documents(self) -> None:
        """Check a stage of invoices, bills or purchase orders."""
        job_of_line = self.format.of("job").is_of_line
        self._differing(self.transaction.rows("import_documents_differing", job_of_line=job_of_line))
        self._wrong_totals()
        noun = self.format.noun
        for row in self.transaction.rows("import_documents_out_of_range"):
            suggestion = "A credit is not imported as a document of its own; set it off on the next one."
            if row["total"] > 0:
                suggestion = "That is more than can be kept; correct the amounts."
            self._document(row, "amount", f"the {noun} adds up to {amount_text(row['total'])}", suggestion)
        for row in self.transaction.rows("import_documents_due_before"):
            self._document(
                row, "due_date", f"it is due on {row['due_date']}, before its date {row['on_date']}",
                "Correct one of the two dates.",
            )  # fmt: skip
        self._finish()

    def journal_entries(self) -> None:
        """Check a stage of journal entries."""
        self._differing(self.transaction.rows("import_journal_entries_differing"))
        for row in self.transaction.rows("import_journal_entries_unbalanced"):
            debits, credits_ = row["debits"], row["credits"]
            problem = (
                f"journal entry {row['number']} does not balance: debits {amount_text(debits)},"
                f" credits {amount_text(credits_)}, difference {amount_text(abs(debits - credits_))}"
            )
            self._document(
                row, "debit", problem, "Correct the line that is wrong or add the one that is missing."
            )
        self._finish()

    # ------------------------------------------------------------------ the checks' parts

    def _differing(self, found: Any) -> None:
        for row in found:
            words = [
                self.format.of(name).title.lower() if name == "party" else name for name in row["differing"]
            ]
            problem = f"{self.format.noun} {row['number']} begins on line {row['line']} with another {_listed(words)}"
            suggestion = "Give each document a number of its own, or make its rows agree."
            self._add(row["other_line"], "number", problem, suggestion, document=row["document"])
        self._reject([row["document"] for row in found])
        # What is really two documents has no total of its own: nothing more is said about it.
        self.transaction.run("import_documents_drop_rejected")

    def _wrong_totals(self) -> None:
        for row in self.transaction.rows("import_documents_wrong_total"):
            problem = f"the lines add up to {amount_text(row['total'])}, the total says {amount_text(row['stated_total'])}"
            suggestion = "Correct the line or the total that is wrong."
            if row["repeated_line"] is not None:
                suggestion = (
                    f"Line {row['repeated_line']} repeats an earlier one: delete it if it was entered twice."
                )
            self._document(row, "total", problem, suggestion)

    def _finish(self) -> None:
        """Leave out what failed, then what is here already."""
        self.transaction.run("import_documents_drop_rejected")
        here = self.transaction.rows(STATEMENTS[self.format.entity].existing, builder_id=self.builder_id)
        equal = {row["document"] for row in here if not row["differing"]}
        for row in here:
            if row["document"] in equal or self._is_excused(row):
                continue
            noun, number = self.format.noun, row["number"]
            name = f"{noun} {number}" if number else f"a {noun} of this vendor, date and amount"
            problem = f"{name} is here already with another {_listed(row['differing'])}"
            suggestion = "Give this one another number, or correct the one that is here."
            self._add(row["line"], "number", problem, suggestion, document=row["document"])
        failed = self.problems.rejected
        self.skipped += sum(
            {row["document"]: row["lines"] for row in here if row["document"] not in failed}.values()
        )
        self._reject([row["document"] for row in here])
        self.transaction.run("import_documents_drop_rejected")

    def _document(self, row: Any, field: str, problem: str, suggestion: str) -> None:
        self._add(row["line"], field, problem, suggestion, document=row["document"])
        self._reject([row["document"]])

    def _add(self, line: int, field: str, problem: str, suggestion: str, *, document: str | None) -> None:
        heading = self.survey.heading(self.format.of(field))
        self.problems.add(ImportProblem(line, heading, problem, suggestion), document=document)

    def _reject(self, documents: list[str]) -> None:
        if documents:
            self.transaction.run("import_reject", documents=documents)

    def _is_excused(self, row: Any) -> bool:
        """Say whether this file brought the record here, so that later changes of it are no problem of the file."""
        if self.faulty_before is None:
            return False
        last_line = row.get("last_line", row["line"])
        return not any(row["line"] <= line <= last_line for line in self.faulty_before)

    def _key(self) -> str:
        return self.format.key[0]


def run_checks(checks: StageChecks) -> None:
    """Run the checks of an entity."""
    if not checks.format.has_lines:
        checks.names()
    elif checks.format.entity is ImportEntity.JOURNAL_ENTRIES:
        checks.journal_entries()
    else:
        checks.documents()


def _listed(differing: list[str]) -> str:
    words = [_FIELD_OF_COLUMN.get(name, name).replace("_", " ") for name in differing]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
