from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from resources.launcher import DagsterRefused, DagsterUnavailable, Launcher
from sync.errors import Remedy
from sync.records import SYNC_ORDER, Entity

Answer = Callable[[httpx.Request], httpx.Response]
LAUNCHED = {"__typename": "LaunchRunSuccess", "run": {"runId": "d-1"}}
ADDED = {"__typename": "AddDynamicPartitionSuccess"}
KNOWN = {"__typename": "DuplicateDynamicPartitionError"}


def launcher(answer: Answer) -> Launcher:
    return Launcher("http://dagster.example:3000/", transport=httpx.MockTransport(answer))


def answering(**data: Any) -> Answer:
    return lambda _request: httpx.Response(200, json={"data": data})


def launch(to: Launcher, **more: Any) -> str:
    return to.launch_sync(
        builder_id="b-1", connection_id="c-1", provider="quickbooks_online", sync_run_id="r-1", **more
    )


def asked(**more: Any) -> dict[str, Any]:
    """What a launch sends."""
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, json={"data": {"partition": KNOWN, "launch": LAUNCHED}})

    assert launch(launcher(answer), **more) == "d-1"
    [document] = seen
    run: dict[str, Any] = document["variables"]["run"]
    return run


def steps(run: dict[str, Any]) -> list[str]:
    return [key["path"][1] for key in run["selector"]["assetSelection"]]


def test_a_sync_of_everything_asks_for_all_entities_and_the_proof() -> None:
    run = asked()
    assert run["selector"]["pipelineName"] == "quickbooks_online_sync"
    assert steps(run) == ["ledger_changes", *SYNC_ORDER, "tie_out"]


def test_a_sync_of_some_entities_asks_for_them_in_order_and_for_no_proof() -> None:
    assert steps(asked(entities=[Entity.BILL, Entity.VENDOR])) == ["ledger_changes", "vendor", "bill"]


def test_a_run_carries_who_it_is_for_and_goes_before_scheduled_ones() -> None:
    tags = {tag["key"]: tag["value"] for tag in asked(direction="pull")["executionMetadata"]["tags"]}
    assert tags == {
        "dagster/partition": "b-1",
        "dagster/priority": "100",
        "dagster/retry_on_asset_or_op_failure": "false",
        "sync/connection": "c-1",
        "sync/run": "r-1",
        "sync/trigger": "manual",
        "sync/direction": "pull",
    }


@pytest.mark.parametrize("answer", [ADDED, KNOWN])
def test_a_builder_has_its_partition_once_however_often_it_is_added(answer: dict[str, str]) -> None:
    launcher(answering(partition=answer)).add_builder("b-1")


def test_a_dagster_that_does_not_answer_is_said_with_what_to_do() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    with pytest.raises(DagsterUnavailable) as caught:
        launch(launcher(refuse))
    assert caught.value.remedy is Remedy.RETRY_LATER
    assert str(caught.value) == (
        "The sync was not started because Dagster at http://dagster.example:3000 does not answer (connection refused)."
        " Start it (python -m pipelines.serve), or set TIEOUT_DAGSTER_URL to where it runs, and try again."
    )


def test_another_program_on_that_port_is_not_taken_for_dagster() -> None:
    with pytest.raises(DagsterUnavailable, match="something else answers there, with HTTP status 404"):
        launch(launcher(lambda _request: httpx.Response(404, text="<h1>nothing</h1>")))


@pytest.mark.parametrize(
    "refusal",
    [
        {"__typename": "PipelineNotFoundError", "message": "Could not find job quickbooks_online_sync."},
        {"__typename": "PythonError", "message": "Could not find job quickbooks_online_sync.\nTraceback"},
        {
            "__typename": "RunConfigValidationInvalid",
            "errors": [{"message": "Could not find job quickbooks_online_sync"}],
        },
    ],
)
def test_what_dagster_refuses_is_said_in_one_sentence(refusal: dict[str, Any]) -> None:
    with pytest.raises(DagsterRefused) as caught:
        launch(launcher(answering(partition=KNOWN, launch=refusal)))
    assert "refused it: Could not find job quickbooks_online_sync. Look at" in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_question_dagster_does_not_understand_is_a_refusal_even_with_status_500() -> None:
    body = {"data": None, "errors": [{"message": "Cannot query field\nat line 3"}]}
    with pytest.raises(DagsterRefused, match="refused it: Cannot query field"):
        launch(launcher(lambda _request: httpx.Response(500, json=body)))


def test_a_partition_that_cannot_be_added_is_a_refusal() -> None:
    refused = {"__typename": "UnauthorizedError", "message": "read only"}
    with pytest.raises(DagsterRefused, match="refused it: read only"):
        launcher(answering(partition=refused)).add_builder("b-1")


def test_the_status_of_a_run_is_dagsters_own_word() -> None:
    known = launcher(answering(run={"__typename": "Run", "status": "QUEUED"}))
    unknown = launcher(answering(run={"__typename": "RunNotFoundError"}))
    assert (known.run_status("d-1"), unknown.run_status("d-2")) == ("QUEUED", None)


def test_a_rehearsal_is_a_job_of_its_own_and_moves_no_schedule() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content)["variables"]["run"])
        return httpx.Response(200, json={"data": {"partition": KNOWN, "launch": LAUNCHED}})

    to = launcher(answer)
    assert to.launch_rehearsal(builder_id="b-1", provider="xero", rehearsal_id="r-1") == "d-1"
    (run,) = seen
    assert run["selector"]["pipelineName"] == "xero_rehearsal"
    assert "assetSelection" not in run["selector"]
    tags = {tag["key"]: tag["value"] for tag in run["executionMetadata"]["tags"]}
    # With the connection's tag, a run that is killed would postpone the connection's next sync.
    assert (tags["sync/rehearsal"], "sync/connection" in tags) == ("r-1", False)
