"""What only the whole file can show: numbers used twice, totals that do not add up, records that are here already.

Each check is one set-based query over the stage; what it finds is left out of what is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from resources.imports.statements import STATEMENTS
from resources.store.database import Transaction
from sync.imports.formats import Format, ImportEntity
from sync.imports.options import Duplicates, ImportOptions, Match
from sync.imports.problems import ImportProblem, ProblemList
from sync.imports.survey import Survey
from sync.money import amount_text

_COLUMN_OF_FIELD = {"client": "client_id"}
_FIELD_OF_COLUMN = {"client_id": "client", "address_line": "address", "region": "state", "postal_code": "zip"}


@dataclass(slots=True)
class StageChecks:
    """Checks one staged file inside its transaction."""

    transaction: Transaction
    builder_id: str
    format: Format
    survey: Survey
    problems: ProblemList
    options: ImportOptions
    # Rows that were here already; documents that were, with other values, and stay as they are.
    skipped: int = 0
    left_alone: int = 0
    # Documents that were here already and get the file's values: the record of each.
    updates: dict[str, str] = field(default_factory=dict)
    # The lines of what cannot go in, for the file of problems.
    faulty_lines: set[int] = field(default_factory=set)

    def names(self) -> None:
        """Check a stage of names: repeated rows first, then what is here already."""
        found = self.transaction.rows("import_names_repeated")
        for row in found:
            if row["differing"]:
                problem = (
                    f"it stands on line {row['earlier_line']} too, with another {_listed(row['differing'])}"
                )
                self._add(row["line"], self._key(), problem, "Keep the row that is right.", document=None)
                self.faulty_lines.add(row["line"])
            else:
                self.skipped += 1
        self.transaction.run("import_names_drop_repeated")
        here = self.transaction.rows(
            STATEMENTS[self.format.entity].existing, builder_id=self.builder_id, stated=self._stated()
        )
        for row in here:
            if not row["differing"] or row["is_own"]:
                self.skipped += 1
            elif self.options.duplicates is Duplicates.UPDATE:
                self.updates[row["document"]] = row["record_id"]
            elif self.options.duplicates is Duplicates.SKIP:
                self.left_alone += 1
            else:
                problem = f"this {self.format.noun} is here already with another {_listed(row['differing'])}"
                suggestion = "Change it there if the file is right; otherwise leave out the row."
                self._add(row["line"], self._key(), problem, suggestion, document=row["document"])
                self.faulty_lines.add(row["line"])
        self._leave_out([row["document"] for row in here if row["document"] not in self.updates])
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
        """Check a stage of journal entries, or of opening balances, which are entries too."""
        is_opening = self.format.entity is ImportEntity.OPENING_BALANCES
        if is_opening:
            self.transaction.run("import_opening_balances_number")
        self._differing(self.transaction.rows("import_journal_entries_differing"))
        for row in self.transaction.rows("import_journal_entries_unbalanced"):
            debits, credits_ = row["debits"], row["credits"]
            name = "the opening balance" if is_opening else f"journal entry {row['number']}"
            problem = (
                f"{name} does not balance: debits {amount_text(debits)},"
                f" credits {amount_text(credits_)}, difference {amount_text(abs(debits - credits_))}"
            )
            suggestion = "Correct the line that is wrong or add the one that is missing."
            if is_opening:
                suggestion = (
                    "Add the accounts that are missing; what is left of open invoices and bills that you import"
                    " one by one belongs on Opening Balance Equity."
                )
            self._document(row, "debit", problem, suggestion)
        if is_opening:
            self._opening_parties()
        self._finish()

    def payments(self) -> None:
        """Check a stage of payments."""
        self._differing(self.transaction.rows("import_payments_differing"))
        for row in self.transaction.rows("import_payments_out_of_range"):
            total, applied = amount_text(row["total"]), amount_text(row["applied"])
            if row["without_applied"]:
                problem, suggestion = (
                    "it is not said how much of it each invoice gets", "Enter the applied amounts.",
                )  # fmt: skip
            elif row["applied"] > row["total"]:
                problem, suggestion = (
                    f"the payment is {total}, applied are {applied}", "Correct the amount that is wrong.",
                )  # fmt: skip
            else:
                problem, suggestion = (
                    f"the payment is {total}", "Money paid back is entered in the accounting system.",
                )  # fmt: skip
            self._document(row, "paid", problem, suggestion)
        for row in self.transaction.rows("import_payments_of_others", builder_id=self.builder_id):
            if row["is_of_another"]:
                problem, suggestion = (
                    f"invoice {row['number']} is another client's", "Correct the invoice or the client.",
                )  # fmt: skip
            else:
                problem = (
                    f"{amount_text(row['applied'])} is more than the {amount_text(row['open_amount'])} that is"
                    f" open on invoice {row['number']}"
                )
                suggestion = "Correct the amount; what is paid beyond it stays unapplied."
            self._add(row["line"], "applied", problem, suggestion, document=row["document"])
            self._reject([row["document"]])
        self._finish()

    # ------------------------------------------------------------------ the checks' parts

    def _differing(self, found: Any) -> None:
        for row in found:
            words = [
                self.format.of(name).title.lower() if name == "party" else name for name in row["differing"]
            ]
            problem = f"{self.format.noun} {row['number']} begins on line {row['line']} with another {_listed(words)}"
            suggestion = "Give each document a number of its own, or make its rows agree."
            self._add(row["other_line"], self._number(), problem, suggestion, document=row["document"])
        self._reject([row["document"] for row in found])
        # What is really two documents has no total of its own: nothing more is said about it.
        self._drop_faulty()

    def _wrong_totals(self) -> None:
        for row in self.transaction.rows("import_documents_wrong_total"):
            problem = f"the lines add up to {amount_text(row['total'])}, the total says {amount_text(row['stated_total'])}"
            suggestion = "Correct the line or the total that is wrong."
            if row["repeated_line"] is not None:
                suggestion = (
                    f"Line {row['repeated_line']} repeats an earlier one: delete it if it was entered twice."
                )
            self._document(row, "total", problem, suggestion)

    def _opening_parties(self) -> None:
        for row in self.transaction.rows("import_opening_balances_without_party", builder_id=self.builder_id):
            whose = "client" if row["account_type"] == "accounts_receivable" else "vendor"
            problem = f"the line on {row['name']} names no {whose}"
            suggestion = (
                f"Name the {whose} of each balance, or import the open documents one by one and leave the account"
                " out here."
            )
            self._add(row["line"], whose, problem, suggestion, document=row["document"])
            self._reject([row["document"]])

    def _finish(self) -> None:
        """Leave out what failed, then what is here already."""
        self._drop_faulty()
        here = self.transaction.rows(
            STATEMENTS[self.format.entity].existing,
            builder_id=self.builder_id,
            by_external_id=self.options.match is Match.EXTERNAL_ID,
            is_status_compared=self.options.duplicates is Duplicates.UPDATE and "status" in self._stated(),
        )
        settled = {row["document"] for row in here if not row["differing"] or row["is_own"]}
        open_ones: dict[str, list[Any]] = {}
        for row in here:
            if row["document"] not in settled:
                open_ones.setdefault(row["document"], []).append(row)
        for document, rows in open_ones.items():
            self._duplicate(document, rows)
        failed = self.problems.rejected
        self.skipped += sum(
            {row["document"]: row["lines"] for row in here if row["document"] in settled}.values()
        )
        self._drop_faulty()
        self._leave_out(
            [row["document"] for row in here if row["document"] not in self.updates.keys() | failed]
        )
        self.transaction.run("import_documents_drop_rejected")

    def _duplicate(self, document: str, rows: list[Any]) -> None:
        """Decide about a document that is here already with other values."""
        row, policy = rows[0], self.options.duplicates
        if policy is Duplicates.SKIP:
            self.left_alone += 1
            return
        if policy is Duplicates.UPDATE and len(rows) == 1:
            self.updates[document] = row["record_id"]
            return
        noun, number = self.format.noun, row["number"]
        name = f"{noun} {number}" if number else f"a {noun} of this vendor, date and amount"
        if policy is Duplicates.UPDATE:
            problem = f"{name} is here {len(rows)} times, so that it is not clear which one to change"
        else:
            problem = f"{name} is here already with another {_listed(row['differing'])}"
        suggestion = "Give this one another number, or correct the one that is here."
        self._add(row["line"], self._number(), problem, suggestion, document=document)
        self._reject([document])

    def _drop_faulty(self) -> None:
        """Forget documents with a problem, and remember their lines."""
        self.faulty_lines.update(row["line"] for row in self.transaction.rows("import_lines_of_rejected"))
        self.transaction.run("import_documents_drop_rejected")
        self.transaction.run("import_rows_drop_rejected")

    def _document(self, row: Any, of: str, problem: str, suggestion: str) -> None:
        self._add(row["line"], of, problem, suggestion, document=row["document"])
        self._reject([row["document"]])

    def _add(self, line: int, of: str, problem: str, suggestion: str, *, document: str | None) -> None:
        heading = self.survey.heading(self.format.of(of))
        self.problems.add(ImportProblem(line, heading, problem, suggestion), document=document)

    def _reject(self, documents: list[str]) -> None:
        if documents:
            self.transaction.run("import_reject", documents=documents)

    def _leave_out(self, documents: list[str]) -> None:
        """Leave out what is here already; nothing is wrong with it."""
        self._reject(documents)

    def _stated(self) -> list[str]:
        """The columns of the stage for which the file has values."""
        return [
            _COLUMN_OF_FIELD.get(each.name, each.name)
            for each in self.format.fields
            if each.name in self.survey.columns or each.name in self.survey.fixed
        ]

    def _number(self) -> str:
        """The field by which people know a document."""
        return "number" if any(each.name == "number" for each in self.format.fields) else self._key()

    def _key(self) -> str:
        return self.format.key[0]


def run_checks(checks: StageChecks) -> None:
    """Run the checks of an entity."""
    if not checks.format.has_lines:
        checks.names()
    elif checks.format.entity in (ImportEntity.JOURNAL_ENTRIES, ImportEntity.OPENING_BALANCES):
        checks.journal_entries()
    elif checks.format.entity is ImportEntity.PAYMENTS:
        checks.payments()
    else:
        checks.documents()


def _listed(differing: list[str]) -> str:
    words = [_FIELD_OF_COLUMN.get(name, name).replace("_", " ") for name in differing]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
