"""The census: a slow, cheap count of what the ledger has, which finds what its feeds of changes never told.

A feed forgets (QuickBooks looks back 30 days and tells at most 1,000 changes), stays silent about some changes (Xero), or
loses one. So once in a while, and at once when a feed may have missed something, every list of the provider is walked by
id, version and state alone, and compared with the mirror set-based; what differs is read one by one and stored like any
change. Nothing is believed to be gone because a list did not show it: it is asked for by its id first.

A census goes on where it stopped: each sync spends a few calls on it, and a limit or an outage only makes it wait. A list
or a record that fails again and again, while the changes beside it can be read, does not hold up the rest: it is passed
over, told to people, and tried again within a day.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
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
# How many syncs in a row try one list or record: each has just read the provider's changes, so it is no outage.
TRIES_MAX = 3
# When a census that could not read everything is followed by the next, if not sooner by itself.
UNREAD_AGAIN_AFTER = timedelta(days=1)
# What says nothing about one record or list: the census waits, or the sync ends for want of access.
ENDS_THE_SHARE = (RateLimited, AccessExpired)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the present census has come; `list` counts the provider's lists, `after` is its own place in one."""

    round: int
    begun: str
    list: int = 0
    after: str | None = None
    is_finished: bool = False
    # Entities of which a list could not be read: what is not listed says nothing about them in this census.
    passed_over: tuple[str, ...] = ()
    # Entities of which a record could not be read in this census.
    unread: tuple[str, ...] = ()
    # What the newest finished census could not read; people are told of it from here (`notices_raise`).
    told: tuple[str, ...] = ()
    # How many syncs in a row the provider gave no answer here.
    failures: int = 0

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
        every = min(provider.census_every, UNREAD_AGAIN_AFTER) if place.told else provider.census_every
        is_due = place.is_finished and now - place.begun_at >= every
        if not is_wanted and not is_due:
            return place
        place = Place(round=place.round + 1, begun=_after(now, wanted).isoformat(), told=place.told)
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
        page = _page(store, provider, name, place)
        if page is None:
            page, place = CensusPage([], None), replace(place, passed_over=_with(place.passed_over, entities))
        is_last = page.after is None
        place = replace(place, list=place.list + 1 if is_last else place.list, after=page.after, failures=0)
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
                told = _with(place.passed_over, place.unread)
                _keep(work, replace(place, is_finished=True, told=told))
                counted.is_finished = True
                return
        for entity, remote_id in differing:
            if provider.calls >= calls_end:
                return
            place = _look_into(store, provider, place, counted, entity=entity, remote_id=remote_id)


def _look_into(
    store: Store, provider: Provider, place: Place, counted: Counted, *, entity: Entity, remote_id: str
) -> Place:
    """Store a record that differs as it stands now; one that cannot be read is passed over."""
    try:
        record = provider.read(entity, remote_id)
    except ENDS_THE_SHARE:
        raise
    except SyncError as error:
        # Of an entity of which one was passed over, the next ones wait for no further sync: there may be many.
        if isinstance(error, ProviderUnavailable) and entity not in place.unread:
            _count_failure(store, place, error)
        # One record that cannot be read must not keep the census, and every sync with it, from going on.
        log.warning("census: %s %s was passed over: %s", entity, remote_id, error.user_message)
        place = replace(place, unread=_with(place.unread, (entity,)), failures=0)
        with store.work() as work:
            work.pass_over_in_census(entity, remote_id, number=place.round)
            _keep(work, place)
        return place
    with store.work() as work:
        counted.missed += work.save_mirror([record if record is not None else deleted(entity, remote_id)])
        work.check_census(entity, remote_id, version=record.version if record else None, number=place.round)
        if place.failures:
            place = replace(place, failures=0)
            _keep(work, place)
    return place


def _page(store: Store, provider: Provider, name: str, place: Place) -> CensusPage | None:
    """Return a page of a list; None where it is refused, or again and again unavailable.

    Then nothing is known of what the list holds, and no record of it is asked for one by one: the next census reads it again.
    """
    try:
        return provider.census(name, place.after)
    except ENDS_THE_SHARE:
        raise
    except SyncError as error:
        if isinstance(error, ProviderUnavailable):
            _count_failure(store, place, error)
        log.warning("census: the list %s was passed over: %s", name, error.user_message)
        return None


def _count_failure(store: Store, place: Place, error: ProviderUnavailable) -> None:
    """Note that there was no answer here, and let the next sync ask once more; return where that is enough.

    Raises:
        ProviderUnavailable: the error itself, which ends the share of this sync.
    """
    if place.failures + 1 >= TRIES_MAX:
        return
    with store.work() as work:
        _keep(work, replace(place, failures=place.failures + 1))
    raise error


def _with(names: Collection[str], more: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted({*names, *more}))
