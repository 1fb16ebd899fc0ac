from __future__ import annotations

from decimal import Decimal

import dagster as dg
import pytest

from assets.keys import STEP_ORDER
from resources.dagster.desk import Doubt
from sync.errors import AccessExpired
from sync.records import SYNC_ORDER, Entity
from sync.summary import EntitySummary, TieOut, TieOutLine, Trouble
from tests.pipelines.fake_desk import BUILDER, CONNECTION, OTHER_BUILDER, FakeDesk

JOB = "quickbooks_online_sync"
EXPIRED = AccessExpired(provider="QuickBooks Online", reason="the consent ended")


def run(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    builder: str = BUILDER,
    tags: dict[str, str] | None = None,
    only: list[str] | None = None,
) -> dg.ExecuteInProcessResult:
    job = defs.resolve_job_def(JOB)
    keys = [dg.AssetKey(["quickbooks_online", step]) for step in only] if only else None
    return job.execute_in_process(
        partition_key=builder, instance=instance, tags=tags, asset_selection=keys, raise_on_error=False
    )


def metadata(result: dg.ExecuteInProcessResult, step: str) -> dict[str, object]:
    [event] = result.asset_materializations_for_node(f"quickbooks_online__{step}")
    return {name: value.value for name, value in event.metadata.items()}


def trouble(label: str, *, cause: str, amount: str) -> Trouble:
    sentence = f"{label} waits because cost code 03-300 has no expense account. Map it under Account mapping."
    return Trouble(label, sentence, "fix_mapping", cause, Decimal(amount))


def invoices_with_trouble() -> EntitySummary:
    summary = EntitySummary(Entity.INVOICE)
    for amount in ("100.00", "20.50"):
        summary.count("pushed", Decimal(amount))
    for label, amount in (("Draw 7", "900.00"), ("Draw 8", "50.00")):
        summary.count("held", Decimal(amount))
        summary.held.append(trouble(label, cause="hold.mapping_missing:revenue:x", amount=amount))
    summary.count("failed", Decimal("5.00"))
    summary.failed.append(
        Trouble("Invoice 9", "The number 9 is in use.", "ask_user", "provider.rejected", Decimal("5.00"))
    )
    return summary


