"""What people are told: once, grouped, per person, and by a mail that goes out exactly as far as the server says."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from starlette.routing import Match

from resources.delivery import Deliverer
from resources.mail import MailRefused, MailUnknown
from resources.notice_pages import RECORDS_NAMED_MAX, page_of
from resources.settings import Settings
from resources.store.notices import all_builders, raise_notifications
from sync.notices import KINDS, notice
from tests.api.world import NOW, House, World, exact, problem

HOUR = timedelta(hours=1)


def tell(house: House) -> list[str]:
    return list(raise_notifications(house.world.database, house.id, now=house.world.clock.now()))


@pytest.fixture
def clock(world: World) -> Iterator[World]:
    """The world, whose clock may be moved for one test."""
    before = world.clock.now()
    yield world
    world.clock._now = before


# ---------------------------------------------------------------- raised from the state


def test_nothing_is_told_while_nothing_is_the_matter(house: House) -> None:
    assert tell(house) == []
    assert exact(house.client().get("/notifications")) == {"items": [], "unread": 0, "next_cursor": None}


def test_everything_that_is_the_matter_is_told_once_and_ends_by_itself(house: House) -> None:
    house.sql(
        "update v2_integration_connections set refresh_failures = 2, refresh_expires_at = %(soon)s where id = %(connection)s",
        soon=NOW + timedelta(days=5),
    )
    for _ in range(3):
        house.a_waiting_record()
    house.a_conflict()
    house.a_waiting_record("error", next_retry_at=NOW, link={"next_try_at": NOW})
    house.sql(
        "insert into tie_outs (builder_id, connection_id, is_tied, difference, lines)"
        " values (%(builder)s, %(connection)s, false, 120.5, '[]')"
    )
    for minutes in (1, 2):
        house.a_run(
            status="failed", error_summary="no answer.", requested_at=NOW - timedelta(minutes=minutes)
        )
    expected = [
        "access_ending", "conflicts", "dead_letters", "outage_began", "refresh_failing", "tie_out_difference",
    ]  # fmt: skip
    assert sorted(tell(house)) == expected
    assert tell(house) == []
    items = {each["kind"]: each for each in exact(house.client().get("/notifications"))["items"]}
    assert sorted(items) == expected
    assert items["dead_letters"]["title"] == "3 records could not be synced with Cedar Ridge Homes LLC"
    assert "120.5" in items["tie_out_difference"]["message"]
    assert "2026-03-07" in items["access_ending"]["message"]
    house.sql("update v2_integration_connections set refresh_failures = 0 where id = %(connection)s")
    house.sql("update v2_sync_records set resolved_at = now()")
    house.a_run(status="completed")
    assert tell(house) == ["outage_ended"]
    still = {each["kind"] for each in exact(house.client().get("/notifications", open=True))["items"]}
    assert still == {"access_ending", "tie_out_difference", "outage_ended"}


def test_what_comes_back_is_told_again(house: House) -> None:
    for _ in range(2):
        house.sql("update v2_integration_connections set status = 'expired' where id = %(connection)s")
        assert tell(house) == ["connection_lost"]
        house.sql("update v2_integration_connections set status = 'connected' where id = %(connection)s")
        assert tell(house) == []


def test_a_record_that_somebody_had_tried_again_is_no_dead_letter_meanwhile(house: House) -> None:
    record, _ = house.a_waiting_record(
        "error", next_retry_at=NOW + HOUR, link={"next_try_at": NOW + HOUR, "tries": 1}
    )
    assert tell(house) == []
    exact(house.client("bookkeeper").post(f"/sync/errors/{record}/retry"))
    assert tell(house) == []


def test_a_write_is_told_when_no_look_in_the_ledger_explains_it_or_only_a_person_can_tell(
    house: House,
) -> None:
    _, looked_up = house.a_waiting_record(code="push.outcome_unknown", link={"state": "unknown"})
    house.an_attempt(looked_up, started_at=NOW - HOUR)
    assert tell(house) == []
    house.sql(
        "update attempts set first_started_at = %(at)s, started_at = %(now)s",
        at=NOW - timedelta(days=1),
        now=NOW,
    )
    assert tell(house) == ["dead_letters"]
    house.sql("update v2_sync_records set code = 'push.outcome_undecided'")
    house.sql("update attempts set first_started_at = %(now)s", now=NOW)
    assert tell(house) == []
    assert house.one("select records from notifications where resolved_at is null") == 1


def test_a_difference_is_told_when_no_write_that_is_being_looked_up_can_be_it(house: House) -> None:
    link = house.a_link(state="unknown")
    attempt = house.an_attempt(link, started_at=NOW)
    house.sql(
        "insert into tie_outs (builder_id, connection_id, taken_at, is_tied, difference, lines)"
        " values (%(builder)s, %(connection)s, %(now)s, false, 120.5, '[]')",
        now=NOW,
    )
    assert tell(house) == []
    # Found in the ledger, but that tie-out is of before.
    house.sql("update attempts set state = 'done' where id = %(id)s", id=attempt)
    house.sql("update links set settled_at = %(at)s", at=NOW + HOUR)
    assert tell(house) == []
    house.sql("update tie_outs set taken_at = %(at)s", at=NOW + HOUR)
    assert tell(house) == ["tie_out_difference"]
    house.sql("update attempts set state = 'unknown'")
    assert tell(house) == []
    assert house.one("select count(*) from notifications where resolved_at is null") == 1, (
        "what was told stays"
    )


def test_what_is_held_is_told_with_how_many_causes_it_has_and_ends_by_itself(house: House) -> None:
    for cause in ("hold.period_locked", "hold.period_locked", "hold.approval_missing:bill"):
        house.a_waiting_record("held", cause=cause)
    assert tell(house) == ["held"]
    (shown,) = exact(house.client().get("/notifications"))["items"]
    assert shown["title"] == "3 records wait to be synced with Cedar Ridge Homes LLC (2 causes)"
    assert shown["records"] == 3
    exact(house.client("bookkeeper").post("/sync/errors/retry-all", {"cause": "hold.period_locked"}))
    assert tell(house) == []
    (shown,) = exact(house.client().get("/notifications"))["items"]
    assert shown["title"] == "1 record waits to be synced with Cedar Ridge Homes LLC (1 cause)"
    house.sql("update v2_sync_records set resolved_at = %(now)s", now=NOW)
    assert tell(house) == []
    assert exact(house.client().get("/notifications", open=True))["items"] == []


def test_a_disconnected_company_bothers_nobody(house: House) -> None:
    house.a_waiting_record()
    house.sql("update v2_integration_connections set status = 'disconnected' where id = %(connection)s")
    assert tell(house) == []


# ---------------------------------------------------------------- per person


def test_one_person_s_reading_leaves_it_unread_for_another(house: House, clock: World) -> None:
    house.a_waiting_record()
    tell(house)
    anna, ben = house.client("viewer"), house.client("bookkeeper")
    (shown,) = exact(anna.get("/notifications"))["items"]
    assert exact(anna.post("/notifications/read", {"ids": [shown["id"]]})) == {"unread": 0}
    assert exact(anna.get("/notifications", unread=True))["items"] == []
    assert exact(ben.get("/notifications"))["unread"] == 1
    house.a_waiting_record()
    clock.clock.move(timedelta(minutes=5))
    assert tell(house) == [], "told once"
    (grown,) = exact(anna.get("/notifications", unread=True))["items"]
    assert (grown["id"], grown["records"], grown["read_at"]) == (shown["id"], 2, None)
    assert exact(anna.post("/notifications/read"))["unread"] == 0


def test_a_muted_kind_is_not_shown_to_that_person(house: House) -> None:
    house.a_waiting_record()
    house.a_conflict()
    tell(house)
    anna, ben = house.client("viewer"), house.client("viewer")
    exact(anna.put("/notifications/preferences", {"muted": ["conflicts"]}))
    assert [each["kind"] for each in exact(anna.get("/notifications"))["items"]] == ["dead_letters"]
    assert exact(anna.get("/notifications"))["unread"] == 1
    assert exact(ben.get("/notifications"))["unread"] == 2
    assert exact(anna.get("/notifications/preferences")) == {"email": None, "muted": ["conflicts"]}


@pytest.mark.parametrize(
    "address", ["a b@example.com", "a@b@c.com", "a@b.com\nBcc: x@y.com", "nobody", "<a@b.com>"]
)
def test_an_address_that_is_none_is_refused(house: House, address: str) -> None:
    problem(house.client().put("/notifications/preferences", {"email": address}), 422, "request.invalid")


def test_pages_of_notices_lead_through_all(house: House) -> None:
    house.a_waiting_record()
    house.a_conflict()
    tell(house)
    client = house.client()
    first = exact(client.get("/notifications", limit=1))
    second = exact(client.get("/notifications", limit=1, cursor=first["next_cursor"]))
    assert {first["items"][0]["kind"], second["items"][0]["kind"]} == {"conflicts", "dead_letters"}
    assert second["next_cursor"] is None


def test_every_kind_has_a_sentence() -> None:
    for kind in KINDS:
        said = notice(kind, company="Cedar", provider="Xero", records=1, facts={})
        assert said.title
        assert said.message.endswith(".")


# ---------------------------------------------------------------- mail


class Inbox:
    """A real mail server's handler; may refuse, for a while or for good."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            found = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            self.mails.append(found)
        return self.answer


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    handler = Inbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def mailing(settings: Settings, port: int) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_starttls": False,
            "smtp_from": "books@tieout.example",
        }
    )


