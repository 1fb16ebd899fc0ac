"""A folder into which people put files to import: FOLDER/<builder>/<file>, or FOLDER/<builder>/<what it holds>/<file>.

What a file holds is said by its folder or by the beginning of its name ("bills march.csv"). A file that went in moves to
`imported`, any other to `not imported`, with a report in words and the rows to correct beside it. One file never stops
the others.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import structlog

from resources.imports.importer import Imports, Watch
from sync.errors import ImportRejected, SyncError
from sync.imports.formats import FORMATS, ImportEntity
from sync.imports.options import ImportOptions
from sync.imports.problems import ImportProblem
from sync.records import name_key

DONE = "imported"
LEFT = "not imported"
# A file that somebody is still copying grows; one that was left alone for a moment does not.
SETTLED_SECONDS = 5.0
REPORT_PROBLEMS_MAX = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file that waits in the folder, and what it seems to hold; None where nothing says so."""

    path: Path
    entity: ImportEntity | None


@dataclass(frozen=True, slots=True)
class DropReport:
    """What became of one file."""

    file_name: str
    entity: str
    is_imported: bool
    documents: int
    sentence: str
    problems: Sequence[ImportProblem] = field(default_factory=tuple)
    problem_count: int = 0


def waiting(folder: Path, *, now: float | None = None) -> list[Dropped]:
    """Return the files of one builder's folder that nobody is writing any more, in the order of what depends on what."""
    until = (time.time() if now is None else now) - SETTLED_SECONDS
    order = list(ImportEntity)
    found = [each for each in _files(folder) if each.path.stat().st_mtime <= until]
    return sorted(
        found, key=lambda each: (order.index(each.entity) if each.entity else len(order), each.path.name)
    )


def builder_folders(folder: Path, builders: Mapping[str, str]) -> dict[str, Path]:
    """Return the folders that belong to a builder, by its id; a folder is named by the builder's id or name.

    A name that several builders have belongs to none of them: their folders are named by the id.
    """
    if not folder.is_dir():
        return {}
    keys = Counter(name_key(name) for name in builders.values())
    known = {name_key(name): builder_id for builder_id, name in builders.items()}
    found = {}
    for child in sorted(folder.iterdir()):
        if child.name.lower() not in builders and keys[name_key(child.name)] > 1:
            # Nobody gets what may be another one's files.
            log.warning(
                "drop_folder_name_not_unique", folder=child.name, remedy="name it by the builder's id"
            )
            continue
        builder_id = child.name.lower() if child.name.lower() in builders else known.get(name_key(child.name))
        if child.is_dir() and builder_id is not None:
            found[builder_id] = child
    return found


def take_in(
    imports: Imports, builder_id: UUID, folder: Path, *, now: float | None = None
) -> list[DropReport]:
    """Import what waits in one builder's folder and move every file to where it belongs."""
    return [_take(imports, builder_id, folder, each) for each in waiting(folder, now=now)]


def _files(folder: Path) -> Iterator[Dropped]:
    for child in sorted(folder.iterdir()):
        if child.name in (DONE, LEFT) or child.name.startswith("."):
            continue
        if child.is_file():
            yield Dropped(child, _entity(child.stem))
        elif child.is_dir():
            entity = _entity(child.name)
            yield from (
                Dropped(file, entity or _entity(file.stem))
                for file in sorted(child.iterdir())
                if file.is_file() and not file.name.startswith(".")
            )


def _entity(name: str) -> ImportEntity | None:
    """Return what a name begins with: "Bills March", "journal-entries 2026"; the longest word that fits."""
    said = name.lower().replace("-", "_").replace(" ", "_")
    words = {
        word: entity
        for entity in ImportEntity
        for word in (entity.value, FORMATS[entity].noun.replace(" ", "_"))
    }
    fitting = [word for word in words if said == word or said.startswith((f"{word}_", f"{word}."))]
    return words[max(fitting, key=len)] if fitting else None


def _take(imports: Imports, builder_id: UUID, folder: Path, dropped: Dropped) -> DropReport:
    path = dropped.path
    if dropped.entity is None:
        said = (
            f"{path.name}: nothing says what it holds. Put it into a folder such as {ImportEntity.BILLS.value},"
            " or begin its name with the word."
        )
        _move(path, folder / LEFT, said=[said])
        return DropReport(path.name, "", is_imported=False, documents=0, sentence=said)
    problems_to = folder / LEFT / f"{path.stem}.problems.csv"
    try:
        report = imports.import_file(
            builder_id, dropped.entity, path, imported_by="drop folder", options=ImportOptions(),
            watch=Watch(problems_to=problems_to),
        )  # fmt: skip
    except ImportRejected as error:
        problems = [ImportProblem(**each) for each in error.details["problems"]]
        sentences = [each.sentence for each in problems[:REPORT_PROBLEMS_MAX]]
        _move(path, folder / LEFT, said=[error.user_message, *sentences])
        return DropReport(
            path.name, dropped.entity.value, is_imported=False, documents=0, sentence=error.user_message,
            problems=problems, problem_count=error.details["count"],
        )  # fmt: skip
    except SyncError as error:
        _move(path, folder / LEFT, said=[error.user_message])
        return DropReport(
            path.name, dropped.entity.value, is_imported=False, documents=0, sentence=error.user_message
        )
    _move(path, folder / DONE, said=[report.sentence, *report.notes])
    return DropReport(
        path.name, dropped.entity.value, is_imported=True, documents=report.documents_written, sentence=report.sentence
    )  # fmt: skip


def _move(path: Path, to: Path, *, said: Sequence[str]) -> None:
    """Move a file and put the report beside it; a name that is taken gets a number."""
    to.mkdir(parents=True, exist_ok=True)
    target, number = to / path.name, 1
    while target.exists():
        number += 1
        target = to / f"{path.stem} ({number}){path.suffix}"
    path.rename(target)
    (to / f"{target.name}.txt").write_text("\n".join(said) + "\n", encoding="utf-8")
