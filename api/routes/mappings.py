"""Account mappings: how a connection's stands, and saving a new version."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.auth import AsBookkeeper, AsViewer
from api.chosen import chosen_connection
from api.conditions import IfMatch, etag, require_match
from api.models.base import ProfileName
from api.models.mappings import (
    Mapping,
    MappingCounts,
    MappingRowIn,
    MappingSave,
    MappingState,
    MappingSuggestion,
    MappingSuggestionPart,
    MappingTarget,
)
from api.readers import quick_read
from api.responses import READ_ONE, WRITE, problems
from api.services import UseServices
from resources.store import mappings
from resources.store.database import Transaction
from sync.mapping import MappingRow
from sync.mapping_overview import Target, mapping_targets
from sync.mapping_suggestions import Suggestion

router = APIRouter(tags=["mappings"])

# Ten thousand rows of a mapping, with room for notes.
MAPPING_BYTES_MAX = 8_000_000


@quick_read(router.get("/mappings", name="get_mapping", responses=READ_ONE))
def get_mapping(
    caller: AsViewer,
    services: UseServices,
    response: Response,
    connection_id: Annotated[
        UUID | None, Query(description="May be left out while there is one connection.")
    ] = None,
    profile: Annotated[ProfileName | None, Query(description="Only this profile.")] = None,
    state: Annotated[MappingState | None, Query(description="Only targets in this state.")] = None,
) -> Mapping:
    """Show the mapping as it stands: every cost code, its account or the gap, who waits for it, and what would fit."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id)
        shown = _overview(tx, connection["id"], profile=profile, state=state)
    response.headers["ETag"] = etag(shown.version)
    return shown


@router.put("/mappings", name="save_mapping", responses={**WRITE, **problems(412)})
def save_mapping(
    caller: AsBookkeeper,
    services: UseServices,
    response: Response,
    body: MappingSave,
    if_match: IfMatch = None,
) -> Mapping:
    """Save the full mapping as a new version, and release what it no longer holds; history stays as it was sent."""
    require_match(if_match, version=body.version, what="The mapping that you loaded")
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, body.connection_id)
        mappings.save_mapping(
            tx,
            connection["id"],
            expected_number=body.version,
            rows=[row_taken(row) for row in body.rows],
            note=body.note,
            saved_by=caller.actor,
        )
        return mapping_shown(tx, connection["id"], response)


def mapping_shown(tx: Transaction, connection_id: UUID, response: Response) -> Mapping:
    """Return the whole mapping as it stands after a change, under its new ETag."""
    shown = _overview(tx, connection_id, profile=None, state=None)
    response.headers["ETag"] = etag(shown.version)
    return shown


def row_taken(row: MappingRowIn) -> MappingRow:
    """Return a row as it was sent in."""
    return MappingRow(
        profile=row.platform_entity_type,
        cost_code_id=str(row.platform_cost_code_id) if row.platform_cost_code_id else None,
        account_id=row.provider_account_id,
        direction=row.mapping_direction,
        job_id=str(row.platform_job_id) if row.platform_job_id else None,
    )


def _overview(
    tx: Transaction, connection_id: UUID, *, profile: ProfileName | None, state: MappingState | None
) -> Mapping:
    version = mappings.newest_version(tx, connection_id)
    targets = mapping_targets(
        codes=mappings.cost_codes(tx),
        accounts=mappings.provider_accounts(tx, connection_id),
        rows=mappings.saved_rows(tx, version.id) if version else [],
        uses=mappings.mapping_uses(tx, connection_id),
        jobs=mappings.mapping_jobs(tx),
        choices=mappings.earlier_choices(tx, connection_id),
    )
    states = [target.state for target in targets]
    return Mapping(
        connection_id=connection_id,
        version=version.number if version else 0,
        saved_at=version.created_at if version else None,
        saved_by=version.created_by if version else None,
        note=version.note if version else None,
        counts=MappingCounts(
            mapped=states.count("mapped"),
            unmapped=states.count("unmapped"),
            broken=states.count("broken"),
            needed=sum(target.is_needed for target in targets),
            held_records=sum(target.use.held_records for target in targets),
        ),
        rows=[
            _shown(target)
            for target in targets
            if profile in (None, target.profile) and state in (None, target.state)
        ],
    )


def _shown(target: Target) -> MappingTarget:
    row, code, suggestion = target.row or target.inherited, target.code, target.suggestion
    return MappingTarget.model_validate(
        {
            "platform_entity_type": target.profile,
            "platform_cost_code_id": code.id if code else None,
            "platform_job_id": target.job.id if target.job else None,
            "job": target.job.label if target.job else None,
            "inherited_from": "company" if target.inherited else None,
            "code": code.code if code else None,
            "name": code.name if code else None,
            "division": code.division if code else None,
            "state": target.state,
            "provider_account_id": row.account_id if row else None,
            "provider_account_name": row.account_name if row else None,
            "provider_account_number": row.account_number if row else None,
            "provider_account_type": row.account_type if row else None,
            "mapping_direction": row.direction if row else None,
            "lines": target.use.lines,
            "held_records": target.use.held_records,
            "suggestion": _suggested(suggestion) if suggestion else None,
            "candidates": [_suggested(each) for each in target.candidates],
        }
    )


# The same suggestions come back with every page of the same books (`sync.mapping_memory`).
@lru_cache(maxsize=5_000)
def _suggested(suggestion: Suggestion) -> MappingSuggestion:
    return MappingSuggestion(
        provider_account_id=suggestion.account_id,
        provider_account_name=suggestion.account_name,
        score=suggestion.score,
        reason=suggestion.reason,
        parts=[
            MappingSuggestionPart(signal=each.signal, points=each.points, words=each.words)
            for each in suggestion.parts
        ],
    )
