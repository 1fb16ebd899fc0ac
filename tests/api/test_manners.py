"""REST manners: requests that come twice, too often, too early; what every answer carries and the log says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from api.limits import RateLimit
from resources.settings import Settings
from resources.store.database import Database
from resources.store.requests import Requests
from sync.refusals import StillAtWork
from tests.api.world import ROOT, Client, House, World, exact, problem

# ---------------------------------------------------------------- the same request twice


def keyed(client: Client, path: str, body: object = None, *, key: str) -> object:
    return client.post(path, body, headers={"Idempotency-Key": key})


def test_a_request_sent_twice_under_one_key_is_carried_out_once(house: House) -> None:
    client, key = house.client(), str(uuid4())
    body = {"name": "once", "role": "viewer"}
    first, second = (client.post("/keys", body, headers={"Idempotency-Key": key}) for _ in range(2))
    assert exact(first) == exact(second)
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert [each["name"] for each in exact(client.get("/keys"))["items"]].count("once") == 1


def test_the_kept_answer_cannot_be_read_in_the_database(house: House) -> None:
    made = house.client().post("/keys", {"name": "k", "role": "viewer"}, headers={"Idempotency-Key": "a-1"})
    rows = house.sql("select to_jsonb(r)::text as row from idempotent_requests r")
    assert len(rows) == 1
    assert exact(made)["key"] not in rows[0]["row"]


def test_the_same_key_with_another_body_is_refused(house: House) -> None:
    client = house.client()
    exact(client.post("/sync/errors/retry-all", {}, headers={"Idempotency-Key": "k"}))
    other = client.post("/sync/errors/retry-all", {"entity": "bill"}, headers={"Idempotency-Key": "k"})
    problem(other, 422, "request.key_reused")
    elsewhere = client.post("/sync/errors/dismiss-all", {}, headers={"Idempotency-Key": "k"})
    problem(elsewhere, 422, "request.key_reused")


def test_one_caller_s_key_never_answers_another(house: House) -> None:
    body = {"name": "mine", "role": "viewer"}
    mine = exact(house.client().post("/keys", body, headers={"Idempotency-Key": "k"}))
    theirs = exact(house.client().post("/keys", body, headers={"Idempotency-Key": "k"}))
    assert mine["key"] != theirs["key"]
    refused = house.client("viewer").post("/keys", body, headers={"Idempotency-Key": "k"})
    problem(refused, 403, "access.not_allowed")


def test_a_refusal_is_repeated_but_trouble_on_our_side_is_not(world: World, house: House) -> None:
    client, head = house.client(), {"Idempotency-Key": "k"}
    path = f"/sync/errors/{uuid4()}/retry"
    assert problem(client.post(path, headers=head), 404, "access.not_found")
    assert client.post(path, headers=head).headers["idempotency-replayed"] == "true"
    world.launcher.refuses = RuntimeError("a bug")
    assert client.post("/sync", headers={"Idempotency-Key": "s"}).status_code == 500
    world.launcher.refuses = None
    assert exact(client.post("/sync", headers={"Idempotency-Key": "s"}))["run"]


def test_a_key_is_forgotten_after_a_day(world: World, house: House) -> None:
    client, body, head = house.client(), {"name": "k", "role": "viewer"}, {"Idempotency-Key": "k"}
    first = exact(client.post("/keys", body, headers=head))
    before = world.clock.now()
    world.clock.move(timedelta(hours=25))
    try:
        assert exact(client.post("/keys", body, headers=head))["id"] != first["id"]
    finally:
        world.clock._now = before


def test_a_request_that_is_still_carried_out_is_not_begun_again(world: World, house: House) -> None:
    requests = Requests(world.database, world.tieout.vault)
    said = {"caller": "key:1", "key": "k", "request_hash": "h"}
    requests.begin(house.id, now=world.clock.now(), **said)
    with pytest.raises(StillAtWork):
        requests.begin(house.id, now=world.clock.now(), **said)
    later = world.clock.now() + timedelta(minutes=6)
    assert type(requests.begin(house.id, now=later, **said)).__name__ == "Begun", "its process died"


def test_of_many_at_the_same_moment_one_is_carried_out(house: House) -> None:
    client = house.client()
    answers = client.together(
        "POST", "/keys", times=6, json={"name": "race", "role": "viewer"}, headers={"Idempotency-Key": "r"}
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [each["name"] for each in exact(client.get("/keys"))["items"]].count("race") == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(house: House, key: str) -> None:
    problem(
        house.client().post("/sync/errors/retry-all", headers={"Idempotency-Key": key}), 422, "input.invalid"
    )


def test_a_keyed_body_that_is_too_large_is_refused(client: Client) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = client.call("POST", "/sync", content=pieces(), headers={"Idempotency-Key": "large"})
    problem(answer, 413, "input.too_large")


# ---------------------------------------------------------------- how often


@pytest.fixture(scope="module")
def limited(settings: Settings, database: Database) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings.model_copy(update={"rate_limit_per_minute": 5}), database, runner)


def test_a_caller_that_asks_too_often_is_told_when_to_go_on(limited: World) -> None:
    house = limited.a_house()
    client = house.client()
    answers = [client.get("/connections") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].headers["ratelimit-policy"] == '"caller";q=5;w=60'
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers[:3]] == ["r=4", "r=3", "r=2"]
    refused = problem(answers[5], 429, "request.rate_limited")
    assert 1 <= int(answers[5].headers["retry-after"]) <= 12
    assert refused["action"] == "wait"
    exact(house.client().get("/connections"))


def test_guessing_keys_is_slowed_down(settings: Settings, database: Database) -> None:
    with asyncio.Runner() as runner:
        world = World(settings, database, runner)
        guesser = world.client("tieout_guess")
        statuses = [guesser.get("/connections").status_code for _ in range(62)]
        assert statuses[:60] == [401] * 60
        assert statuses[-1] == 429


def test_a_bucket_refills_steadily_and_memory_stays_bounded() -> None:
    now = [0.0]
    limit = RateLimit(60, seconds=lambda: now[0])
    assert [limit.take("a").is_allowed for _ in range(61)] == [True] * 60 + [False]  # type: ignore[union-attr]
    now[0] = 2.0
    assert [limit.take("a").is_allowed for _ in range(3)] == [True, True, False]  # type: ignore[union-attr]
    for number in range(20_001):
        limit.take(f"made up {number}")
    assert len(limit._buckets) <= 10_001
    assert RateLimit(0).take("a") is None


# ---------------------------------------------------------------- versions


def test_a_mapping_is_saved_only_over_the_version_that_if_match_names(house: House) -> None:
    client = house.client()
    loaded = client.get("/mappings")
    assert loaded.headers["etag"] == '"0"'
    body = {"version": 0, "rows": []}
    wrong = client.call("PUT", "/mappings", json=body, headers={"If-Match": '"3"'})
    problem(wrong, 412, "request.version_moved_on")
    saved = client.call("PUT", "/mappings", json=body, headers={"If-Match": 'W/"0"'})
    assert (exact(saved)["version"], saved.headers["etag"]) == (0, '"0"')


# ---------------------------------------------------------------- what every answer carries


def test_every_answer_carries_the_safe_headers_and_an_id(world: World, client: Client) -> None:
    for answer in (client.get("/connections"), client.get("/nothing"), world.client().get("/healthz")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert len(answer.headers["x-request-id"]) == 36
    assert "strict-transport-security" not in client.get("/connections").headers


def test_trace_is_refused(client: Client) -> None:
    problem(client.call("TRACE", "/connections"), 405, "request.method_not_allowed")


def test_a_bug_is_answered_with_the_same_headers(world: World, house: House) -> None:
    world.launcher.refuses = RuntimeError("a bug")
    answer = house.client().post("/sync")
    problem(answer, 500, "internal.error")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-request-id"]
    assert "a bug" not in answer.text


def test_a_request_id_is_taken_over_when_it_can_be_one(client: Client) -> None:
    def sent(value: str) -> str:
        return client.call("GET", "/connections", headers={"X-Request-Id": value}).headers["x-request-id"]

    assert sent("trace-1.2_3") == "trace-1.2_3"
    assert sent("a\tb" + "x" * 100) != "a\tb" + "x" * 100


def test_the_access_line_says_who_what_and_how_long(world: World, house: House) -> None:
    run = house.a_run()
    with capture_logs(processors=[merge_contextvars]) as lines:
        house.client().get(f"/sync/runs/{run}", connection_id=str(house.connection_id), token="tieout_secret")
    (line,) = [each for each in lines if each["event"] == "request"]
    assert line["route"] == f"{ROOT}/sync/runs/{{id}}"
    assert (line["run"], line["connection"], line["status"]) == (str(run), str(house.connection_id), 200)
    assert line["milliseconds"] > 0
    assert line["caller"].startswith("api key owner")
    assert line["builder"] == str(house.id)
    assert "tieout_secret" not in json.dumps(line)


# ---------------------------------------------------------------- metrics


@pytest.fixture(scope="module")
def measured(settings: Settings, database: Database) -> Iterator[World]:
    secret = type(settings.metrics_token)("prometheus-token")
    with asyncio.Runner() as runner:
        yield World(settings.model_copy(update={"metrics_token": secret}), database, runner)


def test_metrics_are_opened_by_their_token_alone(world: World, measured: World) -> None:
    problem(world.client().get("/metrics"), 404, "request.not_found")
    problem(measured.client().get("/metrics"), 401, "access.unauthenticated")
    problem(measured.a_house().client().get("/metrics"), 401, "access.unauthenticated")
    assert measured.client("prometheus-token").get("/metrics").status_code == 200


def test_metrics_count_requests_by_route_and_connections_by_status(measured: World) -> None:
    house = measured.a_house(next_due_at=measured.clock.now() - timedelta(hours=2))
    house.client().get("/connections")
    house.client().get(f"/sync/runs/{uuid4()}")
    text = measured.client("prometheus-token").get("/metrics").text
    assert f'tieout_http_requests_total{{method="GET",route="{ROOT}/connections",status="200"}} ' in text
    assert f'route="{ROOT}/sync/runs/{{id}}",status="404"' in text
    assert 'tieout_connections{provider="quickbooks_online",status="connected"}' in text
    late = next(line for line in text.splitlines() if line.startswith("tieout_syncs_late{"))
    assert float(late.split()[-1]) >= 1
    assert str(house.id) not in text
