"""What an export of 1,000,000 rows takes, against PostgreSQL's own COPY of the same query."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

from resources.exports.exporter import ExportWanted, export
from resources.store.database import Database
from resources.store.queries import named_query
from sync.exports.datasets import ExportFormat, dataset_of
from tests.bench.measure import bench, figure, memory_mb

ROWS, ROWS_FULL = 50_000, 1_000_000
SHEET_ROWS, SHEET_ROWS_FULL = 20_000, 200_000
LINES_PER_BILL = 2

FILL = """
insert into v2_builders (id, name) values (%(b)s, 'Bench');
insert into v2_vendors (builder_id, name) select %(b)s, 'Vendor ' || n from generate_series(1, 500) n;
insert into v2_bills (builder_id, number, vendor_id, bill_date, memo, status, total)
select %(b)s, 'B-' || n, (array(select id from v2_vendors where builder_id = %(b)s))[1 + n %% 500],
       date '2024-01-01' + n %% 700, 'Delivery of week ' || n %% 52, 'approved', 300
from generate_series(1, %(bills)s) n;
insert into v2_bill_lines (builder_id, bill_id, position, description, amount)
select %(b)s, id, p, 'Ready-mix, 3000 psi', 100 * p from v2_bills cross join generate_series(1, 2) p where builder_id = %(b)s;
"""


def main() -> None:
    """Fill a builder's books, and write them out in each format; the memory is that of a process of its own."""
    is_full = "--full" in sys.argv
    rows = ROWS_FULL if is_full else ROWS
    with bench() as stage, TemporaryDirectory() as folder:
        builder_id = uuid4()
        with stage.database.builder_tx(builder_id) as tx:
            for statement in FILL.strip().split(";\n"):
                tx.connection.exec_driver_sql(statement, {"b": builder_id, "bills": rows // LINES_PER_BILL})
        floor = copied(stage.database, builder_id)
        for kind in (ExportFormat.CSV, ExportFormat.JSONL):
            with stage.measure() as measured:
                took, path, memory = exported(stage.database, builder_id, kind, Path(folder))
            figure(
                f"export.{kind}", took, "s", rows=rows, rows_per_s=rows / took, cpu=measured.cpu,
                postgres_cpu=measured.postgres_cpu, floor_copy_s=floor, goal=20 if is_full else None,
                memory_grew_mb=memory, mb=path.stat().st_size / 1e6, load=os.getloadavg()[0],
            )  # fmt: skip
            path.unlink()
        sheet = SHEET_ROWS_FULL if is_full else SHEET_ROWS
        with stage.database.builder_tx(builder_id) as tx:
            tx.connection.exec_driver_sql(
                "delete from v2_bills where builder_id = %(b)s and substr(number, 3)::integer > %(bills)s",
                {"b": builder_id, "bills": sheet // LINES_PER_BILL},
            )
        with stage.measure() as measured:
            took, path, memory = exported(stage.database, builder_id, ExportFormat.XLSX, Path(folder))
        figure(
            "export.xlsx", took, "s", rows=sheet, rows_per_s=sheet / took, cpu=measured.cpu,
            postgres_cpu=measured.postgres_cpu, memory_grew_mb=memory, mb=path.stat().st_size / 1e6,
            load=os.getloadavg()[0],
        )  # fmt: skip


def exported(
    database: Database, builder_id: UUID, kind: ExportFormat, folder: Path
) -> tuple[float, Path, float]:
    """Export the bills; seconds, the file, and by how much the process grew."""
    before, began = memory_mb(), time.perf_counter()
    done = export(
        database, builder_id, ExportWanted(dataset_of("bills"), kind), path=folder / f"bills.{kind}"
    )
    return time.perf_counter() - began, done.path, memory_mb() - before


def copied(database: Database, builder_id: UUID) -> float:
    """Seconds of a bare COPY of the query's rows, thrown away."""
    query = named_query("export_bills")
    values = dict.fromkeys(query.parameters) | {"builder_id": builder_id}
    began = time.perf_counter()
    statement = f"copy ({query.text.rstrip().rstrip(';')}) to stdout"
    with (
        database.builder_tx(builder_id) as tx,
        tx.cursor() as cursor,
        cursor.copy(statement, values) as copy,
    ):
        for _ in copy:
            pass
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
