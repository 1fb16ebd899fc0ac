"""The product's way in for files: received, checked, shown, confirmed, written in chunks; the same file twice is one import.

Nothing is kept of a file between these steps but the file itself: what was read lives in the session that reads it, and
is read again before it is written, against the books as they are then. So a process that is killed leaves whole chunks
and nothing else, and going on is reading the file once more and leaving out what is there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from uuid_utils.compat import uuid7

from resources.imports import ledger
from resources.imports.problem_file import write_problem_file, write_unread_file
from resources.imports.refusals import refused
from resources.imports.sources import Source, open_source
from resources.imports.spool import Spool
from resources.imports.staging import Staged, shares_of, stage
from resources.imports.work import OnProgress, Pace, Progress, Work
from resources.imports.writing import Written, finish, write_staged
from resources.store.database import BuilderSession, Database
from sync.clock import Clock
from sync.errors import ImportRejected, InvalidInput
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.options import ImportOptions
from sync.imports.problems import ImportProblem, ImportReport, rejection
from sync.imports.refusals import ImportBusy, ImportCancelled
from sync.imports.survey import survey

LOCK_WAIT_SECONDS_MAX = 900.0
LOCK_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far an import is, and where the file of its problems is written, if there are any."""

    on_progress: OnProgress | None = None
    problems_to: Path | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How one pass over a file ended."""

    report: ImportReport
    is_ready: bool


class Imports:
    """The product's way in for files."""

    def __init__(
        self, database: Database, *, clock: Clock, spool: Spool | None = None, pace: Pace | None = None
    ) -> None:
        """`spool` is where uploads and files of problems are kept; without one, only `import_file` is possible."""
        self._database = database
        self._clock = clock
        self._spool = spool
        self.pace = pace or Pace()

    # ------------------------------------------------------------------ at once

    def import_file(
        self,
        builder_id: UUID,
        entity: ImportEntity | str,
        content: Path | bytes,
        *,
        name: str | None = None,
        imported_by: str,
        options: ImportOptions | None = None,
        watch: Watch | None = None,
    ) -> ImportReport:
        """Import one file and report; raises ImportRejected, with every problem found, when nothing was imported.

        With `options.is_partial`, documents without a problem are imported and the others reported. A file whose
        import broke off goes on where it stopped.
        """
        format_ = FORMATS[import_entity(entity)]
        chosen = options or ImportOptions()
        file_name = name or (content.name if isinstance(content, Path) else format_.entity.value)
        source = open_source(content, name=file_name, format_=format_)
        with self._lock(builder_id):
            incoming = ledger.Incoming(
                builder_id, format_.entity, file_name, source.sha256, source.size_bytes, chosen, imported_by
            )
            import_id = ledger.take_up(self._database, incoming, now=self._clock.now())
            run = _Run(self, builder_id, import_id, watch or Watch())
            return run.work(source, incoming, is_confirmed=True).report

    # ------------------------------------------------------------------ in steps

    def receive(
        self,
        builder_id: UUID,
        entity: ImportEntity | str,
        stream: IO[bytes],
        *,
        name: str,
        imported_by: str,
        options: ImportOptions | None = None,
    ) -> str:
        """Take in an uploaded file and return the id of its import; nothing is read of it yet. Raises TooLarge."""
        wanted = import_entity(entity)
        import_id = str(uuid7())
        sha256, size = self.spool.take(builder_id, import_id, stream)
        incoming = ledger.Incoming(
            builder_id, wanted, name, sha256, size, options or ImportOptions(), imported_by
        )
        ledger.add(self._database, incoming, import_id=import_id, now=self._clock.now())
        return import_id

    def work(self, builder_id: UUID, import_id: str, *, watch: Watch | None = None) -> ImportReport:
        """Do what is next for a received import: check it, or write it once it is confirmed.

        Raises ImportRejected where nothing can go in, ImportCancelled, ImportMovedOn where nothing is to be done.
        """
        with self._lock(builder_id):
            row = ledger.get(self._database, builder_id, import_id)
            incoming = ledger.Incoming(
                builder_id,
                ImportEntity(row["entity"]),
                row["file_name"],
                row["sha256"],
                row["size_bytes"],
                ImportOptions.from_json(row["options"]),
                row["imported_by"],
            )
            ledger.begin(self._database, builder_id, row, now=self._clock.now())
            self._require_file(builder_id, row)
            seen = replace(watch or Watch(), problems_to=self.spool.problems(builder_id, import_id))
            run = _Run(self, builder_id, import_id, seen)
            return run.work(None, incoming, is_confirmed=row["is_confirmed"]).report

    def _require_file(self, builder_id: UUID, row: ledger.Row) -> None:
        if self.spool.file(builder_id, row["id"]).is_file():
            return
        error = refused(
            row["file_name"],
            "the uploaded file is no longer kept here",
            "Send it again; what went in before stays, once.",
        )
        # Not "refused": what was written before may still be taken back.
        how = ledger.End("failed", error.user_message)
        ledger.end(self._database, builder_id, row["id"], how, now=self._clock.now())
        raise error

    @property
    def spool(self) -> Spool:
        """Where uploads are kept."""
        assert self._spool is not None, "imports in steps need a spool"
        return self._spool

    @property
    def database(self) -> Database:
        """The product's database."""
        return self._database

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self._clock

    @contextmanager
    def _lock(self, builder_id: UUID) -> Iterator[None]:
        """Wait until no other import of the builder is at work; raises ImportBusy when that takes too long."""
        deadline = time.monotonic() + LOCK_WAIT_SECONDS_MAX
        while True:
            with self._database.session_lock(
                "import_try_lock", "import_unlock", builder_id=builder_id
            ) as is_locked:
                if is_locked:
                    yield
                    return
            if time.monotonic() > deadline:
                raise ImportBusy
            time.sleep(LOCK_POLL_SECONDS)


