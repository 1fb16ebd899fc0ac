"""Asset keys, and which asset waits for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg

from sync.records import SYNC_ORDER, Entity

LEDGER_CHANGES = "ledger_changes"
TIE_OUT = "tie_out"

# Every asset of a provider in the order in which one process works through them.
STEP_ORDER: tuple[str, ...] = (LEDGER_CHANGES, *SYNC_ORDER, TIE_OUT)

# A document waits for the names on it, money for the documents it pays, a deposit for the money it banks.
WAITS_FOR: Mapping[str, tuple[str, ...]] = {
    LEDGER_CHANGES: (),
    Entity.ACCOUNT: (LEDGER_CHANGES,),
    Entity.CUSTOMER: (Entity.ACCOUNT,),
    Entity.VENDOR: (Entity.ACCOUNT,),
    Entity.INVOICE: (Entity.CUSTOMER,),
    Entity.BILL: (Entity.VENDOR,),
    Entity.JOURNAL_ENTRY: (Entity.CUSTOMER, Entity.VENDOR),
    Entity.PAYMENT: (Entity.INVOICE, Entity.JOURNAL_ENTRY),
    Entity.BILL_PAYMENT: (Entity.BILL, Entity.JOURNAL_ENTRY),
    Entity.DEPOSIT: (Entity.PAYMENT, Entity.BILL_PAYMENT),
    TIE_OUT: (Entity.DEPOSIT,),
}


def asset_key(provider: str, step: str) -> dg.AssetKey:
    """Return the key of one step of one provider."""
    return dg.AssetKey([provider, str(step)])


def last_step(selected: Sequence[dg.AssetKey] | None, *, provider: str) -> str:
    """Return the step that ends a run over these assets; None means all of the provider's."""
    if selected is None:
        return STEP_ORDER[-1]
    chosen = {key.path[-1] for key in selected if key.path[0] == provider}
    return [step for step in STEP_ORDER if step in chosen][-1]


def chosen_entities(selected: Sequence[dg.AssetKey] | None, *, provider: str) -> tuple[Entity, ...]:
    """Return the entities among the assets of a run; None means all."""
    if selected is None:
        return SYNC_ORDER
    chosen = {key.path[-1] for key in selected if key.path[0] == provider}
    return tuple(entity for entity in SYNC_ORDER if entity in chosen)
