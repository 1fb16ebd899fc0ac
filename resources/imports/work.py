"""One import under way: what it is about, and how far it is, told often enough for people and seldom enough for the work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from resources.imports.sources import Source
from resources.store.database import Database
from sync.clock import Clock
from sync.imports.formats import Format
from sync.imports.options import ImportOptions
from sync.imports.refusals import ImportCancelled
from sync.imports.survey import SourceRow, Survey

ROWS_BETWEEN_LOOKS = 2_000
# A process that has said nothing for so long is gone.
SILENCE = timedelta(seconds=60)

# Which part is under way ("reading", "checking", "writing"), how much of it is done, and of how much.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is done at once, and how often it is told."""

    # Rows of the file per transaction: large enough that a commit is nothing beside it, small enough that a cancel is
    # soon heard and a killed process loses little.
    chunk_rows: int = 20_000
    # How often the work is told and looks whether it shall end.
    told_seconds: float = 1.0
    # From this size on a file is spread over two sessions of the database.
    shared_from_bytes: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """One file on its way in."""

    builder_id: UUID
    import_id: str
    format: Format
    source: Source
    survey: Survey
    options: ImportOptions
    imported_by: str


class Progress:
    """Tells how far an import is, in its row and to whoever started it; raises ImportCancelled where somebody said stop."""

    def __init__(
        self,
        database: Database,
        *,
        builder_id: UUID,
        import_id: str,
        file_name: str,
        clock: Clock,
        on_progress: OnProgress | None,
        pace: Pace,
    ) -> None:
        """Begin with nothing read."""
        self.database = database
        self._builder_id = builder_id
        self._import_id = import_id
        self._file_name = file_name
        self._clock = clock
        self._on_progress = on_progress
        self._told_at = 0.0
        self.pace = pace
        self.rows_read = 0

    def reading(self, rows: Iterable[SourceRow], *, part: str = "reading") -> Iterator[SourceRow]:
        """Pass rows on and count them."""
        for count, row in enumerate(rows, start=1):
            if count % ROWS_BETWEEN_LOOKS == 0:
                self.rows_read = count
                self.look(part, count, 0)
            yield row

    def look(self, part: str, done: int, of: int) -> None:
        """Say how far it is, if it was not said a moment ago."""
        now = time.monotonic()
        if now - self._told_at < self.pace.told_seconds:
            return
        self._told_at = now
        self.tell(part, done, of)

    def tell(self, part: str, done: int, of: int) -> None:
        """Say how far it is, and hear whether it shall end."""
        if self._on_progress is not None:
            self._on_progress(part, done, of)
        with self.database.builder_tx(self._builder_id) as transaction:
            is_cancelled = transaction.value(
                "import_file_alive",
                builder_id=self._builder_id,
                import_id=self._import_id,
                rows_read=self.rows_read,
                now=self._clock.now(),
            )
        if is_cancelled:
            raise ImportCancelled(file=self._file_name)
