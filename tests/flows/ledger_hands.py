"""The bookkeeper's hands on the fake ledger, and a connection's settings saved as the page does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal
from uuid import UUID

from resources.store.connection_settings import ConnectionSettings, EntityChoice, save_settings
from sync.records import Direction, Entity
from tests.fakes.world import World


def a_vendor_in_the_ledger(world: World, name: str = "Ridge Concrete") -> str:
    return world.ledger.enter(Entity.VENDOR, {"name": name, "email": None, "phone": None, "address": None})


def a_bill_in_the_ledger(world: World, *, party: str, number: str = "B-1") -> str:
    return world.ledger.enter(
        Entity.BILL,
        {
            "number": number,
            "date": "2026-05-20",
            "due_date": None,
            "party": party,
            "currency": "USD",
            "memo": "",
            "total": "100.00",
            "lines": [{"id": "1", "description": "Pour 1", "amount": "100.00", "account": world.costs}],
        },
    )


def a_bill_payment(world: World, *, party: str, bill: str, amount: str = "100.00") -> str:
    return world.ledger.enter(
        Entity.BILL_PAYMENT,
        {
            "number": None,
            "date": "2026-05-21",
            "party": party,
            "currency": "USD",
            "memo": "",
            "method": "Check",
            "amount": amount,
            "unapplied": "0.00",
            "applications": [{"bill": bill, "amount": amount}],
        },
    )


def bills(world: World) -> list[str]:
    """The numbers of the bills that are here."""
    return sorted(row[0] for row in world.rows("select number from v2_bills"))


def direct(world: World, directions: Mapping[Entity, Direction], *, disabled: Sequence[Entity] = ()) -> None:
    """Have some entities go this way, or switched off."""
    choose(
        world,
        [
            EntityChoice(each, is_enabled=each not in disabled, direction=way, conflict_strategy=None)
            for each, way in directions.items()
        ],
    )


def begin_on(world: World, day: date | None) -> None:
    """Bring in vendors and bills of the ledger, and of its history what is not older than a day."""
    choices = [
        EntityChoice(each, is_enabled=True, direction="both", conflict_strategy=None)
        for each in (Entity.VENDOR, Entity.BILL)
    ]
    choose(world, choices, history_from=day)


def choose(
    world: World,
    entities: Sequence[EntityChoice],
    *,
    history_from: date | Literal["stays"] | None = "stays",
) -> None:
    """Save the settings of the connection as the page does, with some entities chosen otherwise."""
    with world.database.builder_tx(UUID(world.builder_id)) as tx:
        save_settings(
            tx,
            UUID(world.builder_id),
            connection_id=UUID(world.connection_id),
            wanted=ConnectionSettings(
                sync_schedule="hourly",
                sync_window=None,
                time_zone="America/Denver",
                conflict_strategy="last_write_wins",
                is_real_time=False,
                entities=list(entities),
                history_from=history_from,
            ),
            saved_by="test",
            now=datetime(2026, 6, 1, tzinfo=UTC),
        )
