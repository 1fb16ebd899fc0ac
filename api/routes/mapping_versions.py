"""Drafts and versions of a mapping: prepare, compare, look at what it would do, publish, roll back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.chosen import chosen_connection
from api.conditions import IfMatch, etag, require_match
from api.cursors import Paging, after_name, page_of
from api.mapping_shown import (
    Names,
    changes_shown,
    diff_shown,
    draft_shown,
    draft_summary,
    impact_shown,
    names_of,
    version_shown,
)
from api.models.mapping_versions import (
    MappingDiff,
    MappingDraft,
    MappingDraftBegin,
    MappingDraftList,
    MappingDraftPublish,
    MappingDraftRebase,
    MappingDraftSave,
    MappingImpact,
    MappingRebased,
    MappingRollBack,
    MappingVersionPage,
    MappingVersionShown,
    MappingVersionSummary,
)
from api.models.mappings import VERSION_MAX, Mapping
from api.responses import READ, READ_ONE, WRITE, problems
from api.routes.mappings import mapping_shown, row_taken
from api.runs import start_run
from api.services import Services, UseServices
from resources.store import mapping_drafts, mapping_impact, mappings
from resources.store.database import Transaction
from resources.store.mapping_drafts import Draft, Editor
from sync.errors import InvalidInput
from sync.mapping import MappingRow
from sync.mapping_overview import mapping_targets

router = APIRouter(tags=["mappings"])

OneConnection = Annotated[UUID | None, Query(description="May be left out while there is one connection.")]
Number = Annotated[int, Path(ge=1, le=VERSION_MAX, description="The version's number.")]


class VersionQuery(Paging):
    """Which connection's history."""

    connection_id: UUID | None = None


@router.get("/mappings/drafts", name="list_mapping_drafts", responses=READ_ONE)
def list_mapping_drafts(
    caller: AsViewer, services: UseServices, connection_id: OneConnection = None
) -> MappingDraftList:
    """List the drafts of a mapping, the one edited last first."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id)
        newest = _newest_number(tx, connection["id"])
        drafts = mapping_drafts.list_drafts(tx, connection["id"])
    return MappingDraftList(items=[draft_summary(each, newest=newest) for each in drafts])


@router.post("/mappings/drafts", name="begin_mapping_draft", status_code=201, responses=WRITE)
def begin_mapping_draft(
    caller: AsBookkeeper, services: UseServices, response: Response, body: MappingDraftBegin | None = None
) -> MappingDraft:
    """Begin a draft: with rows of your own, an older version's, the suggestions, or the mapping as it is."""
    wanted = body or MappingDraftBegin()
    if wanted.rows is not None and (wanted.from_version is not None or wanted.with_suggestions):
        raise InvalidInput(
            what="The draft",
            reason="it begins with `rows`, or with `from_version` or `with_suggestions`, not with both",
        )
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, wanted.connection_id)
        rows = None if wanted.rows is None else [row_taken(row) for row in wanted.rows]
        if wanted.with_suggestions:
            rows = _with_suggestions(tx, connection["id"], from_number=wanted.from_version)
        draft = mapping_drafts.begin_draft(
            tx,
            connection["id"],
            rows=rows,
            from_number=wanted.from_version,
            note=wanted.note,
            by=_editor(caller, services),
        )
        return _answer(tx, draft, response)


@router.get("/mappings/drafts/{id}", name="get_mapping_draft", responses=READ_ONE)
def get_mapping_draft(
    caller: AsViewer, services: UseServices, response: Response, draft_id: Annotated[UUID, Path(alias="id")]
) -> MappingDraft:
    """Show a draft with its rows, and what would stop it from being published."""
    with services.database.builder_tx(caller.builder_id) as tx:
        return _answer(tx, mapping_drafts.get_draft(tx, draft_id), response)


@router.put("/mappings/drafts/{id}", name="save_mapping_draft", responses={**WRITE, **problems(412)})
def save_mapping_draft(
    caller: AsBookkeeper,
    services: UseServices,
    response: Response,
    draft_id: Annotated[UUID, Path(alias="id")],
    body: MappingDraftSave,
    if_match: IfMatch = None,
) -> MappingDraft:
    """Replace a draft's rows; nothing is booked by them before it is published."""
    require_match(if_match, version=body.revision, what="The draft that you loaded")
    with services.database.builder_tx(caller.builder_id) as tx:
        draft = mapping_drafts.edit_draft(
            tx,
            draft_id,
            expected_revision=body.revision,
            rows=[row_taken(row) for row in body.rows],
            note=body.note,
            by=_editor(caller, services),
        )
        return _answer(tx, draft, response)


@router.delete("/mappings/drafts/{id}", name="discard_mapping_draft", status_code=204, responses=WRITE)
def discard_mapping_draft(
    caller: AsBookkeeper, services: UseServices, draft_id: Annotated[UUID, Path(alias="id")]
) -> None:
    """Throw a draft away; the audit log keeps its rows."""
    with services.database.builder_tx(caller.builder_id) as tx:
        mapping_drafts.discard_draft(tx, draft_id, actor=caller.actor)


