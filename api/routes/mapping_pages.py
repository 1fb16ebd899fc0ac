"""The mapping on the page: choose accounts in a draft, look at what it would do, publish; the versions and going back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from pydantic import Field, ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.cursors import Text
from api.models.base import ProfileName, Taken
from api.models.mapping_versions import (
    REVISION_MAX,
    MappingDraft,
    MappingDraftBegin,
    MappingDraftPublish,
    MappingDraftRebase,
    MappingDraftSave,
    MappingImpact,
    MappingRollBack,
)
from api.models.mappings import VERSION_MAX
from api.routes.mapping_versions import (
    VersionQuery,
    begin_mapping_draft,
    diff_mapping_draft,
    diff_mapping_versions,
    discard_mapping_draft,
    get_mapping_draft,
    list_mapping_drafts,
    list_mapping_versions,
    preview_mapping_draft,
    preview_mapping_version,
    publish_mapping_draft,
    rebase_mapping_draft,
    roll_back_mapping,
    save_mapping_draft,
)
from api.routes.mappings import get_mapping
from api.services import Services, UseServices
from api.web.accounts import active_accounts, fitting
from api.web.filters import Filter, OrAny
from api.web.forms import posted
from api.web.mapping_rows import FIELD, Line, lines_of, rows_after
from api.web.office import connection_of, connection_page, place
from api.web.said import go
from sync.errors import InvalidInput, NotFound

router = APIRouter(tags=["mappings"], include_in_schema=False)

Posted = Annotated[FormData, Depends(posted)]
LINES_PER_PAGE = 50
PAGES_MAX = 1_000
# What was said to who published something that held records waited for.
AFTER_RELEASE = ("published_released", "rolled_back_released")
# What the lines of a state have in common.
STATES: Mapping[str, Callable[[Line], bool]] = {
    "unmapped": lambda line: line.state != "mapped",
    "needed": lambda line: line.is_needed,
    "suggested": lambda line: line.state != "mapped" and line.target.suggestion is not None,
    "mapped": lambda line: line.state == "mapped",
    "broken": lambda line: line.state == "broken",
    "changed": lambda line: line.is_changed,
}
Shown = Literal["unmapped", "needed", "suggested", "mapped", "broken", "changed"]


class MappingFilter(Filter):
    """Which lines of which draft are shown."""

    profile: ProfileName = "cost_code"
    state: Annotated[Shown | None, OrAny] = None
    search: Annotated[Text | None, OrAny] = None
    draft: Annotated[UUID | None, OrAny] = None
    page: int = Field(default=1, ge=1, le=PAGES_MAX)


class Revision(Taken):
    """Which revision of a draft was looked at."""

    revision: int = Field(ge=1, le=REVISION_MAX)
    note: Text = ""
    # Whether what it releases is sent at once.
    send: bool = False


class RollBack(Taken):
    """Which mapping the older version replaces."""

    version: int = Field(ge=0, le=VERSION_MAX)
    note: Text = ""
    send: bool = False


@router.get("/integrations/{connection_id:uuid}/mapping", name="mapping_page")
def mapping_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[MappingFilter, Query()],
) -> Response:
    """Show cost codes beside the accounts they are booked on, what is missing, and what would fit."""
    mapping = get_mapping(caller, services, Response(), connection_id)
    draft = _draft(services, caller, connection_id, chosen.draft) if chosen.draft else None
    lines = lines_of(mapping.rows, draft)
    per_profile = {
        profile: [line for line in lines if line.target.platform_entity_type == profile]
        for profile in get_args(ProfileName.__value__)
    }
    here = per_profile[chosen.profile]
    wanted = [
        line
        for line in here
        if (chosen.state is None or STATES[chosen.state](line))
        and (chosen.search is None or line.is_found(chosen.search))
    ]
    first = (chosen.page - 1) * LINES_PER_PAGE
    query = [(name, str(value)) for name, value in chosen.chosen().items() if name != "page"]
    return connection_page(
        request,
        "mapping.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="mapping",
        mapping=mapping,
        draft=draft,
        drafts=list_mapping_drafts(caller, services, connection_id).items,
        chosen=chosen,
        profiles={
            profile: sum(line.state != "mapped" for line in found) for profile, found in per_profile.items()
        },
        states={name: len([line for line in here if test(line)]) for name, test in STATES.items()},
        lines=wanted[first : first + LINES_PER_PAGE],
        found=len(wanted),
        pages=-(-len(wanted) // LINES_PER_PAGE),
        accounts=fitting(active_accounts(services, caller, connection_id), chosen.profile),
        query=query,
        offers_sync=request.query_params.get("done") in AFTER_RELEASE,
    )


@router.post("/integrations/{connection_id:uuid}/mapping", name="save_mapping_page")
def save_mapping_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, form: Posted
) -> Response:
    """Put what the page chose into a draft, a new one where there is none, and go on or to its review."""
    connection_of(services, caller, connection_id)
    sent = {name: value for name, value in form.items() if isinstance(value, str)}
    chosen = {name: value for name, value in sent.items() if name.startswith(f"{FIELD}.")}
    try:
        # Before a draft is begun, so that a form that cannot be used leaves none behind.
        rows_after([], chosen)
    except (ValidationError, ValueError) as error:
        raise InvalidInput(
            what="The form", reason="it names something that no mapping has; load the page again"
        ) from error
    draft = _draft_sent(services, caller, connection_id, sent)
    rows = rows_after(draft.rows, chosen)
    revision = int(sent["revision"]) if sent.get("revision", "").isdecimal() else draft.revision
    save = MappingDraftSave(revision=min(max(revision, 1), REVISION_MAX), note=draft.note, rows=rows)
    saved = save_mapping_draft(caller, services, Response(), draft.id, save)
    if sent.get("do") == "review":
        return go(place(connection_id, f"mapping/drafts/{saved.id}"))
    return go(
        place(connection_id, "mapping"),
        done="draft_saved",
        draft=str(saved.id),
        profile=sent.get("profile") or None,
        state=sent.get("state") or None,
        search=sent.get("search") or None,
        page=sent.get("page") or None,
    )


@router.post("/integrations/{connection_id:uuid}/mapping/suggest", name="suggest_mapping_page")
def suggest_mapping_page(caller: AsBookkeeper, services: UseServices, connection_id: UUID) -> Response:
    """Begin a draft in which everything unmapped has the account that is sure enough."""
    begin = MappingDraftBegin(connection_id=connection_id, with_suggestions=True, note="With the suggestions")
    draft = begin_mapping_draft(caller, services, Response(), begin)
    return go(place(connection_id, f"mapping/drafts/{draft.id}"), done="draft_saved")


@router.get("/integrations/{connection_id:uuid}/mapping/drafts/{draft_id:uuid}", name="review_draft_page")
def review_draft_page(
    request: Request, caller: AsViewer, services: UseServices, connection_id: UUID, draft_id: UUID
) -> Response:
    """Show what a draft changes and what publishing it would do."""
    return connection_page(
        request,
        "mapping_review.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="mapping",
        draft=_draft(services, caller, connection_id, draft_id),
        diff=diff_mapping_draft(caller, services, draft_id),
        impact=preview_mapping_draft(caller, services, draft_id),
    )


@router.post(
    "/integrations/{connection_id:uuid}/mapping/drafts/{draft_id:uuid}/publish", name="publish_draft_page"
)
def publish_draft_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    draft_id: UUID,
    seen: Annotated[Revision, Form()],
) -> Response:
    """Make a draft the mapping."""
    _draft(services, caller, connection_id, draft_id)
    wanted = MappingDraftPublish(revision=seen.revision, note=seen.note, start_sync=seen.send)
    released = _released(preview_mapping_draft(caller, services, draft_id))
    publish_mapping_draft(caller, services, Response(), draft_id, wanted)
    return _published(connection_id, "published", released, is_sent=seen.send)


@router.post(
    "/integrations/{connection_id:uuid}/mapping/drafts/{draft_id:uuid}/rebase", name="rebase_draft_page"
)
def rebase_draft_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    draft_id: UUID,
    seen: Annotated[Revision, Form()],
) -> Response:
    """Carry a draft over to the version that somebody else published."""
    _draft(services, caller, connection_id, draft_id)
    wanted = MappingDraftRebase(revision=seen.revision)
    rebased = rebase_mapping_draft(caller, services, Response(), draft_id, wanted)
    both = len(rebased.both_changed)
    path = place(connection_id, f"mapping/drafts/{draft_id}")
    return go(path, done="draft_rebased_both" if both else "draft_rebased", n=both or None)


@router.post(
    "/integrations/{connection_id:uuid}/mapping/drafts/{draft_id:uuid}/discard", name="discard_draft_page"
)
def discard_draft_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, draft_id: UUID
) -> Response:
    """Throw a draft away."""
    _draft(services, caller, connection_id, draft_id)
    discard_mapping_draft(caller, services, draft_id)
    return go(place(connection_id, "mapping"), done="draft_discarded")


@router.get("/integrations/{connection_id:uuid}/mapping/versions", name="mapping_versions_page")
def mapping_versions_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[Filter, Query()],
) -> Response:
    """List the versions of the mapping, newest first."""
    wanted = VersionQuery(connection_id=connection_id, cursor=chosen.cursor)
    return connection_page(
        request,
        "mapping_versions.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="mapping",
        versions=list_mapping_versions(caller, services, wanted),
        is_first_page=chosen.cursor is None,
    )


@router.get("/integrations/{connection_id:uuid}/mapping/versions/{number}", name="mapping_version_page")
def mapping_version_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    number: Annotated[int, Path(ge=1, le=VERSION_MAX)],
) -> Response:
    """Show what a version changed, and what going back to it would do."""
    return connection_page(
        request,
        "mapping_version.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="mapping",
        number=number,
        diff=diff_mapping_versions(caller, services, number, None, connection_id),
        impact=preview_mapping_version(caller, services, number, connection_id),
    )


@router.post("/integrations/{connection_id:uuid}/mapping/versions/{number}", name="roll_back_page")
def roll_back_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    number: Annotated[int, Path(ge=1, le=VERSION_MAX)],
    seen: Annotated[RollBack, Form()],
) -> Response:
    """Publish an older version's rows again."""
    wanted = MappingRollBack(
        connection_id=connection_id, version=seen.version, note=seen.note, start_sync=seen.send
    )
    released = _released(preview_mapping_version(caller, services, number, connection_id))
    roll_back_mapping(caller, services, Response(), number, wanted)
    return _published(connection_id, "rolled_back", released, is_sent=seen.send)


