"""Pushing ours to the ledger, exactly once: attempt stored, call made, outcome settled (architecture §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync import requests
from sync.approval import must_be_accepted
from sync.clock import Clock
from sync.compare import Verdict
from sync.errors import (
    DocumentInvalid,
    Held,
    NotBegun,
    PaymentsApplied,
    ProviderUnavailable,
    SyncError,
)
from sync.judge import Context, Judged, as_sent, in_ledger_terms, load_context
from sync.outcomes import Recorder
from sync.periods import PeriodPolicy, in_open_period, moved_to
from sync.ports import NotSent, Operation, Provider, Unknown, Write, WriteOutcome
from sync.pushed import OURS_AS_SENT, Push, end_unsent, line_versions, settle_outcomes
from sync.records import Canonical, Entity
from sync.retry import BEGIN_WITHIN
from sync.store import Store, Work
from sync.stored import AttemptView, LinkView, NewAttempt
from sync.unknown import told_by_repeat

# Nothing at all could be sent so many times in a row: others need the provider more, and the next sync goes on.
IN_VAIN_MAX = 3

# One call may fail for what is in it. Where nothing is heard of two in a row, more of them would only be more to look up.
UNHEARD_MAX = 2

PUSHED = frozenset({Verdict.CREATE, Verdict.UPDATE, Verdict.VOID})


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
    is_first, in_vain, unheard = True, 0, 0
    waiting = list(items)
    while waiting:
        part = waiting[: provider.writes_max]
        with store.work() as work:
            if not is_first:
                links = [item.link for item in part]
                context = load_context(work, context.entity, links, provider_title=store.facts.provider_title)
            pushes = _stage(work, store, provider, part, context=context, recorder=recorder, clock=clock)
            recorder.flush(work)
        is_first = False
        left: list[Judged] = []
        if pushes:
            outcomes = _send(store, provider, pushes, recorder=recorder, clock=clock, actor=actor)
            left = _left(pushes, outcomes)
            unheard = unheard + 1 if _is_unheard(outcomes) else 0
            if unheard == UNHEARD_MAX:
                raise ProviderUnavailable(
                    provider=store.facts.provider_title, reason="it confirms nothing that is sent to it"
                )
            in_vain = in_vain + 1 if len(left) == len(pushes) else 0
            if in_vain == IN_VAIN_MAX:
                raise NotBegun(provider=store.facts.provider_title, reason="every turn to send came too late")
        waiting = left + waiting[len(part) :]


def _is_unheard(outcomes: Sequence[WriteOutcome]) -> bool:
    """Say whether nothing at all was heard of a call that was made."""
    is_made = any(isinstance(outcome, Unknown) for outcome in outcomes)
    return is_made and all(isinstance(outcome, Unknown | NotSent) for outcome in outcomes)


def _left(pushes: Sequence[Push], outcomes: Sequence[WriteOutcome]) -> list[Judged]:
    """Return what was kept back here, which is staged anew; what the provider turned away unseen ends the sync, as ever."""
    unsent = [
        (each.item, outcome.error)
        for each, outcome in zip(pushes, outcomes, strict=True)
        if isinstance(outcome, NotSent)
    ]
    turned_away = next((error for _, error in unsent if not isinstance(error, NotBegun)), None)
    if turned_away is not None:
        raise turned_away
    return [item for item, _ in unsent]


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
    begin_by = work.stage(entity, [each.attempt for each in pushes]) + BEGIN_WITHIN
    return [replace(each, write=replace(each.write, begin_by=begin_by)) for each in pushes]


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


def _overwritten(link: LinkView) -> dict[str, object] | None:
    theirs = link.theirs
    return {"state": theirs.state, "canonical": theirs.canonical} if theirs is not None else None


def _send(
    store: Store, provider: Provider, pushes: Sequence[Push], *, recorder: Recorder, clock: Clock, actor: str
) -> Sequence[WriteOutcome]:
    try:
        outcomes = provider.write([each.write for each in pushes])
    except SyncError as error:
        # Raised before anything was sent: the attempts did not happen. That is the connection's trouble and one event,
        # not one failure per record: they stay as different as they were, and the next sync finds them.
        with store.work() as work:
            for each in pushes:
                end_unsent(work, each.write.request_id, error, is_repeat=each.is_repeat)
        raise
    assert len(outcomes) == len(pushes), "a provider answers every write"
    outcomes = [
        told_by_repeat(outcome) if each.is_repeat and not isinstance(outcome, NotSent) else outcome
        for each, outcome in zip(pushes, outcomes, strict=True)
    ]
    settle_outcomes(store, provider, pushes, outcomes, recorder=recorder, clock=clock, actor=actor)
    return outcomes
