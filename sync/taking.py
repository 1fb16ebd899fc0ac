"""Taking the ledger's values: new and changed records of theirs become rows of the platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from sync import history, jobs
from sync.compare import Strategy, Verdict
from sync.errors import DocumentInvalid, Held
from sync.judge import Context, Judged, in_platform_terms
from sync.outcomes import Recorder
from sync.records import Canonical, Entity, checksum
from sync.store import Work
from sync.stored import Apply, Audit, LinkView, Settlement

TAKEN = frozenset({Verdict.APPLY_NEW, Verdict.APPLY, Verdict.APPLY_VOID, Verdict.MERGE})
# Never equal to a checksum: a link with this base is different on that side until the next settlement.
NOT_AGREED = "not agreed"


def take(
    work: Work,
    items: Sequence[Judged],
    context: Context,
    recorder: Recorder,
    *,
    new_id: Callable[[], str],
    actor: str,
    now: datetime,
) -> None:
    """Write the ledger's values of a batch into the platform's tables, with audit entries for what they overwrite."""
    rows: list[Taken] = []
    for item in items:
        try:
            rows.append(_taken(_with_period(item, context), context, new_id=new_id))
        except Held as held:
            recorder.hold(work, item.link, held)
    if not rows:
        return
    new = {each.item.link.id: each.row.record_id for each in rows if each.item.link.record_id is None}
    work.pair_new(new)
    refused = work.apply(context.entity, [each.row for each in rows])
    for each in rows:
        if each.row.record_id in refused and refused[each.row.record_id] is None:
            recorder.look_again.add(each.item.link.id)
        elif each.row.record_id in refused:
            reason = f"what the ledger says cannot be kept here: {refused[each.row.record_id]}"
            error = DocumentInvalid(label=each.item.link.label, reason=reason)
            if each.item.link.id in new:
                work.pair_new({each.item.link.id: None})
            recorder.failed(work, each.item.link, error, now=now, direction="pull")
    rows = [each for each in rows if each.row.record_id not in refused]
    links = {link.id: link for link in work.links([each.item.link.id for each in rows])}
    settlements = [_settlement(each, links[each.item.link.id], context) for each in rows]
    work.settle(settlements)
    work.reopen_naming(context.entity, [remote_id for each in rows if (remote_id := _may_be_named(each))])
    came_in = [each.item.link.theirs.canonical for each in rows if each.item.link.theirs is not None]
    history.look_at_left(work, context.entity, came_in, context.setting, here=context.back.record_ids)
    for each, settlement in zip(rows, settlements, strict=True):
        _write_down(each, recorder)
        if settlement.ours_checksum != links[each.item.link.id].ours_checksum:
            recorder.look_again.add(each.item.link.id)
    work.audit([_audit(each.item, each.row, actor, context) for each in rows])


@dataclass(frozen=True, slots=True)
class Taken:
    """One record about to be written here; `base` is what the ledger says, in our dialect, line by line."""

    item: Judged
    row: Apply
    base: Canonical | None = None

    @property
    def is_merge(self) -> bool:
        """Whether ours still has something to send afterwards."""
        return self.item.decision.verdict is Verdict.MERGE


def _taken(item: Judged, context: Context, *, new_id: Callable[[], str]) -> Taken:
    link = item.link
    assert link.theirs is not None
    record_id = link.record_id or new_id()
    if item.decision.verdict is Verdict.APPLY_VOID:
        assert link.ours is not None
        is_name = link.entity in (Entity.ACCOUNT, Entity.CUSTOMER, Entity.VENDOR)
        return Taken(item, Apply(record_id, "inactive" if is_name else "void", link.ours.canonical))
    theirs = item.theirs_as_ours if item.theirs_as_ours is not None else in_platform_terms(link, context)
    for line in theirs.get("lines") or []:
        # A merge holds the same lines, so that a line new in the ledger has one key in both.
        if "key" in line and line["key"] is None:
            line["key"] = new_id()
    state: Literal["active", "void"] = "active" if link.theirs.state == "active" else "void"
    if item.decision.verdict is not Verdict.MERGE:
        return Taken(item, Apply(record_id, state, theirs))
    both = item.merged if link.decision is None else _chosen(link, theirs)
    assert both is not None, "a merge is only decided where there is one"
    return Taken(item, Apply(record_id, state, both), base=theirs)


def _chosen(link: LinkView, theirs_as_ours: Canonical) -> Canonical:
    """Ours with the fields that a person gave to the ledger; lines and total go together."""
    assert link.ours is not None
    assert link.decision is not None
    choices: dict[str, Any] = json.loads(link.decision.removeprefix("merge:"))
    taken = {name for name, side in choices.items() if side == "provider"}
    if taken & {"lines", "total"}:
        taken |= {"lines", "total"}
    return {
        name: theirs_as_ours[name] if name in taken else value for name, value in link.ours.canonical.items()
    }


def _may_be_named(each: Taken) -> str | None:
    """Return the ledger's id of a record that is new here, if others may have come in before it that name it.

    They have where it was left or held until now, or where the ledger has applied money to it.
    """
    link = each.item.link
    assert link.theirs is not None
    was_passed_over = link.base_theirs_checksum is not None or link.state != "open"
    is_new = link.record_id is None
    return link.remote_id if is_new and (was_passed_over or link.theirs.paid) else None


def _settlement(each: Taken, after: LinkView, context: Context) -> Settlement:
    assert after.ours is not None
    assert after.theirs is not None
    # After a merge ours still has something to send: its base is what the ledger says, and not what we say.
    base = each.base if each.base is not None else after.ours.canonical
    ours_checksum = NOT_AGREED if each.is_merge else after.ours_checksum
    if each.item.decision.verdict is Verdict.APPLY and _may_send_jobs(context):
        # The ledger won what it knows of; another job of a line is still ours to tell.
        base = jobs.with_jobs_of(base, each.row.canonical)
        ours_checksum = checksum(base, state=after.ours.state)
    return Settlement(
        link_id=after.id,
        ours_checksum=ours_checksum,
        theirs_checksum=after.theirs_checksum,
        base_ours=base,
        base_theirs=after.theirs.canonical,
        linked_by="applied" if each.item.link.record_id is None else None,
    )


def _may_send_jobs(context: Context) -> bool:
    is_ours_to_tell = context.setting.strategy is not Strategy.PROVIDER_WINS
    return context.hears_of_jobs and is_ours_to_tell and context.setting.direction != "pull"


def _write_down(each: Taken, recorder: Recorder) -> None:
    actions = {
        Verdict.APPLY_NEW: "created here",
        Verdict.APPLY: "updated here",
        Verdict.APPLY_VOID: f"{each.row.state} here",
        Verdict.MERGE: "merged",
    }
    recorder.pulled(each.item.link, actions[each.item.decision.verdict], each.item.decision.reason)


def _with_period(item: Judged, context: Context) -> Judged:
    """Say so where the ledger changed a document of a closed period: it may, and nobody should have to find out."""
    closed_until, theirs = context.closed.until, item.link.theirs
    dated = (theirs.canonical if theirs is not None else {}).get("date")
    if closed_until is None or not dated or date.fromisoformat(dated) > closed_until:
        return item
    reason = (
        f"{item.decision.reason}; its date {dated} lies in the period that is closed until {closed_until}"
    )
    return replace(item, decision=replace(item.decision, reason=reason))


def _audit(item: Judged, row: Apply, actor: str, context: Context) -> Audit:
    link = item.link
    before = {"state": link.ours.state, "canonical": link.ours.canonical} if link.ours else None
    after = {
        "state": row.state,
        "canonical": row.canonical,
        "checksum": checksum(row.canonical, state=row.state),
    }
    return Audit(
        action=f"sync.{item.decision.verdict}",
        reason=item.decision.reason,
        link=link,
        before=before,
        after={**after, "record_id": row.record_id, "actor": actor},
        strategy=str(context.setting.strategy),
        mapping_version_id=context.mapping.version_id,
    )
