"""A million rows of bills into the platform's tables, beside pandas' read_csv and to_sql; and a workbook of 200,000 rows.

Each reader runs in a process of its own, so that the memory is its own. The peer writes the same cells into one table
without keys, checks, lines or a second look; it says what the machine can do, not what an import has to.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import xlsxwriter

from tests.bench.measure import Bench, bench, figure
from tests.support.imports import Books

CSV_ROWS, CSV_ROWS_FULL = 100_000, 1_000_000
SHEET_ROWS, SHEET_ROWS_FULL = 20_000, 200_000
LINES_PER_BILL = 4
MEMORY_MB_MAX = 500
HEADINGS = ("Bill No", "Vendor", "Date", "Due", "Cost Code", "Job", "Description", "Amount")


def main() -> None:
    """Make the files, bring each in, and print the figures."""
    is_full = "--full" in sys.argv
    csv_rows = CSV_ROWS_FULL if is_full else CSV_ROWS
    sheet_rows = SHEET_ROWS_FULL if is_full else SHEET_ROWS
    with bench() as stage, tempfile.TemporaryDirectory() as folder:
        csv_file, sheet_file = Path(folder, "bills.csv"), Path(folder, "bills.xlsx")
        _make_csv(csv_file, csv_rows)
        _make_sheet(sheet_file, sheet_rows)
        ours = _bring(stage, csv_file)
        with stage.measure() as measured:
            peer = _child("peer", str(csv_file), stage.settings.database_url.get_secret_value())
        peer["postgres_cpu"] = measured.postgres_cpu
        assert ours["rows"] == csv_rows, ours
        figure(
            "import.csv", ours["wall"], "s", rows=csv_rows, rows_per_second=csv_rows / ours["wall"], cpu=ours["cpu"],
            postgres_cpu=ours["postgres_cpu"], memory_mb=ours["memory_mb"], memory_mb_max=MEMORY_MB_MAX,
            pandas_wall=peer["wall"], pandas_cpu=peer["cpu"], pandas_postgres_cpu=peer["postgres_cpu"],
            pandas_memory_mb=peer["memory_mb"], load=os.getloadavg()[0],
        )  # fmt: skip
        sheet = _bring(stage, sheet_file)
        assert sheet["rows"] == sheet_rows, sheet
        figure(
            "import.xlsx", sheet["wall"], "s", rows=sheet_rows, cpu=sheet["cpu"], postgres_cpu=sheet["postgres_cpu"],
            memory_mb=sheet["memory_mb"], memory_mb_max=MEMORY_MB_MAX, load=os.getloadavg()[0],
        )  # fmt: skip


def _bring(stage: Bench, file: Path) -> dict[str, Any]:
    """Import a file for a builder of its own, in a process of its own."""
    books = Books(stage.database)
    books.bring("vendors", "Name\n" + "".join(f"Vendor {n}\n" for n in range(500)))
    books.bring("cost_codes", "Code,Name\n" + "".join(f"{n:04d},Code {n}\n" for n in range(200)))
    books.bring("jobs", "Number,Name\n1,The only job\n")
    with stage.measure() as measured:
        found = _child(
            "ours", str(file), stage.settings.database_url.get_secret_value(), str(books.builder_id)
        )
    return {**found, "postgres_cpu": measured.postgres_cpu}


def _child(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_import", "child", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ours(file: str, url: str, builder_id: str) -> int:
    from resources.imports.importer import Imports
    from resources.postgres import database_urls
    from resources.store.database import Database
    from sync.clock import SystemClock
    from tests.support.postgres import settings_for

    with Database(database_urls(settings_for(url, Path(tempfile.gettempdir())))) as database:
        imports = Imports(database, clock=SystemClock())
        return imports.import_file(UUID(builder_id), "bills", Path(file), imported_by="bench").rows_written


def _peer(file: str, url: str) -> int:
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    frame = pd.read_csv(file)
    with engine.begin() as connection:
        frame.to_sql("bench_peer", connection, if_exists="replace", index=False, chunksize=50_000)
    return len(frame)


def _make_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(HEADINGS) + "\n")
        file.writelines(",".join(_row(n)) + "\n" for n in range(rows))


def _make_sheet(path: Path, rows: int) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for n in range(rows):
            sheet.write_row(n + 1, 0, _row(n)[:-1])
            sheet.write_number(n + 1, len(HEADINGS) - 1, n % 997 + 0.25)


def _row(n: int) -> list[str]:
    bill = n // LINES_PER_BILL
    return [
        f"B-{bill}", f"Vendor {bill % 500}", f"2026-{bill % 12 + 1:02d}-15", "2026-12-31", f"{n % 200:04d}", "1",
        f"Work {n % 1000}", f"{n % 997}.25",
    ]  # fmt: skip


def _as_child(kind: str, *arguments: str) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    rows = _ours(*arguments) if kind == "ours" else _peer(*arguments)
    told = {
        "rows": rows,
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        _as_child(*sys.argv[2:])
    else:
        main()
