"""What history costs: the idle sync and three pages, with nearly empty logs and with a million rows in them."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from uuid import UUID

from api.app import create_app
from api.services import ProviderEntry
from resources.store.api_keys import create_api_key
from tests.api.world import Client, FakeLauncher
from tests.bench.many_builders import superuser
from tests.bench.measure import Bench, bench, figure
from tests.flows.quickbooks_world import QuickBooksWorld, world_at

# Rows of the sync log, and detail rows beneath each.
LOGS, LOGS_FULL, DETAILS = 2_000, 200_000, 5
SYNCS, VIEWS = 20, 20
PAGES = {
    "sync_log_page": "/sync/log",
    "sync_log_page_of_bills": "/sync/log?entity=bill",
    "sync_log_page_deep": "/sync/log?until=2025-06-01T00:00:00Z",
    "error_queue_page": "/sync/errors",
    "status_page": "/sync/status",
}
# Two years of syncs of nine entities; every hundredth detail row is an error that a person has dismissed since.
HISTORY_OF_SYNCS = """
insert into v2_sync_log (builder_id, connection_id, sync_type, entity_type, direction, status,
                         records_processed, records_succeeded, started_at, completed_at)
select %(builder)s, %(connection)s, 'scheduled',
       (array['account','customer','vendor','invoice','bill','journal_entry','payment','bill_payment','deposit'])[1 + n %% 9],
       case when n %% 2 = 0 then 'push' else 'pull' end, 'completed', 5, 5, at, at + interval '1 second'
from (select n, now() - interval '1 day' - n * (interval '730 days' / %(logs)s) as at
      from generate_series(1, %(logs)s) n) rows
"""
HISTORY_OF_RECORDS = """
insert into v2_sync_records (builder_id, connection_id, sync_log_id, platform_entity_type, platform_entity_id, link_id,
                             direction, status, action, label, amount, currency, created_at, resolved_at,
                             category, code, error_message)
select l.builder_id, l.connection_id, l.id, l.entity_type, gen_random_uuid(), gen_random_uuid(), l.direction,
       case when is_error then 'error' else 'synced' end, 'updated', 'Bill ' || n, 100, 'USD', l.started_at,
       case when is_error then l.completed_at end, case when is_error then 'validation' end,
       case when is_error then 'push.rejected' end, case when is_error then 'QuickBooks refused it.' end
from v2_sync_log l
cross join lateral (select n, random() < 0.01 as is_error from generate_series(1, %(details)s) n) rows
where l.sync_type = 'scheduled' and l.sync_run_id is null
"""


def main() -> None:
    """Measure, fill the logs, and measure again."""
    logs = LOGS_FULL if "--full" in sys.argv else LOGS
    with (
        bench() as stage,
        world_at(stage.sandbox_url, stage.settings, stage.database) as world,
        asyncio.Runner() as runner,
    ):
        for _ in range(3):
            world.sync()
        key = create_api_key(stage.database, UUID(world.builder_id), name="bench", role="owner")
        providers = (ProviderEntry("quickbooks_online", "QuickBooks Online", is_configured=True),)
        client = Client(
            create_app(world.tieout, launcher=FakeLauncher(), providers=providers), runner, key=key
        )
        _figures(stage, world, client)
        before = _figures(stage, world, client)
        _fill(stage, world, logs)
        _figures(stage, world, client)
        after = _figures(stage, world, client)
        for name, value in after.items():
            figure(
                f"history.{name}", value / before[name], "times", goal=1, before_ms=before[name], with_history_ms=value,
                log_rows=logs, record_rows=logs * DETAILS,
            )  # fmt: skip


def _fill(stage: Bench, world: QuickBooksWorld, logs: int) -> None:
    named = {"builder": world.builder_id, "connection": world.connection_id, "logs": logs, "details": DETAILS}
    with superuser(stage.settings) as connection:
        with connection.transaction():
            # Rows that are as they would be; checking a million foreign keys is not what is measured.
            connection.execute("set local session_replication_role = replica")
            connection.execute(HISTORY_OF_SYNCS, named)
            connection.execute(HISTORY_OF_RECORDS, named)
        for table in ("v2_sync_log", "v2_sync_records"):
            connection.execute(f"vacuum analyze {table}")  # type: ignore[arg-type]


def _figures(stage: Bench, world: QuickBooksWorld, client: Client) -> dict[str, float]:
    """Milliseconds: CPU of an idle sync, and the median wall time of each page."""
    with stage.measure() as took:
        for _ in range(SYNCS):
            world.sync()
    found = {"idle_sync_cpu": (took.cpu + took.postgres_cpu) / SYNCS * 1000}
    for name, path in PAGES.items():
        found[name] = statistics.median(_view(client, path) for _ in range(VIEWS))
    return found


def _view(client: Client, path: str) -> float:
    began = time.perf_counter()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
