"""POST /sync, GET /sync/status, /sync/runs, /sync/log."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
import structlog.testing

from sync.errors import ProviderUnavailable
from tests.api.world import NOW, Client, FakeLauncher, House, World, exact, problem


def test_a_sync_is_started_in_dagster_and_its_id_comes_back_at_once(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    response = client.post("/sync", {"entities": ["payment", "invoice"], "direction": "pull"})
    assert response.status_code == 202
    run = exact(response)["run"]
    assert (run["status"], run["entities"], run["dagster_run_id"]) == (
        "queued",
        ["invoice", "payment"],
        "dagster-1",
    )
    assert response.headers["location"].endswith(run["id"])
    assert launcher.launched == [
        {
            "builder_id": str(house.id),
            "connection_id": str(house.connection_id),
            "provider": "quickbooks_online",
            "sync_run_id": run["id"],
            "entities": ["invoice", "payment"],
            "direction": "pull",
        }
    ]


def test_without_a_body_everything_is_synced_both_ways(client: Client, launcher: FakeLauncher) -> None:
    run = exact(client.post("/sync"))["run"]
    assert (run["entities"], run["direction"]) == ([], "both")
    assert launcher.launched[0]["entities"] == []


def test_asking_twice_while_it_runs_gives_the_same_run(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    first = exact(client.post("/sync", {"entities": ["invoice", "bill"]}))
    house.sql("update sync_runs set status = 'started' where id = %(id)s", id=first["run"]["id"])
    again = exact(client.post("/sync", {"entities": ["bill", "invoice", "bill"]}))
    assert (again["run"]["id"], again["is_new"]) == (first["run"]["id"], False)
    assert len(launcher.launched) == 1


def test_another_set_of_entities_is_another_run(client: Client, launcher: FakeLauncher) -> None:
    first = exact(client.post("/sync", {"entities": ["invoice"]}))
    other = exact(client.post("/sync", {"entities": ["bill"]}))
    assert other["run"]["id"] != first["run"]["id"]


def test_a_finished_run_does_not_stand_in_the_way(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    first = exact(client.post("/sync"))
    house.sql("update sync_runs set status = 'completed' where id = %(id)s", id=first["run"]["id"])
    assert exact(client.post("/sync"))["is_new"]


def test_a_run_that_never_began_is_given_up(client: Client, house: House) -> None:
    lost = house.a_run(status="queued", requested_at=NOW - timedelta(hours=3))
    assert exact(client.post("/sync"))["is_new"]
    (row,) = house.sql("select status, error_summary from sync_runs where id = %(id)s", id=lost)
    assert row["status"] == "failed"
    assert "never began" in row["error_summary"]


def test_a_run_whose_launch_died_with_its_process_does_not_answer_for_hours(
    client: Client, house: House
) -> None:
    """Chaos: the API was killed between storing a request and hearing Dagster; every later click got the dead run."""
    lost = house.a_run(status="queued", requested_at=NOW - timedelta(minutes=3))
    taken = house.a_run(
        status="queued", requested_at=NOW - timedelta(minutes=3), entities=["bill"], dagster_run_id="d1"
    )
    assert exact(client.post("/sync"))["is_new"]
    states = {row["id"]: row["status"] for row in house.sql("select id, status from sync_runs")}
    assert (states[lost], states[taken]) == ("failed", "queued")


def test_a_launch_that_fails_is_a_problem_and_a_failed_row(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    launcher.refuses = ProviderUnavailable(provider="Dagster", reason="connection refused")
    response = client.post("/sync")
    body = problem(response, 503, "provider.unavailable")
    assert response.headers["retry-after"] == "30"
    (row,) = house.sql("select status, error_summary from sync_runs where connection_id = %(connection)s")
    assert row == {"status": "failed", "error_summary": body["detail"]}


def test_a_launch_that_breaks_leaves_no_run_that_blocks_the_next(
    client: Client, house: House, launcher: FakeLauncher
) -> None:
    launcher.refuses = ZeroDivisionError("a bug")
    with structlog.testing.capture_logs() as logged:
        problem(client.post("/sync"), 500, "internal.error")
    assert [(each["event"], each["log_level"]) for each in logged if each["event"] != "request"] == [
        ("unexpected_error", "error")
    ]
    launcher.refuses = None
    assert exact(client.post("/sync"))["is_new"]


def test_a_sync_needs_a_connection(world: World) -> None:
    house = world.a_house(status="disconnected")
    problem(house.client().post("/sync"), 409, "connection.not_connected")
    problem(
        house.client().post("/sync", {"connection_id": str(house.connection_id)}),
        409,
        "connection.not_connected",
    )


def test_an_expired_connection_is_to_be_reconnected_first(world: World) -> None:
    house = world.a_house(status="expired", status_reason="the consent was withdrawn")
    body = problem(house.client().post("/sync"), 409, "connection.not_connected")
    assert body["action"] == "reconnect"
    assert "the consent was withdrawn" in body["detail"]


def test_with_two_connections_one_must_be_named(client: Client, house: House) -> None:
    xero = house.a_second_connection()
    body = problem(client.post("/sync"), 422, "input.which_connection")
    assert "quickbooks_online and xero" in body["detail"]
    assert exact(client.post("/sync", {"connection_id": str(xero)}))["run"]["connection_id"] == str(xero)


def test_a_connection_of_somebody_else_is_not_found(client: Client, world: World) -> None:
    stranger = world.a_house("Other")
    problem(client.post("/sync", {"connection_id": str(stranger.connection_id)}), 404, "access.not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"entities": ["invoices"]}, "body.entities.0"),
        ({"direction": "up"}, "body.direction"),
        ({"entity": ["bill"]}, "body.entity"),
        ({"connection_id": "7"}, "body.connection_id"),
        ([], "body"),
    ],
)
def test_a_wrong_body_says_which_field(client: Client, body: object, field: str) -> None:
    found = problem(client.post("/sync", body), 422, "request.invalid")
    assert found["problems"][0]["field"] == field


def test_a_viewer_may_not_start_a_sync(house: House, launcher: FakeLauncher) -> None:
    problem(house.client("viewer").post("/sync"), 403, "access.not_allowed")
    assert launcher.launched == []


# ---------------------------------------------------------------- status


def test_a_settled_connection_is_green(client: Client, house: House) -> None:
    house.a_run(status="completed")
    status = exact(client.get("/sync/status"))
    assert status["health"] == {"color": "green", "reasons": []}
    (connection,) = status["connections"]
    assert connection["days_until_expiry"] == 92
    assert connection["last_run"]["status"] == "completed"
    assert connection["current_run"] is None


def test_the_run_under_way_is_shown_entity_by_entity(client: Client, house: House) -> None:
    run = house.a_run(status="started")
    house.a_log(
        sync_run_id=run,
        entity_type="invoice",
        status="started",
        records_processed=40,
        records_succeeded=39,
        records_failed=1,
        summary={"pushed": {"count": 39, "amount": "18250.00"}},
    )
    house.a_log(entity_type="invoice", status="completed", started_at=NOW - timedelta(days=1))
    (connection,) = exact(client.get("/sync/status"))["connections"]
    assert connection["current_run"]["id"] == str(run)
    (invoice,) = [each for each in connection["entities"] if each["entity_type"] == "invoice"]
    (step,) = invoice["steps"]
    assert (step["status"], step["records_processed"], step["records_failed"]) == ("started", 40, 1)
    assert step["summary"] == {"pushed": {"count": 39, "amount": "18250.00"}}
    assert len(connection["entities"]) == 9


def test_an_entity_last_synced_long_ago_is_not_hidden_by_a_busy_one(client: Client, house: House) -> None:
    house.a_log(entity_type="deposit", direction="pull", started_at=NOW - timedelta(days=90))
    house.sql(
        "insert into v2_sync_log (builder_id, connection_id, sync_type, entity_type, direction, status, started_at)"
        " select %(builder)s, %(connection)s, 'real_time', 'bill', 'push', 'completed',"
        " %(now)s::timestamptz - n * interval '1 minute' from generate_series(1, 600) as n",
        now=NOW,
    )
    (connection,) = exact(client.get("/sync/status"))["connections"]
    steps = {each["entity_type"]: len(each["steps"]) for each in connection["entities"]}
    assert (steps["bill"], steps["deposit"], steps["vendor"]) == (1, 1, 0)


def test_without_a_run_the_newest_steps_are_shown(client: Client, house: House) -> None:
    house.a_log(
        entity_type="payment", direction="pull", records_processed=1, started_at=NOW - timedelta(days=2)
    )
    house.a_log(entity_type="payment", direction="pull", records_processed=2)
    (connection,) = exact(client.get("/sync/status"))["connections"]
    (payment,) = [each for each in connection["entities"] if each["entity_type"] == "payment"]
    assert [step["records_processed"] for step in payment["steps"]] == [2]


def test_errors_make_it_red_and_say_how_many(client: Client, house: House) -> None:
    house.a_waiting_record()
    house.a_waiting_record("held", cause=f"hold.mapping_missing:expense:{uuid4()}")
    house.a_conflict()
    status = exact(client.get("/sync/status"))
    assert status["health"]["color"] == "red"
    assert [reason["color"] for reason in status["health"]["reasons"]] == ["red", "yellow", "yellow"]
    (connection,) = status["connections"]
    assert connection["waiting"] == {"errors": 1, "held": 1, "conflicts": 1}
    (bill,) = [each for each in connection["entities"] if each["entity_type"] == "bill"]
    assert bill["waiting"] == {"errors": 1, "held": 1, "conflicts": 1}


def test_a_tie_out_with_a_difference_is_shown(client: Client, house: House) -> None:
    house._insert("tie_outs", {"is_tied": False, "difference": "0.01", "lines": "[]", "taken_at": NOW})
    status = exact(client.get("/sync/status"))
    assert status["health"]["color"] == "yellow"
    assert status["connections"][0]["tie_out"]["difference"] == "0.0100"


def test_a_builder_without_a_connection_is_told_to_connect(world: World) -> None:
    house = world.a_house(status="disconnected")
    status = exact(house.client().get("/sync/status"))
    assert (status["health"]["color"], status["connections"]) == ("yellow", [])


def test_one_connection_may_be_asked_for(client: Client, house: House) -> None:
    xero = house.a_second_connection()
    (connection,) = exact(client.get("/sync/status", connection_id=str(xero)))["connections"]
    assert connection["provider_title"] == "Xero"


# ---------------------------------------------------------------- runs and history


def test_a_run_shows_its_steps(client: Client, house: House) -> None:
    run = house.a_run(status="partial")
    house.a_log(sync_run_id=run, entity_type="vendor")
    shown = exact(client.get(f"/sync/runs/{run}"))
    assert (shown["status"], [step["entity_type"] for step in shown["steps"]]) == ("partial", ["vendor"])


def test_a_run_of_somebody_else_is_not_found(client: Client, world: World) -> None:
    run = world.a_house("Other").a_run()
    problem(client.get(f"/sync/runs/{run}"), 404, "access.not_found")


def test_the_history_is_paged_newest_first_without_gap_or_repeat(client: Client, house: House) -> None:
    written = [
        str(house.a_log(started_at=NOW + timedelta(minutes=minute // 3), entity_type="vendor"))
        for minute in range(11)
    ]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = exact(client.get("/sync/log", limit=4, **cursor))
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(seen) == sorted(written)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"entity": "invoice"}, 1),
        ({"status": "failed"}, 1),
        ({"direction": "pull"}, 1),
        ({"since": "2026-03-02T00:00:00Z"}, 2),
        ({"until": "2026-03-02T00:00:00"}, 1),
        ({"since": "2026-03-02"}, 2),
        ({"connection_id": str(uuid4())}, 0),
        ({}, 3),
    ],
)
def test_the_history_is_filtered(client: Client, house: House, filters: dict[str, str], count: int) -> None:
    house.a_log(entity_type="invoice", started_at=NOW - timedelta(days=1))
    house.a_log(status="failed")
    house.a_log(direction="pull")
    assert len(exact(client.get("/sync/log", **filters))["items"]) == count


def test_the_history_of_one_run_may_be_asked_for(client: Client, house: House) -> None:
    run = house.a_run()
    house.a_log(sync_run_id=run)
    house.a_log()
    assert len(exact(client.get("/sync/log", run_id=str(run)))["items"]) == 1


def test_expanded_rows_carry_their_records(client: Client, house: House) -> None:
    log = house.a_log()
    house.a_waiting_record(sync_log_id=log, amount="0.10")
    (row,) = exact(client.get("/sync/log", expand="records", entity="bill"))["items"]
    assert [record["amount"] for record in row["records"]] == ["0.1000"]
    (row,) = exact(client.get("/sync/log"))["items"]
    assert row["records"] is None


def test_records_of_a_history_row_are_listed_and_filtered(client: Client, house: House) -> None:
    log = house.a_log()
    house.a_waiting_record(sync_log_id=log)
    house.a_waiting_record("held", sync_log_id=log)
    assert len(exact(client.get(f"/sync/log/{log}/records"))["items"]) == 2
    (held,) = exact(client.get(f"/sync/log/{log}/records", status="held"))["items"]
    assert held["status"] == "held"


def test_records_of_an_unknown_history_row_are_not_found(client: Client) -> None:
    problem(client.get(f"/sync/log/{uuid4()}/records"), 404, "access.not_found")


@pytest.mark.parametrize(
    "cursor", ["x", "bm9uc2Vuc2U", "WyJlcnJvcnMiLCAiYSIsICJiIl0", "é", "WyJsb2ciLCJcXHVkODAwIiwieCJd"]
)
def test_a_foreign_cursor_is_refused(client: Client, cursor: str) -> None:
    problem(client.get("/sync/log", cursor=cursor), 422, "input.invalid")


def test_a_parameter_nobody_knows_is_refused(client: Client) -> None:
    found = problem(client.get("/sync/log", entitty="bill"), 422, "request.invalid")
    assert found["problems"][0]["field"] == "query.entitty"


# ---------------------------------------------------------------- at the same moment


def test_many_clicks_at_the_same_moment_are_one_run(client: Client, launcher: FakeLauncher) -> None:
    answers = [
        exact(response) for response in client.together("POST", "/sync", times=8, json={"entities": ["bill"]})
    ]
    assert len({answer["run"]["id"] for answer in answers}) == 1
    assert [answer["is_new"] for answer in answers].count(True) == 1
    assert len(launcher.launched) == 1