@dataclass(slots=True)
class _Run:
    """One pass over one file, in a session of its own."""

    imports: Imports
    builder_id: UUID
    import_id: str
    watch: Watch
    source: Source | None = None
    is_explained: bool = False

    def work(self, source: Source | None, incoming: ledger.Incoming, *, is_confirmed: bool) -> _Outcome:
        """Read, check, and where it is confirmed write; whatever happens, the import's row says how it ended."""
        is_told = False
        try:
            self.source = source
            outcome = self._pass(incoming, is_confirmed=is_confirmed)
            is_told = True
            return outcome
        except ImportRejected as error:
            self._end("refused", error=error.user_message, problems=error)
            self._explain(error)
            is_told = True
            raise
        except ImportCancelled as error:
            self._end("cancelled", error=error.user_message)
            is_told = True
            raise
        finally:
            if not is_told:
                self._end("failed", error="The import broke off. Resume it; what was written stays, once.")

    def _pass(self, incoming: ledger.Incoming, *, is_confirmed: bool) -> _Outcome:
        database, clock = self.imports.database, self.imports.clock
        format_ = FORMATS[incoming.entity]
        if self.source is None:
            path = self.imports.spool.file(self.builder_id, self.import_id)
            self.source = open_source(path, name=incoming.file_name, format_=format_)
        source = self.source
        choices = ledger.column_choices(database, self.builder_id, incoming)
        progress = Progress(
            database,
            builder_id=self.builder_id,
            import_id=self.import_id,
            file_name=incoming.file_name,
            clock=clock,
            on_progress=self.watch.on_progress,
            pace=self.imports.pace,
        )
        rows = progress.reading(source.rows(), part="looking")
        looked_at = survey(rows, format_, file_name=incoming.file_name, choices=choices)
        work = Work(
            self.builder_id,
            self.import_id,
            format_,
            source,
            looked_at,
            incoming.options,
            incoming.imported_by,
        )
        repeated = ledger.known(database, work)
        if repeated is not None and not repeated["problem_count"]:
            return self._repeated(work, repeated)
        with ExitStack() as held:
            sessions = [
                held.enter_context(database.builder_session(self.builder_id))
                for _ in range(shares_of(work, progress.pace))
            ]
            with ExitStack() as staging:
                transactions = [staging.enter_context(session.transaction()) for session in sessions]
                staged = stage(transactions, work, progress)
            self._write_problems(work, staged, is_confirmed=is_confirmed)
            must_stop = staged.problems.count and not incoming.options.is_partial
            status = "writing" if is_confirmed and not must_stop else "ready"
            self._checked(work, staged, status=status)
            if status == "ready":
                return self._not_written(work, staged, is_confirmed=is_confirmed)
            return self._write(sessions, work, staged, progress, is_known=repeated is not None)

    def _write(
        self,
        sessions: Sequence[BuilderSession],
        work: Work,
        staged: Staged,
        progress: Progress,
        *,
        is_known: bool,
    ) -> _Outcome:
        written = write_staged(sessions, work, staged, progress=progress, clock=self.imports.clock)
        with sessions[0].transaction() as transaction:
            finish(transaction, work, written)
        self._end("done")
        report = _report(work, staged, written)
        return _Outcome(replace(report, is_repeated=is_known and not written.rows), is_ready=False)

    def _not_written(self, work: Work, staged: Staged, *, is_confirmed: bool) -> _Outcome:
        if is_confirmed:
            raise rejection(work.source.name, staged.problems.in_order(), count=staged.problems.count)
        return _Outcome(_report(work, staged, Written()), is_ready=True)

    def _repeated(self, work: Work, earlier: Any) -> _Outcome:
        report = ImportReport(
            work.format.entity, work.source.name, earlier["rows_read"], 0, 0, earlier["rows_read"],
            columns=_columns(work), is_repeated=True, import_id=earlier["id"],
        )  # fmt: skip
        ledger.note_repeated(
            self.imports.database, work, earlier_id=earlier["id"], report=report, now=self.imports.clock.now()
        )
        return _Outcome(report, is_ready=False)

    def _explain(self, error: ImportRejected) -> None:
        """Write the file of problems of a file of which not even the headings could be read."""
        if self.watch.problems_to is None or self.is_explained:
            return
        problems = [ImportProblem(**each) for each in error.details["problems"]]
        write_unread_file(
            self.watch.problems_to, rows=self.source.rows() if self.source else (), problems=problems
        )

    def _write_problems(self, work: Work, staged: Staged, *, is_confirmed: bool) -> None:
        if self.watch.problems_to is None:
            return
        if not staged.problems.count:
            self.watch.problems_to.unlink(missing_ok=True)
            return
        self.is_explained = True
        some_go_in = is_confirmed and work.options.is_partial
        write_problem_file(
            self.watch.problems_to,
            rows=work.source.rows(),
            survey=work.survey,
            problems=staged.problems,
            only_lines=staged.faulty_lines if some_go_in else None,
        )

    def _checked(self, work: Work, staged: Staged, *, status: str) -> None:
        ledger.note_checked(
            self.imports.database, work, staged, status=status, columns=_columns(work), now=self.imports.clock.now()
        )  # fmt: skip

    def _end(self, status: str, *, error: str | None = None, problems: ImportRejected | None = None) -> None:
        ledger.end(
            self.imports.database,
            self.builder_id,
            self.import_id,
            ledger.End(status, error, problems),
            now=self.imports.clock.now(),
        )


def import_entity(name: str) -> ImportEntity:
    """Return the entity a name means; raises InvalidInput with the names there are."""
    wanted = name.strip().lower().replace("-", "_").replace(" ", "_")
    for entity in ImportEntity:
        if wanted in (entity.value, FORMATS[entity].noun.replace(" ", "_")):
            return entity
    names = ", ".join(entity.value for entity in ImportEntity)
    raise InvalidInput(f"There is no import of {name}. Choose one of {names}.")


def _columns(work: Work) -> dict[str, str]:
    return {name: work.survey.headings[position] for name, position in work.survey.columns.items()}


def _report(work: Work, staged: Staged, written: Written) -> ImportReport:
    return ImportReport(
        entity=work.format.entity,
        file_name=work.source.name,
        rows_read=staged.rows_read,
        rows_written=written.rows,
        documents_written=written.documents,
        skipped=staged.skipped,
        problems=staged.problems.in_order(),
        problem_count=staged.problems.count,
        notes=staged.notes,
        columns=_columns(work),
        updated=staged.updated if written.documents else 0,
        left_alone=staged.left_alone,
        import_id=work.import_id,
    )
