"""From which day on the ledger's history is brought in: what is older, closed and about nothing that is here stays there.

Money and what it pays stay together: an old payment of a document that is here comes in, and so does an old document that
money pays which is here or comes in. Without the one more would be open here than in the ledger; without the other that
money would seem to be free.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import date

from sync.outgoing import APPLIED_TO, Reference, references
from sync.records import HISTORY, Canonical, Entity
from sync.store import Work
from sync.stored import EntitySetting, LinkView


def is_left(
    link: LinkView, setting: EntitySetting, *, here: Container[Reference], paid_here: Container[str]
) -> bool:
    """Say whether their record stays in the ledger for its age; `here` are records of theirs that are linked."""
    since = setting.history_from
    if since is None or not _is_older(link, since) or link.remote_id in paid_here:
        return False
    assert link.theirs is not None
    named = (each for each in references(link.entity, link.theirs.canonical) if each[0] in HISTORY)
    return not any(each in here for each in named)


def paid_here(
    work: Work, entity: Entity, links: Sequence[LinkView], setting: EntitySetting
) -> frozenset[str]:
    """Name the older documents that money pays which is here or comes in; asked only where some would be left."""
    since = setting.history_from
    if since is None or setting.direction == "push" or entity not in (Entity.INVOICE, Entity.BILL):
        return frozenset()
    older = [link.remote_id for link in links if link.remote_id is not None and _is_older(link, since)]
    return frozenset(work.paid_since(entity, older, since=since) if older else ())


def look_at_left(
    work: Work,
    entity: Entity,
    came_in: Sequence[Canonical],
    setting: EntitySetting,
    *,
    here: Container[Reference],
) -> None:
    """Have older documents looked at again that money pays which has just come in.

    They come in with the next sync, documents before money; until then their part of that money seems to be free.
    """
    if entity not in APPLIED_TO or setting.history_from is None:
        return
    target = APPLIED_TO[entity][1]
    named = {each for theirs in came_in for each in references(entity, theirs) if each[0] is target}
    work.reopen_left(target, sorted(remote_id for _, remote_id in named if (target, remote_id) not in here))


def _is_older(link: LinkView, since: date) -> bool:
    """Say whether it is a record of theirs alone, dated before a day, on which nothing is open."""
    theirs = link.theirs
    if theirs is None or link.ours is not None or link.entity not in HISTORY:
        return False
    day: str = theirs.canonical.get("date") or ""
    return day != "" and date.fromisoformat(day) < since and not theirs.balance
