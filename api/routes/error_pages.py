"""What waits and why: errors and held records by cause, with the fix, the retry and the dismissal where they stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from pydantic import Field
from starlette.responses import Response

from api.auth import AsBookkeeper, AsViewer, Caller
from api.cursors import CURSOR_LENGTH_MAX, PAGE_ROWS_MAX, Text
from api.models.base import CategoryName, EntityName, Taken
from api.models.connections import LedgerAccount
from api.models.mappings import MappingTarget
from api.models.queues import (
    DismissAll,
    FixHolds,
    HeldRecordQuery,
    HoldCause,
    HoldFix,
    OutcomeChoice,
    OutcomeDecision,
    QueueStatus,
    RetryAll,
    RetryOptions,
    SyncErrorQuery,
    SyncErrorRecord,
)
from api.routes.exports import ExportQuery, get_export
from api.routes.mappings import get_mapping
from api.routes.queues import (
    decide_unconfirmed_write,
    dismiss_all_sync_errors,
    dismiss_sync_error,
    get_unconfirmed_write,
    list_sync_errors,
    retry_all_sync_errors,
    retry_sync_error,
)
from api.routes.review import fix_holds, list_held_records, list_holds
from api.services import Services, UseServices
from api.web.accounts import active_accounts, fitting
from api.web.filters import Filter, OrAny
from api.web.office import connection_of, connection_page, place
from api.web.said import go
from sync.errors import PartyMissing, PeriodLocked
from sync.lanes import ApprovalMissing, PeriodQuestion

router = APIRouter(tags=["errors"], include_in_schema=False)

# What a person decides here, or on a page of its own, rather than where the record was made.
CLOSED_PERIOD = (PeriodLocked.code, PeriodQuestion.code)


class ErrorsFilter(Filter):
    """Which of what waits is shown."""

    status: Annotated[QueueStatus | None, OrAny] = None
    entity: Annotated[EntityName | None, OrAny] = None
    category: Annotated[CategoryName | None, OrAny] = None


class Selected(Taken):
    """Which waiting records a button is about; what is left empty means any."""

    status: QueueStatus | None = None
    entity: EntityName | None = None
    category: CategoryName | None = None
    cause: Text | None = None


class Dismissed(Selected):
    """The same, and why they are left alone."""

    reason: Text = ""


class Reason(Taken):
    """Why one record is left alone."""

    reason: Text = ""


class Mended(Taken):
    """The account that ends a hold."""

    cause: Text = Field(min_length=1)
    provider_account_id: Text = Field(min_length=1, max_length=100)


class Outcome(Taken):
    """What became of a write that was not confirmed."""

    outcome: OutcomeChoice
    provider_entity_id: Text | None = None
    reason: Text = ""


# A record of ours; of one that is in the ledger only there is no page.
WAITED_FOR = re.compile(rf"{re.escape(PartyMissing.code)}:(?P<entity>[a-z_]+):(?P<id>[0-9a-f-]{{36}})")


@dataclass(slots=True)
class Group:
    """Records that wait for the same thing, and what ends it."""

    cause: str | None
    status: str
    action: str
    code: str | None
    records: list[SyncErrorRecord] = field(default_factory=list)
    hold: HoldCause | None = None
    accounts: Sequence[LedgerAccount] = ()
    target: MappingTarget | None = None

    @property
    def count(self) -> int:
        """How many records it blocks, also those that only wait for another one."""
        return self.hold.records if self.hold else len(self.records)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """How much money waits, by currency."""
        if self.hold:
            return self.hold.amounts
        sums: dict[str, Decimal] = {}
        for each in self.records:
            if each.amount is not None and each.currency:
                sums[each.currency] = sums.get(each.currency, Decimal(0)) + each.amount
        return sums

    @property
    def waits_for(self) -> str | None:
        """The kind and id of the one record that has to come first, where there is one."""
        found = WAITED_FOR.fullmatch(self.cause or "")
        return f"{found['entity']}/{found['id']}" if found else None

    @property
    def says_one_thing(self) -> bool:
        """True where every record says the same but for its own name."""
        return len({(each.error_message or "").replace(each.label, "") for each in self.records}) == 1

    @property
    def sentence(self) -> str:
        """What its records say, where they say one thing."""
        if not self.says_one_thing:
            return "Each of these says what is the matter with it."
        return self.records[0].error_message or "Nothing more is known."


@router.get("/integrations/{connection_id:uuid}/errors", name="errors_page")
def errors_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    chosen: Annotated[ErrorsFilter, Query()],
) -> Response:
    """List what waits, by cause: the sentence, what blocks how much, and the buttons that end it."""
    wanted = SyncErrorQuery(connection_id=connection_id, limit=PAGE_ROWS_MAX, **chosen.model_dump())
    waiting = list_sync_errors(caller, services, wanted)
    groups = _grouped(waiting.items, list_holds(caller, services, connection_id).items)
    _offer_accounts(groups, services, caller, connection_id)
    return connection_page(
        request,
        "errors.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="errors",
        groups=groups,
        next_cursor=waiting.next_cursor,
        chosen=chosen,
        kinds=get_args(EntityName.__value__),
        categories=get_args(CategoryName.__value__),
        query=chosen.query(),
        APPROVAL=ApprovalMissing.code,
        PERIODS=CLOSED_PERIOD,
        PERIOD_QUESTION=PeriodQuestion.code,
    )


@router.get("/integrations/{connection_id:uuid}/errors/export", name="export_errors_page")
def export_errors_page(
    caller: AsViewer, services: UseServices, connection_id: UUID, wanted: Annotated[Selected, Query()]
) -> Response:
    """Give everything that waits as a file, for whoever works it off elsewhere."""
    connection_of(services, caller, connection_id)
    chosen = ExportQuery.model_validate(
        {"connection_id": connection_id, **wanted.model_dump(exclude_none=True)}
    )
    return get_export(caller, services, "errors", chosen)


@router.get("/integrations/{connection_id:uuid}/held", name="held_records_page")
def held_records_page(
    request: Request,
    caller: AsViewer,
    services: UseServices,
    connection_id: UUID,
    cause: Annotated[str, Query(min_length=1, max_length=500)],
    cursor: Annotated[str | None, Query(max_length=CURSOR_LENGTH_MAX)] = None,
) -> Response:
    """List all that one cause blocks, also what only waits for another record, in the order in which it will go."""
    wanted = HeldRecordQuery(cause=cause, connection_id=connection_id, cursor=cursor)
    return connection_page(
        request,
        "held.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="errors",
        held=list_held_records(caller, services, wanted),
        cause=cause,
    )


@router.post("/integrations/{connection_id:uuid}/errors/retry-all", name="retry_all_page")
def retry_all_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, chosen: Annotated[Selected, Form()]
) -> Response:
    """Try everything again, or all with one cause, at once."""
    connection_of(services, caller, connection_id)
    wanted = RetryAll(connection_id=connection_id, start_sync=True, **chosen.model_dump())
    done = retry_all_sync_errors(caller, services, wanted)
    return _back(connection_id, "retried_now", done.records)


@router.post("/integrations/{connection_id:uuid}/errors/dismiss-all", name="dismiss_all_page")
def dismiss_all_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, chosen: Annotated[Dismissed, Form()]
) -> Response:
    """Leave everything alone, or all with one cause, until either side changes."""
    connection_of(services, caller, connection_id)
    wanted = DismissAll(connection_id=connection_id, **chosen.model_dump())
    done = dismiss_all_sync_errors(caller, services, wanted)
    return _back(connection_id, "dismissed", done.records)


@router.post("/integrations/{connection_id:uuid}/errors/{record_id:uuid}/retry", name="retry_page")
def retry_page(caller: AsBookkeeper, services: UseServices, connection_id: UUID, record_id: UUID) -> Response:
    """Try one record again at once."""
    done = retry_sync_error(caller, services, record_id, RetryOptions(start_sync=True))
    return _back(connection_id, "retried_now", done.records)


@router.post("/integrations/{connection_id:uuid}/errors/{record_id:uuid}/dismiss", name="dismiss_page")
def dismiss_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    record_id: UUID,
    why: Annotated[Reason, Form()],
) -> Response:
    """Leave one record alone until either side changes."""
    done = dismiss_sync_error(caller, services, record_id, why.reason)
    return _back(connection_id, "dismissed", done.records)


@router.post("/integrations/{connection_id:uuid}/holds/fix", name="fix_hold_page")
def fix_hold_page(
    caller: AsBookkeeper, services: UseServices, connection_id: UUID, chosen: Annotated[Mended, Form()]
) -> Response:
    """Map what a cause lacks, as a new version of the mapping, and send what waited for it."""
    wanted = FixHolds(
        connection_id=connection_id,
        fixes=[HoldFix(cause=chosen.cause, provider_account_id=chosen.provider_account_id)],
        note="Chosen beside the held records",
        start_sync=True,
    )
    done = fix_holds(caller, services, wanted)
    return _back(connection_id, "released", done.records)


@router.get("/integrations/{connection_id:uuid}/errors/{record_id:uuid}/decide", name="decide_page")
def decide_page(
    request: Request, caller: AsViewer, services: UseServices, connection_id: UUID, record_id: UUID
) -> Response:
    """Show a write that was not confirmed beside what the ledger has, and ask what became of it."""
    return connection_page(
        request,
        "decide.html",
        services=services,
        caller=caller,
        connection_id=connection_id,
        tab="errors",
        found=get_unconfirmed_write(caller, services, record_id),
    )


@router.post("/integrations/{connection_id:uuid}/errors/{record_id:uuid}/decide", name="decide_outcome_page")
def decide_outcome_page(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: UUID,
    record_id: UUID,
    said: Annotated[Outcome, Form()],
) -> Response:
    """Carry out what a person said about it."""
    wanted = OutcomeDecision(
        outcome=said.outcome,
        provider_entity_id=said.provider_entity_id if said.outcome == "adopt" else None,
        reason=said.reason,
        start_sync=True,
    )
    decide_unconfirmed_write(caller, services, record_id, wanted)
    return _back(connection_id, "decided", None)


def _back(connection_id: UUID, done: str, count: int | None) -> Response:
    return go(place(connection_id, "errors"), done=done, n=count)


def _grouped(records: Sequence[SyncErrorRecord], holds: Sequence[HoldCause]) -> list[Group]:
    """Put records with the same cause together; what failed comes before what is held, large before small."""
    causes = {each.cause: each for each in holds}
    found: dict[tuple[str, str], Group] = {}
    for each in records:
        # What has no cause in common stands alone.
        key = (each.status, each.cause or str(each.id))
        hold = causes.get(each.cause or "") if each.status == "held" else None
        group = found.setdefault(key, Group(each.cause, each.status, each.action, each.code, hold=hold))
        group.records.append(each)
    return sorted(found.values(), key=lambda group: (group.status != "error", -group.count))


def _offer_accounts(groups: Sequence[Group], services: Services, caller: Caller, connection_id: UUID) -> None:
    """Give each hold that an account ends the accounts to choose from, and the likely one."""
    wanting = [each for each in groups if each.hold and each.hold.platform_entity_type]
    if not wanting:
        return
    accounts = active_accounts(services, caller, connection_id)
    targets: dict[Any, MappingTarget] = {
        (row.platform_entity_type, row.platform_cost_code_id): row
        for row in get_mapping(caller, services, Response(), connection_id).rows
        if row.platform_job_id is None
    }
    for group in wanting:
        hold = group.hold
        assert hold is not None, "chosen above"
        assert hold.platform_entity_type is not None, "chosen above"
        group.accounts = fitting(accounts, hold.platform_entity_type)
        group.target = targets.get((hold.platform_entity_type, hold.platform_cost_code_id))
