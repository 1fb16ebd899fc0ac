"""An event reaches every address that wants it, signed and by the published schedule; endpoints are their builder's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from standardwebhooks.webhooks import Webhook

from resources.store.notices import raise_notifications
from resources.store.webhooks import rewrap_secrets
from resources.vault import Vault
from resources.webhooks import SCHEDULE
from tests.api.webhooks.receiver import Receiver, an_endpoint, deliver, wrote
from tests.api.world import NOW, Client, House, World, exact, problem

# ---------------------------------------------------------------- deliveries


def something_to_tell(house: House, receiver: Receiver) -> Client:
    """A receiver that wants to hear, and one event that it has not heard of."""
    client = house.client()
    an_endpoint(client, receiver)
    house.a_waiting_record()
    wrote(house)
    return client


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
    client = something_to_tell(house, receiver)
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
    client = something_to_tell(house, receiver)
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
