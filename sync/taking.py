"""Taking the ledger's values: new and changed records of theirs become rows of the platform."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sync.compare import Verdict
from sync.errors import Held
from sync.incoming import to_platform
from sync.judge import Context, Judged
from sync.outcomes import Recorder
from sync.records import Canonical, checksum
from sync.store import Apply, Audit, LinkView, Settlement, Work

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
) -> None:
    """Write the ledger's values of a batch into the platform's tables, with audit entries for what they overwrite."""
    rows: list[tuple[Judged, Apply]] = []
    for item in items:
        try:
            rows.append((item, _row(item, context, new_id=new_id)))
        except Held as held:
            recorder.hold(work, item.link, held)
    if not rows:
        return
    for item, row in rows:
        if item.link.record_id is None:
            work.pair_new(item.link.id, row.record_id)
    work.apply(context.entity, [row for _, row in rows])
    links = {link.id: link for link in work.links([item.link.id for item, _ in rows])}
    work.settle([_settlement(item, links[item.link.id]) for item, _ in rows])
    for item, row in rows:
        _write_down(item, row, recorder)
        if item.decision.verdict is Verdict.MERGE:
            recorder.look_again.add(item.link.id)
    work.audit([_audit(item, row, actor) for item, row in rows])


def _row(item: Judged, context: Context, *, new_id: Callable[[], str]) -> Apply:
    link = item.link
    assert link.theirs is not None
    record_id = link.record_id or new_id()
    if item.decision.verdict is Verdict.APPLY_VOID:
        assert link.ours is not None
        state = "inactive" if link.entity in ("account", "customer", "vendor") else "void"
        return Apply(record_id, state, link.ours.canonical)  # type: ignore[arg-type]
    ours = to_platform(
        link.entity,
        link.theirs.canonical,
        label=link.label,
        resolver=context.back,
        base_ours=link.base_ours,
        base_theirs=link.base_theirs,
    )
    if item.decision.verdict is Verdict.MERGE:
        ours = _merged(item, ours)
    for line in ours.get("lines") or []:
        if "key" in line and line["key"] is None:
            line["key"] = new_id()
    return Apply(record_id, "active" if link.theirs.state == "active" else "void", ours)


def _merged(item: Judged, theirs_as_ours: Canonical) -> Canonical:
    """Ours with the fields that theirs changed (or that a person gave to the ledger)."""
    link = item.link
    assert link.ours is not None
    taken: set[str] = set(item.theirs_changed)
    if link.decision is not None and link.decision.startswith("merge:"):
        chosen: dict[str, Any] = json.loads(link.decision.removeprefix("merge:"))
        taken = {name for name, side in chosen.items() if side == "provider"}
    if taken & {"lines", "total"}:
        taken |= {"lines", "total"}
    return {
        name: theirs_as_ours[name] if name in taken else value for name, value in link.ours.canonical.items()
    }


def _settlement(item: Judged, after: LinkView) -> Settlement:
    assert after.ours is not None
    assert after.theirs is not None
    is_merge = item.decision.verdict is Verdict.MERGE
    return Settlement(
        link_id=after.id,
        # After a merge ours still has something to send: its base is not moved.
        ours_checksum=NOT_AGREED if is_merge else after.ours_checksum,
        theirs_checksum=after.theirs_checksum,
        base_ours=after.ours.canonical,
        base_theirs=after.theirs.canonical,
        linked_by="applied" if item.link.record_id is None else None,
    )


def _write_down(item: Judged, row: Apply, recorder: Recorder) -> None:
    actions = {
        Verdict.APPLY_NEW: "created here",
        Verdict.APPLY: "updated here",
        Verdict.APPLY_VOID: f"{row.state} here",
        Verdict.MERGE: "merged",
    }
    recorder.pulled(item.link, actions[item.decision.verdict], item.decision.reason)


def _audit(item: Judged, row: Apply, actor: str) -> Audit:
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
    )
