"""Which connection a request means: the one it names, or the only one there is."""

from __future__ import annotations

from uuid import UUID

from resources.store import views
from resources.store.database import Transaction
from sync.errors import NotFound
from sync.refusals import NotConnected, WhichConnection

# `error` is doubtful rather than closed: the next call finds out.
USABLE = frozenset({"connected", "error"})


def chosen_connection(tx: Transaction, connection_id: UUID | None, *, is_used: bool = False) -> views.Row:
    """Return the connection's row; `is_used` also asks that its company can be called now."""
    if connection_id is not None:
        found = views.connections(tx, statuses=views.ALL_STATUSES, connection_id=connection_id)
        if not found:
            raise NotFound(what="connection", id=str(connection_id))
    else:
        found = views.connections(tx)
        if not found:
            raise NotConnected(what="No accounting system", status="there is no connection")
        if len(found) > 1:
            names = " and ".join(sorted(row["provider"] for row in found))
            raise WhichConnection(what="The request", count=len(found), providers=names)
    connection = found[0]
    if is_used and connection["status"] not in USABLE:
        what = connection["company_name"] or "This connection"
        raise NotConnected(what=what, status=connection["status_reason"] or connection["status"])
    return connection