def only(world: World, house: House) -> None:
    """Let earlier tests' mails not be due in this one."""
    for builder_id in all_builders(world.database):
        if builder_id != house.id:
            with world.database.builder_tx(builder_id) as tx:
                tx.connection.exec_driver_sql(
                    "update notification_mails set state = 'dropped' where state = 'pending'"
                )


def wanting_mail(house: House, address: str = "office@example.com") -> None:
    exact(house.client().put("/notifications/preferences", {"email": address}))


def test_notices_go_out_as_one_mail_in_text_and_html(
    world: World, house: House, inbox: tuple[Inbox, int]
) -> None:
    only(world, house)
    handler, port = inbox
    wanting_mail(house)
    house.sql(
        "update v2_integration_connections set provider_company_name = 'Cedar <b>&</b> Sons' where id = %(connection)s"
    )
    house.a_waiting_record()
    house.a_conflict()
    tell(house)
    deliverer = Deliverer(world.database, mailing(world.settings, port), clock=world.clock)
    assert deliverer.deliver_once().mails == 1
    assert deliverer.deliver_once().mails == 0
    (mail,) = handler.mails
    assert mail["To"] == "office@example.com"
    assert mail["Subject"].endswith("(and 1 more)")
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "Choose under Conflicts" in text.get_content()
    assert "Cedar &lt;b&gt;&amp;&lt;/b&gt; Sons" in html.get_content()


