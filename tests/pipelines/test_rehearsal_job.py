from __future__ import annotations

from decimal import Decimal
from typing import Any

import dagster as dg

from sync.errors import AccessExpired
from sync.records import Entity
from sync.rehearsal import Foreseen, ForeseenTotal, Rehearsal
from tests.pipelines.fake_desk import BUILDER, OTHER_BUILDER, FakeDesk

JOB = "quickbooks_online_rehearsal"


def a_rehearsal() -> Rehearsal:
    changed = [
        {"field": "total", "before": "100.00", "after": "115.00"},
        {"field": "lines", "before": [{}], "after": [{}, {}]},
    ]
    return Rehearsal(
        id="r-1",
        totals=[
            ForeseenTotal(Entity.BILL, "created", "ledger", "USD", 2, Decimal("70.50")),
            ForeseenTotal(Entity.BILL, "changed", "platform", "USD", 1, Decimal("115.00")),
        ],
        records=[
            Foreseen(Entity.BILL, "created", "Bill B-1", "ledger", amount=Decimal("70.50")),
            Foreseen(Entity.BILL, "changed", "Bill B-2", "platform", fields=changed, reason="it changed"),
        ],
        records_read=4,
        provider_calls=1,
    )


def run(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    *,
    builder: str = BUILDER,
    tags: dict[str, str] | None = None,
    entities: list[str] | None = None,
) -> dg.ExecuteInProcessResult:
    config = {"ops": {"rehearse_quickbooks_online": {"config": {"entities": entities or []}}}}
    return defs.resolve_job_def(JOB).execute_in_process(
        partition_key=builder, instance=instance, tags=tags, run_config=config, raise_on_error=False
    )


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    [event] = [each for each in result.all_events if each.event_type is dg.DagsterEventType.STEP_OUTPUT]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def test_the_diff_is_a_table_with_amounts_and_fields(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.rehearsal = a_rehearsal()
    shown = metadata(run(defs, instance))
    assert shown["result"] == (
        "A sync with Larkin Homes LLC would leave 2 created in the ledger, 1 changed here."
        " This was a rehearsal: nothing was written."
    )
    assert [(row.data["what would happen"], row.data["amount"]) for row in shown["totals"].records] == [
        ("created in the ledger", "70.50"),
        ("changed here", "115.00"),
    ]
    assert shown["diff"].records[1].data["fields"] == "total: 100.00 → 115.00; lines: 1 → 2"


def test_a_rehearsal_that_the_api_asked_for_is_known_by_its_tag(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.rehearsal = a_rehearsal()
    assert run(defs, instance, tags={"sync/rehearsal": "r-7"}).success
    assert run(defs, instance, entities=["vendor", "bill"]).success
    assert [each.rehearsal_id for each in desk.rehearsed] == ["r-7", None]
    assert desk.rehearsed[1].entities == (Entity.VENDOR, Entity.BILL)


def test_a_rehearsal_that_cannot_be_done_fails_with_its_sentence(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    desk.errors["rehearse"] = AccessExpired(provider="QuickBooks Online", reason="the consent ended")
    result = run(defs, instance)
    assert not result.success
    [failure] = [each for each in result.all_events if each.is_step_failure]
    assert "Reconnect it" in str(failure.step_failure_data.user_failure_data.description)


def test_a_builder_without_a_connection_has_nothing_to_rehearse(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    assert run(defs, instance, builder=OTHER_BUILDER).success
    assert desk.rehearsed == []


def test_an_entity_that_nobody_knows_is_refused_in_words(
    defs: dg.Definitions, desk: FakeDesk, instance: dg.DagsterInstance
) -> None:
    assert not run(defs, instance, entities=["bils"]).success
    assert desk.rehearsed == []
