"""Webhooks out: what happened becomes an event once, and reaches every public address that wants it, signed."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks.webhooks import Webhook

from resources.settings import Settings
from resources.store.database import Database
from resources.store.notices import all_builders, raise_notifications
from resources.store.webhooks import forget_events, rewrap_secrets, write_events
from resources.targets import UnsafeTarget, is_public, safe_target
from resources.vault import Vault
from resources.webhooks import SCHEDULE, WebhookSender
from sync.events import EVENT_TYPES, SAMPLES
from tests.api.world import NOW, Client, House, World, exact, problem


class Receiver:
    """A real receiver that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.status = 204
        self.location: str | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def open_world(settings: Settings, database: Database) -> Iterator[World]:
    given = settings.model_copy(update={"webhook_allow_loopback": True})
    with asyncio.Runner() as runner:
        yield World(given, database, runner)


@pytest.fixture
def world(open_world: World) -> Iterator[World]:
    before = open_world.clock.now()
    yield open_world
    open_world.clock._now = before
    # One test's receiver is gone in the next.
    for builder_id in all_builders(open_world.database):
        with open_world.database.builder_tx(builder_id) as tx:
            tx.connection.exec_driver_sql("delete from webhook_endpoints")


@pytest.fixture
def house(world: World) -> House:
    return world.a_house()


def sender_of(world: World) -> WebhookSender:
    return WebhookSender(
        world.database, world.settings, vault=world.tieout.vault, clock=world.clock, jitter=lambda: 0
    )


def deliver(world: World) -> tuple[int, int]:
    sender = sender_of(world)
    try:
        return sender.send_due()
    finally:
        sender.close()


def wrote(house: House) -> int:
    return write_events(house.world.database, house.id, now=house.world.clock.now())


