"""Dagster over the real product: a real database, and a real QuickBooks sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from resources.dagster.desk import BrokenRun, DueConnection, RunRequested
from resources.dagster.wired import WiredDesk
from resources.settings import Settings
from resources.store.dagster import UNKNOWN_FOR_MAX
from resources.store.database import Database
from sync.errors import AccessExpired
from sync.records import Entity
from tests.flows.quickbooks_world import QuickBooksWorld, quickbooks_world

PROVIDER = "quickbooks_online"
RUN = "select trigger, status, requested_by, entities, error_summary, provider_calls from sync_runs where id = %s"


@pytest.fixture
def world(settings: Settings, database: Database) -> Iterator[QuickBooksWorld]:
    with quickbooks_world(settings, database) as world:
        yield world


@pytest.fixture
def desk(world: QuickBooksWorld) -> WiredDesk:
    return WiredDesk(world.tieout)


@pytest.fixture
def requested(world: QuickBooksWorld) -> RunRequested:
    return RunRequested(world.builder_id, world.connection_id, dagster_run_id=str(uuid4()))


@pytest.fixture
def broken(world: QuickBooksWorld, requested: RunRequested) -> BrokenRun:
    return BrokenRun(world.builder_id, requested.dagster_run_id)


def run_row(world: QuickBooksWorld, run_id: str) -> dict[str, Any]:
    names = ("trigger", "status", "requested_by", "entities", "error", "calls")
    [row] = world.rows(RUN, run_id)
    return dict(zip(names, row, strict=True))


def asked_for(world: QuickBooksWorld) -> str:
    return world.add(
        "sync_runs", connection_id=world.connection_id, trigger="manual", requested_by="api key demo"
    )


def next_due(world: QuickBooksWorld) -> Any:
    return world.value(
        "select next_due_at from v2_integration_connections where id = %s", world.connection_id
    )


def make_due(world: QuickBooksWorld) -> None:
    world.run(
        "update v2_integration_connections set next_due_at = now() - interval '1 minute' where id = %s",
        world.connection_id,
    )


def sync_in_dagster(world: QuickBooksWorld, desk: WiredDesk, **tags: str) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("builders", [world.builder_id])
        job = build_defs(resource_overrides={"tieout": desk}).resolve_job_def(f"{PROVIDER}_sync")
        return job.execute_in_process(
            partition_key=world.builder_id, instance=instance, tags=tags, raise_on_error=False
        )


def test_a_run_from_dagsters_own_pages_syncs_and_makes_its_own_history(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    world.vendor("Ridge Concrete")
    result = sync_in_dagster(world, desk)
    assert result.success
    assert world.query("SELECT * FROM Vendor WHERE DisplayName = 'Ridge Concrete'")
    [(run_id,)] = world.rows("select id from sync_runs where dagster_run_id = %s", result.dagster_run.run_id)
    row = run_row(world, run_id)
    assert (row["trigger"], row["status"], row["requested_by"]) == ("manual", "completed", "dagster")
    assert (row["entities"], row["error"]) == ([], None)
    assert row["calls"] > 0


def test_a_run_that_the_api_asked_for_is_that_run(world: QuickBooksWorld, desk: WiredDesk) -> None:
    run_id = asked_for(world)
    result = sync_in_dagster(world, desk, **{"sync/run": run_id})
    assert result.success
    assert run_row(world, run_id)["status"] == "completed"
    [(dagster_run_id,)] = world.rows("select dagster_run_id from sync_runs where id = %s", run_id)
    assert dagster_run_id == result.dagster_run.run_id


def test_a_scheduled_run_says_so_and_moves_the_schedule_on(world: QuickBooksWorld, desk: WiredDesk) -> None:
    make_due(world)
    assert [due.connection_id for due in desk.due_connections(limit=50)].count(world.connection_id) == 1
    result = sync_in_dagster(world, desk, **{"sync/trigger": "scheduled"})
    [(trigger, by)] = world.rows(
        "select trigger, requested_by from sync_runs where dagster_run_id = %s", result.dagster_run.run_id
    )
    assert (trigger, by) == ("scheduled", "schedule")
    assert world.connection_id not in [due.connection_id for due in desk.due_connections(limit=50)]


def test_a_revoked_consent_fails_the_run_with_the_sentence_everywhere(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    run_id = asked_for(world)
    world.run(
        "update v2_integration_connections set status = 'expired', status_reason = null where id = %s",
        world.connection_id,
    )
    result = sync_in_dagster(world, desk, **{"sync/run": run_id})
    sentence = AccessExpired(provider="QuickBooks Online", reason="its access ended").user_message
    failures = [
        event.step_failure_data.user_failure_data for event in result.all_events if event.is_step_failure
    ]
    assert [failure.description for failure in failures if failure] == [sentence]
    row = run_row(world, run_id)
    assert (row["status"], row["error"]) == ("failed", sentence)


def test_the_same_dagster_run_is_one_sync_run_however_many_steps_open_it(
    desk: WiredDesk, requested: RunRequested
) -> None:
    assert desk.open_run(requested) == desk.open_run(requested)


def test_a_re_execution_gets_a_history_of_its_own(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested
) -> None:
    run_id = asked_for(world)
    first = replace(requested, sync_run_id=run_id)
    assert desk.open_run(first) == run_id
    desk.end_run(
        builder_id=world.builder_id, connection_id=world.connection_id, sync_run_id=run_id, error="It broke."
    )
    assert desk.open_run(first) == run_id, "later steps of the failed run stay with it"
    again = desk.open_run(replace(first, dagster_run_id=str(uuid4())))
    assert again != run_id
    assert run_row(world, again)["status"] == "started"


def test_a_run_of_chosen_entities_remembers_which(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested
) -> None:
    run_id = desk.open_run(replace(requested, entities=(Entity.VENDOR, Entity.BILL)))
    assert run_row(world, run_id)["entities"] == ["vendor", "bill"]


def test_another_builders_sync_run_is_never_taken_over(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested
) -> None:
    stranger = str(uuid4())
    assert desk.open_run(replace(requested, sync_run_id=stranger)) != stranger


def test_a_killed_run_is_closed_and_its_connection_is_due_again_later(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested, broken: BrokenRun
) -> None:
    make_due(world)
    run_id = desk.open_run(requested)
    assert desk.fail_runs_of(broken, sentence="It was killed.") == 1
    row = run_row(world, run_id)
    assert (row["status"], row["error"]) == ("failed", "It was killed.")
    assert next_due(world) > world.tieout.clock.now()


def test_a_run_killed_before_its_first_step_closes_what_the_api_asked_for(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested, broken: BrokenRun
) -> None:
    run_id = asked_for(world)
    assert desk.fail_runs_of(replace(broken, sync_run_id=run_id), sentence="It was killed.") == 1
    assert run_row(world, run_id)["status"] == "failed"


def test_a_scheduled_run_killed_before_its_first_step_does_not_block_the_schedule(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested, broken: BrokenRun
) -> None:
    make_due(world)
    early = replace(broken, connection_id=world.connection_id)
    assert desk.fail_runs_of(early, sentence="It was killed.") == 0
    assert next_due(world) > world.tieout.clock.now()


def test_a_finished_run_is_not_closed_a_second_time(
    world: QuickBooksWorld, desk: WiredDesk, requested: RunRequested, broken: BrokenRun
) -> None:
    run_id = desk.open_run(requested)
    desk.end_run(builder_id=world.builder_id, connection_id=world.connection_id, sync_run_id=run_id)
    assert desk.fail_runs_of(broken, sentence="It was killed.") == 0
    assert run_row(world, run_id)["status"] == "completed"


def test_a_builder_has_the_connection_it_made_and_no_other(world: QuickBooksWorld, desk: WiredDesk) -> None:
    company = desk.connection_of(world.builder_id, PROVIDER)
    assert company is not None
    assert (company.connection_id, company.company_name) == (world.connection_id, "Larch Books")
    assert desk.connection_of(world.builder_id, "xero") is None
    assert world.builder_id in desk.builder_ids()


def found_due(world: QuickBooksWorld, desk: WiredDesk) -> DueConnection:
    make_due(world)
    return next(each for each in desk.due_connections(limit=50) if each.connection_id == world.connection_id)


def test_a_due_connection_has_one_run_however_often_its_dagster_run_begins_it(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    found, dagster_run_id = found_due(world, desk), str(uuid4())
    begun = desk.begin_due(found, dagster_run_id=dagster_run_id)
    assert begun is not None
    assert begun.company_name == "Larch Books"
    assert desk.begin_due(found, dagster_run_id=dagster_run_id) == begun
    row = run_row(world, begun.sync_run_id)
    assert (row["status"], row["trigger"], row["requested_by"]) == ("started", "scheduled", "schedule")
    with desk.sync(world.builder_id, world.connection_id, begun.sync_run_id) as sync:
        sync.pull_changes()
        sync.finish()
    row = run_row(world, begun.sync_run_id)
    assert row["status"] == "completed"
    assert row["calls"] > 0
    assert desk.begin_due(found, dagster_run_id=dagster_run_id) is None, "it was synced since"


def test_a_connection_that_was_disconnected_since_it_was_found_due_begins_no_run(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    found = found_due(world, desk)
    world.tieout.connections.disconnect(world.builder_id, world.connection_id, requested_by="test")
    assert desk.begin_due(found, dagster_run_id=str(uuid4())) is None


def test_a_disconnected_builder_has_nothing_to_sync(world: QuickBooksWorld, desk: WiredDesk) -> None:
    world.tieout.connections.disconnect(world.builder_id, world.connection_id, requested_by="test")
    assert desk.connection_of(world.builder_id, PROVIDER) is None


def test_a_posted_entry_whose_sides_differ_is_named_with_both_sums(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    entry = world.add("v2_journal_entries", number="JE-4", entry_date="2026-05-01", status="posted")
    for position, side in enumerate(("debit", "credit"), start=1):
        amount = "10.00" if side == "debit" else "9.25"
        world.add(
            "v2_journal_entry_lines",
            journal_entry_id=entry,
            position=position,
            cost_code_id=world.code,
            **{side: amount},
        )
    [doubt] = desk.unbalanced_entries(world.builder_id)
    assert doubt.sentence.startswith("Journal entry JE-4 has debits of 10.00 and credits of 9.25.")


def test_only_an_outcome_unknown_for_more_than_a_day_is_a_doubt(
    world: QuickBooksWorld, desk: WiredDesk
) -> None:
    now = world.tieout.clock.now()
    record = str(uuid4())
    link = world.add("links", connection_id=world.connection_id, entity="bill", record_id=record)
    for age in (timedelta(hours=1), UNKNOWN_FOR_MAX + timedelta(hours=1)):
        world.add(
            "attempts",
            connection_id=world.connection_id,
            link_id=link,
            entity="bill",
            record_id=record,
            revision=1,
            operation="create",
            request_id=str(uuid4()),
            marker="tieout:x",
            payload_hash="x",
            payload="{}",
            state="unknown",
            started_at=now - age,
        )
    [doubt] = desk.stale_unknowns(world.builder_id, world.connection_id)
    assert record in doubt.label
    assert "never confirmed" in doubt.sentence