@router.get("/mappings/drafts/{id}/diff", name="diff_mapping_draft", responses=READ_ONE)
def diff_mapping_draft(
    caller: AsViewer, services: UseServices, draft_id: Annotated[UUID, Path(alias="id")]
) -> MappingDiff:
    """Show what a draft changes in the mapping as it is now."""
    with services.database.builder_tx(caller.builder_id) as tx:
        draft = mapping_drafts.get_draft(tx, draft_id)
        newest = mappings.newest_version(tx, draft.connection_id)
        compared = mapping_impact.compare(
            tx, draft.connection_id, before=mappings.rows_of(tx, newest), after=draft.rows
        )
    return diff_shown(compared, before=newest.number if newest else 0, after=None)


@router.get("/mappings/drafts/{id}/impact", name="preview_mapping_draft", responses=READ_ONE)
def preview_mapping_draft(
    caller: AsViewer, services: UseServices, draft_id: Annotated[UUID, Path(alias="id")]
) -> MappingImpact:
    """Show what publishing a draft would do: lines that move, lines that stay, holds that end, accounts that are gone."""
    with services.database.builder_tx(caller.builder_id) as tx:
        draft = mapping_drafts.get_draft(tx, draft_id)
        return _impact(tx, draft.connection_id, draft.rows)


@router.post("/mappings/drafts/{id}/rebase", name="rebase_mapping_draft", responses=WRITE)
def rebase_mapping_draft(
    caller: AsBookkeeper,
    services: UseServices,
    response: Response,
    draft_id: Annotated[UUID, Path(alias="id")],
    body: MappingDraftRebase,
) -> MappingRebased:
    """Carry a draft's changes over to the newest version, and name what both changed."""
    with services.database.builder_tx(caller.builder_id) as tx:
        draft, onto = mapping_drafts.rebase_draft(
            tx, draft_id, expected_revision=body.revision, by=_editor(caller, services)
        )
        newest = mappings.newest_version(tx, draft.connection_id)
        compared = mapping_impact.compare(
            tx, draft.connection_id, before=mappings.rows_of(tx, newest), after=draft.rows
        )
        return MappingRebased(
            draft=_answer(tx, draft, response), both_changed=changes_shown(compared, only=onto.both_changed)
        )


@router.post(
    "/mappings/drafts/{id}/publish", name="publish_mapping_draft", responses={**WRITE, **problems(412)}
)
def publish_mapping_draft(
    caller: AsBookkeeper,
    services: UseServices,
    response: Response,
    draft_id: Annotated[UUID, Path(alias="id")],
    body: MappingDraftPublish,
    if_match: IfMatch = None,
) -> Mapping:
    """Make a draft the mapping, and release what it no longer holds; what was sent stays as it was sent."""
    require_match(if_match, version=body.revision, what="The draft that you looked at")
    with services.database.builder_tx(caller.builder_id) as tx:
        draft = mapping_drafts.get_draft(tx, draft_id)
        impact = _impact(tx, draft.connection_id, draft.rows) if body.start_sync else None
        mapping_drafts.publish_draft(
            tx, draft_id, expected_revision=body.revision, note=body.note, actor=caller.actor
        )
        published = mapping_shown(tx, draft.connection_id, response)
    _send_released(services, caller, draft.connection_id, impact)
    return published


@router.get("/mappings/versions", name="list_mapping_versions", responses=READ)
def list_mapping_versions(
    caller: AsViewer, services: UseServices, wanted: Annotated[VersionQuery, Query()]
) -> MappingVersionPage:
    """List the history of a mapping, newest first."""
    after = after_name(wanted.cursor, kind="mapping versions")
    if after is not None and not after[0].isdecimal():
        raise InvalidInput(what="The cursor", reason="it is not one that this list gave out")
    below = min(int(after[0]), mapping_drafts.ABOVE_ALL) if after else mapping_drafts.ABOVE_ALL
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, wanted.connection_id)
        rows = mapping_drafts.list_versions(tx, connection["id"], below=below, rows_max=wanted.limit + 1)
    page, next_cursor = page_of(
        rows, limit=wanted.limit, kind="mapping versions", key=lambda row: (str(row["number"]), "")
    )
    return MappingVersionPage(items=[_version(row) for row in page], next_cursor=next_cursor)