def an_endpoint(client: Client, receiver: Receiver, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = exact(client.post("/webhooks", {"url": receiver.url, **more}))
    return made


# ---------------------------------------------------------------- events


def test_what_happened_becomes_one_event_each_however_often_it_is_looked_at(house: House) -> None:
    log = house.a_log(started_at=NOW, sync_run_id=house.a_run(completed_at=NOW))
    for status, entity, direction in (
        ("synced", "bill", "push"),
        ("synced", "payment", "pull"),
        ("synced", "bill_payment", "pull"),
        ("synced", "deposit", "pull"),
    ):
        house._insert(
            "v2_sync_records",
            {
                "sync_log_id": log, "platform_entity_type": entity, "platform_entity_id": uuid4(), "direction": direction,
                "status": status, "link_id": house.a_link(entity), "action": "created", "created_at": NOW,
                "amount": "12.50", "currency": "USD",
            },
        )  # fmt: skip
    house.a_waiting_record(sync_log_id=log)
    house.a_waiting_record("held", sync_log_id=log)
    settled, _ = house.a_waiting_record("conflict", sync_log_id=log)
    house.sql("update v2_sync_records set resolved_at = %(now)s where id = %(id)s", id=settled, now=NOW)
    house.sql("update v2_integration_connections set status = 'expired' where id = %(connection)s")
    raise_notifications(house.world.database, house.id, now=NOW)
    assert wrote(house) == 13
    assert wrote(house) == 0
    found = exact(house.client().get("/events"))["items"]
    assert sorted(each["type"] for each in found) == [
        "bill.paid", "conflict.opened", "connection.lost", "deposit.recorded", "document.failed", "document.held",
        "document.resolved", "document.synced", "document.synced", "document.synced", "document.synced",
        "payment.received", "sync.completed",
    ]  # fmt: skip
    paid = next(each for each in found if each["type"] == "payment.received")
    assert (paid["data"]["amount"], paid["data"]["provider"]) == ("12.5000", "quickbooks_online")


def test_books_that_the_initial_import_brings_in_are_no_news(house: House) -> None:
    log = house.a_log(sync_type="initial_import")
    row = {
        "sync_log_id": log,
        "platform_entity_type": "payment",
        "platform_entity_id": uuid4(),
        "direction": "pull",
    }
    more = {"status": "synced", "link_id": house.a_link(), "action": "applied", "created_at": NOW}
    house._insert("v2_sync_records", row | more)
    assert wrote(house) == 0


def test_every_type_that_is_written_has_a_sample_with_the_same_fields(house: House) -> None:
    house.a_waiting_record()
    house.sql(
        "insert into attempts (builder_id, connection_id, link_id, entity, record_id, revision, operation, request_id, marker,"
        " payload_hash, payload, state, started_at) values (%(builder)s, %(connection)s, %(link)s, 'bill', %(link)s, 1,"
        " 'create', 'r', 'm', 'h', '{}', 'unknown', %(now)s)",
        link=house.a_link(),
        now=NOW,
    )
    house.a_run(completed_at=NOW, status="failed")
    wrote(house)
    found = exact(house.client().get("/events"))["items"]
    assert {each["type"] for each in found} == {"document.failed", "document.outcome_unknown", "sync.failed"}
    assert all(each["data"].keys() == SAMPLES[each["type"]].keys() for each in found)
    types = exact(house.client().get("/events/types"))["items"]
    assert [each["type"] for each in types] == list(EVENT_TYPES)


def test_events_are_polled_by_type_and_page_and_forgotten_after_thirty_days(house: House) -> None:
    for _ in range(3):
        house.a_waiting_record()
    house.a_conflict()
    wrote(house)
    client = house.client()
    first = exact(client.get("/events", type="document.failed", limit=2))
    second = exact(client.get("/events", type="document.failed", limit=2, cursor=first["next_cursor"]))
    ids = [each["id"] for each in first["items"] + second["items"]]
    assert len(set(ids)) == 3
    assert forget_events(house.world.database, house.id, now=NOW + timedelta(days=29)) == 0
    assert forget_events(house.world.database, house.id, now=NOW + timedelta(days=31)) == 4


# ---------------------------------------------------------------- deliveries


def test_an_event_reaches_who_wants_it_signed_and_once(
    world: World, house: House, receiver: Receiver
) -> None:
    client = house.client()
    made = an_endpoint(client, receiver, events=["document.failed"])
    assert made["secret"].startswith("whsec_")
    house.a_waiting_record()
    house.a_conflict()
    wrote(house)
    assert deliver(world) == (1, 0)
    assert deliver(world) == (0, 0)
    ((headers, body),) = receiver.got
    said = json.loads(body)
    assert (said["type"], said["data"]["amount"]) == ("document.failed", "1250.0000")
    sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(made["secret"]).sign(headers["webhook-id"], sent_at, body)
    (event,) = exact(client.get("/events", type="document.failed"))["items"]
    assert event["id"] == headers["webhook-id"]
    (logged,) = exact(client.get(f"/webhooks/{made['id']}/deliveries"))["items"]
    assert (logged["state"], logged["last_status"], logged["tries"]) == ("delivered", 204, 1)


def test_a_real_library_of_the_standard_accepts_what_is_sent(
    world: World, house: House, receiver: Receiver
) -> None:
    made = an_endpoint(house.client(), receiver)
    house.a_waiting_record()
    wrote(house)
    world.clock._now = datetime.now(UTC)
    assert deliver(world)[0] == 1
    headers, body = receiver.got[0]
    assert Webhook(made["secret"]).verify(body, headers)["type"] == "document.failed"


def test_both_secrets_sign_for_a_day_after_a_rotation(world: World, house: House, receiver: Receiver) -> None:
    client = house.client()
    made = an_endpoint(client, receiver)
    fresh = exact(client.post(f"/webhooks/{made['id']}/rotate-secret"))["secret"]
    for hours, count in ((0, 2), (25, 1)):
        world.clock.move(timedelta(hours=hours))
        house.a_waiting_record(
            created_at=world.clock.now(), sync_log_id=house.a_log(started_at=world.clock.now())
        )
        wrote(house)
        deliver(world)
        headers, body = receiver.got[-1]
        sent_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        signatures = headers["webhook-signature"].split(" ")
        wanted = [
            Webhook(each).sign(headers["webhook-id"], sent_at, body) for each in (fresh, made["secret"])
        ]
        assert signatures == wanted[:count]


def test_a_receiver_that_fails_is_tried_by_the_published_schedule_then_switched_off_with_notice(
    world: World, house: House, receiver: Receiver
) -> None:
    client = house.client()
    made = an_endpoint(client, receiver)
    house.a_waiting_record()
    wrote(house)
    receiver.status = 500
    assert deliver(world) == (0, 1)
    for wait in SCHEDULE:
        world.clock.move(wait - timedelta(seconds=1))
        assert deliver(world) == (0, 0)
        world.clock.move(timedelta(seconds=1))
        assert deliver(world) == (0, 1)
    assert len(receiver.got) == 10
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    (shown,) = exact(client.get("/webhooks"))["items"]
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "it answered 500")
    assert "webhook_disabled" in raise_notifications(world.database, house.id, now=world.clock.now())
    titles = {each["kind"]: each["title"] for each in exact(client.get("/notifications"))["items"]}
    assert titles["webhook_disabled"] == "1 webhook endpoint is switched off"
    # Switched on again, what it missed is replayed with the ids it had.
    receiver.status = 200
    exact(client.call("PUT", f"/webhooks/{made['id']}", json={"url": receiver.url}))
    window = {
        "since": (NOW - timedelta(hours=1)).isoformat(),
        "until": (NOW + timedelta(hours=1)).isoformat(),
    }
    assert exact(client.post(f"/webhooks/{made['id']}/replay", window)) == {"deliveries": 1}
    world.clock.move(timedelta(seconds=1))
    assert deliver(world) == (1, 0)
    assert receiver.got[-1][0]["webhook-id"] == receiver.got[0][0]["webhook-id"]
    assert raise_notifications(world.database, house.id, now=world.clock.now()) == []


