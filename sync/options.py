"""Keeping options in step: what jobs, cost codes and cost types are in the ledger's own lists.

Before documents are sent, the options their lines need are found by name or made; options follow when a job or code is
renamed, and are archived when it is closed and nothing of it waits to be sent. Every write is noted before the call
and settled after it. A lost answer makes no double: the ledger keeps one entry of a name, and the name is looked for
before anything is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sync.dimensions import LIST_WORDS, Dimension, Option, Place, option_name
from sync.errors import OutcomeUnknown, RejectedByProvider, VersionMoved
from sync.mapping import MappingTable
from sync.ports import Listed, Listing, NewOption, OptionBook, OptionChange
from sync.records import name_key
from sync.store import Store, Work
from sync.stored import OptionSubject


@dataclass(frozen=True, slots=True)
class Want:
    """One subject of one dimension: how it stands here, its option if it has one, and whether lines wait for it."""

    dimension: Dimension
    subject: OptionSubject
    option: Option | None

    @property
    def name(self) -> str:
        """What the option shall be called."""
        named = self.option.named if self.option is not None else None
        return option_name(named or self.subject.label)

    @property
    def is_ready(self) -> bool:
        """Whether a line can carry it now."""
        return self.option is not None and self.option.state == "ready" and self.option.remote_id is not None

    @property
    def is_to_end(self) -> bool:
        """Whether its job or code is closed and nothing of it waits."""
        return self.is_ready and not self.subject.is_open and not self.subject.is_pending

    @property
    def is_behind(self) -> bool:
        """Whether the ledger has to hear of something about it."""
        if not self.is_ready:
            return self.subject.is_pending
        assert self.option is not None
        has_moved = self.dimension.place.list == "sub_customer" and (
            self.subject.parent_id not in (None, self.option.parent_id)
        )
        is_item = self.dimension.place.list == "item" and self.subject.is_pending
        return self.option.label != self.subject.label or has_moved or is_item or self.is_to_end


def wants(work: Work, dimensions: Sequence[Dimension]) -> list[Want]:
    """Return what has to be done about options before the documents that wait can be sent."""
    if not dimensions:
        return []
    options = {option.key: option for option in work.options()}
    found = [
        Want(dimension, subject, options.get((dimension.place, subject.id)))
        for dimension in dimensions
        for subject in work.option_subjects(dimension)
    ]
    return [want for want in found if want.is_behind]


class OptionKeeper:
    """Carries out what options need, list by list."""

    def __init__(self, store: Store, book: OptionBook, *, mapping: MappingTable, actor: str) -> None:
        self._store = store
        self._book = book
        self._mapping = mapping
        self._actor = actor
        self._title = store.facts.provider_title

    def carry_out(self, todo: Sequence[Want]) -> None:
        """Do what is to be done; what the ledger refuses is kept with its sentence, and holds the lines that need it.

        Raises AccessExpired, RateLimited or ProviderUnavailable; what was settled before stays settled.
        """
        places: dict[Place, list[Want]] = {}
        for want in todo:
            places.setdefault(want.dimension.place, []).append(want)
        for place, members in places.items():
            listing = self._listing(place, members)
            if listing is not None:
                # What ends makes room for what begins.
                for want in sorted(members, key=lambda each: (not each.is_to_end, not each.is_ready)):
                    self._one(want, listing)

    def _listing(self, place: Place, members: Sequence[Want]) -> _Shelf | None:
        try:
            listing = self._book.listing(place)
            if listing.problem is None and listing.list_id is None and place.category:
                listing = self._book.open_list(place, request_id=self._request(place.category, "list"))
            problem = listing.problem
        except RejectedByProvider as error:
            listing, problem = None, error.user_message
        except OutcomeUnknown as error:
            listing, problem = None, error.user_message
        if listing is None or problem is not None:
            for want in members:
                self._refuse(want, str(problem))
            return None
        with self._store.work() as work:
            taken = {
                str(each.remote_id): each for each in work.options() if each.place == place and each.is_there
            }
        return _Shelf(listing, {one.remote_id: one for one in listing.options}, taken)

    def _one(self, want: Want, shelf: _Shelf) -> None:
        try:
            if want.is_ready:
                self._follow(want, shelf)
            else:
                self._provide(want, shelf)
        except (RejectedByProvider, VersionMoved) as error:
            self._refuse(want, error.user_message)
        except OutcomeUnknown as error:
            # It stays as it is and is looked for by its name the next time.
            self._refuse(want, error.user_message, is_unknown=True)

    # ------------------------------------------------------------------ what is new

    def _provide(self, want: Want, shelf: _Shelf) -> None:
        place = want.dimension.place
        if place.list == "sub_customer" and want.subject.parent_id is None:
            self._refuse(
                want,
                f"the job has no client that is in {self._title}; choose the job's client, which is sent first",
            )
            return
        accounts = self._accounts(want)
        if accounts is not None and not accounts:
            # The line waits for its account anyway.
            return
        found = shelf.known(want.option) or shelf.named(
            want.name, parent_id=want.subject.parent_id if place.list == "sub_customer" else None
        )
        if found is not None and found.remote_id in shelf.taken:
            other = shelf.taken[found.remote_id]
            if other.subject_id != want.subject.id:
                reason = f"{other.label} already is the {LIST_WORDS[place.list]} “{found.name}”; rename one of the two"
                self._refuse(want, reason)
                return
        if (found is None or not found.is_active) and shelf.is_full:
            self._refuse(want, self._full(place, shelf))
            return
        if found is None:
            self._make(want, shelf, accounts)
            return
        if not found.is_active or _lacks(found, accounts):
            found = self._change(
                want, shelf, found, OptionChange(is_active=True, accounts=_missing(found, accounts))
            )
        self._settle(want, shelf, found, action="found")

    def _make(self, want: Want, shelf: _Shelf, accounts: Mapping[str, str] | None) -> None:
        self._note(want)
        new = NewOption(
            name=want.name,
            list_id=shelf.listing.list_id,
            parent_id=want.subject.parent_id if want.dimension.place.list == "sub_customer" else None,
            accounts=accounts or {},
        )
        # Named after the entry it had before, if any: the ledger would answer a repeated request with that one.
        had = [want.option.remote_id] if want.option is not None and want.option.remote_id is not None else []
        request = self._request(want.subject.id, "create", want.name, *had)
        made = self._book.create(want.dimension.place, new, request_id=request)
        self._settle(want, shelf, made, action="created")

    # ------------------------------------------------------------------ what changed

    def _follow(self, want: Want, shelf: _Shelf) -> None:
        assert want.option is not None
        assert want.option.remote_id is not None
        present = shelf.by_id.get(want.option.remote_id)
        if present is None:
            # Somebody deleted it there: it is found or made anew when a line needs it.
            gone = self._forget(want)
            if want.subject.is_pending:
                self._provide(replace(want, option=gone), shelf)
            return
        if want.is_to_end:
            self._end(want, shelf, present)
            return
        accounts = self._accounts(want)
        has_moved_on = want.option.label != want.subject.label and present.name != want.name
        is_renamed = has_moved_on and want.option.is_made
        change = OptionChange(
            name=want.name if is_renamed else None,
            is_active=None if present.is_active else True,
            parent_id=want.subject.parent_id
            if present.parent_id is not None and present.parent_id != want.subject.parent_id
            else None,
            accounts=_missing(present, accounts),
        )
        if change.is_nothing:
            if want.option.label != want.subject.label or want.option.parent_id != present.parent_id:
                self._settle(want, shelf, present, action=None)
            return
        changed = self._change(want, shelf, present, change)
        self._settle(want, shelf, changed, action="renamed" if is_renamed else "changed")

    def _end(self, want: Want, shelf: _Shelf, present: Listed) -> None:
        """Let lines carry it no more; what the bookkeeper made stays in use there for what else it stands for."""
        assert want.option is not None
        if not want.option.is_made:
            self._settle(want, shelf, present, action=None, is_over=True)
            return
        if present.is_active:
            present = self._change(want, shelf, present, OptionChange(is_active=False))
        self._settle(want, shelf, present, action="archived")

    def _change(self, want: Want, shelf: _Shelf, present: Listed, change: OptionChange) -> Listed:
        request = self._request(
            want.subject.id, "change", present.remote_id, str(present.version), repr(change)
        )
        return self._book.change(
            want.dimension.place, present, change, list_id=shelf.listing.list_id, request_id=request
        )

    # ------------------------------------------------------------------ keeping it

    def _note(self, want: Want) -> None:
        """Say in the database what is about to be made; a process that dies now leaves a name to look for."""
        with self._store.work() as work:
            work.save_option(self._option(want, state="making"), actor=self._actor, action=None)

    def _settle(
        self, want: Want, shelf: _Shelf, listed: Listed, *, action: str | None, is_over: bool = False
    ) -> None:
        option = replace(
            self._option(want, state="ready" if listed.is_active and not is_over else "archived"),
            is_made=action == "created" or _made(want.option, listed),
            name=listed.name,
            remote_id=listed.remote_id,
            list_id=shelf.listing.list_id,
            parent_id=listed.parent_id,
        )
        shelf.by_id[listed.remote_id] = listed
        shelf.taken[listed.remote_id] = option
        with self._store.work() as work:
            work.save_option(option, actor=self._actor, action=action)
        self._book.know([option])

    def _refuse(self, want: Want, reason: str, *, is_unknown: bool = False) -> None:
        message = reason.rstrip(".")
        if want.is_ready and want.option is not None:
            # Lines can go on carrying it as it is.
            option = replace(want.option, message=message)
        else:
            state = self._option(want, state="making" if is_unknown else "refused")
            option = replace(state, message=message)
        with self._store.work() as work:
            work.save_option(option, actor=self._actor, action=None)

    def _forget(self, want: Want) -> Option:
        gone = replace(self._option(want, state="refused"), message="it was deleted there")
        with self._store.work() as work:
            work.save_option(gone, actor=self._actor, action="gone")
        return gone

    def _option(self, want: Want, *, state: str) -> Option:
        before = want.option
        return Option(
            place=want.dimension.place,
            subject=want.dimension.subject,
            subject_id=want.subject.id,
            label=want.subject.label,
            name=want.name,
            state=state,  # type: ignore[arg-type]  # one of OptionState, by the callers above
            named=before.named if before is not None else None,
            is_made=before.is_made if before is not None else False,
            remote_id=before.remote_id if before is not None else None,
        )

    def _accounts(self, want: Want) -> Mapping[str, str] | None:
        """Return the accounts an item posts to by the mapping; None for lists without accounts."""
        if want.dimension.place.list != "item":
            return None
        income = self._mapping.lookup("revenue", want.subject.id)
        expense = self._mapping.lookup("cost_code", want.subject.id)
        sides = {"income": income, "expense": expense}
        return {side: account for side, account in sides.items() if account is not None}

    def _full(self, place: Place, shelf: _Shelf) -> str:
        return (
            f"all {shelf.listing.options_max} options of the tracking category “{place.category}” are in use and none of"
            " them belongs to a closed job; close jobs that are finished (the next sync archives their options), archive"
            f" options in {self._title} that are not needed, or let jobs and codes become something else in the"
            " connection's dimensions"
        )

    def _request(self, *parts: str) -> str:
        text = "|".join((self._store.facts.connection_id, "option", *parts))
        return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Shelf:
    """One list of the ledger while it is worked on."""

    listing: Listing
    by_id: dict[str, Listed]
    # Whose option an entry is already.
    taken: dict[str, Option]

    @property
    def is_full(self) -> bool:
        most = self.listing.options_max
        return most is not None and sum(one.is_active for one in self.by_id.values()) >= most

    def known(self, before: Option | None) -> Listed | None:
        """Return the entry that it was until its subject was closed, whatever it is called there."""
        was_it = before is not None and before.state == "archived" and before.remote_id is not None
        return self.by_id.get(str(before.remote_id)) if before is not None and was_it else None

    def named(self, name: str, *, parent_id: str | None) -> Listed | None:
        """Return the entry of this name, an active one first."""
        same = [one for one in self.by_id.values() if name_key(one.name) == name_key(name)]
        fitting = [one for one in same if parent_id is None or one.parent_id == parent_id]
        return min(fitting, key=lambda one: (not one.is_active, one.remote_id), default=None)


def _made(before: Option | None, listed: Listed) -> bool:
    """Say whether an entry is one that we made: known as such, or left behind by an answer that was lost."""
    if before is None:
        return False
    return before.state == "making" or (before.is_made and before.remote_id == listed.remote_id)


def _missing(present: Listed, accounts: Mapping[str, str] | None) -> Mapping[str, str]:
    return {side: account for side, account in (accounts or {}).items() if side not in present.accounts}


def _lacks(present: Listed, accounts: Mapping[str, str] | None) -> bool:
    return bool(_missing(present, accounts))
