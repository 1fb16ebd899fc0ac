"""Adopting a write that nobody confirmed and that was found in the ledger: it is ours, and done."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sync import fields
from sync.outcomes import Recorder
from sync.ports import Provider
from sync.pushed import OURS_AS_SENT, audit_of_push, line_versions
from sync.records import Canonical, Entity, RemoteRecord
from sync.store import Work
from sync.stored import AttemptView, LinkView, Settlement

# Never equal to a checksum: a link with this base is different on that side until the next settlement.
EDITED_SINCE = "edited since it was sent"


def adopt(
    work: Work,
    provider: Provider,
    record: RemoteRecord,
    *,
    attempt: AttemptView,
    link: LinkView,
    recorder: Recorder,
    actor: str,
) -> None:
    """Link what a write made, or note what it changed; whatever else the ledger shows is somebody's edit."""
    owner = work.record_ids([(link.entity, record.remote_id)]).get((link.entity, record.remote_id))
    if owner is not None and owner != attempt.record_id:
        # A name that another record of ours already has: the ledger will say so when it is sent again.
        work.settle_attempt(attempt.request_id, state="rejected", message="It belongs to another record.")
        work.open_link(link.id)
        return
    if link.remote_id != record.remote_id:
        work.pair({link.id: record.remote_id})
        # It may have been paid before anybody knew that it is ours.
        work.reopen_naming(link.entity, [record.remote_id])
    is_current = link.ours is not None and link.ours.revision == attempt.revision
    # What both sides agreed on is what was sent, as far as the ledger keeps it. If somebody has edited the document since,
    # that is their change; what the ledger left out or filled in by itself is nobody's.
    sent = as_sent(provider, attempt, record)
    is_as_sent = record.state == "active" and fields.same_values(link.entity, sent, record.canonical)
    work.settle(
        [
            Settlement(
                link_id=link.id,
                ours_checksum=link.ours_checksum if is_current else f"revision {attempt.revision}",
                theirs_checksum=record.checksum if is_as_sent else EDITED_SINCE,
                base_ours=link.ours.canonical
                if link.ours and is_current
                else attempt.evidence.get(OURS_AS_SENT),
                base_theirs=record.canonical if is_as_sent else sent,
                linked_by="adopted" if link.remote_id is None else None,
                mapping_version_id=attempt.mapping_version_id,
                line_versions=line_versions(attempt),
            )
        ]
    )
    work.settle_attempt(
        attempt.request_id, state="done", remote_id=record.remote_id, remote_version=record.version
    )
    recorder.pushed(link, "found in the ledger", details={"remote_id": record.remote_id})
    work.audit([audit_of_push(link, attempt, record=record, actor=actor)])


def as_sent(provider: Provider, attempt: AttemptView, record: RemoteRecord) -> Canonical:
    """Return what was sent as the ledger keeps it, its lines under the ids it gave them (they keep their order)."""
    before = (attempt.evidence.get("before") or {}).get("canonical")
    sent = dict(
        provider.as_kept(
            Entity(record.entity),
            attempt.canonical,
            shown=record,
            before=None if attempt.operation == "create" else before or {},
        )
    )
    shown = record.canonical.get("lines") or []
    if "lines" in sent:
        padded = [*shown, *({} for _ in sent["lines"])]
        sent["lines"] = [
            {**line, **_filled_in(line, there), "id": line.get("id") or there.get("id")}
            for line, there in zip(sent["lines"], padded, strict=False)
        ]
    return sent


def _filled_in(sent: Mapping[str, Any], shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a provider says of a line that was sent as an amount alone: one, at that price; nobody's edit."""
    quantity, price = shown.get("quantity"), shown.get("unit_price")
    is_said = sent.get("quantity") is not None or sent.get("unit_price") is not None
    if is_said or quantity is None or price is None:
        return {}
    is_filled_in = Decimal(quantity) == 1 and Decimal(price) == Decimal(sent.get("amount") or 0)
    return {"quantity": quantity, "unit_price": price} if is_filled_in else {}