@router.get("/mappings/versions/{number}", name="get_mapping_version", responses=READ_ONE)
def get_mapping_version(
    caller: AsViewer, services: UseServices, number: Number, connection_id: OneConnection = None
) -> MappingVersionShown:
    """Show one version with its rows."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id)
        version = mapping_drafts.version_numbered(tx, connection["id"], number)
        rows = mappings.saved_rows(tx, version.id, only_active=False)
        names = _names(tx, connection["id"])
    return version_shown(version, rows, connection_id=connection["id"], names=names)


@router.get("/mappings/versions/{number}/diff", name="diff_mapping_versions", responses=READ_ONE)
def diff_mapping_versions(
    caller: AsViewer,
    services: UseServices,
    number: Number,
    against: Annotated[
        int | None,
        Query(ge=1, le=VERSION_MAX, description="The version to compare with; the one before unless told."),
    ] = None,
    connection_id: OneConnection = None,
) -> MappingDiff:
    """Show what a version changed, against the one before it or any other."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id)
        version = mapping_drafts.version_numbered(tx, connection["id"], number)
        other = number - 1 if against is None else against
        base = mapping_drafts.version_numbered(tx, connection["id"], other) if other else None
        compared = mapping_impact.compare(
            tx,
            connection["id"],
            before=mappings.rows_of(tx, base, only_active=False),
            after=mappings.rows_of(tx, version, only_active=False),
        )
    return diff_shown(compared, before=other, after=number)


@router.get("/mappings/versions/{number}/impact", name="preview_mapping_version", responses=READ_ONE)
def preview_mapping_version(
    caller: AsViewer, services: UseServices, number: Number, connection_id: OneConnection = None
) -> MappingImpact:
    """Show what rolling back to a version would do."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, connection_id)
        version = mapping_drafts.version_numbered(tx, connection["id"], number)
        return _impact(tx, connection["id"], mappings.rows_of(tx, version, only_active=False))


@router.post("/mappings/versions/{number}/roll-back", name="roll_back_mapping", responses=WRITE)
def roll_back_mapping(
    caller: AsBookkeeper, services: UseServices, response: Response, number: Number, body: MappingRollBack
) -> Mapping:
    """Publish an older version's rows again, as a new version; what was sent meanwhile stays as it was sent."""
    with services.database.builder_tx(caller.builder_id) as tx:
        connection = chosen_connection(tx, body.connection_id)
        impact = None
        if body.start_sync:
            version = mapping_drafts.version_numbered(tx, connection["id"], number)
            impact = _impact(tx, connection["id"], mappings.rows_of(tx, version, only_active=False))
        mapping_drafts.roll_back(
            tx,
            connection["id"],
            number=number,
            expected_number=body.version,
            note=body.note,
            actor=caller.actor,
        )
        published = mapping_shown(tx, connection["id"], response)
    _send_released(services, caller, connection["id"], impact)
    return published


def _send_released(
    services: Services, caller: Caller, connection_id: UUID, impact: MappingImpact | None
) -> None:
    """Start a sync of the kinds of record that a new version released; none where it released nothing."""
    entities = {entity for cause in impact.released for entity in cause.entities} if impact else set()
    if entities:
        start_run(services, caller, connection_id=connection_id, entities=entities)


def _editor(caller: Caller, services: Services) -> Editor:
    return Editor(caller.actor, services.clock.now())


def _newest_number(tx: Transaction, connection_id: UUID) -> int:
    newest = mappings.newest_version(tx, connection_id)
    return newest.number if newest else 0


def _answer(tx: Transaction, draft: Draft, response: Response) -> MappingDraft:
    newest = mappings.newest_version(tx, draft.connection_id)
    response.headers["ETag"] = etag(draft.revision)
    return draft_shown(
        draft,
        newest=newest.number if newest else 0,
        present=mappings.rows_of(tx, newest),
        names=_names(tx, draft.connection_id),
    )


def _names(tx: Transaction, connection_id: UUID) -> Names:
    return names_of(mapping_impact.compare(tx, connection_id, before=(), after=()))


def _impact(tx: Transaction, connection_id: UUID, rows: Sequence[MappingRow]) -> MappingImpact:
    found = mapping_impact.impact(tx, connection_id, rows=rows)
    return impact_shown(found, before=_newest_number(tx, connection_id))


def _with_suggestions(tx: Transaction, connection_id: UUID, *, from_number: int | None) -> list[MappingRow]:
    """Return the mapping's rows, or an older version's, and an account for all else that is sure enough of one."""
    version = (
        mappings.newest_version(tx, connection_id)
        if from_number is None
        else mapping_drafts.version_numbered(tx, connection_id, from_number)
    )
    saved = mappings.saved_rows(tx, version.id, only_active=from_number is None) if version else []
    targets = mapping_targets(
        codes=mappings.cost_codes(tx),
        accounts=mappings.provider_accounts(tx, connection_id),
        rows=saved,
        uses=mappings.mapping_uses(tx, connection_id),
        jobs=mappings.mapping_jobs(tx),
        choices=mappings.earlier_choices(tx, connection_id),
    )
    rows = {row.key: row.as_row for row in saved}
    for target in targets:
        if target.suggestion is not None:
            key = (target.profile, target.code.id if target.code else None)
            rows[key] = MappingRow(*key, account_id=target.suggestion.account_id)
    return list(rows.values())


def _version(row: dict[str, Any]) -> MappingVersionSummary:
    return MappingVersionSummary(
        id=row["id"],
        number=row["number"],
        note=row["note"],
        published_by=row["created_by"],
        published_at=row["created_at"],
        drafted_by=row["drafted_by"],
        restores_version=row["restores_number"],
        row_count=row["row_count"],
    )
