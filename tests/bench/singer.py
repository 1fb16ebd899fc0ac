"""singer taps as peers: tap and target each unmodified, in an environment and a process of its own, one piped to the other.

The taps' calls go to the sandbox (`peers/launcher.py`), the target's rows to a database of its own on the same server.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from resources.postgres.urls import for_psycopg
from tests.bench.measure import Bench, Measured
from tests.bench.peer_environments import LOCKS, NotInstalled, python_of

TARGET = "target-postgres"
SCHEMA = "singer"
# The fastest of its ways to write, and without its own check of every record: it refuses the old schemas of tap-xero.
TARGET_SETTINGS = {"default_target_schema": SCHEMA, "use_copy": True, "validate_records": False}
RUN_SECONDS_MAX = 1800
START = "2000-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Tap:
    """One tap: where its calls go, what it is told, and the streams that our pull covers too."""

    name: str
    module: str
    addresses: Mapping[str, str]
    config: Mapping[str, str] = field(repr=False)
    streams: Sequence[str] = ()
    # Where its own discovery cannot be had: an expression of its module that makes the same catalog.
    catalog: str | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of tap and target took; processor seconds of each, their start included."""

    rows: int
    tap_cpu: float
    target_cpu: float
    took: Measured

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.took.wall

    def beside(self) -> dict[str, float]:
        """What is printed beside the rate."""
        return {
            "rows": self.rows,
            "wall_s": self.took.wall,
            "tap_cpu_s": self.tap_cpu,
            "target_cpu_s": self.target_cpu,
            "postgres_cpu_s": self.took.postgres_cpu,
            "postgres_queued_s": self.took.postgres_queued,
        }


def run_tap(stage: Bench, tap: Tap) -> Ran | None:
    """Run a tap into a target once; None, and a sentence on stderr, where they cannot be installed here."""
    try:
        python, target = python_of(tap.name), python_of(TARGET)
    except NotInstalled as problem:
        print(problem, file=sys.stderr, flush=True)
        return None
    with tempfile.TemporaryDirectory(prefix="tieout-singer-") as name, stage.server.fresh_database() as url:
        folder = Path(name)
        config, catalog = folder / "tap.json", folder / "catalog.json"
        config.write_text(json.dumps({"start_date": START, "user_agent": "bench", **tap.config}))
        launch = [
            str(python), str(LOCKS / "launcher.py"), json.dumps(tap.addresses), tap.module, "--config", str(config),
        ]  # fmt: skip
        discover = [*launch, "--discover"]
        if tap.catalog is not None:
            discover = [
                str(python),
                "-c",
                f"import json, {tap.module} as tap; print(json.dumps({tap.catalog}))",
            ]
        found = subprocess.run(discover, capture_output=True, text=True, check=False)
        assert found.returncode == 0, f"{tap.name}, its catalog: {found.stderr[-2000:]}"
        catalog.write_text(json.dumps(chosen(json.loads(found.stdout), tap.streams)))
        into = folder / "target.json"
        into.write_text(json.dumps({"sqlalchemy_url": url, **TARGET_SETTINGS}))
        load = [str(target.parent / TARGET), "--config", str(into)]
        with stage.measure() as took:
            tap_cpu, target_cpu = _piped([*launch, "--catalog", str(catalog)], load, folder)
        return Ran(_rows(url), tap_cpu, target_cpu, took)


def chosen(catalog: dict[str, Any], streams: Sequence[str]) -> dict[str, Any]:
    """Return a discovered catalog with these streams alone, every field of them selected."""
    kept = [stream for stream in catalog["streams"] if stream["tap_stream_id"] in streams]
    missing = set(streams) - {stream["tap_stream_id"] for stream in kept}
    assert not missing, f"the tap has no stream {', '.join(sorted(missing))}"
    for stream in kept:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    return {**catalog, "streams": kept}


def _piped(tap: Sequence[str], target: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run `tap | target` to their ends and return the processor seconds of each."""
    said = folder / "tap.log", folder / "target.log"
    before = _children_seconds()
    with said[0].open("w") as first, said[1].open("w") as second:
        sender = subprocess.Popen(tap, stdout=subprocess.PIPE, stderr=first)
        receiver = subprocess.Popen(target, stdin=sender.stdout, stdout=subprocess.DEVNULL, stderr=second)
        assert sender.stdout is not None
        # The receiver holds the pipe now; a tap whose target has died must notice.
        sender.stdout.close()
        try:
            sender.wait(RUN_SECONDS_MAX)
            between = _children_seconds()
            receiver.wait(RUN_SECONDS_MAX)
        finally:
            for process in (sender, receiver):
                if process.poll() is None:
                    process.kill()
                    process.wait()
    # The one that fails first takes the other along: the target's reason comes first.
    for process, log in ((receiver, said[1]), (sender, said[0])):
        assert process.returncode == 0, f"{process.args!r}: {log.read_text()[-3000:]}"
    return between - before, _children_seconds() - between


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _rows(url: str) -> int:
    with psycopg.connect(for_psycopg(url)) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = %s", (SCHEMA,)
        ).fetchall()
        counted = 0
        for (name,) in names:
            count = sql.SQL("select count(*) from {}").format(sql.Identifier(SCHEMA, name))
            row = connection.execute(count).fetchone()
            assert row is not None
            counted += row[0]
        return counted
