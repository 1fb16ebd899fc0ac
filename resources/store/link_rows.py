"""Turning rows of links, attempts and outcomes into the engine's values and back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from sync.records import Entity
from sync.stored import AttemptView, LinkView, OurSide, Outcome, TheirSide

Row = sa.RowMapping


def link_view(row: Row) -> LinkView:
    """One link with both of its sides, as the engine sees it."""
    ours = None
    if row["our_state"] is not None:
        ours = OurSide(
            state=row["our_state"],
            canonical=row["our_canonical"],
            checksum=row["our_checksum"],
            revision=row["revision"],
            label=row["our_label"],
            changed_at=row["our_changed_at"],
            total=row["our_total"],
            currency=row["our_currency"],
        )
    theirs = None
    if row["their_state"] is not None:
        theirs = TheirSide(
            state=row["their_state"],
            canonical=row["their_canonical"],
            checksum=row["their_checksum"],
            version=row["version"],
            label=row["their_label"],
            changed_at=row["remote_changed_at"],
            total=row["their_total"],
            currency=row["their_currency"],
            raw=row["raw"],
            merged_into=row["merged_into"],
            balance=row["their_balance"],
        )
    return LinkView(
        id=row["id"],
        entity=Entity(row["entity"]),
        record_id=row["record_id"],
        remote_id=row["remote_id"],
        ours=ours,
        theirs=theirs,
        ours_checksum=row["ours_checksum"],
        theirs_checksum=row["theirs_checksum"],
        base_ours_checksum=row["base_ours_checksum"],
        base_theirs_checksum=row["base_theirs_checksum"],
        base_ours=row["base_ours"],
        base_theirs=row["base_theirs"],
        state=row["state"],
        decision=row["decision"],
        tries=row["tries"],
        first_failed_at=row["first_failed_at"],
        approved_checksum=row["approved_checksum"],
        approved_by=row["approved_by"],
        period_choice=row["period_choice"],
        line_versions=row["line_versions"],
        not_remote_ids=frozenset(row["not_remote_ids"]),
    )


def attempt_view(row: Row) -> AttemptView:
    """One unsettled attempt, as the engine sees it."""
    return AttemptView(
        id=row["id"],
        link_id=row["link_id"],
        record_id=row["record_id"],
        revision=row["revision"],
        operation=row["operation"],
        serial=row["serial"],
        request_id=row["request_id"],
        marker=row["marker"],
        canonical=row["payload"],
        payload_hash=row["payload_hash"],
        remote_id=row["remote_id"],
        remote_version=row["remote_version"],
        started_at=row["started_at"],
        first_started_at=row["first_started_at"],
        remote_id_with_marker=row["remote_id_with_marker"],
        mapping_version_id=row["mapping_version_id"],
        evidence=row["details"],
        unseen_deleted=tuple(row["unseen_deleted"]),
        changes_read_at=row["changes_read_at"],
        sendings=row["sendings"],
        is_given_up=row["is_given_up"],
    )


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """One row of v2_sync_records, still without its log and builder."""
    link = outcome.link
    return {
        "link_id": link.id,
        "record_id": link.record_id,
        "remote_id": outcome.details.get("remote_id") or link.remote_id,
        "direction": outcome.direction,
        "status": outcome.status,
        "action": outcome.action,
        "amount": link.total,
        "currency": link.currency,
        "label": link.label,
        "message": outcome.message,
        "conflict_data": outcome.conflict_data,
        "next_try_at": outcome.next_try_at,
        "category": outcome.category,
        "code": outcome.code,
        "remedy": outcome.remedy,
        "cause": outcome.cause,
        "details": dict(outcome.details),
    }
