"""What the bank statement says of payments and deposits: matched, partially matched or unmatched.

Xero's records say it themselves. QuickBooks says it in a report only, and a bookkeeper who reconciles changes nothing
else; so the report is read once a day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from resources.store.database import Database, Transaction, json_text
from resources.store.views import After, Row
from sync.errors import ProviderError
from sync.ports import BankReport, Provider
from sync.stored import ConnectionFacts

REPORT_EVERY = timedelta(hours=20)
OVERLAP = timedelta(minutes=10)
REPORT, LOOK = "bank report", "bank look"
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
TABLES = ("payments", "bill_payments", "deposits")
MONEY = ("payment", "bill_payment", "deposit")

log = structlog.get_logger(__name__)


def read_bank(
    database: Database, provider: Provider, facts: ConnectionFacts, *, has_news: bool = True, now: datetime
) -> None:
    """Bring the bank's view of a connection's money up to date; a report that cannot be read waits for tomorrow.

    Without news since the last look only the day's report is asked for.
    """
    builder = UUID(facts.builder_id)
    where = {"builder_id": facts.builder_id, "connection_id": facts.connection_id}
    with database.builder_tx(builder, is_planned_once=True) as tx:
        row = tx.row("bank_position", **where, report=REPORT, look=LOOK)
    assert row is not None, "one row whatever there is"
    reported, looked = _moment(row["reported"]), _moment(row["looked"])
    report: BankReport | None = None
    is_due = row["has_money"] and now - reported >= REPORT_EVERY
    if not is_due and not has_news:
        return
    if is_due:
        try:
            report = provider.bank_report()
        except ProviderError as error:
            # The sync itself went well; what the bank says is worth less than saying so.
            log.warning("bank_report_not_read", connection=facts.connection_id, code=error.code)
    with database.builder_tx(builder) as tx:
        for table in TABLES:
            tx.run(f"bank_from_records_{table}", **where, since=looked - OVERLAP)
            if report is not None:
                told = [("matched", each) for each in report.matched]
                told += [("partially_matched", each) for each in report.partly]
                rows = [
                    {"entity": entity, "remote_id": one, "status": status} for status, (entity, one) in told
                ]
                tx.run(f"bank_from_report_{table}", **where, told=json_text(rows), first_day=report.first_day)
        tx.run("bank_of_deposited_payments", builder_id=facts.builder_id)
        tx.run("move_cursor", **where, stream=LOOK, position=now.isoformat(), now=now)
        if is_due:
            tx.run("move_cursor", **where, stream=REPORT, position=now.isoformat(), now=now)


def lines(
    tx: Transaction,
    connection_id: UUID,
    *,
    entity: str | None,
    status: str | None,
    after: After,
    rows_max: int,
) -> list[Row]:
    """Return money that both sides have with its state at the bank (None: not said yet), newest document first."""
    return tx.records(
        "bank_view",
        connection_id=connection_id,
        entities=[entity] if entity else list(MONEY),
        status=status,
        after_at=after.at,
        after_id=after.id,
        rows_max=rows_max,
    )


def totals(tx: Transaction, connection_id: UUID) -> list[Row]:
    """Return how much of that money is on the bank statement, by kind, state and currency."""
    return tx.records("bank_totals", connection_id=connection_id, entities=list(MONEY))


def _moment(position: str | None) -> datetime:
    return datetime.fromisoformat(position) if position else NEVER
