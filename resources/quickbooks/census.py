"""A company's lists by id and version alone: a thousand records a call, a few bytes each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from resources.quickbooks.chart import PAGE_ROWS_MAX
from resources.quickbooks.client import Client
from resources.quickbooks.words import ENTITIES, LISTS, NAMES
from sync.ports import CensusPage, Headcount
from sync.records import SYNC_ORDER, Entity

# QuickBooks' own names, in the order in which they are compared.
CENSUS_LISTS: Mapping[str, Collection[Entity]] = {NAMES[entity]: (entity,) for entity in SYNC_ORDER}


def census_page(client: Client, name: str, after: str | None) -> CensusPage:
    """Read the page that begins at a start position. Voiding, merging and inactivating each move the SyncToken."""
    start = int(after or 1)
    entity = Entity(ENTITIES[name])
    # Lists hide the inactive ones unless asked for them. Ordered by Id, which does not shift while it is read.
    clause = " WHERE Active IN (true, false)" if entity in LISTS else ""
    statement = (
        f"SELECT Id, SyncToken FROM {name}{clause}"  # noqa: S608 - a name of our own table
        f" ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE_ROWS_MAX}"
    )
    rows = client.query(statement).get(name) or []
    return CensusPage(
        [Headcount(entity, str(row["Id"]), version=str(row["SyncToken"])) for row in rows],
        str(start + PAGE_ROWS_MAX) if len(rows) == PAGE_ROWS_MAX else None,
    )
