"""The census: a slow, cheap count of what the ledger has, which finds what its feeds of changes never told.

A feed forgets (QuickBooks looks back 30 days and tells at most 1,000 changes), stays silent about some changes (Xero), or
loses one. So once in a while, and at once when a feed may have missed something, every list of the provider is walked by
id, version and state alone, and compared with the mirror set-based; what differs is read one by one and stored like any
change. Nothing is believed to be gone because a list did not show it: it is asked for by its id first.

A census goes on where it stopped: each sync spends a few calls on it, and a limit or an outage only makes it wait.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sync.clock import Clock
from sync.errors import AccessExpired, ProviderUnavailable, RateLimited, SyncError
from sync.ports import CensusPage, Provider
from sync.pushed import deleted
from sync.records import Entity
from sync.store import Store, Work

CENSUS_STREAM = "census"
# Set by a look at the changes that may have missed some.
WANTED_STREAM = "census wanted"
CALLS_PER_SYNC_MAX = 12
DIFFERENCES_ROWS_MAX = 200
# What says nothing about one record or list: the census waits, or the sync ends for want of access.
ENDS_THE_SHARE = (RateLimited, ProviderUnavailable, AccessExpired)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the present census has come; `list` counts the provider's lists, `after` is its own place in one."""

    round: int
    begun: str
    list: int = 0
    after: str | None = None
    is_finished: bool = False
    # Entities of which a list was refused: what is not listed says nothing about them in this census.
    passed_over: tuple[str, ...] = ()

    @property
    def begun_at(self) -> datetime:
        """When the present census began."""
        return datetime.fromisoformat(self.begun)


@dataclass(slots=True)
class Counted:
    """What one sync's share of a census did."""

    rows: int = 0
    # Records that the feed of changes had not told of.
    missed: int = 0
    is_finished: bool = False


def go_on(store: Store, provider: Provider, *, clock: Clock, place: Place | None = None) -> Counted:
    """Spend a few calls on the census, if one is under way or due; `place` is where, if that was found out just now."""
    counted = Counted()
    if place is None:
        with store.work() as work:
            place = place_of(work, provider, now=clock.now())
    if place.is_finished:
        return counted
    try:
        _walk(store, provider, place, counted, calls_end=provider.calls + CALLS_PER_SYNC_MAX)
    except (RateLimited, ProviderUnavailable):
        # Not worth ending a sync for: the place is kept, and the next sync goes on from there.
        return counted
    return counted


def want(work: Work, *, now: datetime) -> None:
    """Note that the feed of changes may have missed some; belongs into the transaction that moves its cursor."""
    work.move_cursor(WANTED_STREAM, now.isoformat())


def place_of(work: Work, provider: Provider, *, now: datetime) -> Place:
    """Return where to go on, beginning anew where a census is due; the first full load counts as one."""
    kept, wanted = work.cursor(CENSUS_STREAM), work.cursor(WANTED_STREAM)
    if kept is None:
        place = Place(round=1, begun=now.isoformat(), is_finished=wanted is None)
    else:
        place = Place(**json.loads(kept))
        is_wanted = wanted is not None and datetime.fromisoformat(wanted) >= place.begun_at
        is_due = place.is_finished and now - place.begun_at >= provider.census_every
        if not is_wanted and not is_due:
            return place
        place = Place(round=place.round + 1, begun=_after(now, wanted).isoformat())
    _keep(work, place)
    return place


def _after(now: datetime, wanted: str | None) -> datetime:
    # Begun after it was wanted, or it would be wanted for ever where both happen in one moment.
    return now if wanted is None else max(now, datetime.fromisoformat(wanted) + timedelta(microseconds=1))


def _keep(work: Work, place: Place) -> None:
    work.move_cursor(CENSUS_STREAM, json.dumps(asdict(place)))


def _walk(store: Store, provider: Provider, place: Place, counted: Counted, *, calls_end: int) -> None:
    lists = list(provider.census_lists.items())
    while place.list < len(lists):
        if provider.calls >= calls_end:
            return
        name, entities = lists[place.list]
        page = _page(provider, name, place.after)
        if page is None:
            passed_over = {*place.passed_over, *entities}
            page, place = CensusPage([], None), replace(place, passed_over=tuple(sorted(passed_over)))
        is_last = page.after is None
        place = replace(place, list=place.list + 1 if is_last else place.list, after=page.after)
        with store.work() as work:
            work.count_census(page.rows, number=place.round)
            _keep(work, place)
        counted.rows += len(page.rows)
    while provider.calls < calls_end:
        with store.work() as work:
            differing = work.census_differences(
                number=place.round,
                begun_at=place.begun_at,
                rows_max=DIFFERENCES_ROWS_MAX,
                without=[Entity(name) for name in place.passed_over],
            )
            if not differing:
                work.end_census(number=place.round)
                _keep(work, replace(place, is_finished=True))
                counted.is_finished = True
                return
        for entity, remote_id in differing:
            if provider.calls >= calls_end:
                return
            try:
                record = provider.read(entity, remote_id)
            except ENDS_THE_SHARE:
                raise
            except SyncError as error:
                # One record that cannot be read must not keep the census, and every sync with it, from going on.
                log.warning("census: %s %s was passed over: %s", entity, remote_id, error.user_message)
                with store.work() as work:
                    work.check_census(entity, remote_id, version=None, number=place.round)
                continue
            with store.work() as work:
                counted.missed += work.save_mirror(
                    [record if record is not None else deleted(entity, remote_id)]
                )
                work.check_census(
                    entity, remote_id, version=record.version if record else None, number=place.round
                )


def _page(provider: Provider, name: str, after: str | None) -> CensusPage | None:
    """Return a page of a list; None where it is refused.

    Then nothing is known of what the list holds, and no record of it is asked for one by one: the next census reads it again.
    """
    try:
        return provider.census(name, after)
    except ENDS_THE_SHARE:
        raise
    except SyncError as error:
        log.warning("census: the list %s was passed over: %s", name, error.user_message)
        return None
