"""A builder with a connection to a fake ledger: the platform's hands, the bookkeeper's hands, and a sync between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from resources.store.database import Database
from resources.store.sync_store import PostgresStore
from sync.clock import Clock, SetClock, SystemClock
from sync.compare import Strategy
from sync.engine import ConnectionSync
from sync.records import Direction, Entity
from sync.stored import ConnectionFacts
from sync.summary import EntitySummary, TieOut
from tests.fakes.ledger import FakeLedger

START = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Synced:
    """What one sync did."""

    entities: dict[Entity, EntitySummary]
    tie_out: TieOut
    calls: int

    def count(self, entity: Entity, outcome: str) -> int:
        """How many records of an entity had an outcome."""
        return self.entities[entity].tallies[outcome].count  # type: ignore[index]


class Platform:
    """A builder and the hands of its office: any SQL client of the platform's tables."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock | None = None,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        """Make a builder with one cost code and no connection."""
        self.database = database
        self.now: Clock = clock or SystemClock()
        self.new_id = new_id
        self.builder_id, self.connection_id = new_id(), ""
        self.run("insert into v2_builders (id, name) values (%s, 'Larch Homes')", self.builder_id)
        self.code = self.add("v2_cost_codes", code="03-100", name="Concrete")

    # ------------------------------------------------------------------ the platform's hands

    def run(self, statement: str, *parameters: Any) -> None:
        """Run one statement as any SQL client of the platform would."""
        with self.database.builder_tx(UUID(self.builder_id)) as tx, tx.cursor() as cursor:
            cursor.execute(statement, parameters)  # type: ignore[arg-type]

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read as the builder."""
        with self.database.builder_tx(UUID(self.builder_id)) as tx, tx.cursor() as cursor:
            return cursor.execute(statement, parameters).fetchall()  # type: ignore[arg-type]

    def value(self, statement: str, *parameters: Any) -> Any:
        """Read one value as the builder."""
        ((found,),) = self.rows(statement, *parameters)
        return found

    def add(self, table: str, **values: Any) -> str:
        """Insert one row and return its id."""
        row_id = self.new_id()
        names = ["id", "builder_id", *values]
        marks = ", ".join(["%s"] * len(names))
        self.run(
            f"insert into {table} ({', '.join(names)}) values ({marks})",
            row_id,
            self.builder_id,
            *values.values(),
        )
        return row_id

    def vendor(self, name: str = "Ridge Concrete") -> str:
        """Add a vendor."""
        return self.add("v2_vendors", name=name)

    def client(self, name: str = "Ann Ortega") -> str:
        """Add a client."""
        return self.add("v2_clients", name=name)

    def bill(
        self, vendor_id: str, *, number: str | None = "B-1", amounts: Sequence[str] = ("100.00",), **more: Any
    ) -> str:
        """Add an approved bill with one line per amount."""
        total = sum((Decimal(a) for a in amounts), Decimal(0))
        values = {
            "bill_date": "2026-05-20",
            "status": "approved",
            "total": total,
            "updated_at": self.now.now(),
            **more,
        }
        bill_id = self.add("v2_bills", vendor_id=vendor_id, number=number, **values)
        for position, amount in enumerate(amounts, start=1):
            self.add(
                "v2_bill_lines",
                bill_id=bill_id,
                position=position,
                description=f"Pour {position}",
                cost_code_id=self.code,
                amount=amount,
            )
        return bill_id

    def invoice(
        self, client_id: str, *, number: str = "I-1", amounts: Sequence[str] = ("500.00",), **more: Any
    ) -> str:
        """Add an approved invoice with one line per amount."""
        total = sum((Decimal(a) for a in amounts), Decimal(0))
        values = {
            "invoice_date": "2026-05-21",
            "status": "approved",
            "total": total,
            "updated_at": self.now.now(),
            **more,
        }
        invoice_id = self.add("v2_invoices", client_id=client_id, number=number, **values)
        for position, amount in enumerate(amounts, start=1):
            self.add(
                "v2_invoice_lines",
                invoice_id=invoice_id,
                position=position,
                description=f"Work {position}",
                cost_code_id=self.code,
                amount=amount,
            )
        return invoice_id

    def change(self, table: str, row_id: str, **values: Any) -> None:
        """Change a row, as of now."""
        sets = ", ".join(f"{name} = %s" for name in values)
        stamp = (
            ", updated_at = %s"
            if table not in ("v2_bill_lines", "v2_invoice_lines", "v2_journal_entry_lines")
            else ""
        )
        stamps = [self.now.now()] if stamp else []
        self.run(f"update {table} set {sets}{stamp} where id = %s", *values.values(), *stamps, row_id)

    def map_to(self, accounts: Mapping[str, str]) -> None:
        """Map the one cost code: profile → provider account id, as a new version."""
        number = self.value("select coalesce(max(number), 0) + 1 from mapping_versions")
        version = self.add(
            "mapping_versions", connection_id=self.connection_id, number=number, created_by="test"
        )
        self.run(
            "update v2_account_mappings set is_active = false where connection_id = %s", self.connection_id
        )
        for profile, account_id in accounts.items():
            self.add(
                "v2_account_mappings",
                connection_id=self.connection_id,
                version_id=version,
                platform_cost_code_id=self.code if profile in ("cost_code", "revenue") else None,
                platform_entity_type=profile,
                provider_account_id=account_id,
            )

    def queue(self, status: str) -> list[tuple[str, str]]:
        """The open entries of a queue: label and sentence."""
        return self.rows(
            "select label, error_message from v2_sync_records where status = %s and resolved_at is null order by label",
            status,
        )


class World(Platform):
    """One builder, one connection, one fake ledger, one clock."""

    def __init__(self, database: Database) -> None:
        """Make a builder with a connected company and an empty ledger."""
        self.clock = SetClock(START)
        super().__init__(database, clock=self.clock)
        self.ledger = FakeLedger(self.clock)
        self.connection_id = str(uuid4())
        self.strategy = Strategy.LAST_WRITE_WINS
        self.run(
            "insert into v2_integration_connections (id, builder_id, provider, status, provider_tenant_id, connected_at)"
            " values (%s, %s, 'quickbooks_online', 'connected', %s, now())",
            self.connection_id,
            self.builder_id,
            self.connection_id,
        )
        self.ar = self.ledger.enter(Entity.ACCOUNT, account("Accounts Receivable", "accounts_receivable"))
        self.ap = self.ledger.enter(Entity.ACCOUNT, account("Accounts Payable", "accounts_payable"))
        self.bank = self.ledger.enter(Entity.ACCOUNT, account("Checking", "bank"))
        self.sales = self.ledger.enter(Entity.ACCOUNT, account("Construction Income", "income"))
        self.costs = self.ledger.enter(Entity.ACCOUNT, account("Job Costs", "cost_of_goods_sold"))

    def map_code(self) -> None:
        """Map the one cost code to the ledger's cost and income accounts, as a new version."""
        self.map_to({"cost_code": self.costs, "revenue": self.sales})

    # ------------------------------------------------------------------ sync

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.clock.move(timedelta(**by))

    def store(self, connection_id: str | None = None) -> PostgresStore:
        """Open a run of this connection, or of another one of the builder."""
        connection_id = connection_id or self.connection_id
        run_id = self.add(
            "sync_runs",
            connection_id=connection_id,
            trigger="manual",
            requested_by="test",
            status="started",
        )
        facts = ConnectionFacts(
            builder_id=self.builder_id,
            connection_id=connection_id,
            provider="quickbooks_online",
            provider_title="Fake Books",
            company_name="Fake Books",
            strategy=self.strategy,
            currency="USD",
        )
        return PostgresStore(
            self.database, facts=facts, sync_run_id=run_id, trigger="manual", clock=self.clock, actor="test"
        )

    def engine(self, *, direction: Direction = "both") -> ConnectionSync:
        """Open a sync the way the product does, over the fake ledger."""
        store = self.store()
        return ConnectionSync(
            store=store, provider=self.ledger, clock=self.clock, actor="test", direction=direction
        )

    def sync(self) -> Synced:
        """Do one whole sync, a minute after whatever happened before."""
        self.later(minutes=1)
        before = self.ledger.calls
        _, summaries, proof = self.engine().sync_all()
        self.later(minutes=1)
        return Synced({each.entity: each for each in summaries}, proof, self.ledger.calls - before)


def account(name: str, kind: str) -> dict[str, Any]:
    """An account in canonical form."""
    return {"name": name, "number": None, "type": kind, "description": None}
