"""The evidence pack: everything that is known about one record, for whoever has to account for it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from api.auth import AsViewer
from api.models.base import EntityName
from api.models.evidence import (
    EvidenceAttempt,
    EvidenceChange,
    EvidenceLedger,
    EvidencePack,
    EvidenceRecord,
)
from api.responses import READ_ONE
from api.services import UseServices
from resources.record_links import RecordLinks
from resources.store.evidence import evidence_of

router = APIRouter(tags=["sync"])


@router.get("/evidence/{entity}/{id}", name="get_evidence", responses=READ_ONE)
def get_evidence(
    caller: AsViewer,
    services: UseServices,
    entity: EntityName,
    record_id: Annotated[UUID, Path(alias="id")],
) -> EvidencePack:
    """Show one record's evidence: ours, payloads with their hashes, mapping version, approver, ledger id, later changes."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = evidence_of(tx, entity=entity, record_id=record_id)
    links = RecordLinks(services.tieout.settings)
    return EvidencePack(
        entity=entity,
        platform_entity_id=record_id,
        platform_url=links.platform(entity, record_id),
        sent_at=found.sent_at,
        record=EvidenceRecord.model_validate(found.record),
        ledgers=[
            EvidenceLedger.model_validate(
                {**row, "provider_url": links.provider(row["provider"], entity, row["remote_id"])}
            )
            for row in found.ledgers
        ],
        attempts=[EvidenceAttempt.model_validate(row) for row in found.attempts],
        changes=[EvidenceChange.model_validate(row) for row in found.changes],
    )
