"""Providers, connections, and the chart of accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api import cursors
from api.auth import AsOwner, AsViewer, require_role
from api.chosen import chosen_connection
from api.models.connections import (
    AccountQuery,
    Connection,
    ConnectionPage,
    ConnectionQuery,
    DisconnectedConnection,
    LedgerAccountPage,
    Provider,
    ProviderList,
)
from api.readers import quick_read
from api.responses import READ, READ_ONE, WRITE
from api.services import Services, UseServices
from resources.store import views
from sync.health import days_until

router = APIRouter(tags=["connections"])


@quick_read(router.get("/providers", name="list_providers", responses=READ))
def list_providers(caller: AsViewer, services: UseServices) -> ProviderList:
    """List every accounting system that can be connected, and how the builder's connection to it stands."""
    with services.database.builder_tx(caller.builder_id) as tx:
        found = {row["provider"]: row for row in views.connections(tx, statuses=views.ALL_STATUSES)}
    return ProviderList(
        items=[
            Provider(
                provider=entry.key,
                title=entry.title,
                is_available=entry.is_configured,
                connection=shown(found[entry.key], services) if entry.key in found else None,
            )
            for entry in services.providers
        ]
    )


@quick_read(router.get("/connections", name="list_connections", responses=READ))
def list_connections(
    caller: AsViewer,
    services: UseServices,
    wanted: Annotated[ConnectionQuery, Query()],
) -> ConnectionPage:
    """List the builder's connections."""
    after = cursors.after_time(wanted.cursor, kind="connections")
    with services.database.builder_tx(caller.builder_id) as tx:
        rows = views.connections(
            tx, statuses=wanted.status or views.ACTIVE_STATUSES, after=after, rows_max=wanted.limit + 1
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="connections", key=cursors.time_key("created_at")
    )
    return ConnectionPage(items=[shown(row, services) for row in page], next_cursor=next_cursor)


@router.delete("/connections/{id}", name="disconnect", responses=WRITE)
def disconnect(
    caller: AsOwner, services: UseServices, connection_id: Annotated[UUID, Path(alias="id")]
) -> DisconnectedConnection:
    """Disconnect: revoke and wipe the tokens and take the mapping out of use; history stays."""
    ended = services.tieout.connections.disconnect(
        str(caller.builder_id), str(connection_id), requested_by=caller.actor
    )
    return DisconnectedConnection(connection_id=connection_id, notice=ended.notice)


@quick_read(
    router.get("/connections/{id}/accounts", name="list_accounts", responses=READ_ONE),
    unless=lambda values: values["wanted"].refresh,
)
def list_accounts(
    caller: AsViewer,
    services: UseServices,
    connection_id: Annotated[UUID, Path(alias="id")],
    wanted: Annotated[AccountQuery, Query()],
) -> LedgerAccountPage:
    """List the provider's chart of accounts, as last seen or (with `refresh`, for bookkeepers) as it stands now."""
    if wanted.refresh:
        require_role(caller, "bookkeeper", action="read the ledger anew, which is a sync")
    after = cursors.after_name(wanted.cursor, kind="accounts")
    if wanted.refresh:
        with services.database.builder_tx(caller.builder_id) as tx:
            chosen_connection(tx, connection_id, is_used=True)
        services.tieout.pull_accounts(str(caller.builder_id), str(connection_id))
    with services.database.builder_tx(caller.builder_id) as tx:
        chosen_connection(tx, connection_id)
        rows = views.accounts(
            tx,
            connection_id,
            states=wanted.state or ("active", "inactive"),
            account_type=wanted.account_type,
            after=after,
            rows_max=wanted.limit + 1,
        )
    page, next_cursor = cursors.page_of(
        rows, limit=wanted.limit, kind="accounts", key=lambda row: (row["name"], row["id"])
    )
    return LedgerAccountPage.model_validate({"items": page, "next_cursor": next_cursor})


def shown(row: views.Row, services: Services) -> Connection:
    """Return a connection as it is shown."""
    ends_at = access_ends_at(row)
    return Connection(
        **{name: row[name] for name in Connection.model_fields if name in row},
        provider_title=services.title_of(row["provider"]),
        access_ends_at=ends_at,
        days_until_expiry=days_until(ends_at, now=services.clock.now()),
    )


def access_ends_at(row: views.Row) -> datetime | None:
    """Return when the consent ends: the refresh token's end; an access token renews itself and worries nobody."""
    ends_at: datetime | None = row["refresh_expires_at"] or row["token_expires_at"]
    return ends_at
