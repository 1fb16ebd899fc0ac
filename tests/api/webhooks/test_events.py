"""What happened becomes an event once, listed by page and forgotten in its time."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from resources.store.notices import raise_notifications
from resources.store.webhooks import forget_events
from sync.events import EVENT_TYPES, SAMPLES
from tests.api.webhooks.receiver import wrote
from tests.api.world import NOW, House, exact


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
