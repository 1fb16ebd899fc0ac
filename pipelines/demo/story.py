"""What happens in the demo, in order; every step is remembered, so that a second call takes none twice."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pipelines.demo.api import Json, TieoutApi
from pipelines.demo.bookkeeper import Bookkeeper, ledger_of
from pipelines.demo.builders import DemoBuilder, all_builders, give_key, import_builder, map_accounts
from pipelines.demo.ledger import SandboxLedger
from pipelines.demo.narrator import Narrator, Step
from pipelines.demo.stage import Stage
from pipelines.demo.state import BuilderState, DemoState
from pipelines.demo.summary import conflict_lines, sync_table, tie_out_table, unmapped_line, waiting_lines
from pipelines.processes import ProcessError
from resources.store.database import Database
from resources.store.demo import correct_bill, let_a_person_decide, newest_tie_out
from resources.store.sessions import make_link
from sync.clock import SystemClock
from sync.records import Entity

IMPORTED, MAPPED, SENT = "files imported", "accounts mapped", "first sync"
BOOKKEEPING_DONE, CAME_BACK = "bookkeeping done", "second sync"


@dataclass(slots=True)
class _Run:
    builder: DemoBuilder
    state: BuilderState
    run_id: str


class Story:
    """The demo as one person would do it by hand."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self._stage = stage
        self._narrator = narrator
        self._state = DemoState(stage.settings.home)
        self._builders = all_builders()

    def tell(self) -> None:
        """Bring everything up, and do what has not been done yet; at the least, one sync per builder."""
        self._stage.check_ports()
        with self._narrator.step("PostgreSQL") as step:
            report = self._stage.start_database()
            step.result = f"schema {report.stands_at}"
        database = self._stage.open_database()
        self._stage.start_servers()
        self._import(database)
        with self._narrator.step("Sandboxes and API"):
            self._stage.wait_for_servers()
        for builder in self._builders:
            self._connect(builder)
        with self._narrator.step("Dagster"):
            self._stage.wait_for_dagster()
        if not all(CAME_BACK in self._of(builder).done for builder in self._builders):
            self._first_time(database)
        else:
            self._sync("Sync", mark=CAME_BACK)
        self._show_what_is_left(database)

    def sign_in_links(self) -> list[tuple[str, str]]:
        """Return each builder's name and a link that signs its owner in to the pages once, within ten minutes."""
        database, now = self._stage.open_database(), SystemClock().now()
        return [
            (
                builder.name,
                f"{self._stage.api_url}/signin?link="
                + make_link(
                    database, UUID(self._of(builder).builder_id), person="demo owner", role="owner", now=now
                ),
            )
            for builder in self._builders
        ]

    def _of(self, builder: DemoBuilder) -> BuilderState:
        return self._state.of(builder.slug)

    def _ledger(self, state: BuilderState) -> SandboxLedger:
        return ledger_of(state.provider)(self._stage.sandbox_url(state.provider), state.company)

    def _api(self, builder: DemoBuilder) -> TieoutApi:
        return TieoutApi(self._stage.api_url, self._of(builder).api_key)

    def _first_time(self, database: Database) -> None:
        if not all(SENT in self._of(builder).done for builder in self._builders):
            self._sync("First sync", mark=SENT)
        for builder in self._builders:
            self._keep_books(database, builder)
        self._sync("Second sync", mark=CAME_BACK)

    # ------------------------------------------------------------------ before the first sync

    def _import(self, database: Database) -> None:
        for builder in self._builders:
            state = self._of(builder)
            if IMPORTED in state.done:
                continue
            self._state.save()
            with self._narrator.step(f"{builder.name}: files") as step:
                imported = import_builder(database, builder, state, clock=SystemClock())
                step.result = (
                    f"{imported.rows} rows from {imported.files} files,"
                    f" {imported.problems} mistakes in them reported"
                )
            give_key(database, state)
            self._state.mark(builder.slug, IMPORTED)

    def _connect(self, builder: DemoBuilder) -> None:
        state = self._of(builder)
        if not state.company:
            kind = ledger_of(builder.provider)
            with self._narrator.step(f"{builder.name}: books in {kind.title}") as step:
                ledger = kind.found(self._stage.sandbox_url(builder.provider), name=builder.name)
                step.result = f"{ledger.open_books(builder.manifest)} entries made by the bookkeeper"
                state.company, state.provider = ledger.company, builder.provider
                self._state.save()
        api = self._api(builder)
        if not state.connection_id:
            with self._narrator.step(f"{builder.name}: consent") as step:
                clicks = self._ledger(state).clicks
                connected = api.connect(state.provider, company=state.company, clicks=clicks)
                state.connection_id = connected["connection_id"]
                self._state.save()
                step.result = f"connected to {connected['company_name']}" + (
                    f" ({connected['notice']})" if connected.get("notice") else ""
                )
        if MAPPED not in state.done:
            with self._narrator.step(f"{builder.name}: account mapping") as step:
                count, left_open = map_accounts(api, builder, state)
                step.result = f"{count} mapped, left unmapped on purpose: {', '.join(left_open)}"
            self._state.mark(builder.slug, MAPPED)

    # ------------------------------------------------------------------ syncs

    def _sync(self, title: str, *, mark: str) -> None:
        """Ask for one sync per builder through the API, wait for all, and show what each did."""
        runs = [
            _Run(builder, self._of(builder), self._api(builder).start_sync(self._of(builder).connection_id))
            for builder in self._builders
        ]
        # Only now: the sensor for due connections must find that these are being synced already.
        self._stage.begin_work()
        for run in runs:
            with self._narrator.step(f"{run.builder.name}: {title.lower()}") as step:
                ended = self._wait(run, step)
            self._narrator.show(
                *sync_table(f"{run.builder.name}: {title.lower()}", ended, columns=self._columns)
            )
            if ended["status"] == "failed":
                raise ProcessError(f"{run.builder.name}: {ended['error_summary']}")
            run.state.last_run = run.run_id
            self._state.mark(run.builder.slug, mark)

    def _wait(self, run: _Run, step: Step) -> Json:
        api = self._api(run.builder)
        ended = api.wait_for_sync(run.run_id, tell=step.say, watch=self._stage.watch)
        step.result = ended["status"]
        return ended

    # ------------------------------------------------------------------ between the syncs

    def _keep_books(self, database: Database, builder: DemoBuilder) -> None:
        state = self._of(builder)
        if BOOKKEEPING_DONE in state.done:
            return
        api = self._api(builder)
        with self._narrator.step(f"{builder.name}: the bookkeeper's day") as step:
            ledger = self._ledger(state)
            accounts = {account["name"]: account["id"] for account in api.accounts(state.connection_id)}
            keeper = Bookkeeper(ledger, builder, accounts)
            keeper.look_up(api, state.last_run, tell=step.say)
            entered = keeper.enter(tell=step.say)
            correction = keeper.correct_bill()
            if correction is not None:
                let_a_person_decide(
                    database, state.builder_id, connection_id=state.connection_id, entity=Entity.BILL
                )
                correct_bill(database, state.builder_id, correction)
            step.result = (
                f"{entered.payments} payments received, {entered.bill_payments} bills paid,"
                f" {entered.deposits} deposits; bill {correction.number if correction else '-'} changed on both sides"
            )
        self._state.mark(builder.slug, BOOKKEEPING_DONE)

    # ------------------------------------------------------------------ the end

    def _show_what_is_left(self, database: Database) -> None:
        for builder in self._builders:
            state, api = self._of(builder), self._api(builder)
            proof = newest_tie_out(database, state.builder_id, connection_id=state.connection_id)
            conflicts = api.conflicts()
            if proof is not None:
                ledger = self._ledger(state)
                title = f"{builder.name}: tie-out"
                self._narrator.show(
                    *tie_out_table(title, proof, trial_balance=ledger.trial_balance(), conflicts=conflicts)
                )
            self._narrator.show(*unmapped_line(api.mapping(state.connection_id)))
            self._narrator.show(*waiting_lines(api.waiting()), *conflict_lines(conflicts), "")

    @property
    def _columns(self) -> int:
        return self._narrator.console.width
