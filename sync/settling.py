"""Settling unknown outcomes by looking in the ledger, before anything of the same entity is compared or sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync import fields
from sync.adopting import adopt, as_sent
from sync.approval import is_accepted
from sync.errors import NeverConfirmed, OutcomeUndecided, OutcomeUnknown, SyncError
from sync.outcomes import Recorder
from sync.ports import Done, NotSent, Provider, Unknown, Write
from sync.pushed import as_it_is, deleted, end_unsent, note_unknown
from sync.records import Direction, Entity, RemoteRecord, name_key
from sync.retry import BEGIN_WITHIN, PROVIDER_TIMEOUT, is_sent_in_vain
from sync.store import Store, Work
from sync.stored import AttemptView, Audit, LinkView, NewAttempt
from sync.unknown import Evidence, UnknownVerdict, judge_unknown, told_by_repeat

NAMES = frozenset({Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR})
# How far the ledger's clock may be behind ours (as in sql/queries/attempts.sql).
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Looked:
    """One attempt after the ledger was asked about it; `record` is the document it is about, where one was found."""

    attempt: AttemptView
    link: LinkView
    verdict: UnknownVerdict
    record: RemoteRecord | None
    candidates: Sequence[RemoteRecord] = ()


def settle_unknown(
    store: Store,
    provider: Provider,
    entity: Entity,
    *,
    recorder: Recorder,
    now: datetime,
    actor: str,
    direction: Direction = "both",
) -> None:
    """Look in the ledger for every write of this entity whose outcome is not known, and settle what can be told.

    Where nothing is sent, by the direction of this sync or by the entity's setting, it is only looked.
    """
    with store.work() as work:
        attempts = work.unsettled(entity)
        setting = work.entity_setting(entity)
    is_sent = "pull" not in (direction, setting.direction)
    for attempt in attempts:
        found = _look(provider, entity, attempt)
        with store.work() as work:
            link = work.links([attempt.link_id])[0]
            # What a person has looked at and said is another document is no look-alike any more.
            buried = [deleted(entity, remote_id) for remote_id in attempt.unseen_deleted]
            # Nor is what the link had before: a document made again is another one than the one that ended.
            others = link.not_remote_ids | ({link.remote_id} if attempt.operation == "create" else set())
            others |= _of_others(work, entity, attempt, found)
            candidates = [record for record in (*found, *buried) if record.remote_id not in others]
            verdict, match = _judge(provider, entity, attempt, candidates, now=now)
            if found:
                work.save_mirror(found)
            seen = Looked(attempt, link, verdict, match, candidates)
            is_over = _is_over(seen)
            if is_over:
                _give_up(work, seen, recorder, title=store.facts.provider_title, now=now)
            else:
                _settle(work, provider, seen, recorder, title=store.facts.provider_title, actor=actor)
            recorder.flush(work)
        if is_sent and not is_over and _is_to_be_repeated(seen) and is_accepted(seen.link, setting):
            _repeat(store, provider, seen, recorder=recorder, actor=actor)


def _is_over(seen: Looked) -> bool:
    """Say whether what cannot be found was sent often enough: nothing of it is sent before a person presses Retry, or edits."""
    attempt, ours = seen.attempt, seen.link.ours
    if seen.verdict is not UnknownVerdict.SEND_AGAIN or ours is None:
        return False
    if attempt.operation == "create" and ours.state != "active":
        return False
    return attempt.is_given_up or (
        seen.link.state == "unknown"
        and is_sent_in_vain(
            sendings=attempt.sendings,
            first_sent_at=attempt.first_started_at,
            last_sent_at=attempt.started_at,
        )
    )


def _give_up(work: Work, seen: Looked, recorder: Recorder, *, title: str, now: datetime) -> None:
    """Leave a write to a person, once. The attempt stays unknown: whatever is done next, the ledger is asked first."""
    if seen.attempt.is_given_up:
        return
    error = NeverConfirmed(provider=title, label=seen.link.label, tries=seen.attempt.sendings)
    note_unknown(work, seen.attempt.request_id, error)
    recorder.failed(work, seen.link, error, now=now)


def _is_to_be_repeated(seen: Looked) -> bool:
    """Say whether a create that cannot be found was edited here since, so that the next push would be another request."""
    link, attempt = seen.link, seen.attempt
    return (
        seen.verdict is UnknownVerdict.SEND_AGAIN
        and attempt.operation == "create"
        and link.ours is not None
        and link.ours.state == "active"
        and link.ours.revision != attempt.revision
    )


def _rests_in_doubt(seen: Looked) -> bool:
    """Say whether a create that cannot be found could still have been made, for a record that is no longer to be sent.

    Once it is approved again, another request would be sent: the document could have been made and deleted in the ledger
    meanwhile. Whether it was, is only known when the ledger's changes have been read after the provider's last moment.
    """
    link, attempt = seen.link, seen.attempt
    if seen.verdict is not UnknownVerdict.SEND_AGAIN or attempt.operation != "create" or link.ours is None:
        return False
    if link.ours.state not in ("draft", "void"):
        return False
    read_at = attempt.changes_read_at
    return read_at is None or read_at < attempt.started_at + PROVIDER_TIMEOUT


def _repeat(store: Store, provider: Provider, seen: Looked, *, recorder: Recorder, actor: str) -> None:
    """Ask again for what was asked then, under the same request id; the edit made here since follows as a change.

    Somebody may have deleted in the ledger what was made there, and only the provider's memory can tell: a new request
    would make the document once more.
    """
    attempt, link = seen.attempt, seen.link
    with store.work() as work:
        staged_at = work.stage(link.entity, [_staged_again(attempt)])
    write = Write(
        entity=link.entity,
        operation="create",
        canonical=attempt.canonical,
        request_id=attempt.request_id,
        marker=attempt.marker,
        label=link.label,
        begin_by=staged_at + BEGIN_WITHIN,
    )
    try:
        (answer,) = provider.write([write])
    except SyncError as unsent:
        with store.work() as work:
            end_unsent(work, attempt.request_id, unsent, is_repeat=True)
        raise
    outcome = told_by_repeat(answer)
    now = as_it_is(provider, link.entity, outcome.record.remote_id) if isinstance(outcome, Done) else None
    with store.work() as work:
        if isinstance(outcome, Done) and now is not None:
            work.save_mirror([outcome.record])
            adopt(
                work,
                provider,
                outcome.record,
                attempt=attempt,
                link=link,
                recorder=recorder,
                actor=actor,
            )
            work.save_mirror([now])
        elif isinstance(outcome, Unknown):
            error = OutcomeUnknown(
                provider=store.facts.provider_title, label=link.label, reason=outcome.reason
            )
            note_unknown(work, attempt.request_id, error)
            if isinstance(answer, NotSent):
                work.uncount_sending(attempt.request_id)
            recorder.unknown(work, link, error)
        else:
            # It certainly was not executed, then or now: what ours says today is sent instead.
            work.settle_attempt(
                attempt.request_id,
                state="rejected",
                code="push.not_executed",
                message="It is not in the ledger.",
            )
            work.open_link(link.id)
        recorder.flush(work)


def _staged_again(attempt: AttemptView) -> NewAttempt:
    return NewAttempt(
        link_id=attempt.link_id,
        record_id=attempt.record_id,
        revision=attempt.revision,
        operation=attempt.operation,
        serial=attempt.serial,
        request_id=attempt.request_id,
        marker=attempt.marker,
        canonical=attempt.canonical,
        remote_id=attempt.remote_id,
        remote_version=attempt.remote_version,
        mapping_version_id=attempt.mapping_version_id,
        evidence=attempt.evidence,
    )


def _look(provider: Provider, entity: Entity, attempt: AttemptView) -> list[RemoteRecord]:
    if attempt.operation == "create":
        if attempt.remote_id_with_marker is not None:
            # Seen with our mark and gone since is no reason to make it again.
            return [as_it_is(provider, entity, attempt.remote_id_with_marker)]
        return list(provider.find(entity, canonical=attempt.canonical, marker=attempt.marker))
    assert attempt.remote_id is not None
    return [as_it_is(provider, entity, attempt.remote_id)]


def _of_others(
    work: Work, entity: Entity, attempt: AttemptView, found: Sequence[RemoteRecord]
) -> frozenset[str]:
    """Return which documents a create certainly did not make: those with another mark of ours, and older ones.

    Names are left out: they carry no mark, and whose a name is decides what becomes of the write.
    """
    if attempt.operation != "create" or entity in NAMES:
        return frozenset()
    unmarked = [record for record in found if record.marker != attempt.marker and record.state != "deleted"]
    older = work.seen_before(entity, [one.remote_id for one in unmarked], moment=attempt.first_started_at)
    return older | {record.remote_id for record in unmarked if record.marker is not None}


def _judge(
    provider: Provider, entity: Entity, attempt: AttemptView, found: Sequence[RemoteRecord], *, now: datetime
) -> tuple[UnknownVerdict, RemoteRecord | None]:
    age = now - attempt.started_at
    if attempt.operation == "create":
        marked = [
            record for record in found if record.marker == attempt.marker and _can_be_of(attempt, record)
        ]
        if entity in NAMES:
            # A name carries no marker, but it is unique in the ledger: the record with this name is the record.
            wanted = name_key(str(attempt.canonical.get("name", "")))
            marked = [record for record in found if record.natural_key == wanted and record.state == "active"]
        buried = sum(record.state == "deleted" for record in found)
        seen = Evidence(
            "create",
            age,
            with_marker=len(marked),
            look_alikes=len(found) - len(marked) - buried,
            unseen_deleted=buried,
        )
        return judge_unknown(seen), marked[0] if len(marked) == 1 else None
    record = found[0]
    if attempt.operation in ("void", "delete"):
        shows = record.state != "active"
    else:
        shows = record.state == "active" and not fields.differences(
            entity, as_sent(provider, attempt, record), record.canonical
        )
    moved = record.version != attempt.remote_version
    seen = Evidence(attempt.operation, age, version_moved=moved, shows_what_was_sent=shows and moved)
    return judge_unknown(seen), record


def _can_be_of(attempt: AttemptView, record: RemoteRecord) -> bool:
    """Say whether a marked document can be what this attempt made: one that ended before it was sent is not."""
    if record.state == "active" or record.changed_at is None:
        return True
    return record.changed_at >= attempt.first_started_at - CLOCKS_APART


def _settle(
    work: Work, provider: Provider, seen: Looked, recorder: Recorder, *, title: str, actor: str
) -> None:
    attempt, link, verdict = seen.attempt, seen.link, seen.verdict
    match verdict:
        case UnknownVerdict.ADOPT:
            assert seen.record is not None, "only a document that was found is adopted"
            adopt(
                work,
                provider,
                seen.record,
                attempt=attempt,
                link=link,
                recorder=recorder,
                actor=actor,
            )
        case UnknownVerdict.COMPARE:
            work.settle_attempt(
                attempt.request_id, state="moved", message="The record was changed by somebody else."
            )
            work.open_link(link.id)
            if attempt.evidence.get("before") is not None:
                work.audit([_audit_of_doubt(seen, actor=actor)])
        case UnknownVerdict.SEND_AGAIN if _is_to_be_repeated(seen) or _rests_in_doubt(seen):
            # Still unknown, and nothing else is sent for it: until the same is asked again, which may need a person first.
            work.open_link(link.id)
        case UnknownVerdict.SEND_AGAIN:
            if link.ours is None or link.ours.revision != attempt.revision:
                work.settle_attempt(
                    attempt.request_id,
                    state="rejected",
                    code="push.not_executed",
                    message="It is not in the ledger.",
                )
            # With the same revision the same request id is sent again, so that a late commit is still only one.
            work.open_link(link.id)
        case UnknownVerdict.WAIT | UnknownVerdict.ASK:
            error: SyncError = (
                OutcomeUnknown(provider=title, label=link.label, reason="it was sent a moment ago")
                if verdict is UnknownVerdict.WAIT
                else OutcomeUndecided(provider=title, label=link.label, count=len(seen.candidates))
            )
            note_unknown(work, attempt.request_id, error)
            recorder.unknown(work, link, error, evidence=_evidence(seen))


def _evidence(seen: Looked) -> dict[str, object]:
    """Return what a person needs to tell what became of a write."""
    return {
        "request_id": seen.attempt.request_id,
        "candidates": [record.remote_id for record in seen.candidates],
        "with_mark": [record.remote_id for record in seen.candidates if record.marker == seen.attempt.marker],
    }


def _audit_of_doubt(seen: Looked, *, actor: str) -> Audit:
    """Return the entry for what a write has overwritten, if it was executed before somebody changed the record again."""
    attempt, record = seen.attempt, seen.record
    return Audit(
        action="push.unconfirmed",
        reason=f"nobody heard whether this {attempt.operation} was executed, and the record has changed since;"
        " if it was, this is what it overwrote",
        link=seen.link,
        before=attempt.evidence.get("before"),
        after={
            "state": record.state if record is not None else None,
            "canonical": record.canonical if record is not None else None,
            "remote_id": attempt.remote_id,
            "request_id": attempt.request_id,
            "sent": attempt.canonical,
            "actor": actor,
        },
        strategy=attempt.evidence.get("strategy"),
        mapping_version_id=attempt.mapping_version_id,
    )
