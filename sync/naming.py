"""Names instead of ids: what a provider's refusal calls by its id is called by the name we know it under."""

from __future__ import annotations

from dataclasses import dataclass

from sync.causes import NAMED
from sync.errors import SyncError
from sync.records import Entity
from sync.store import Work

# What stands in many records, so that mending it mends all of them.
_MENDED = frozenset({Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR})


@dataclass(frozen=True, slots=True)
class ById:
    """Words of a sentence that name a record of the ledger by its id, and what kinds of record it can be."""

    phrase: str
    kinds: tuple[Entity, ...]
    remote_id: str


def with_names(work: Work, error: SyncError) -> SyncError:
    """Return the error with names in its sentence where the mirror knows them, and with what is to be mended noted in its details."""
    found = error.details.pop("by_id", None)
    if not isinstance(found, ById):
        return error
    if set(found.kinds) <= _MENDED:
        error.details[NAMED] = (
            f"{found.kinds[0].value if len(found.kinds) == 1 else 'party'}:{found.remote_id}"
        )
    names = work.their_names([(kind, found.remote_id) for kind in found.kinds])
    if len(names) == 1:
        (name,) = names.values()
        error.user_message = error.user_message.replace(found.phrase, f"“{name}”")
    return error