def test_one_event_that_a_receiver_never_takes_does_not_switch_off_the_others(
    world: World, house: House, receiver: Receiver
) -> None:
    client = house.client()
    an_endpoint(client, receiver)
    house.a_waiting_record()
    wrote(house)
    receiver.status = 500
    deliver(world)
    receiver.status = 204
    house.a_conflict()
    wrote(house)
    assert deliver(world) == (1, 0)
    receiver.status = 500
    for wait in SCHEDULE:
        world.clock.move(wait)
        deliver(world)
    assert exact(client.get("/webhooks"))["items"][0]["status"] == "active"


def test_a_receiver_that_is_gone_is_switched_off_at_once(
    world: World, house: House, receiver: Receiver
) -> None:
    client = house.client()
    an_endpoint(client, receiver)
    house.a_waiting_record()
    wrote(house)
    receiver.status = 410
    deliver(world)
    assert "410" in exact(client.get("/webhooks"))["items"][0]["disabled_reason"]
    house.a_conflict()
    wrote(house)
    assert deliver(world) == (0, 0)


def test_a_redirect_is_not_followed(world: World, house: House, receiver: Receiver) -> None:
    other = Receiver()
    try:
        made = an_endpoint(house.client(), receiver)
        receiver.status, receiver.location = 307, other.url
        house.a_waiting_record()
        wrote(house)
        assert deliver(world) == (0, 1)
        assert other.got == []
        (logged,) = exact(house.client().get(f"/webhooks/{made['id']}/deliveries", state="pending"))["items"]
        assert logged["last_error"] == "it answered 307"
    finally:
        other.stop()


def test_a_delivery_whose_process_died_is_sent_by_another(
    world: World, house: House, receiver: Receiver
) -> None:
    an_endpoint(house.client(), receiver)
    house.a_waiting_record()
    wrote(house)
    house.sql(
        "update webhook_deliveries set state = 'sending', tries = 1, leased_until = %(until)s",
        until=NOW + timedelta(minutes=2),
    )
    assert deliver(world) == (0, 0)
    world.clock.move(timedelta(minutes=3))
    assert deliver(world) == (1, 0)


def test_one_delivery_is_sent_again_on_demand(world: World, house: House, receiver: Receiver) -> None:
    client = house.client()
    made = an_endpoint(client, receiver)
    house.a_waiting_record()
    wrote(house)
    deliver(world)
    (logged,) = exact(client.get(f"/webhooks/{made['id']}/deliveries"))["items"]
    exact(client.post(f"/webhook-deliveries/{logged['id']}/resend"))
    assert deliver(world) == (1, 0)
    assert len(receiver.got) == 2
    problem(client.post(f"/webhook-deliveries/{uuid4()}/resend"), 404, "access.not_found")


def test_a_rest_hook_is_subscribed_told_and_unsubscribed(
    world: World, house: House, receiver: Receiver
) -> None:
    client = house.client()
    hook = exact(client.post("/hooks", {"target_url": receiver.url, "event": "conflict.opened"}))
    house.a_waiting_record()
    house.a_conflict()
    wrote(house)
    assert deliver(world) == (1, 0)
    assert json.loads(receiver.got[0][1])["type"] == "conflict.opened"
    exact(client.delete(f"/hooks/{hook['id']}"))
    problem(client.delete(f"/hooks/{hook['id']}"), 404, "access.not_found")
    assert exact(client.get("/webhooks"))["items"] == []


