"""What only the demo does to the platform's tables: it plays the platform's users."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from resources.store.database import Database


@dataclass(frozen=True, slots=True)
class BillCorrection:
    """What somebody on site corrects on a bill with one line."""

    number: str
    vendor: str
    amount: Decimal
    memo: str


def add_builder(database: Database, builder_id: str, *, name: str, time_zone: str, currency: str) -> None:
    """Make a builder exist."""
    with database.builder_tx(UUID(builder_id)) as tx:
        tx.run("demo_add_builder", builder_id=builder_id, name=name, time_zone=time_zone, currency=currency)


def let_a_person_decide(database: Database, builder_id: str, *, connection_id: str, entity: str) -> None:
    """Let conflicts of one entity wait for a person's choice."""
    with database.builder_tx(UUID(builder_id)) as tx:
        changed = tx.run(
            "demo_let_a_person_decide", builder_id=builder_id, connection_id=connection_id, entity=entity
        )
    assert changed == 1, "a connection has settings for every entity"


def correct_bill(database: Database, builder_id: str, correction: BillCorrection) -> None:
    """Change a bill as the platform's users would."""
    with database.builder_tx(UUID(builder_id)) as tx:
        found = {"builder_id": builder_id, "number": correction.number, "vendor": correction.vendor}
        changed = tx.run("demo_correct_bill_line", **found, amount=correction.amount)
        tx.run("demo_correct_bill", **found, memo=correction.memo)
    assert changed == 1, f"there is one bill {correction.number} of {correction.vendor}"


def newest_tie_out(database: Database, builder_id: str, *, connection_id: str) -> dict[str, Any] | None:
    """Return the newest proof that both sides agree."""
    with database.builder_tx(UUID(builder_id)) as tx:
        row = tx.row("demo_newest_tie_out", builder_id=builder_id, connection_id=connection_id)
    return dict(row) if row else None
