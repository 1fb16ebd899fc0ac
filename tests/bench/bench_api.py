"""The API's reads over a history of sync records, at a steady rate of requests: what the slowest hundredth waits.

Open loop: requests come when they come, whether or not the ones before were answered, and each is timed from the moment
at which it should have been sent. A server that stalls is charged for everybody who came meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import uvloop

from pipelines.demo.settings import as_environment
from pipelines.processes import free_port
from resources.postgres import database_urls
from resources.postgres.urls import for_psycopg
from resources.settings import Settings
from resources.store.api_keys import create_api_key
from tests.bench.measure import TICKS, bench, figure

ROOT = "/api/v1/integrations"
RECORDS, RECORDS_FULL = 100_000, 1_000_000
SECONDS, SECONDS_FULL = 10, 60
WARM_UP_SECONDS = 3
RATE = 200
GOAL_MS = 100
CONNECTIONS = 64
BUILDERS = 10
PROCESSES = 2
RECORDS_PER_LOG = 50
STATEMENTS = Path(__file__).with_name("bench_api.sql")


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of request."""

    name: str
    path: str


def main() -> None:
    """Fill a history, serve it from a process of its own, and ask."""
    is_full = "--full" in sys.argv
    records = RECORDS_FULL if is_full else RECORDS
    with bench() as stage:
        builder = fill(stage.settings, records)
        key = create_api_key(stage.database, builder, name="bench", role="owner")
        with serving(stage.settings) as (url, pid):
            kinds = reads(url, key)
            uvloop.run(drive(url, key, kinds, seconds=WARM_UP_SECONDS))
            cpu = cpu_seconds(pid)
            with stage.measure() as took:
                seconds = SECONDS_FULL if is_full else SECONDS
                waits = uvloop.run(drive(url, key, kinds, seconds=seconds))
            cpu = cpu_seconds(pid) - cpu
    show(waits, records=records, seconds=seconds, server_cpu=cpu, postgres_cpu=took.postgres_cpu)


