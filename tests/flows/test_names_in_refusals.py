"""A refusal that calls a record of the ledger by its id is told with the record's name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from resources.quickbooks.faults import Fault, error_of
from resources.store.database import Database
from sync.ports import Rejected, Write, WriteOutcome
from sync.records import Entity
from tests.fakes.ledger import FakeLedger
from tests.fakes.world import World


class Refusing(FakeLedger):
    """A ledger that answers every bill with one of QuickBooks' faults."""

    fault: Fault | None = None

    def write(self, writes: Sequence[Write]) -> Sequence[WriteOutcome]:
        if self.fault is None or writes[0].entity is not Entity.BILL:
            return super().write(writes)
        return [Rejected(error_of(self.fault, label=each.label, is_write=True)) for each in writes]


@pytest.mark.parametrize(
    ("code", "detail", "told", "cause"),
    [
        (
            "6140",
            "DocNumber=B-1 is assigned to TxnType=Bill with TxnId={id}",
            "already used in QuickBooks by another document (“bill X-9”)",
            "provider.rejected:6140",
        ),
        (
            "2500",
            "Invalid Reference Id : Names element id {party} not found",
            "(Invalid Reference Id : “Summit Electric” not found)",
            "provider.rejected:2500:party:{party}",
        ),
        (
            "2500",
            "Invalid Reference Id : Names element id 4711 not found",
            "Names element id 4711",
            "provider.rejected:2500:party:4711",
        ),
    ],
)
def test_a_refusal_names_what_it_is_about(
    database: Database, code: str, detail: str, told: str, cause: str
) -> None:
    world = World(database)
    world.map_code()
    ledger = Refusing(world.clock, kept=world.ledger.kept)
    ledger._ids, ledger._changes = world.ledger._ids, world.ledger._changes
    world.ledger = ledger
    party = ledger.enter(Entity.VENDOR, {"name": "Summit Electric"})
    line = {"id": "1", "account": world.costs, "description": "Pour", "amount": "7.00"}
    other = ledger.enter(
        Entity.BILL,
        {
            "number": "X-9",
            "date": "2026-05-02",
            "party": party,
            "currency": "USD",
            "total": "7.00",
            "lines": [line],
        },
    )
    ledger.fault = Fault(code, 400, "", detail.format(id=other, party=party), "")
    world.bill(world.vendor())
    world.sync()
    ((_, sentence),) = world.queue("error")
    assert told in sentence
    assert other not in sentence
    assert world.value("select cause from v2_sync_records where resolved_at is null") == cause.format(
        party=party
    )
