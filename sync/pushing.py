"""Pushing ours to the ledger, exactly once: attempt stored, call made, outcome settled (architecture §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sync import requests
from sync.approval import must_be_accepted
from sync.clock import Clock
from sync.compare import Verdict
from sync.errors import (
    Category,
    DocumentInvalid,
    Held,
    OutcomeUnknown,
    PaymentsApplied,
    PeriodLocked,
    SyncError,
)
from sync.judge import Context, Judged, as_sent, in_ledger_terms, load_context
from sync.naming import with_names
from sync.outcomes import Recorder
from sync.periods import DATED, PeriodPolicy, in_open_period, moved_to
from sync.ports import Done, Moved, Operation, Provider, Rejected, Unknown, Write, WriteOutcome
from sync.records import Canonical, Entity, RemoteRecord
from sync.store import AttemptView, Audit, LinkedBy, LinkView, NewAttempt, Settlement, Store, Work
from sync.unknown import told_by_repeat

# Kept with an attempt until its outcome is known.
OURS_AS_SENT = "ours"
PUSHED = frozenset({Verdict.CREATE, Verdict.UPDATE, Verdict.VOID})
ACTIONS: dict[Operation, str] = {
    "create": "created",
    "update": "updated",
    "void": "voided",
    "delete": "deleted",
    "activate": "made active",
}


@dataclass(frozen=True, slots=True)
class Push:
    """One write about to be made, with the link and the decision it comes from."""

    item: Judged
    write: Write
    attempt: NewAttempt
    # Sent before under this very request id: the answer can be the one of then, and tells nothing of now.
    is_repeat: bool = False


def push(
    store: Store,
    provider: Provider,
    items: Sequence[Judged],
    *,
    context: Context,
    recorder: Recorder,
    clock: Clock,
    actor: str,
) -> None:
    """Send the decided writes in small batches and settle each batch before the next.

    `context` is what was decided by, with the closing date as it is now; before each later batch it is loaded again.
    """
    # One call's worth at a time, each settled before the next is sent, so that a crash leaves few unknowns.
    for start in range(0, len(items), provider.writes_max):
        part = items[start : start + provider.writes_max]
        with store.work() as work:
            if start:
                links = [item.link for item in part]
                context = load_context(work, context.entity, links, provider_title=store.facts.provider_title)
            pushes = _stage(work, store, provider, part, context=context, recorder=recorder, clock=clock)
            recorder.flush(work)
        if pushes:
            _send(store, provider, pushes, recorder=recorder, clock=clock, actor=actor)


def _stage(
    work: Work,
    store: Store,
    provider: Provider,
    items: Sequence[Judged],
    *,
    context: Context,
    recorder: Recorder,
    clock: Clock,
) -> list[Push]:
    """Resolve, check and store the attempts of one batch; what cannot be sent is held or queued with its sentence."""
    entity = context.entity
    serials = work.serials([(item.link.id, _revision(item.link), _operation(item)) for item in items])
    # The same request id is the same write: what is asked again is what was asked, whatever the mapping says by now.
    unsettled = work.unsettled(entity)
    asked = {each.request_id: each for each in unsettled}
    open_creates = {each.link_id: each.request_id for each in unsettled if each.operation == "create"}
    pushes = []
    for item in items:
        try:
            request = _request_id(item, connection_id=store.facts.connection_id, serials=serials)
            if open_creates.get(item.link.id, request) != request:
                # Whether it was made under the other request is not known yet: this one could make it twice. The other
                # is repeated once this may be sent (`sync.settling`).
                _must_be_accepted(item, context)
                continue
            pushes.append(
                _prepare(item, context, provider, serials=serials, request=request, asked=asked.get(request))
            )
        except DocumentInvalid as invalid:
            recorder.failed(work, item.link, invalid, now=clock.now())
        except Held as held:
            recorder.hold(work, item.link, held)
    work.stage(entity, [each.attempt for each in pushes])
    return pushes


def _request_id(item: Judged, *, connection_id: str, serials: Mapping[str, int]) -> str:
    link = item.link
    assert link.ours is not None
    assert link.record_id is not None
    return requests.request_id(
        connection_id=connection_id,
        entity=link.entity,
        record_id=link.record_id,
        revision=link.ours.revision,
        operation=_operation(item),
        serial=serials.get(link.id, 0),
    )


def _payload(
    item: Judged, context: Context, *, asked: AttemptView | None
) -> tuple[Canonical, Mapping[str, str]]:
    """Return what to send, and the mapping version that each of its lines goes out under."""
    operation = _operation(item)
    if asked is not None:
        _must_be_accepted(item, context)
        return asked.canonical, line_versions(asked) or {}
    is_filled = operation in ("create", "update", "activate")
    sent = as_sent(item.link, context)
    canonical = in_ledger_terms(item.link, context, sent=sent) if is_filled else {}
    _must_be_accepted(item, context)
    dated = in_open_period(
        item.link,
        canonical,
        operation=operation,
        closed=context.closed,
        policy=PeriodPolicy(context.setting.closed_period),
        provider=context.out.provider_title,
    )
    return dated, sent.going_out if is_filled else {}


def _prepare(
    item: Judged,
    context: Context,
    provider: Provider,
    *,
    serials: Mapping[str, int],
    request: str,
    asked: AttemptView | None,
) -> Push:
    link, operation = item.link, _operation(item)
    assert link.ours is not None
    assert link.record_id is not None
    if operation == "void":
        _must_be_unpaid(link, context)
    canonical, versions = _payload(item, context, asked=asked)
    refusal = provider.check(link.entity, canonical) if canonical else None
    if refusal is not None:
        raise DocumentInvalid(refusal, label=link.label)
    serial = serials.get(link.id, 0)
    is_new = operation == "create"
    write = Write(
        entity=link.entity,
        operation=operation,
        canonical=canonical,
        request_id=request,
        marker=requests.marker(link.record_id),
        label=link.label,
        remote_id=None if is_new else link.remote_id,
        version=None if is_new or link.theirs is None else link.theirs.version,
        previous=dict(link.theirs.raw) if link.theirs is not None and not is_new else {},
    )
    attempt = NewAttempt(
        link_id=link.id,
        record_id=link.record_id,
        revision=link.ours.revision,
        operation=operation,
        serial=serial,
        request_id=request,
        marker=write.marker,
        canonical=canonical,
        remote_id=write.remote_id,
        remote_version=write.version,
        mapping_version_id=asked.mapping_version_id if asked else context.mapping.version_id,
        evidence={
            "reason": _reason(item, canonical, context),
            "before": _overwritten(link),
            "line_versions": dict(versions),
            "strategy": str(context.setting.strategy),
            "posted_on": moved_to(canonical, link),
            # What both sides will have agreed on if this happened: ours may be another one by the time it is known.
            OURS_AS_SENT: link.ours.canonical,
            "approved_by": link.approved_by if link.approved_checksum == link.ours_checksum else None,
        },
    )
    return Push(item, write, attempt, is_repeat=asked is not None)


def _must_be_accepted(item: Judged, context: Context) -> None:
    must_be_accepted(
        item.link, context.setting, operation=_operation(item), provider=context.out.provider_title
    )


def _must_be_unpaid(link: LinkView, context: Context) -> None:
    """Hold a document with money on it: whether the ledger voids, deletes or refuses it, nobody asked for that."""
    if link.entity not in (Entity.INVOICE, Entity.BILL) or link.theirs is None or not link.theirs.paid:
        return
    assert link.ours is not None
    paid = f"{link.theirs.paid:,.2f} {link.currency or ''}".rstrip()
    raise PaymentsApplied(
        label=link.label, state=link.ours.state, paid=paid, provider=context.out.provider_title
    )


def _reason(item: Judged, canonical: Canonical, context: Context) -> str:
    """Say why it is sent, and where it is posted on another day than ours, that too: never silently."""
    posted_on = moved_to(canonical, item.link)
    if posted_on is None:
        return item.decision.reason
    closed = context.closed.until.isoformat() if context.closed.until is not None else "an earlier day"
    return f"{item.decision.reason}; posted on {posted_on}, the first open day, because the books are closed until {closed}"


def _operation(item: Judged) -> Operation:
    if item.decision.verdict is Verdict.CREATE:
        return "create"
    if item.decision.verdict is Verdict.VOID:
        return "void"
    theirs = item.link.theirs
    return "activate" if theirs is not None and theirs.state == "inactive" else "update"


def _revision(link: LinkView) -> int:
    assert link.ours is not None
    return link.ours.revision


def _send(
    store: Store, provider: Provider, pushes: Sequence[Push], *, recorder: Recorder, clock: Clock, actor: str
) -> None:
    try:
        outcomes = provider.write([each.write for each in pushes])
    except SyncError as error:
        # Raised before anything was sent: the attempts did not happen. That is the connection's trouble and one event,
        # not one failure per record: they stay as different as they were, and the next sync finds them. Only what was
        # sent before under the same request id is as unknown as it was.
        with store.work() as work:
            for each in pushes:
                work.settle_attempt(
                    each.write.request_id,
                    state="unknown" if each.is_repeat else "rejected",
                    message=error.user_message,
                    code=error.code,
                    category=error.category,
                )
        raise
    assert len(outcomes) == len(pushes), "a provider answers every write"
    outcomes = [
        told_by_repeat(outcome) if each.is_repeat else outcome
        for each, outcome in zip(pushes, outcomes, strict=True)
    ]
    reread = _read_again(provider, pushes, outcomes)
    with store.work() as work:
        done = [
            (each, outcome.record)
            for each, outcome in zip(pushes, outcomes, strict=True)
            if isinstance(outcome, Done)
        ]
        settle_done(work, done, recorder, actor=actor)
        for each, outcome in zip(pushes, outcomes, strict=True):
            if isinstance(outcome, Done) and each.is_repeat:
                work.save_mirror(reread[each.write.request_id])
                recorder.look_again.add(each.item.link.id)
            elif isinstance(outcome, Rejected):
                _settle_rejected(work, each, outcome.error, reread, recorder, now=clock.now())
            elif isinstance(outcome, Moved):
                _settle_moved(work, each, outcome, reread, recorder)
            elif isinstance(outcome, Unknown):
                _settle_unknown(work, each, outcome, store, recorder)
        recorder.flush(work)


def _read_again(
    provider: Provider, pushes: Sequence[Push], outcomes: Sequence[WriteOutcome]
) -> dict[str, list[RemoteRecord]]:
    """Read, outside any transaction, what an answer does not tell as it is now: request id → records."""
    found: dict[str, list[RemoteRecord]] = {}
    for each, outcome in zip(pushes, outcomes, strict=True):
        entity = each.write.entity
        if isinstance(outcome, Moved) and each.write.remote_id is not None:
            found[each.write.request_id] = [as_it_is(provider, entity, each.write.remote_id)]
        elif isinstance(outcome, Done) and each.is_repeat:
            found[each.write.request_id] = [as_it_is(provider, entity, outcome.record.remote_id)]
        elif isinstance(outcome, Rejected) and each.write.operation == "create" and is_taken(outcome.error):
            existing = outcome.error.details.get("existing_remote_id")
            if existing:
                record = provider.read(entity, str(existing))
                found[each.write.request_id] = [record] if record is not None else []
            else:
                found[each.write.request_id] = list(
                    provider.find(entity, canonical=each.write.canonical, marker=each.write.marker)
                )
    return found


def is_taken(error: SyncError) -> bool:
    """Say whether a refusal means that the name or number is in use: then the ledger may already have this record."""
    return bool(error.details.get("is_taken"))


def as_it_is(provider: Provider, entity: Entity, remote_id: str) -> RemoteRecord:
    """Read a record; where the provider no longer has it, the stub that says so."""
    record = provider.read(entity, remote_id)
    return record if record is not None else deleted(entity, remote_id)


def deleted(entity: Entity, remote_id: str) -> RemoteRecord:
    """Return the stub of a record that the provider no longer has."""
    return RemoteRecord(
        entity=entity,
        remote_id=remote_id,
        version=None,
        state="deleted",
        canonical={},
        label=remote_id,
        changed_at=None,
    )


def settle_done(
    work: Work,
    done: Sequence[tuple[Push, RemoteRecord]],
    recorder: Recorder,
    *,
    actor: str,
    linked_by: LinkedBy = "created",
) -> None:
    """Store confirmed writes: the mirror, the link, the new base, the attempt, the log and the audit entry."""
    if not done:
        return
    work.save_mirror([record for _, record in done])
    settlements, audits = [], []
    for each, record in done:
        link = each.item.link
        assert link.ours is not None
        if link.remote_id != record.remote_id:
            work.pair(link.id, record.remote_id)
        settlements.append(
            Settlement(
                link_id=link.id,
                ours_checksum=link.ours_checksum,
                theirs_checksum=record.checksum,
                base_ours=link.ours.canonical,
                base_theirs=record.canonical,
                linked_by=linked_by if link.remote_id is None else None,
                mapping_version_id=each.attempt.mapping_version_id,
                line_versions=line_versions(each.attempt),
            )
        )
        work.settle_attempt(
            each.write.request_id, state="done", remote_id=record.remote_id, remote_version=record.version
        )
        recorder.pushed(link, ACTIONS[each.write.operation], details=_told(each, record))
        audits.append(audit_of_push(each.item.link, each.attempt, record=record, actor=actor))
    work.settle(settlements)
    work.audit(audits)


def line_versions(attempt: NewAttempt | AttemptView) -> Mapping[str, str] | None:
    """Return the mapping version that each line of a write went out under; None for a write without lines."""
    found: Mapping[str, str] = attempt.evidence.get("line_versions") or {}
    return found if "lines" in attempt.canonical else None


def _told(each: Push, record: RemoteRecord) -> dict[str, object]:
    evidence = each.attempt.evidence
    told: dict[str, object] = {"remote_id": record.remote_id}
    if evidence.get("posted_on"):
        told |= {"posted_on": evidence["posted_on"], "reason": evidence["reason"]}
    return told


def _overwritten(link: LinkView) -> dict[str, object] | None:
    theirs = link.theirs
    return {"state": theirs.state, "canonical": theirs.canonical} if theirs is not None else None


def account_sources(canonical: Canonical) -> list[str]:
    """Say of each line where its account came from: its code's row, a default (job, company), or what was there (kept)."""
    return [str(line.get("account_from") or "kept") for line in canonical.get("lines") or ()]


