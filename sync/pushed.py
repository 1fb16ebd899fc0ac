"""After a push: what came of each write, whether it was done, refused, overtaken or never answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sync import requests
from sync.clock import Clock
from sync.errors import (
    Category,
    OutcomeUnknown,
    PeriodLocked,
    SyncError,
)
from sync.judge import Judged
from sync.naming import with_names
from sync.outcomes import Recorder
from sync.periods import DATED
from sync.ports import Done, Moved, NotSent, Operation, Provider, Rejected, Unknown, Write, WriteOutcome
from sync.records import Canonical, Entity, RemoteRecord
from sync.store import Store, Work
from sync.stored import AttemptView, Audit, LinkedBy, LinkView, NewAttempt, Settlement

# Kept with an attempt until its outcome is known.
OURS_AS_SENT = "ours"

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


def settle_outcomes(
    store: Store,
    provider: Provider,
    pushes: Sequence[Push],
    outcomes: Sequence[WriteOutcome],
    *,
    recorder: Recorder,
    clock: Clock,
    actor: str,
) -> None:
    """Settle one call's writes by what was answered; what an answer does not tell is read first, outside any transaction."""
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
            elif isinstance(outcome, NotSent):
                end_unsent(work, each.write.request_id, outcome.error, is_repeat=each.is_repeat)
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
    links = [(each.item.link, record) for each, record in done]
    work.pair({link.id: record.remote_id for link, record in links if link.remote_id != record.remote_id})
    # What was made by an earlier sending may have been paid before its answer was heard.
    repeats = [
        record.remote_id for each, record in done if each.is_repeat and each.item.link.remote_id is None
    ]
    if repeats:
        work.reopen_naming(done[0][0].write.entity, repeats)
    work.confirm_attempts({each.write.request_id: record for each, record in done})
    settlements, audits = [], []
    for each, record in done:
        link = each.item.link
        assert link.ours is not None
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


def reject(work: Work, each: Push, error: SyncError, recorder: Recorder, *, now: datetime) -> None:
    """End a write that the ledger refused or that could not be sent, and queue its sentence."""
    error = with_names(work, error)
    _end_rejected(work, each, error, message=error.user_message)
    recorder.failed(work, each.item.link, error, now=now)


def end_unsent(work: Work, request_id: str, error: SyncError, *, is_repeat: bool) -> None:
    """End a write that did not leave; the record is as different as it was, and nobody counts it as a try of its own.

    Only what was sent before under the same request id is as unknown as it was.
    """
    work.settle_attempt(
        request_id,
        state="unknown" if is_repeat else "rejected",
        message=error.user_message,
        code=error.code,
        category=error.category,
    )
    if is_repeat:
        work.uncount_sending(request_id)


def note_unknown(work: Work, request_id: str, error: SyncError) -> None:
    """Note of a write that nobody knows what became of it, and what people are told of that."""
    work.settle_attempt(
        request_id,
        state="unknown",
        message=error.user_message,
        code=error.code,
        category=Category.UNKNOWN,
    )


def _end_rejected(work: Work, each: Push, error: SyncError, *, message: str) -> None:
    work.settle_attempt(
        each.write.request_id,
        state="rejected",
        message=message,
        code=error.code,
        category=error.category,
    )


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
        _end_rejected(work, each, error, message="It was already there.")
        work.save_mirror(candidates)
        work.match(each.write.entity)
        link = work.links([each.item.link.id])[0]
        if link.remote_id is not None:
            recorder.look_again.add(link.id)
            return
    if isinstance(error, PeriodLocked) and each.write.entity in DATED:
        _settle_closed(work, each, error, recorder)
        return
    reject(work, each, error, recorder, now=now)


def _settle_closed(work: Work, each: Push, error: PeriodLocked, recorder: Recorder) -> None:
    """Learn of a closed period from a refusal; what was refused is judged again, now by the setting for such periods."""
    _end_rejected(work, each, error, message=error.user_message)
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
    note_unknown(work, each.write.request_id, error)
    recorder.unknown(work, each.item.link, error)
