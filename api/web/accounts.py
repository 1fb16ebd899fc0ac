"""The ledger's accounts as a person chooses among them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from api.models.connections import AccountQuery, LedgerAccount
from api.routes.connections import list_accounts
from api.services import Services
from resources.store.api_keys import Caller
from sync.mapping import ALLOWED_TYPES, Profile

# A chart with more accounts than this is chosen from by its first ones and the API.
ACCOUNTS_MAX = 5_000


def active_accounts(services: Services, caller: Caller, connection_id: UUID) -> list[LedgerAccount]:
    """Return the chart of accounts as last seen, without what is no longer used, by name."""
    found: list[LedgerAccount] = []
    cursor: str | None = None
    while len(found) < ACCOUNTS_MAX:
        page = list_accounts(caller, services, connection_id, AccountQuery(state=["active"], cursor=cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def fitting(accounts: Sequence[LedgerAccount], profile: Profile) -> list[LedgerAccount]:
    """Return the accounts that a profile of the mapping may point at, the usual type first."""
    types = ALLOWED_TYPES[profile]
    chosen = [each for each in accounts if each.account_type in types]
    return sorted(chosen, key=lambda each: (types.index(each.account_type), each.number or "", each.name))