def _released(impact: MappingImpact) -> int:
    """Return how many held records a new version lets go, also those that only wait for another one."""
    return sum(cause.records for cause in impact.released)


def _published(connection_id: UUID, done: str, released: int, *, is_sent: bool) -> Response:
    """Lead to the sync that sends what was released, or back to the mapping, which offers it."""
    if released and is_sent:
        return go(place(connection_id), done=f"{done}_sent", n=released)
    path = place(connection_id, "mapping")
    return go(path, done=f"{done}_released", n=released) if released else go(path, done=done)


def _draft(services: Services, caller: Caller, connection_id: UUID, draft_id: UUID) -> MappingDraft:
    draft = get_mapping_draft(caller, services, Response(), draft_id)
    if draft.connection_id != connection_id:
        raise NotFound(what="draft of the mapping", id=str(draft_id))
    return draft


def _draft_sent(
    services: Services, caller: Caller, connection_id: UUID, sent: dict[str, str]
) -> MappingDraft:
    given = sent.get("draft", "")
    if given == "":
        begin = MappingDraftBegin(connection_id=connection_id)
        return begin_mapping_draft(caller, services, Response(), begin)
    try:
        return _draft(services, caller, connection_id, UUID(given))
    except ValueError:
        raise NotFound(what="draft of the mapping", id=given[:40]) from None
