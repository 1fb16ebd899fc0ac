"""What jobs, cost codes and cost types become in the ledger, which options came of it, and the tax codes of lines."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.auth import AsBookkeeper, AsOwner, AsViewer
from api.models.dimensions import (
    DimensionChoice,
    DimensionNameIn,
    DimensionOffer,
    DimensionOption,
    DimensionOptions,
    DimensionsIn,
    DimensionsShown,
    OptionStateName,
    SubjectName,
    TaxCodeChoice,
)
from api.responses import READ_ONE, WRITE
from api.services import Services, UseServices
from resources.store import dimensions as store
from sync.dimensions import Dimension, Option, Place, shown_dimensions
from sync.records import Entity
from sync.tax_codes import TaxCode, shown_tax_codes

router = APIRouter(tags=["mappings"])


@router.get("/connections/{id}/dimensions", name="get_dimensions", responses=READ_ONE)
def get_dimensions(
    caller: AsViewer, services: UseServices, connection_id: Annotated[UUID, Path(alias="id")]
) -> DimensionsShown:
    """Show what jobs, cost codes and cost types become in the ledger, what they could become, and the tax codes."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = store.read_dimension_settings(tx, caller.builder_id, connection_id=connection_id)
    return _shown(services, connection_id, found)


@router.put("/connections/{id}/dimensions", name="save_dimensions", responses=WRITE)
def save_dimensions(
    caller: AsOwner,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    body: DimensionsIn,
) -> DimensionsShown:
    """Replace them; what was sent keeps what it carries, and what is sent from now on carries the new ones."""
    with services.database.builder_tx(caller.builder_id) as tx:
        before = store.read_dimension_settings(tx, caller.builder_id, connection_id=connection_id)
        saved = store.save_dimension_settings(
            tx,
            caller.builder_id,
            connection_id=connection_id,
            wanted=store.Wanted(
                dimensions=[_dimension(each) for each in body.dimensions],
                tax_codes=[TaxCode(Entity(each.entity), each.code, each.role) for each in body.tax_codes],
                offered=services.dimension_lists_of(before.provider),
                provider_title=services.title_of(before.provider),
            ),
            saved_by=caller.actor,
            now=services.clock.now(),
        )
    return _shown(services, connection_id, saved)


@router.get("/connections/{id}/dimensions/options", name="list_dimension_options", responses=READ_ONE)
def list_dimension_options(
    caller: AsViewer,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    subject: Annotated[SubjectName | None, Query(description="Only options of this kind.")] = None,
    state: Annotated[OptionStateName | None, Query(description="Only options in this state.")] = None,
) -> DimensionOptions:
    """List what jobs, cost codes and cost types are in the ledger's lists, with the reason where one is not there."""
    with services.database.builder_tx(caller.builder_id) as tx:
        store.read_dimension_settings(tx, caller.builder_id, connection_id=connection_id)
        found = store.options_of(tx, caller.builder_id, connection_id=connection_id)
    return DimensionOptions(
        items=[
            _option(each) for each in found if subject in (None, each.subject) and state in (None, each.state)
        ]
    )


@router.put("/connections/{id}/dimensions/options", name="name_dimension_option", responses=WRITE)
def name_dimension_option(
    caller: AsBookkeeper,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    body: DimensionNameIn,
) -> DimensionOption:
    """Say under which name a job, code or type is found in the ledger: an entry that is there already, or a new one."""
    with services.database.builder_tx(caller.builder_id) as tx:
        option = store.name_option(
            tx,
            caller.builder_id,
            connection_id=connection_id,
            naming=store.Naming(
                Dimension(body.subject, Place(body.list, body.category or "")), body.subject_id, body.name
            ),
            saved_by=caller.actor,
            now=services.clock.now(),
        )
    return _option(option)


def _dimension(choice: DimensionChoice) -> Dimension:
    return Dimension(choice.subject, Place(choice.list, choice.category or ""))


def _shown(services: Services, connection_id: UUID, found: store.DimensionSettings) -> DimensionsShown:
    offered = services.dimension_lists_of(found.provider)
    return DimensionsShown(
        connection_id=connection_id,
        dimensions=[DimensionChoice.model_validate(each) for each in shown_dimensions(found.dimensions)],
        tax_codes=[TaxCodeChoice.model_validate(each) for each in shown_tax_codes(found.tax_codes)],
        offered=[DimensionOffer(subject=subject, lists=list(lists)) for subject, lists in offered.items()],
    )


def _option(option: Option) -> DimensionOption:
    return DimensionOption(
        subject=option.subject,
        subject_id=option.subject_id,
        label=option.label,
        list=option.place.list,
        category=option.place.category or None,
        state=option.state,
        name=option.name,
        named=option.named,
        provider_option_id=option.remote_id if option.is_there else None,
        message=option.message,
    )