def audit_of_push(
    link: LinkView, attempt: NewAttempt | AttemptView, *, record: RemoteRecord, actor: str
) -> Audit:
    """Return the audit entry of a write that happened, whether its answer was heard or it was found in the ledger."""
    return Audit(
        action=f"push.{attempt.operation}",
        reason=str(attempt.evidence.get("reason") or ""),
        link=link,
        before=attempt.evidence.get("before"),
        after={
            "state": record.state,
            "canonical": record.canonical,
            "remote_id": record.remote_id,
            "request_id": attempt.request_id,
            "payload_hash": requests.payload_hash(attempt.canonical),
            "mapping_version_id": attempt.mapping_version_id,
            "line_versions": line_versions(attempt),
            "account_sources": account_sources(attempt.canonical),
            "approved_by": attempt.evidence.get("approved_by"),
            "actor": actor,
        },
        strategy=attempt.evidence.get("strategy"),
        mapping_version_id=attempt.mapping_version_id,
    )


def _reject(work: Work, each: Push, error: SyncError, recorder: Recorder, *, now: datetime) -> None:
    error = with_names(work, error)
    work.settle_attempt(
        each.write.request_id,
        state="rejected",
        message=error.user_message,
        code=error.code,
        category=error.category,
    )
    recorder.failed(work, each.item.link, error, now=now)


