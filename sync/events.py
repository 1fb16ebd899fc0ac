"""The events others may hear of, each with an example of what it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DOCUMENT = {
    "sync_record_id": "0192f3a4-0000-7000-8000-000000000001",
    "connection_id": "0192f3a4-0000-7000-8000-000000000002",
    "provider": "quickbooks_online",
    "entity_type": "bill",
    "record_id": "0192f3a4-0000-7000-8000-000000000003",
    "provider_id": "184",
    "direction": "push",
    "action": "created",
    "label": "Bill 4471 of Summit Electric",
    "amount": "1250.0000",
    "currency": "USD",
    "message": None,
    "code": None,
    "platform_url": "https://platform.example.com/bill/0192f3a4-0000-7000-8000-000000000003",
    "provider_url": "https://app.qbo.intuit.com/app/bill?txnId=184",
}
_CONNECTION = {"connection_id": _DOCUMENT["connection_id"], "provider": "quickbooks_online"}
_RUN = {
    **_CONNECTION,
    "run_id": "0192f3a4-0000-7000-8000-000000000004",
    "trigger": "scheduled",
    "message": None,
}


def _document(**other: Any) -> Mapping[str, Any]:
    return {**_DOCUMENT, **other}


SAMPLES: Mapping[str, Mapping[str, Any]] = {
    "document.synced": _DOCUMENT,
    "document.failed": _document(message="The vendor is inactive in QuickBooks.", code="provider.rejected"),
    "document.held": _document(
        message="Bill 4471 waits because 03-300 has no expense account.", code="hold.mapping_missing"
    ),
    "document.outcome_unknown": {
        **_CONNECTION,
        "entity_type": "bill",
        "record_id": _DOCUMENT["record_id"],
        "action": "create",
        "message": "QuickBooks did not confirm the bill.",
        "platform_url": _DOCUMENT["platform_url"],
        "provider_url": None,
    },
    "document.resolved": _document(action="dismissed"),
    "conflict.opened": _document(
        message="Bill 4471 was changed on both sides: due date.", code="conflict.found"
    ),
    "payment.received": _document(
        entity_type="payment", direction="pull", action="applied", label="Payment 1032"
    ),
    "bill.paid": _document(
        entity_type="bill_payment", direction="pull", action="applied", label="Bill payment 88"
    ),
    "deposit.recorded": _document(
        entity_type="deposit", direction="pull", action="applied", label="Deposit 9"
    ),
    "connection.lost": {**_CONNECTION, "reason": "the consent was withdrawn"},
    "connection.restored": _CONNECTION,
    "tie_out.difference": {**_CONNECTION, "difference": "120.5000"},
    "sync.completed": _RUN,
    "sync.partial": _RUN,
    "sync.failed": {**_RUN, "message": "QuickBooks cannot be reached."},
}
EVENT_TYPES: tuple[str, ...] = tuple(SAMPLES)
