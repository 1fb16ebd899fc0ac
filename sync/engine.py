"""One sync of one connection: look, compare, carry out, prove. The same steps for every provider and every trigger.

The engine promises: nothing is decided from an event, only from what differs now; a write is preceded by a stored
attempt and never repeated blindly; no transaction is open while a provider is called; one record's trouble is that
record's trouble only. Lost access, a rate limit or an unreachable provider end the step (the caller shows why), and
the next sync finds the same differences again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice

from sync import census, options, pushing, settling, taking
from sync.clock import Clock
from sync.compare import Verdict
from sync.dimensions import DOCUMENTS
from sync.errors import DocumentInvalid, Held, Remedy, SyncError, VersionMoved
from sync.judge import Context, Judged, conflict_data, conflict_names, judge, load_context
from sync.outcomes import Recorder
from sync.periods import DATED
from sync.ports import Provider
from sync.records import SYNC_ORDER, Direction, Entity
from sync.store import Store, Work
from sync.stored import LinkView, Settlement
from sync.summary import EntitySummary, PullSummary, TieOut
from sync.tie_out import tie_out

CHANGES_STREAM = "changes"
SWEEP_STREAM = "sweep"
SWEEP_EVERY = timedelta(days=1)
BATCH_LINKS_MAX = 300
# So few new records make no plan wrong: they are matched in the transaction that took them in.
ABSORBED_AND_MATCHED_MAX = 50
# A link may need a second look within one sync: a merge is then sent, a moved version is compared again.
PASSES_MAX = 4


class ConnectionSync:
    """The steps of one sync of one connection, in the order of `sync.records.SYNC_ORDER`."""

    def __init__(
        self, *, store: Store, provider: Provider, clock: Clock, actor: str, direction: Direction = "both"
    ) -> None:
        """Take what the steps work with; nothing is called yet. What the direction leaves out stays a difference."""
        self._direction = direction
        self._store = store
        self._provider = provider
        self._clock = clock
        self._actor = actor
        self._knows_closing_date = False
        self._knows_options = False
        # The last proof, where the look at all entities found nothing to do in any since.
        self._standing: TieOut | None = None

    @property
    def was_quiet(self) -> bool:
        """Whether the last look at all entities found nothing to do in any, and the last proof still standing."""
        return self._standing is not None

    @property
    def provider_calls(self) -> int:
        """How many provider calls this sync has made."""
        return self._provider.calls

    def pull_changes(self, *, with_census: bool = True) -> PullSummary:
        """Bring everything the provider changed since the last look into the mirror, and go on with its census."""
        summary = PullSummary()
        self._standing = None
        with self._store.work(is_brief=True) as work:
            self._sweep(work)
            cursor = work.cursor(CHANGES_STREAM)
            self._know_options(work)
        summary.is_full = cursor is None
        place: census.Place | None = None
        for page in self._provider.changes(cursor):
            # The cursor moves in the transaction that stores the last page, never before it.
            with self._store.work() as work:
                summary.changed += work.save_mirror(page.records)
                if page.cursor is not None:
                    work.move_cursor(CHANGES_STREAM, page.cursor)
                place = None
                if page.may_miss:
                    census.want(work, now=self._clock.now())
                if page.cursor is not None and with_census:
                    # The last page, as a rule: one transaction less for a builder of whom nothing is to be counted.
                    place = census.place_of(work, self._provider, now=self._clock.now())
            summary.read += len(page.records)
            for record in page.records:
                summary.by_entity[record.entity] = summary.by_entity.get(record.entity, 0) + 1
                summary.deleted += record.state == "deleted"
        if with_census:
            counted = census.go_on(self._store, self._provider, clock=self._clock, place=place)
            summary.counted, summary.missed = counted.rows, counted.missed
        summary.provider_calls = self._provider.calls
        return summary

    def _sweep(self, work: Work) -> None:
        """Once a day look at every platform record again: a change that nobody noted is found all the same."""
        now, last = self._clock.now(), work.cursor(SWEEP_STREAM)
        if last is not None and now - datetime.fromisoformat(last) < SWEEP_EVERY:
            return
        if last is not None:
            for entity in SYNC_ORDER:
                work.note_all(entity)
        work.move_cursor(SWEEP_STREAM, now.isoformat())

    def sync_entity(self, entity: Entity) -> EntitySummary:
        """Bring one entity into agreement: settle unknown outcomes, match, compare, then apply or push."""
        summary = EntitySummary(entity)
        self._standing = None
        with self._store.work() as work:
            setting = work.entity_setting(entity)
            summary.is_enabled = setting.is_enabled
            if not setting.is_enabled:
                return summary
            recorder = Recorder(work, summary)
            recorder.begin(entity, "pull" if setting.direction == "pull" else "push")
            # What has changed is matched in a transaction of its own: a thousand new rows need new statistics first.
            is_few = work.absorb(entity) <= ABSORBED_AND_MATCHED_MAX
            todo = self._first_look(work, entity) if is_few else None
            behind = self._options_behind(work, entity)
            if todo == [] and not behind:
                # The usual case costs one transaction; a builder is looked at every quarter of an hour.
                recorder.finish(work, error=None)
                return summary
            self._know_options(work)
        try:
            self._keep_options(behind)
            if todo is None:
                settling.settle_unknown(
                    self._store,
                    self._provider,
                    entity,
                    recorder=recorder,
                    now=self._clock.now(),
                    actor=self._actor,
                    direction=self._direction,
                )
            self._passes(entity, recorder, todo or None)
        except SyncError as error:
            with self._store.work() as work:
                recorder.finish(work, error=error.user_message)
            raise
        return summary

    def sync_all(self) -> tuple[PullSummary, list[EntitySummary], TieOut]:
        """Do every step once, in order."""
        pulled = self.pull_changes()
        return pulled, list(self.sync_entities()), self.tie_out()

    def sync_entities(self) -> Iterator[EntitySummary]:
        """Bring all entities into agreement, in order; where nothing is to be done at all, one look says so for all."""
        with self._store.work(is_brief=True) as work:
            # A job may have been renamed or closed though no document differs.
            behind = self._options_behind(work, DOCUMENTS[0])
            quiet = None if behind else work.quiet(now=self._clock.now())
            if quiet is not None:
                work.quiet_logs({entity: "pull" if way == "pull" else "push" for entity, way in quiet})
                # The proof is asked for next: it stands too, as a rule.
                self._standing = work.last_tie_out()
        if quiet is None:
            yield from (self.sync_entity(entity) for entity in SYNC_ORDER)
            return
        enabled = {entity for entity, _ in quiet}
        for entity in SYNC_ORDER:
            yield EntitySummary(entity, is_enabled=entity in enabled)

    def tie_out(self) -> TieOut:
        """Prove that counts and sums agree; without a change since the last proof, that one still stands."""
        if self._standing is not None:
            return self._standing
        with self._store.work() as work:
            last = work.last_tie_out()
            until = work.last_document_date() if last is None else None
        if last is not None:
            return last
        # Documents are summed whatever their date, next year's too.
        balances = self._provider.trial_balance(until=until)
        with self._store.work() as work:
            proof = tie_out(work.tie_out_sums(), balances)
            work.save_tie_out(proof)
        return proof

    # ------------------------------------------------------------------ what lines carry

    def _options_behind(self, work: Work, entity: Entity) -> list[options.Want]:
        is_sent = entity in DOCUMENTS and self._direction != "pull" and self._provider.book is not None
        return options.wants(work, self._store.facts.dimensions) if is_sent else []

    def _know_options(self, work: Work) -> None:
        """Tell the provider, once per opening, which entries are ours; makes no call."""
        # No pull may have come before; and with every dimension off, what is on a job is its client's still.
        if self._knows_options or self._provider.book is None:
            return
        self._provider.book.know(work.options())
        self._knows_options = True

    def _keep_options(self, todo: Sequence[options.Want]) -> None:
        if not todo or self._provider.book is None:
            return
        with self._store.work() as work:
            mapping = work.mapping()
            known = work.options()
        self._provider.book.know(known)
        keeper = options.OptionKeeper(self._store, self._provider.book, mapping=mapping, actor=self._actor)
        keeper.carry_out(todo)

    # ------------------------------------------------------------------ one entity

    def _first_look(self, work: Work, entity: Entity) -> list[str] | None:
        """Return the links that differ; None where an outcome is open, which is asked for before anything is compared."""
        if work.unsettled(entity):
            return None
        work.match(entity)
        return work.different(entity, now=self._clock.now())

    def _passes(self, entity: Entity, recorder: Recorder, found: list[str] | None) -> None:
        """Carry out what differs until nothing new does, and close the log; `found` is what was seen just now."""
        seen: set[str] = set()
        for _ in range(PASSES_MAX):
            batch_ids = found if found is not None else self._look(entity, recorder, seen)
            found = None
            if not batch_ids:
                return
            seen.update(batch_ids)
            for number, batch in enumerate(_batches(batch_ids, BATCH_LINKS_MAX)):
                self._carry_out(entity, batch, recorder, is_just_seen=number == 0)
        with self._store.work() as work:
            self._give_up(work, recorder)
            recorder.finish(work, error=None)

    def _look(self, entity: Entity, recorder: Recorder, seen: Collection[str]) -> list[str]:
        """Return the links that differ and have their turn; where there are none, the log is closed as well."""
        with self._store.work() as work:
            work.absorb(entity)
            work.match(entity)
            differ = work.different(entity, now=self._clock.now())
            turn = [link_id for link_id in differ if link_id not in seen or link_id in recorder.look_again]
            recorder.look_again.clear()
            if not turn:
                recorder.finish(work, error=None)
        return turn

    def _give_up(self, work: Work, recorder: Recorder) -> None:
        """Queue links that came back at every look: somebody changes them as fast as we do, or they cannot settle."""
        link_ids = list(recorder.look_again)
        recorder.look_again.clear()
        for link in work.links(link_ids) if link_ids else ():
            error = VersionMoved(provider=self._store.facts.provider_title, label=link.label)
            error.remedy = Remedy.RETRY_LATER
            recorder.failed(work, link, error, now=self._clock.now())

    def _carry_out(
        self, entity: Entity, link_ids: Sequence[str], recorder: Recorder, *, is_just_seen: bool
    ) -> None:
        """Decide about a batch; what only concerns our database happens in one transaction, then the pushes go out."""
        pushes: list[Judged] = []
        with self._store.work() as work:
            if not is_just_seen:
                # While the batch before was being sent, somebody may have edited what comes now.
                work.absorb(entity)
            links = work.links(link_ids)
            context = replace(
                load_context(work, entity, links, provider_title=self._store.facts.provider_title),
                skew=self._provider.clock_skew,
            )
            judged = list(self._judge_all(work, links, context, recorder))
            self._settle(work, _with(Verdict.SETTLE, judged), recorder)
            self._leave(work, _with(Verdict.LEAVE, judged), recorder)
            for item in judged:
                handler = self._HANDLERS.get(item.decision.verdict)
                if handler is not None:
                    handler(self, work, item, context, recorder)
            taking.take(
                work,
                self._takes(judged),
                context,
                recorder,
                new_id=self._store.new_id,
                actor=self._actor,
                now=self._clock.now(),
            )
            pushes = self._pushes(judged)
            recorder.flush(work)
        if pushes:
            pushing.push(
                self._store,
                self._provider,
                pushes,
                context=self._with_closing_date(context),
                recorder=recorder,
                clock=self._clock,
                actor=self._actor,
            )

    def _with_closing_date(self, context: Context) -> Context:
        """Once per sync, before documents are sent, ask until when the books are closed."""
        if self._knows_closing_date or context.entity not in DATED:
            return context
        told = self._provider.books_closed_until()
        closed = date.fromisoformat(told) if told else None
        self._knows_closing_date = True
        if closed == context.closed.reported:
            return context
        with self._store.work() as work:
            work.note_closed_until(closed)
            return replace(context, closed=work.closed_books())

    def _judge_all(
        self, work: Work, links: Sequence[LinkView], context: Context, recorder: Recorder
    ) -> Iterator[Judged]:
        for link in links:
            try:
                yield judge(link, context)
            except DocumentInvalid as invalid:
                recorder.failed(work, link, invalid, now=self._clock.now())
            except Held as held:
                recorder.hold(work, link, held)

    def _takes(self, judged: Sequence[Judged]) -> list[Judged]:
        if self._direction == "push":
            return []
        return [item for item in judged if item.decision.verdict in taking.TAKEN]

    def _pushes(self, judged: Sequence[Judged]) -> list[Judged]:
        if self._direction == "pull":
            return []
        return [item for item in judged if item.decision.verdict in pushing.PUSHED]

    @staticmethod
    def _settle(work: Work, items: Sequence[Judged], recorder: Recorder) -> None:
        settlements: list[Settlement] = []
        for item in items:
            link = item.link
            was_linked = link.base_ours_checksum is not None and link.base_theirs_checksum is not None
            is_new = link.ours is not None and link.theirs is not None and not was_linked
            settlements.append(
                Settlement(
                    link_id=link.id,
                    ours_checksum=link.ours_checksum,
                    theirs_checksum=link.theirs_checksum,
                    base_ours=link.ours.canonical if link.ours else None,
                    base_theirs=link.theirs.canonical if link.theirs else None,
                    linked_by="matched" if is_new else None,
                )
            )
            if is_new:
                recorder.linked(link, item.decision.reason)
            else:
                recorder.close(link)
        work.settle(settlements)

    @staticmethod
    def _leave(work: Work, items: Sequence[Judged], recorder: Recorder) -> None:
        work.leave([item.link for item in items])
        for item in items:
            recorder.close(item.link)

    def _conflict(self, work: Work, item: Judged, context: Context, recorder: Recorder) -> None:
        recorder.conflict(
            work,
            item.link,
            reason=item.decision.reason,
            data=conflict_data(item.link, context, conflict_names(work, item.link)),
        )

    def _wait(self, work: Work, item: Judged, _context: Context, recorder: Recorder) -> None:
        title, theirs = self._store.facts.provider_title, item.link.theirs
        if theirs is not None and theirs.state != "active":
            said = (
                f"{item.link.label} waits: it was set back to draft here and is no longer valid in {title}."
                " Void it here too, or approve it again to decide about it."
            )
        else:
            said = (
                f"{item.link.label} waits: it is in {title} but was set back to draft here."
                " Approve it again, or void it to take it out of the ledger."
            )
        recorder.wait(work, item.link, said)

    _HANDLERS: dict[Verdict, Callable[[ConnectionSync, Work, Judged, Context, Recorder], None]] = {  # noqa: RUF012
        Verdict.CONFLICT: _conflict,
        Verdict.WAIT: _wait,
    }


def _with(verdict: Verdict, judged: Sequence[Judged]) -> list[Judged]:
    return [item for item in judged if item.decision.verdict is verdict]


def _batches(items: Sequence[str], size: int) -> Iterator[list[str]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
