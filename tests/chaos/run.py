"""One performance: set up, work and kill, settle, and look at what was promised."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx

from pipelines.dagster_processes import CODE_SERVER, DAEMON, QUIET, WEB_SERVER
from pipelines.demo.api import TieoutApi
from pipelines.demo.settings import XERO_APP, as_environment, demo_settings
from pipelines.home import dagster_environment, prepare_dagster_home
from pipelines.processes import ProcessError, answers, free_port, listens, lives, python
from resources.launcher import LOCATION
from resources.postgres import database_urls, start_embedded
from resources.postgres.migrate import migrate
from resources.settings import Settings, load_settings
from resources.store.api_keys import create_api_key
from resources.wiring import Tieout
from sync.summary import Outcome
from tests.chaos.people import People
from tests.chaos.promises import broken_promises, undecided
from tests.chaos.troupe import Actor, Troupe
from tests.chaos.world import GONE, Books, ChaosWorld, PatientOffice
from tests.fakes.world import Platform
from tests.support.books import RunningClock
from tests.support.xero_books import XeroBooks

BROWSER = "a browser's own secret"
SETTLING_SYNCS_MAX = 12
SETTLING_STEP = timedelta(minutes=9)
MONITORING_SECONDS_MAX = 300.0
MOVES: Sequence[Outcome] = ("pushed", "pulled", "linked")
SYNC_EVERY_SECONDS = 2.0
ACT_EVERY_SECONDS = 0.25
KILL_SECONDS = (0.5, 3.5)
# From so many kills on, every kind of process is killed but by a chance of one in ten thousand.
WHOLE_KILLS = 150


@dataclass
class Performance:
    """What happened, and what did not hold afterwards."""

    kills: Counter[str] = field(default_factory=Counter)
    deaths_of_their_own: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    actions: int = 0
    syncs_asked: int = 0
    writes: int = 0
    unknowns: int = 0
    spared: list[str] = field(default_factory=list)
    seconds: float = 0.0
    home: Path | None = None

    def idle(self) -> list[str]:
        """Say what did not happen without which holding shows nothing."""
        kills = sum(self.kills.values())
        idle = [
            f"no {what}"
            for what, count in (
                ("action of a person", self.actions),
                ("sync was asked for", self.syncs_asked),
                ("write was attempted", self.writes),
            )
            if not count
        ]
        if kills >= WHOLE_KILLS:
            idle += [f"{name} was never killed" for name in self.spared]
            if not self.unknowns:
                idle.append("no outcome had to be looked up")
            if self.actions < kills:
                idle.append(f"people did {self.actions} things between {kills} kills")
        return idle


@dataclass
class House:
    """The office, the books it is connected to, and the servers between."""

    settings: Settings
    troupe: Troupe
    tieout: Tieout
    clock: RunningClock
    world: ChaosWorld
    people: People
    xero: Xero
    keys: list[tuple[str, str]]
    syncs_asked: int = 0


class Xero:
    """A second builder, at Xero: documents go out, payments come back."""

    def __init__(self, platform: Platform, books: XeroBooks, random: Random) -> None:
        self.platform = platform
        self.books = books
        self._random = random
        self._count = 0
        self._party = {"bill": platform.vendor(), "invoice": platform.client()}

    def act(self) -> None:
        """Approve a document, or receive money for one."""
        self._count += 1
        if self._random.random() < 0.7:
            kind = self._random.choice(["bill", "invoice"])
            make = self.platform.bill if kind == "bill" else self.platform.invoice
            make(self._party[kind], number=f"X-{self._count}")
            return
        open_ones = [one for one in self.books.valid("invoice") if one.open]
        if open_ones:
            one = self._random.choice(open_ones)
            self.books.pay("invoice", {one.id: str(one.open)}, reference=f"R-{self._count}")

    def broken_promises(self) -> Iterator[str]:
        """List what does not hold at Xero."""
        for kind in ("bill", "invoice"):
            valid = self.books.valid(kind)
            for number, count in Counter(one.number for one in valid).items():
                if count > 1:
                    yield f"doubled: {count} documents of type {kind} numbered {number} at Xero"
            there = {one.id for one in valid}
            table = f"v2_{kind}s"
            rows = self.platform.rows(
                f"select d.number, l.state, l.remote_id from {table} d left join links l on l.entity = %s"
                " and l.record_id = d.id where d.status = 'approved'",
                kind,
            )
            for number, state, remote_id in rows:
                if state is None or (state == "open" and remote_id not in there):
                    yield f"lost: {kind} {number} is neither at Xero nor in any queue"
        yield from undecided(self.platform)
        known = {one.id: one for one in self.books.valid("invoice")}
        rows = self.platform.rows(
            "select i.number, i.total, i.total - i.amount_paid, l.remote_id from v2_invoices i join links l"
            " on l.entity = 'invoice' and l.record_id = i.id where l.state = 'open'"
        )
        for number, total, still_open, remote_id in rows:
            there = known.get(remote_id)
            if there is not None and there.total != total:
                yield f"differs: invoice {number} is {total} here and {there.total} at Xero"
            if there is not None and there.open != still_open:
                yield f"unpaid: invoice {number} is open by {still_open} here and by {there.open} at Xero"


def perform(*, kills: int, seed: int, always: Sequence[str] = (), keep: bool = False) -> Performance:
    """Run it all, some kinds killed before chance decides; the folder is kept where something did not hold."""
    began = time.monotonic()
    found = Performance()
    home = Path(tempfile.mkdtemp(prefix="tieout-chaos-"))
    try:
        with _house(home, Random(seed)) as house:
            _work_and_kill(house, kills=kills, always=always, random=Random(seed + 1))
            house.troupe.wait()
            found.violations += _settle(house, is_whole=kills >= 50)
            found.kills, found.deaths_of_their_own = house.troupe.kills, house.troupe.deaths_of_their_own
            found.spared = [name for name in house.troupe.kinds if not found.kills[name]]
            found.actions, found.syncs_asked = house.world.actions, house.syncs_asked
            found.writes = house.world.value("select count(*) from attempts")
            found.unknowns = house.world.value(
                "select count(*) from v2_sync_records where code like 'push.outcome%%'"
            )
            found.violations += broken_promises(house.world, house.people)
            found.violations += house.xero.broken_promises()
        found.seconds = time.monotonic() - began
    finally:
        if found.violations or keep or not found.seconds:
            found.home = home
            sys.stderr.write(f"logs and database are kept in {home}\n")
        else:
            shutil.rmtree(home, ignore_errors=True)
    return found


# ---------------------------------------------------------------- setting up


@contextmanager
def _house(home: Path, random: Random) -> Iterator[House]:
    settings = _settings(home)
    with ExitStack() as stack:
        start_embedded(settings)
        environment = dagster_environment(settings) | as_environment(settings)
        troupe = Troupe(settings, environment, random)
        stack.callback(troupe.close)
        migrate(database_urls(settings).owner)
        troupe.start(_actors(settings, home))
        troupe.wait()
        clock = RunningClock()
        tieout = stack.enter_context(Tieout(settings, clock=clock))
        world = _quickbooks(settings, tieout, random)
        xero = _xero(settings, tieout, random)
        keys = [
            (
                create_api_key(tieout.database, UUID(each.builder_id), name="chaos", role="owner"),
                each.connection_id,
            )
            for each in (world, xero.platform)
        ]
        yield House(settings, troupe, tieout, clock, world, People(world), xero, keys)


def _settings(home: Path) -> Settings:
    names = ("api_port", "dagster_port", "quickbooks_sandbox_port", "xero_sandbox_port")
    settings = demo_settings(load_settings(home=home, **{name: free_port() for name in names}))
    # Xero takes no other name of this machine.
    return settings.model_copy(update={"public_url": f"http://localhost:{settings.api_port}"})


def _actors(settings: Settings, home: Path) -> list[Actor]:
    code_port = free_port()
    workspace = prepare_dagster_home(settings, code_server_port=code_port)
    api_url, dagster_url = settings.public_base_url, f"http://127.0.0.1:{settings.dagster_port}"
    code = ["-m", "pipelines.definitions", "--location-name", LOCATION, "-h", "127.0.0.1"]
    code += ["-p", str(code_port), "--use-python-environment-entry-point", *QUIET]
    web = [str(code_port), "-h", "127.0.0.1", "-p", str(settings.dagster_port), "-w", str(workspace), *QUIET]
    sandboxes = [
        Actor(
            f"{title} sandbox",
            python("sandbox", name, "--port", str(port), "--data", str(_made(home, name))),
            answers(f"http://127.0.0.1:{port}/_sandbox/state"),
            weight=2,
        )
        for title, name, port in (
            ("QuickBooks", "quickbooks", settings.quickbooks_sandbox_port),
            ("Xero", "xero", settings.xero_sandbox_port),
        )
    ]
    return [
        *sandboxes,
        Actor("API", [sys.executable, "-m", "api.cli", "serve"], answers(f"{api_url}/readyz"), weight=3),
        Actor(CODE_SERVER, python("pipelines.code_server", *code), listens(code_port), weight=2),
        Actor(
            WEB_SERVER, python("pipelines.web_server", *web), answers(f"{dagster_url}/server_info"), weight=1
        ),
        Actor(
            DAEMON,
            python("pipelines.daemon", "-w", str(workspace), *QUIET),
            lives,
            weight=2,
            waits_for_go=True,
        ),
        Actor("Real-time worker", python("pipelines.worker"), lives, weight=5),
        Actor("Deliveries", [sys.executable, "-m", "api.cli", "deliver"], lives, weight=1),
    ]


def _made(home: Path, name: str) -> Path:
    folder = home / "sandbox" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _quickbooks(settings: Settings, tieout: Tieout, random: Random) -> ChaosWorld:
    books = Books(settings.quickbooks_base_url)
    books.open("Larch Homes LLC")
    world = ChaosWorld(tieout.database, books, random)
    start = tieout.connections.begin(
        world.builder_id, "quickbooks_online", browser=BROWSER, requested_by="chaos"
    )
    consent = f"{start.url}&{urlencode({'sandbox_consent': 'auto', 'sandbox_realm': books.realm})}"
    params = dict(parse_qsl(urlsplit(httpx.get(consent).headers["location"]).query))
    world.connection_id = tieout.connections.complete(
        "quickbooks_online", params=params, browser=BROWSER
    ).connection_id
    world.accounts = {row["AccountType"]: row["Id"] for row in reversed(books.all("Account"))}
    world.map_to({"revenue": world.accounts["Income"], "cost_code": world.accounts["Cost of Goods Sold"]})
    _in_real_time(world)
    return world


def _xero(settings: Settings, tieout: Tieout, random: Random) -> Xero:
    books = XeroBooks(settings.xero_base_url, SimpleNamespace(identity_default=XERO_APP))
    books.open_company("Larch Books")
    platform = PatientOffice(tieout.database)
    start = tieout.connections.begin(platform.builder_id, "xero", browser=BROWSER, requested_by="chaos")
    connected = tieout.connections.complete("xero", params=books.consent(start.url), browser=BROWSER)
    platform.connection_id = connected.connection_id
    platform.map_to({"cost_code": books.account("cost"), "revenue": books.account("income")})
    _in_real_time(platform)
    return Xero(platform, books, random)


def _in_real_time(platform: Platform) -> None:
    platform.run(
        "update v2_integration_connections set settings = settings || '{\"real_time\": true}', sync_schedule = 'every_15_minutes'"
        " where id = %s",
        platform.connection_id,
    )


# ---------------------------------------------------------------- the performance


def _work_and_kill(house: House, *, kills: int, always: Sequence[str], random: Random) -> None:
    ended = threading.Event()
    broken: list[BaseException] = []

    def keep(work: object, every: float) -> None:
        while not ended.is_set():
            try:
                work()  # type: ignore[operator]  # a callable without arguments
            except (*GONE, httpx.HTTPError, ProcessError, AssertionError, ValueError, KeyError):
                # Somebody was killed in the middle; what was saved is saved, what was not is done another time.
                ended.wait(0.5)
            except BaseException as error:  # noqa: BLE001 - shown by the main thread
                broken.append(error)
                return
            ended.wait(every)

    def ask_for_syncs() -> None:
        for key, connection_id in house.keys:
            api = TieoutApi(house.settings.public_base_url, key)
            try:
                api.start_sync(connection_id)
                house.syncs_asked += 1
            finally:
                api.close()

    threads = [
        threading.Thread(target=keep, args=(house.people.act, ACT_EVERY_SECONDS), daemon=True),
        threading.Thread(target=keep, args=(house.xero.act, 4 * ACT_EVERY_SECONDS), daemon=True),
        threading.Thread(target=keep, args=(ask_for_syncs, SYNC_EVERY_SECONDS), daemon=True),
    ]
    first = iter(always)
    for thread in threads:
        thread.start()
    try:
        while sum(house.troupe.kills.values()) < kills:
            time.sleep(random.uniform(*KILL_SECONDS))
            house.troupe.kill_one(next(first, None))
            if broken:
                raise broken[0]
    finally:
        ended.set()
        for thread in threads:
            thread.join(120)


def _settle(house: House, *, is_whole: bool) -> list[str]:
    """Let everything come to rest, the product's time running ahead so that nothing has to be waited for."""
    violations = _runs_that_never_end(house) if is_whole else []
    for platform in (house.world, house.xero.platform):
        for _ in range(SETTLING_SYNCS_MAX):
            house.clock.ahead += SETTLING_STEP
            if _sync(house, platform) == 0:
                break
        else:
            violations.append(f"does not settle: the books of {platform.builder_id}")
    return violations


def _runs_that_never_end(house: House) -> list[str]:
    deadline = time.monotonic() + MONITORING_SECONDS_MAX
    while time.monotonic() < deadline:
        unfinished = sum(
            platform.value(
                "select count(*) from sync_runs where status in ('queued', 'started') and dagster_run_id is not null"
            )
            for platform in (house.world, house.xero.platform)
        )
        if not unfinished:
            return []
        time.sleep(3)
    return [f"undecided: {unfinished} syncs say for ever that they are under way"]


def _sync(house: House, platform: Platform) -> int:
    run_id = platform.add(
        "sync_runs", connection_id=platform.connection_id, trigger="manual", requested_by="chaos"
    )
    with (
        suppress(httpx.HTTPError),
        house.tieout.sync(platform.builder_id, platform.connection_id, run_id) as sync,
    ):
        _, summaries, _ = sync.sync_all()
        sync.finish()
        # What is held or in conflict is told again at each sync; what comes to rest is what is written and linked.
        return sum(summary.tallies[name].count for summary in summaries for name in MOVES)
    return 1
