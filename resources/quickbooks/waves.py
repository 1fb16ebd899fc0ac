"""Which writes of one call wait for others of it: an account below another can only be sent once that one is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resources.quickbooks.catalogue import TITLE
from sync.errors import ProviderUnavailable
from sync.ports import NotSent, Rejected, Unknown, Write, WriteOutcome
from sync.records import Entity
from sync.unknown import NOT_LOOKED_AT


def waves(writes: Sequence[Write]) -> list[dict[int, int | None]]:
    """Return waves to be sent one after the other: the place of each write → that of the account it lies below."""
    made = {
        _path(write): place
        for place, write in enumerate(writes)
        if write.entity is Entity.ACCOUNT and write.operation not in ("void", "delete")
    }
    above = {place: made.get(path.rpartition(":")[0].strip()) for path, place in made.items()}
    found: list[dict[int, int | None]] = []
    for place in range(len(writes)):
        depth, upper = 0, above.get(place)
        while upper is not None:
            depth, upper = depth + 1, above[upper]
        while len(found) <= depth:
            found.append({})
        found[depth][place] = above.get(place)
    return found


def waiting_in(
    wave: Mapping[int, int | None], outcomes: Mapping[int, WriteOutcome]
) -> dict[int, WriteOutcome]:
    """Return what is not sent of a wave, because nobody knows yet whether the account above will be there."""
    return {
        place: _waiting_for(outcomes[above])
        for place, above in wave.items()
        if above is not None and _is_in_doubt(outcomes[above])
    }


def _waiting_for(above: WriteOutcome) -> WriteOutcome:
    """Return the outcome of a write that was kept back: it goes with the account above, or is tried by itself later."""
    if isinstance(above, NotSent):
        return above
    reason = "it did not confirm earlier records, so this one was not sent"
    return Rejected(ProviderUnavailable(provider=TITLE, reason=reason))


def _is_in_doubt(outcome: WriteOutcome) -> bool:
    if isinstance(outcome, Rejected):
        return isinstance(outcome.error, NOT_LOOKED_AT)
    return isinstance(outcome, Unknown | NotSent)


def _path(write: Write) -> str:
    return ":".join(part.strip() for part in str(write.canonical["name"]).casefold().split(":"))