def test_an_event_nobody_knows_is_refused_with_the_list(house: House, receiver: Receiver) -> None:
    sent = {"url": receiver.url, "events": ["bill.payed"]}
    assert "bill.paid" in problem(house.client().post("/webhooks", sent), 422, "input.invalid")["detail"]


def test_secrets_are_sealed_and_follow_the_keyring(world: World, house: House, receiver: Receiver) -> None:
    made = an_endpoint(house.client(), receiver)
    row = house.one("select to_jsonb(e)::text as row from webhook_endpoints e")
    assert made["secret"] not in row
    assert made["secret"].removeprefix("whsec_") not in row
    both = Vault({"k2": b"w" * 32, "k1": b"v" * 32})
    assert rewrap_secrets(world.database, both, house.id) == 1
    sealed = house.one("select secret_encrypted from webhook_endpoints")
    place = {"builder_id": str(house.id), "connection_id": made["id"], "field": "webhook_secret"}
    assert Vault({"k2": b"w" * 32}).open(sealed, **place) == made["secret"]


# ---------------------------------------------------------------- where to


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe",
    ],
)  # fmt: skip
def test_no_inner_address_is_called_however_it_is_written(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(UnsafeTarget, match="private network"):
        safe_target(
            "https://hook.example/", allow_loopback=False, resolver=lambda *_: ["93.184.216.34", address]
        )


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]
)
def test_public_addresses_are_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/", "ftp://hook.example/", "https://", "https:///path", "https://user:pw@hook.example/",
        "https://hook.example:22/", "https://hook.example:99999/", "https://hook.example/a b", "https://[::1", "hook.example",
        "https://hook.example\\@127.0.0.1/", "file:///etc/passwd", "https://hook.example/\n",
    ],
)  # fmt: skip
def test_what_is_no_public_https_address_is_refused(url: str) -> None:
    with pytest.raises(UnsafeTarget):
        safe_target(url, allow_loopback=False, resolver=lambda *_: ["93.184.216.34"])


@pytest.mark.parametrize(
    "url",
    ["https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://localhost/", "https://[::1]/"],
)
def test_loopback_in_disguise_is_refused_by_what_it_resolves_to(url: str) -> None:
    with pytest.raises(UnsafeTarget):
        safe_target(url, allow_loopback=False)


def test_a_name_is_asked_once_and_the_checked_address_is_called() -> None:
    asked: list[str] = []

    def turncoat(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) == 1 else ["127.0.0.1"]

    target = safe_target("https://hook.example:8443/a?b=1", allow_loopback=False, resolver=turncoat)
    assert (target.url, target.host_header) == ("https://93.184.216.34:8443/a?b=1", "hook.example:8443")
    assert asked == ["hook.example"]


def test_an_address_that_turned_inward_after_it_was_added_is_not_called(
    world: World, house: House, receiver: Receiver
) -> None:
    made = an_endpoint(house.client(), receiver)
    house.a_waiting_record()
    wrote(house)
    strict = world.settings.model_copy(update={"webhook_allow_loopback": False})
    sender = WebhookSender(world.database, strict, vault=world.tieout.vault, clock=world.clock)
    assert sender.send_due() == (0, 1)
    sender.close()
    assert receiver.got == []
    (logged,) = exact(house.client().get(f"/webhooks/{made['id']}/deliveries"))["items"]
    assert "unencrypted" in logged["last_error"]


# ---------------------------------------------------------------- whose


def test_endpoints_and_deliveries_of_another_builder_are_not_found(
    world: World, house: House, receiver: Receiver
) -> None:
    made = an_endpoint(house.client(), receiver)
    house.a_waiting_record()
    wrote(house)
    (logged,) = exact(house.client().get(f"/webhooks/{made['id']}/deliveries"))["items"]
    stranger = world.a_house("Stranger").client()
    at = f"/webhooks/{made['id']}"
    for answer in (
        stranger.call("PUT", at, json={"url": receiver.url}),
        stranger.delete(at),
        stranger.post(f"{at}/rotate-secret"),
        stranger.get(f"{at}/deliveries"),
        stranger.post(
            f"{at}/replay", {"since": NOW.isoformat(), "until": (NOW + timedelta(hours=1)).isoformat()}
        ),
        stranger.post(f"/webhook-deliveries/{logged['id']}/resend"),
        stranger.delete(f"/hooks/{made['id']}"),
    ):
        problem(answer, 404, "access.not_found")
    assert exact(stranger.get("/events"))["items"] == []
    assert exact(stranger.get("/webhooks"))["items"] == []