def test_a_mail_about_records_leads_to_each_of_them_on_both_sides(
    world: World, house: House, inbox: tuple[Inbox, int]
) -> None:
    only(world, house)
    handler, port = inbox
    wanting_mail(house)
    for number in range(RECORDS_NAMED_MAX + 2):
        house.a_waiting_record(
            label=f"Bill {number}",
            error_message=f"Bill {number} <waits>.",
            provider_entity_id=f"70{number}",
            created_at=NOW + timedelta(minutes=number),
        )
    failed, link = house.a_waiting_record(label="Bill 99", provider_entity_id="799", created_at=NOW + HOUR)
    conflict, _ = house.a_conflict(label="Invoice 7")
    tell(house)
    settings = mailing(world.settings, port).model_copy(
        update={
            "public_url": "https://books.example",
            "platform_record_url": "https://build.example/{entity}/{id}",
            "quickbooks_app_url": "https://qbo.example",
        }
    )
    assert Deliverer(world.database, settings, clock=world.clock).deliver_once().mails == 1
    (mail,) = handler.mails
    text, html = (
        part.get_content() for part in (mail.get_body(("plain",)), mail.get_body(("html",))) if part
    )
    pages = f"https://books.example/integrations/{house.connection_id}"
    record = house.link(link)["record_id"]
    for address in (
        f"{pages}/errors",
        f"{pages}/conflicts",
        f"{pages}/conflicts/{conflict}",
        f"https://books.example/integrations/records/bill/{record}",
        f"https://build.example/bill/{record}",
        "https://qbo.example/app/bill?txnId=799",
    ):
        assert address in text.split()
        assert f'href="{address}"' in html
    assert "Bill 99" in text
    assert "Bill 1 " not in text, "the newest ones are named"
    assert "and 3 more" in text
    assert "&lt;waits&gt;" in html
    assert str(failed) not in text