def _settle_rejected(
    work: Work,
    each: Push,
    error: SyncError,
    reread: dict[str, list[RemoteRecord]],
    recorder: Recorder,
    *,
    now: datetime,
) -> None:
    candidates = reread.get(each.write.request_id) or []
    if candidates:
        # The name or number is taken: if what has it is this very record, it is linked instead of refused. The attempt
        # ends first, because a record whose write is still under way is paired with nothing.
        work.settle_attempt(
            each.write.request_id,
            state="rejected",
            message="It was already there.",
            code=error.code,
            category=error.category,
        )
        work.save_mirror(candidates)
        work.match(each.write.entity)
        link = work.links([each.item.link.id])[0]
        if link.remote_id is not None:
            recorder.look_again.add(link.id)
            return
    if isinstance(error, PeriodLocked) and each.write.entity in DATED:
        _settle_closed(work, each, error, recorder)
        return
    _reject(work, each, error, recorder, now=now)


def _settle_closed(work: Work, each: Push, error: PeriodLocked, recorder: Recorder) -> None:
    """Learn of a closed period from a refusal; what was refused is judged again, now by the setting for such periods."""
    work.settle_attempt(
        each.write.request_id,
        state="rejected",
        message=error.user_message,
        code=error.code,
        category=error.category,
    )
    theirs = each.item.link.theirs
    dates = [each.write.canonical.get("date"), theirs.canonical.get("date") if theirs is not None else None]
    # Of two days the earlier one is closed for certain.
    refused = date.fromisoformat(min(day for day in dates if day))
    told = error.details.get("closed_on")
    last = date.fromisoformat(str(told)) if told else refused
    work.note_refused_period(max(last, refused), is_exact=bool(told) and last >= refused)
    recorder.look_again.add(each.item.link.id)


def _settle_moved(
    work: Work, each: Push, outcome: Moved, reread: dict[str, list[RemoteRecord]], recorder: Recorder
) -> None:
    work.save_mirror(reread.get(each.write.request_id) or [])
    work.settle_attempt(each.write.request_id, state="moved", message=outcome.reason)
    recorder.look_again.add(each.item.link.id)


def _settle_unknown(work: Work, each: Push, outcome: Unknown, store: Store, recorder: Recorder) -> None:
    error = OutcomeUnknown(provider=store.facts.provider_title, label=each.write.label, reason=outcome.reason)
    work.settle_attempt(
        each.write.request_id,
        state="unknown",
        message=error.user_message,
        code=error.code,
        category=Category.UNKNOWN,
    )
    recorder.unknown(work, each.item.link, error)