def fill(settings: Settings, records: int) -> UUID:
    """Give ten builders a history; half of it is one builder's, who is then asked for."""
    builders = [uuid4() for _ in range(BUILDERS)]
    with psycopg.connect(for_psycopg(database_urls(settings).admin), autocommit=True) as connection:
        for place, builder in enumerate(builders):
            share = records // 2 if place == 0 else records // 2 // (BUILDERS - 1)
            values = {"builder": builder, "logs": share // RECORDS_PER_LOG, "each": RECORDS_PER_LOG}
            for statement in STATEMENTS.read_text(encoding="utf-8").split(";\n\n"):
                connection.execute(statement, values)  # type: ignore[arg-type]  # a file of our own
        connection.execute("vacuum analyze")
    return builders[0]


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, int]]:
    """Run `tieout serve` over the database, and wait until it is ready."""
    port = free_port()
    told = settings.model_copy(
        update={
            "api_port": port,
            "rate_limit_per_minute": 0,
            "log_format": "json",
            "api_processes": PROCESSES,
        }
    )
    environment = {**os.environ, **as_environment(told)}
    command = [sys.executable, "-m", "api.cli", "serve"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    if httpx.get(f"{url}/readyz").status_code == 200:
                        break
                except httpx.HTTPError:
                    time.sleep(0.2)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait(20)


def reads(url: str, key: str) -> list[Asked]:
    """Return what is asked: every list with its filters and a page deep down, and the status."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:

        def get(path: str, **query: str | int) -> dict[str, list[dict[str, str]]]:
            answer = client.get(f"{ROOT}{path}", params=query, timeout=60)
            answer.raise_for_status()
            found: dict[str, list[dict[str, str]]] = answer.json()
            return found

        connection = get("/connections")["items"][0]["id"]
        log = get("/sync/log", limit=200)
        deep = log["next_cursor"]
        for _ in range(3):
            deep = get("/sync/log", limit=200, cursor=str(deep))["next_cursor"]
        assert deep is not None
        one = log["items"][100]["id"]
    paths = {
        "providers": "/providers",
        "connections": "/connections",
        "accounts": f"/connections/{connection}/accounts",
        "settings": f"/connections/{connection}/settings",
        "mapping": "/mappings",
        "status": "/sync/status",
        "log": "/sync/log",
        "log of bills": "/sync/log?entity=bill&status=partial&limit=20",
        "log deep down": f"/sync/log?cursor={deep}",
        "log expanded": "/sync/log?expand=records&limit=10",
        "records of a log": f"/sync/log/{one}/records",
        "errors": "/sync/errors",
        "held bills": "/sync/errors?status=held&entity=bill",
        "conflicts": "/conflicts",
        "notifications": "/notifications",
        "events": "/events",
    }
    return [Asked(name, f"{ROOT}{path}") for name, path in paths.items()]


async def drive(url: str, key: str, kinds: list[Asked], *, seconds: int) -> dict[str, list[float]]:
    """Send requests at the rate, with the times between them as strangers leave them; return each one's wait in seconds.

    They come over one connection after the other, as from as many strangers: one pool that takes its newest connection
    first would send nearly all of them to one of the server's processes.
    """
    host, port = url.removeprefix("http://").split(":")
    idle: asyncio.Queue[Wire] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(Wire(host, int(port), key))
    drawn = random.Random(20261122)
    waits: dict[str, list[float]] = defaultdict(list)
    tasks: set[asyncio.Task[None]] = set()

    async def ask(kind: Asked, due: float) -> None:
        wire = await idle.get()
        try:
            await wire.get(kind.path)
        finally:
            idle.put_nowait(wire)
        waits[kind.name].append(time.perf_counter() - due)

    began = due = time.perf_counter()
    while due < began + seconds:
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(ask(drawn.choice(kinds), due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += drawn.expovariate(RATE)
    await asyncio.gather(*tasks)
    while not idle.empty():
        idle.get_nowait().close()
    return waits


class Wire:
    """One kept-alive connection; a client library would cost more than the server it measures."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._place = (host, port)
        self._head = f" HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> None:
        """Ask, and read the whole answer; anything but 200 ends the benchmark."""
        request = f"GET {path}{self._head}".encode()
        is_used = self._streams is not None
        try:
            reader, head = await self._asked(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            # The server ends a connection that was idle for long, as every server does; a client opens it anew.
            if not is_used:
                raise
            self.close()
            reader, head = await self._asked(request)
        length = head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
        body = await reader.readexactly(int(length))
        assert head.startswith(b"HTTP/1.1 200"), (path, head, json.loads(body))

    async def _asked(self, request: bytes) -> tuple[asyncio.StreamReader, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        reader, writer = self._streams
        writer.write(request)
        return reader, await reader.readuntil(b"\r\n\r\n")

    def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def show(
    waits: dict[str, list[float]], *, records: int, seconds: int, server_cpu: float, postgres_cpu: float
) -> None:
    """Print the figures: all reads together, then each kind."""
    every = sorted(wait for each in waits.values() for wait in each)
    load = Path("/proc/loadavg").read_text(encoding="ascii").split()[0]
    figure(
        "api_reads.p99",
        at(every, 0.99),
        "ms",
        goal=GOAL_MS,
        p50=at(every, 0.5),
        p999=at(every, 0.999),
        requests=len(every),
        per_second=len(every) / seconds,
        records=records,
        server_cpu_ms=server_cpu / len(every) * 1000,
        postgres_cpu_ms=postgres_cpu / len(every) * 1000,
        load_average=float(load),
    )
    for name, found in sorted(waits.items(), key=lambda each: -at(sorted(each[1]), 0.5)):
        figure(
            f"api_reads.{name.replace(' ', '_')}.p99",
            at(sorted(found), 0.99),
            "ms",
            p50=at(sorted(found), 0.5),
        )


def at(ordered: list[float], share: float) -> float:
    """Return the wait that this share of requests did not exceed, in milliseconds."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and the ones it started have used so far."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parts = folder.joinpath("stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if pid in (int(folder.name), int(parts[1])):
            total += (int(parts[11]) + int(parts[12])) / TICKS
    return total


if __name__ == "__main__":
    main()
