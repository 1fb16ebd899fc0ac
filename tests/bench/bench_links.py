"""The three-way comparison over a million links, and over a thousand changed ones among them."""

from __future__ import annotations

import sys
import time
from uuid import UUID

import psycopg

from resources.postgres.urls import for_psycopg
from sync.records import Entity
from tests.bench.measure import bench, figure
from tests.fakes.world import World

LINKS, LINKS_FULL = 200_000, 1_000_000
CHANGED = 1_000


def main() -> None:
    """Seed settled links by SQL, then ask what has to be done."""
    links = LINKS_FULL if "--full" in sys.argv else LINKS
    with bench() as stage:
        world = World(stage.database)
        _seed(world, links)
        with psycopg.connect(
            for_psycopg(stage.settings.database_url.get_secret_value()), autocommit=True
        ) as admin:
            admin.execute("vacuum analyze links, records, mirror")
        figure("links.nothing_changed", _different(world, 0), "ms", links=links)
        floor = _floor(world)
        world.run(
            "update links set ours_checksum = 'new' where right(remote_id, 3) = '000' or remote_id <= %s", "0"
        )
        changed = world.value("select count(*) from links where ours_checksum = 'new'")
        found = _different(world, changed)
        figure(
            "links.some_changed",
            found,
            "ms",
            links=links,
            changed=changed,
            full_scan_ms=floor,
            scan_over_ours=floor / found,
        )
        world.run("update links set ours_checksum = 'newer'")
        with psycopg.connect(
            for_psycopg(stage.settings.database_url.get_secret_value()), autocommit=True
        ) as admin:
            admin.execute("vacuum analyze links")
        figure("links.everything_changed", _different(world, links), "ms", links=links, full_scan_ms=floor)


def _different(world: World, expected: int) -> float:
    best = float("inf")
    engine_store = world.engine()._store
    for _ in range(3):
        with engine_store.work() as work:
            started = time.perf_counter()
            found = work.different(Entity.BILL, now=world.clock.now())
            best = min(best, (time.perf_counter() - started) * 1000)
        assert len(found) == expected, (len(found), expected)
    return best


def _floor(world: World) -> float:
    """The same question without the index that answers it: every link is looked at."""
    with world.database.builder_tx(UUID(world.builder_id)) as tx, tx.cursor() as cursor:
        cursor.execute("set local enable_indexscan = off")
        cursor.execute("set local enable_bitmapscan = off")
        cursor.execute("set local enable_indexonlyscan = off")
        started = time.perf_counter()
        cursor.execute(
            "select count(*) from links where ours_checksum is distinct from base_ours_checksum"
            " or theirs_checksum is distinct from base_theirs_checksum"
        )
        return (time.perf_counter() - started) * 1000


def _seed(world: World, links: int) -> None:
    world.run(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, document_date, total, changed_at)"
        " select %s, 'bill', gen_random_uuid(), 'active', '{}', 'same', 'Bill ' || n, date '2026-01-01' + mod(n, 300), n, now()"
        " from generate_series(1, %s) n",
        world.builder_id,
        links,
    )
    world.run(
        "insert into mirror (builder_id, connection_id, entity, remote_id, state, canonical, checksum, label)"
        " select %s, %s, 'bill', n::text, 'active', '{}', 'same', 'Bill ' || n from generate_series(1, %s) n",
        world.builder_id,
        world.connection_id,
        links,
    )
    world.run(
        "insert into links (builder_id, connection_id, entity, record_id, remote_id, ours_checksum, theirs_checksum,"
        " base_ours_checksum, base_theirs_checksum, settled_at) select builder_id, %s, 'bill', id,"
        " (row_number() over ())::text, 'same', 'same', 'same', 'same', now() from records",
        world.connection_id,
    )


if __name__ == "__main__":
    main()
