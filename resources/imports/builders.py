"""Which builder a person means on the command line: by id, or by name."""

from __future__ import annotations

from uuid import UUID

from rapidfuzz import fuzz, process

from resources.store.database import Database
from sync.errors import InvalidInput
from sync.records import name_key

ALIKE_SCORE = 60.0


def find_builder(database: Database, said: str) -> UUID:
    """Return the builder with this id or name; raises InvalidInput with the names that come near."""
    with database.scheduler_tx() as transaction:
        builders = {row["id"]: row["name"] for row in transaction.rows("import_builders")}
    if said.lower() in builders:
        return UUID(said)
    named = [id_ for id_, name in builders.items() if name_key(name) == name_key(said)]
    if len(named) == 1:
        return UUID(named[0])
    if named:
        raise InvalidInput(f"Several builders are called {said}. Use one of their ids: {', '.join(named)}.")
    alike = process.extractOne(said, builders.values(), scorer=fuzz.WRatio, score_cutoff=ALIKE_SCORE)
    hint = f"Did you mean {alike[0]}?" if alike else "Check the name, or use the builder's id."
    raise InvalidInput(f"There is no builder {said}. {hint}")
