"""An importer over a test database, and one builder to import for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from resources.imports.importer import Imports
from resources.store.database import Database
from sync.clock import SystemClock
from sync.errors import ImportRejected
from sync.imports.options import ImportOptions
from sync.imports.problems import ImportReport

NEW_BUILDER = "insert into v2_builders (id, name, currency) values (%(id)s, %(name)s, %(currency)s)"


class Books:
    """One builder's tables, filled through the importer."""

    def __init__(self, database: Database, *, currency: str = "USD", name: str = "A builder") -> None:
        self.database = database
        self.builder_id: UUID = uuid4()
        self.imports = Imports(database, clock=SystemClock())
        with database.builder_tx(self.builder_id) as transaction:
            transaction.connection.exec_driver_sql(
                NEW_BUILDER, {"id": self.builder_id, "name": name, "currency": currency}
            )

    def bring(
        self,
        entity: str,
        content: str | bytes | Path,
        *,
        name: str = "file.csv",
        allow_partial: bool = False,
        **chosen: Any,
    ) -> ImportReport:
        """Import a file; further arguments are its options."""
        return self.imports.import_file(
            self.builder_id,
            entity,
            content.encode() if isinstance(content, str) else content,
            name=content.name if isinstance(content, Path) else name,
            imported_by="test",
            options=ImportOptions(is_partial=allow_partial, **chosen),
        )

    def refusal(self, entity: str, content: str | bytes | Path, *, name: str = "file.csv") -> ImportRejected:
        """Import a file that has to be refused, and return why."""
        try:
            report = self.bring(entity, content, name=name)
        except ImportRejected as error:
            return error
        raise AssertionError(f"the file was not refused: {report}")

    def problems(self, entity: str, content: str | bytes, *, name: str = "file.csv") -> list[tuple[Any, ...]]:
        """The problems of a file that has to be refused, as (line, column, problem, suggestion)."""
        return [
            tuple(problem.values())
            for problem in self.refusal(entity, content, name=name).details["problems"]
        ]

    def rows(self, statement: str) -> Sequence[tuple[Any, ...]]:
        """What is in the tables."""
        with self.database.builder_tx(self.builder_id) as transaction:
            return [tuple(row) for row in transaction.connection.exec_driver_sql(statement).fetchall()]

    def change(self, statement: str) -> None:
        """Change the tables as anybody else might."""
        with self.database.builder_tx(self.builder_id) as transaction:
            transaction.connection.exec_driver_sql(statement)

    def value(self, statement: str) -> Any:
        """The one value a statement returns."""
        ((found,),) = self.rows(statement)
        return found


def ready_books(database: Database) -> Books:
    """A builder with a client, vendors, a job, cost codes and accounts, so that documents can refer to them."""
    books = Books(database)
    books.bring("clients", "Name\nBertrand Quillon\nWinifred Castellane\n")
    books.bring("vendors", "Name\nCedar Hollow Lumber\nSparrow Electric\n")
    books.bring(
        "jobs", "Number,Name,Client\n2603,Quillon Cabin,Bertrand Quillon\n2604,Barn,Winifred Castellane\n"
    )
    books.bring("cost_codes", "Code,Name\n0310,Footings\n0420,Framing crew\n")
    books.bring(
        "accounts", "Name,Number,Type\nDepreciation,6100,Expense\nAccumulated Depreciation,1590,Fixed asset\n"
    )
    return books