def test_a_hold_is_mailed_once_and_only_when_it_lasts_an_hour(
    clock: World, house: House, inbox: tuple[Inbox, int]
) -> None:
    only(clock, house)
    handler, port = inbox
    wanting_mail(house)
    deliverer = Deliverer(clock.database, mailing(clock.settings, port), clock=clock.clock)
    house.a_waiting_record("held", cause="hold.period_locked")
    tell(house)
    house.sql("update v2_sync_records set resolved_at = %(now)s", now=NOW)
    tell(house)
    house.a_waiting_record("held", cause="hold.period_locked", label="Bill 8", error_message="Bill 8 waits.")
    tell(house)
    clock.clock.move(timedelta(minutes=59))
    assert deliverer.deliver_once().mails == 0
    clock.clock.move(timedelta(minutes=1))
    assert deliverer.deliver_once().mails == 1
    house.a_waiting_record("held", cause="hold.approval_missing:bill")
    tell(house)
    clock.clock.move(timedelta(days=1))
    assert deliverer.deliver_once().mails == 0
    (mail,) = handler.mails
    text = mail.get_body(("plain",))
    assert text is not None
    assert "1 record waits" in text.get_content()
    assert "Bill 8 waits." in text.get_content()


def test_every_notice_leads_to_a_page_there_is(world: World, house: House) -> None:
    for kind in KINDS:
        for path in {page_of(kind, house.connection_id), page_of(kind, None)}:
            scope = {"type": "http", "method": "GET", "path": path}
            found = [route for route in world.app.routes if route.matches(scope)[0] is Match.FULL]
            assert found, path
    house.a_waiting_record()
    tell(house)
    (shown,) = exact(house.client().get("/notifications"))["items"]
    assert shown["page_url"].endswith(f"/integrations/{house.connection_id}/errors")


def test_a_server_that_is_down_is_tried_again_and_a_mail_never_goes_out_twice(
    clock: World, house: House, inbox: tuple[Inbox, int]
) -> None:
    only(clock, house)
    handler, port = inbox
    wanting_mail(house)
    house.a_waiting_record()
    tell(house)
    deliverer = Deliverer(clock.database, mailing(clock.settings, port), clock=clock.clock)
    handler.answer = "451 later"
    assert deliverer.deliver_once().failures == 1
    assert deliverer.deliver_once().failures == 0, "not before its time"
    handler.answer = "250 OK"
    clock.clock.move(timedelta(minutes=2))
    assert deliverer.deliver_once().mails == 1
    clock.clock.move(timedelta(days=3))
    assert deliverer.deliver_once().mails == 0
    assert len(handler.mails) == 1


def test_a_mail_that_may_have_gone_out_is_not_sent_again(clock: World, house: House) -> None:
    only(clock, house)
    wanting_mail(house)
    house.a_waiting_record()
    tell(house)
    tried: list[str] = []

    def cut(mail: EmailMessage, _settings: Settings) -> None:
        tried.append(mail["To"])
        raise MailUnknown("the line was cut")

    deliverer = Deliverer(clock.database, mailing(clock.settings, 9), clock=clock.clock, post=cut)
    for _ in range(3):
        deliverer.deliver_once()
        clock.clock.move(timedelta(hours=5))
    assert tried == ["office@example.com"]
    assert house.one("select state from notification_mails") == "unknown"


def test_an_address_the_server_refuses_for_good_is_given_up(clock: World, house: House) -> None:
    only(clock, house)
    wanting_mail(house)
    house.a_waiting_record()
    tell(house)

    def refuse(_mail: EmailMessage, _settings: Settings) -> None:
        raise MailRefused("550 no such box", is_final=True)

    Deliverer(clock.database, mailing(clock.settings, 9), clock=clock.clock, post=refuse).deliver_once()
    assert house.one("select state from notification_mails") == "failed"


def test_what_is_over_before_it_is_sent_is_not_mailed(
    world: World, house: House, inbox: tuple[Inbox, int]
) -> None:
    only(world, house)
    handler, port = inbox
    wanting_mail(house)
    house.a_waiting_record()
    tell(house)
    house.sql("update v2_sync_records set resolved_at = now()")
    tell(house)
    Deliverer(world.database, mailing(world.settings, port), clock=world.clock).deliver_once()
    assert handler.mails == []


def test_without_a_mail_server_nothing_is_sent_and_nothing_breaks(world: World, house: House) -> None:
    wanting_mail(house)
    house.a_waiting_record()
    assert Deliverer(world.database, world.settings, clock=world.clock).deliver_once().mails == 0
    assert len(exact(house.client().get("/notifications"))["items"]) == 1, "the sweep raised it"
