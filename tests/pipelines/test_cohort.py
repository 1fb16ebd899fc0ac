"""Many builders in one run: each isolated, each shown on its own partitions, what failed red and re-runnable."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from assets.keys import STEP_ORDER, asset_key
from assets.partitions import BUILDERS
from pipelines.cohort import JOB_NAME, OP_NAME, Member, sync_member
from pipelines.definitions import build_defs
from resources.dagster.desk import ConnectedCompany, SyncInProgress
from sync.errors import ProviderUnavailable, SyncBusy
from sync.records import Entity
from sync.summary import EntitySummary
from tests.pipelines.fake_desk import FakeDesk, FakeSync

DUE_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC).isoformat()
PROVIDER = "quickbooks_online"
BUILDERS_COUNT = 12


@dataclass
class ManyDesk(FakeDesk):
    """A desk over many builders, of whom some are in trouble."""

    trouble: dict[str, Exception] = field(default_factory=dict)
    ended: dict[str, str | None] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def connection_of(self, builder_id: str, provider: str) -> ConnectedCompany | None:
        return ConnectedCompany(f"connection-of-{builder_id}", f"Company {builder_id}")

    def end_run(
        self, *, builder_id: str, connection_id: str, sync_run_id: str, error: str | None = None
    ) -> None:
        with self.lock:
            self.ended[builder_id] = error

    @contextmanager
    def sync(self, builder_id: str, connection_id: str, sync_run_id: str) -> Iterator[SyncInProgress]:
        yield Troubled(self, builder_id, self)


@dataclass
class Troubled(FakeSync):
    builder_id: str
    many: ManyDesk

    def sync_entity(self, entity: Entity) -> EntitySummary:
        trouble = self.many.trouble.get(self.builder_id)
        if entity is Entity.BILL and trouble is not None:
            raise trouble
        return super().sync_entity(entity)

    def finish(self) -> None:
        self.many.end_run(builder_id=self.builder_id, connection_id="", sync_run_id="")


@pytest.fixture
def builders() -> list[str]:
    return [f"builder-{number:02}" for number in range(BUILDERS_COUNT)]


@pytest.fixture
def many(instance: dg.DagsterInstance, builders: list[str]) -> ManyDesk:
    instance.add_dynamic_partitions("builders", builders)
    return ManyDesk()


def member(builder_id: str) -> dict[str, str]:
    return {
        "builder_id": builder_id,
        "connection_id": f"connection-of-{builder_id}",
        "provider": PROVIDER,
        "due_at": DUE_AT,
    }


def run(desk: ManyDesk, instance: dg.DagsterInstance, builders: list[str]) -> dg.ExecuteInProcessResult:
    job = build_defs(resource_overrides={"tieout": desk}).resolve_job_def(JOB_NAME)
    config: dict[str, Any] = {"ops": {OP_NAME: {"config": {"members": [member(each) for each in builders]}}}}
    return job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)


def status(instance: dg.DagsterInstance, step: str, builders: list[str]) -> dict[str, str | None]:
    found = instance.get_status_by_partition(asset_key(PROVIDER, step), builders, BUILDERS) or {}
    return {key: None if value is None else value.value for key, value in found.items()}


def test_every_builders_partitions_are_materialised_with_metadata_of_their_own(
    many: ManyDesk, instance: dg.DagsterInstance, builders: list[str]
) -> None:
    assert run(many, instance, builders).success
    for step in STEP_ORDER:
        assert status(instance, step, builders) == dict.fromkeys(builders, "MATERIALIZED")
    events = instance.fetch_materializations(asset_key(PROVIDER, "ledger_changes"), limit=50).records
    texts = {each.partition_key: str(each.asset_materialization.metadata["result"].value) for each in events}
    assert all(f"Company {builder}" in texts[builder] for builder in builders)
    assert many.ended == dict.fromkeys(builders)


def test_one_builders_trouble_is_its_own(
    many: ManyDesk, instance: dg.DagsterInstance, builders: list[str]
) -> None:
    many.trouble = {
        builders[3]: ProviderUnavailable(provider="QuickBooks Online", reason="no answer in time"),
        builders[7]: ZeroDivisionError("a bug"),
    }
    result = run(many, instance, builders)
    assert not result.success
    red = {builders[3]: "FAILED", builders[7]: "FAILED"}
    fine = dict.fromkeys(builders, "MATERIALIZED")
    assert status(instance, "bill", builders) == fine | red
    assert status(instance, "tie_out", builders) == fine | red
    assert status(instance, "invoice", builders) == fine
    assert "ZeroDivisionError" in str(many.ended[builders[7]])
    assert [each for each in builders if many.ended[each] is None] == [
        each for each in builders if each not in red
    ]


def test_a_builder_whose_other_sync_is_under_way_is_put_off_and_not_red(
    many: ManyDesk, instance: dg.DagsterInstance, builders: list[str]
) -> None:
    many.trouble = {builders[3]: SyncBusy(company="Cedar Ridge")}
    assert run(many, instance, builders).success
    others = dict.fromkeys([each for each in builders if each != builders[3]], "MATERIALIZED")
    assert status(instance, "bill", builders) == {builders[3]: None} | others
    assert "Another sync of Cedar Ridge is under way" in str(many.ended[builders[3]])


def test_a_later_good_run_clears_the_red(
    many: ManyDesk, instance: dg.DagsterInstance, builders: list[str]
) -> None:
    many.trouble = {
        builders[3]: ProviderUnavailable(provider="QuickBooks Online", reason="no answer in time")
    }
    run(many, instance, builders)
    many.trouble = {}
    assert run(many, instance, builders[3:4]).success
    assert status(instance, "bill", builders)[builders[3]] == "MATERIALIZED"


def test_a_builder_that_was_synced_meanwhile_is_passed_over(many: ManyDesk, builders: list[str]) -> None:
    many.done = {f"connection-of-{builders[0]}"}
    outcome = sync_member(many, Member(**member(builders[0])), run_id="r", budget=float("inf"))
    assert (outcome.events, outcome.sentence) == ([], None)


def test_a_builder_for_whom_the_time_is_up_stays_due(many: ManyDesk, builders: list[str]) -> None:
    outcome = sync_member(many, Member(**member(builders[0])), run_id="r", budget=0.0)
    assert (outcome.events, many.ended) == ([], {})