def test_a_run_takes_every_step_in_order_and_closes_the_sync_run(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    assert run(defs, instance).success
    assert desk.steps == ["pull_changes", *SYNC_ORDER, "tie_out", "finish"]


def test_a_run_over_chosen_entities_is_closed_by_the_last_of_them(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    assert run(defs, instance, only=["ledger_changes", "bill", "invoice", "vendor"]).success
    assert desk.steps == ["pull_changes", "vendor", "invoice", "bill", "finish"]
    assert desk.opened[0].entities == (Entity.VENDOR, Entity.INVOICE, Entity.BILL)


def test_a_run_asked_for_by_the_api_works_under_the_apis_sync_run(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    run(defs, instance, tags={"sync/run": "asked-for"})
    assert {opened.sync_run_id for opened in desk.opened} == {"asked-for"}


@pytest.mark.parametrize(
    ("tag", "trigger"), [(None, "manual"), ("scheduled", "scheduled"), ("nonsense", "manual")]
)
def test_a_run_from_elsewhere_says_what_started_it(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance, tag: str | None, trigger: str
) -> None:
    result = run(defs, instance, tags={"sync/trigger": tag} if tag else None)
    [opened] = {(each.sync_run_id, each.trigger, each.dagster_run_id) for each in desk.opened}
    assert opened == (None, trigger, result.dagster_run.run_id)


def test_metadata_say_how_many_how_much_and_why_something_waits(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.summaries[Entity.INVOICE] = invoices_with_trouble()
    shown = metadata(run(defs, instance), "invoice")
    assert shown["result"] == "2 sent (120.50), 2 held (950.00), 1 failed (5.00)."
    assert (shown["pushed"], shown["pushed amount"]) == (2, "120.50")
    assert (shown["held"], shown["held amount"]) == (2, "950.00")
    assert "| 2 | 950.00 | Draw 7 waits because" in str(shown["what is held and why"])


def test_records_that_failed_are_a_table_and_do_not_fail_the_run(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.summaries[Entity.INVOICE] = invoices_with_trouble()
    result = run(defs, instance)
    assert result.success
    [event] = result.asset_materializations_for_node("quickbooks_online__invoice")
    table = event.metadata["failures"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["record"] for record in table.records] == ["Invoice 9"]


def test_no_amount_is_shown_as_a_float(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.summaries[Entity.INVOICE] = invoices_with_trouble()
    result = run(defs, instance)
    values = [
        value
        for step in STEP_ORDER
        for event in result.asset_materializations_for_node(f"quickbooks_online__{step}")
        for value in event.metadata.values()
    ]
    assert values
    assert not [value for value in values if isinstance(value, dg.FloatMetadataValue)]


def test_a_builder_without_a_connection_is_passed_over_with_a_sentence(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    result = run(defs, instance, builder=OTHER_BUILDER)
    assert result.success
    assert desk.opened == []
    assert str(metadata(result, "bill")["result"]).startswith("No connection: this builder has not connected")


def test_lost_access_fails_the_builder_with_its_sentence(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["customer"] = EXPIRED
    result = run(defs, instance, tags={"sync/run": "r1"})
    failures = {
        str(event.step_key): event.step_failure_data.user_failure_data
        for event in result.all_events
        if event.is_step_failure
    }
    shown = failures["quickbooks_online__customer"]
    assert shown is not None
    assert shown.description == EXPIRED.user_message
    assert isinstance(shown.metadata["what to do"], dg.TableMetadataValue)
    assert ("r1", EXPIRED.user_message) in desk.failed
    assert "finish" not in desk.steps


def test_what_depends_on_a_failed_step_is_not_tried(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["pull_changes"] = EXPIRED
    run(defs, instance)
    assert desk.steps == ["pull_changes"]


def test_the_error_that_dagster_keeps_has_no_chain_of_tracebacks(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["pull_changes"] = EXPIRED
    result = run(defs, instance)
    [failure] = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    assert error is not None
    assert (error.cause, error.context) == (None, None)


def test_a_failed_answer_is_not_run_again_by_dagster(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["pull_changes"] = EXPIRED
    result = run(defs, instance)
    stored = instance.get_run_by_id(result.dagster_run.run_id)
    assert stored is not None
    assert stored.tags["dagster/retry_on_asset_or_op_failure"] == "false"


def test_an_error_of_our_own_closes_the_sync_run_and_keeps_its_traceback(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["bill"] = ZeroDivisionError("by nobody's fault")
    result = run(defs, instance, tags={"sync/run": "r1"})
    assert not result.success
    [(sync_run_id, sentence)] = desk.failed
    assert sync_run_id == "r1"
    assert "ZeroDivisionError" in sentence
    assert result.dagster_run.run_id in sentence


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_all_truths_hold_for_a_builder_in_order(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    result = run(defs, instance)
    assert checks(result) == {
        "debits_equal_credits": True,
        "no_unknown_outcome_older_than_a_day": True,
        "tie_out_difference_is_zero": True,
    }
    assert {each.partition for each in result.get_asset_check_evaluations()} == {BUILDER}


def test_broken_truths_name_the_records_and_do_not_stop_the_sync(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.unbalanced = [Doubt("JE-4", "JE-4 has debits of 10.00 and credits of 9.00.")]
    desk.unknowns = [Doubt("Bill 17", "Bill 17 was sent on 1 March and never confirmed.")]
    desk.proof = TieOut((TieOutLine("Open with vendors", Decimal("10.00"), Decimal("9.25")),))
    result = run(defs, instance)
    assert result.success
    assert not any(checks(result).values())
    described = {each.check_name: each.description for each in result.get_asset_check_evaluations()}
    assert described["debits_equal_credits"] == "JE-4 has debits of 10.00 and credits of 9.00."
    assert "difference 0.75" in str(described["tie_out_difference_is_zero"])


def test_a_builder_without_a_connection_breaks_no_truth(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.unbalanced = [Doubt("JE-4", "unbalanced")]
    assert all(checks(run(defs, instance, builder=OTHER_BUILDER)).values())


def test_the_partition_shows_as_failed_and_after_a_good_run_as_done(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    key = dg.AssetKey(["quickbooks_online", "ledger_changes"])
    partitions_def = defs.resolve_asset_graph().get(key).partitions_def
    desk.errors["pull_changes"] = EXPIRED
    run(defs, instance)
    failed = instance.get_status_by_partition(key, [BUILDER], partitions_def)
    desk.errors.clear()
    run(defs, instance)
    done = instance.get_status_by_partition(key, [BUILDER], partitions_def)
    assert failed is not None
    assert done is not None
    assert (failed[BUILDER].value, done[BUILDER].value) == ("FAILED", "MATERIALIZED")


def test_the_connection_is_the_builders_own(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    run(defs, instance)
    assert {opened.connection_id for opened in desk.opened} == {CONNECTION}
