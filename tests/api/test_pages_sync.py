"""The first page, connecting step by step, the sync panel, and the history."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from resources.store.sessions import make_link
from sync.errors import ChoiceNeeded, ConsentDenied
from sync.records import SYNC_ORDER
from tests.api.test_pages import Browser
from tests.api.world import NOW, Completed, FakeLauncher, House, World

LINES = [
    {"name": "Invoices", "ours": "5446497.98", "theirs": "5446497.98", "explanation": ""},
    {"name": "Bills", "ours": "1340726.67", "theirs": "1340561.17", "explanation": ""},
]


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def a_tie_out(house: House, lines: list[dict[str, Any]]) -> None:
    house.sql(
        "insert into tie_outs (builder_id, connection_id, taken_at, is_tied, difference, lines)"
        " values (%(builder)s, %(connection)s, %(now)s, %(tied)s, 165.50, %(lines)s::jsonb)",
        now=NOW,
        tied=all(each["ours"] == each["theirs"] for each in lines),
        lines=json.dumps(lines),
    )


def place(house: House, tab: str = "") -> str:
    return f"/integrations/{house.connection_id}" + (f"/{tab}" if tab else "")


# ---------------------------------------------------------------- the first page


def test_the_first_page_shows_every_provider_with_its_health_and_the_way_to_connect(
    office: Browser, house: House
) -> None:
    house.a_waiting_record()
    house.a_conflict()
    shown = office.get("/integrations").text
    for text in (
        "Something does not get through",
        "could not be synced with QuickBooks Online",
        "1 error",
        "1 conflict",
        "0 held",
        "92 days left",
        "Xero",
        "enter the app's credentials",
        "Sync now",
    ):
        assert text in shown, text


@pytest.mark.parametrize("tab", ["", "errors", "mapping", "settings"])
def test_every_page_of_a_connection_that_ended_says_so_and_leads_on(world: World, tab: str) -> None:
    house = world.a_house(status="expired")
    visitor = Browser(world)
    visitor.sign_in(house)
    shown = visitor.get(place(house, tab)).text
    assert "no longer accepts this connection: nothing is synced until it is reconnected." in shown
    assert shown.count('href="/integrations/connect/quickbooks_online"') == 1
    assert "days left" not in shown
    house.sql("update v2_integration_connections set status = 'disconnected', disconnected_at = now()")
    assert "The connection has ended: nothing is synced." in visitor.get(place(house, tab)).text
    kept = f'<a href="{place(house, "history")}">The history</a> is kept.'
    assert kept in visitor.get("/integrations").text


def test_moments_are_told_in_the_builder_s_own_time_zone(world: World) -> None:
    house = world.a_house(time_zone="America/Denver")
    visitor = Browser(world)
    visitor.sign_in(house)
    assert "2 Mar 2026, 07:50 MST" in visitor.get("/integrations").text


def test_a_difference_just_found_was_said_to_be_older_than_the_sync_that_found_it(
    office: Browser, house: House
) -> None:
    a_tie_out(house, LINES)
    # A sync ends after its tie-out.
    house.sql(
        "update v2_integration_connections set last_sync_at = %(later)s", later=NOW + timedelta(seconds=1)
    )
    for path in ("/integrations", place(house)):
        shown = office.get(path).text
        assert "Differs by up to 165.50 USD" in shown
        assert "Something was synced since" not in shown, path


def test_a_difference_from_before_the_last_change_says_that_it_may_be_gone(
    office: Browser, house: House
) -> None:
    a_tie_out(house, LINES)
    house.a_conflict()
    note = "Something was synced since; the next sync of everything compares anew."
    assert note not in office.get("/integrations").text
    # One kind was synced, or a document as soon as it was approved.
    house.sql("update links set settled_at = %(later)s", later=NOW + timedelta(minutes=5))
    for path in ("/integrations", place(house)):
        assert note in office.get(path).text, path


def test_the_tie_out_shows_both_totals_of_what_differs(office: Browser, house: House) -> None:
    a_tie_out(house, LINES)
    shown = office.get("/integrations").text
    assert "Differs by up to 165.50 USD" in shown
    for amount in ("1,340,726.67", "1,340,561.17", "165.50"):
        assert f'class="amount">{amount}</td>' in shown


def test_a_tie_out_without_a_difference_says_so(office: Browser, house: House) -> None:
    a_tie_out(house, LINES[:1])
    shown = office.get("/integrations").text
    assert "Ties to the cent" in shown
    assert "Differs" not in shown


def test_a_viewer_sees_the_same_and_is_offered_nothing_to_press(world: World, house: House) -> None:
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    for path in ("/integrations", place(house), place(house, "first-steps")):
        shown = visitor.get(path)
        assert shown.status_code == 200
        forms = [each for each in shown.text.split("<form")[1:] if "/signout" not in each]
        assert forms == [], path


def test_a_sentence_after_a_deed_is_one_of_ours_and_never_the_address_s(office: Browser) -> None:
    assert "4 records will be tried again" in office.get("/integrations?done=retried&n=4").text
    shown = office.get("/integrations?done=<b>pwned</b>&n=1").text
    assert "pwned" not in shown
    assert "<script" not in office.get("/integrations?done=retried&n=<script>").text


# ---------------------------------------------------------------- connecting


def test_what_will_flow_is_shown_before_any_consent(office: Browser) -> None:
    shown = office.get("/integrations/connect/xero")
    assert "Contacts (customers)" in shown.text
    assert "from the ledger" in shown.text
    chosen = office.get("/integrations/connect").text
    assert 'href="/integrations/connect/quickbooks_online"' in chosen
    assert 'href="/integrations/connect/xero"' not in chosen, "it has no credentials here"


def test_going_on_leads_to_the_provider_with_this_browser_s_token(office: Browser, world: World) -> None:
    page = office.get("/integrations/connect/quickbooks_online")
    assert "form-action 'self' https://appcenter.intuit.com" in page.headers["content-security-policy"]
    answer = office.post("/integrations/connect/quickbooks_online", {})
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "https://provider.example/consent?state=abc",
    )
    assert world.connections.begun[0][2] == office.http.cookies.get("tieout_browser")


def back_from_the_provider(office: Browser) -> httpx.Response:
    wanted = "/api/v1/integrations/callback/quickbooks_online?state=abc&code=1"
    return office._runner.run(office.http.get(wanted, headers={"Accept": "text/html"}))


def test_the_answer_of_the_provider_leads_to_the_first_steps(
    office: Browser, world: World, house: House
) -> None:
    office.post("/integrations/connect/quickbooks_online", {})
    world.connections.completed = Completed(
        str(house.id), str(house.connection_id), "Cedar Ridge", "quickbooks_online"
    )
    answer = back_from_the_provider(office)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        place(house, "first-steps") + "?done=connected",
    )
    shown = office.get(answer.headers["location"]).text
    assert "Connected. The first steps are below." in shown
    assert "Map cost codes to accounts" in shown


def test_an_answer_for_another_builder_leads_nowhere_in_ours(office: Browser, world: World) -> None:
    office.post("/integrations/connect/quickbooks_online", {})
    other = world.a_house("Stranger")
    world.connections.completed = Completed(
        str(other.id), str(other.connection_id), "Stranger's", "quickbooks_online"
    )
    answer = back_from_the_provider(office)
    assert answer.status_code == 200
    assert "Connected to" in answer.text


def test_a_consent_that_was_refused_says_so_and_leads_back(office: Browser, world: World) -> None:
    office.post("/integrations/connect/quickbooks_online", {})
    world.connections.fails = ConsentDenied(provider="QuickBooks Online")
    shown = back_from_the_provider(office).text
    assert "was not connected" in shown
    assert "/integrations/connect/quickbooks_online" in shown


def test_a_consent_of_several_companies_asks_which_one_on_a_page_like_the_others(
    office: Browser, world: World, house: House
) -> None:
    office.post("/integrations/connect/quickbooks_online", {})
    choices = [{"id": "a1", "name": "Cedar <Ridge> Homes"}, {"id": "b2", "name": "Alder Homes"}]
    world.connections.fails = ChoiceNeeded(provider="QuickBooks Online", state="abc", choices=choices)
    shown = back_from_the_provider(office).text
    for text in ("Choose a company in QuickBooks Online", "Connect Alder Homes", "Cedar &lt;Ridge&gt; Homes"):
        assert text in shown, text
    assert "/static/tieout.css" in shown
    assert 'aria-current="step">Consent and company' in shown
    assert 'href="/integrations/connect/quickbooks_online">Begin again' in shown


def test_only_an_owner_connects_and_disconnects(world: World, house: House) -> None:
    visitor = Browser(world)
    visitor.sign_in(house, role="bookkeeper")
    for path in ("/integrations/connect/quickbooks_online", place(house, "disconnect")):
        refused = visitor.post(path, {"sure": "true"})
        assert (refused.status_code, "access.not_allowed" in refused.text) == (403, True)


def test_disconnecting_asks_first(office: Browser, house: House) -> None:
    unsure = office.post(place(house, "disconnect"), {})
    assert (unsure.status_code, "Nothing was ended" in unsure.text) == (422, True)
    ended = office.post(place(house, "disconnect"), {"sure": "true"})
    assert ended.headers["location"] == "/integrations?done=disconnected_untold"


def test_the_accounts_are_read_anew_on_request(office: Browser, world: World, house: House) -> None:
    answer = office.post(place(house, "accounts"), {})
    assert answer.status_code == 303
    assert world.tieout.pulled == [str(house.connection_id)]


# ---------------------------------------------------------------- the sync panel


def test_sync_now_starts_everything_or_one_kind_and_shows_how_it_goes(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    answer = office.post(place(house, "sync"), {"entity": "bill"})
    assert (answer.status_code, answer.headers["location"]) == (303, place(house) + "?done=sync_started")
    assert launcher.launched[-1]["entities"] == ["bill"]
    again = office.post(place(house, "sync"), {"entity": "bill"})
    assert again.headers["location"].endswith("done=sync_running")
    shown = office.get(place(house)).text
    assert "A sync is waiting to start" in shown
    assert 'data-running="yes"' in shown


def test_the_panel_tells_kind_by_kind_what_a_running_sync_has_done(office: Browser, house: House) -> None:
    run = house.a_run(status="started", entities=["vendor", "bill", "payment"], started_at=NOW)
    house.a_log(
        sync_run_id=run,
        entity_type="vendor",
        completed_at=NOW,
        records_processed=3,
        records_succeeded=3,
        summary={"pushed": {"count": 3, "amount": "0"}},
    )
    house.a_log(sync_run_id=run, entity_type="bill", status="started", started_at=NOW + timedelta(seconds=1))
    part = office.get(place(house, "progress"))
    assert "<html" not in part.text
    assert "1 of 3 kinds of record done; now: Bills" in part.text
    assert part.text.count("not part of it") == len(SYNC_ORDER) - 3
    assert '<progress max="3" value="1"' in part.text
    assert "3 sent" in part.text
    assert ">Sync</button>" not in part.text, "while one runs, no other is offered"


def test_a_kind_nobody_knows_is_refused_with_a_sentence(office: Browser, house: House) -> None:
    refused = office.post(place(house, "sync"), {"entity": "invoicez"})
    assert (refused.status_code, "request.invalid" in refused.text) == (422, True)


# ---------------------------------------------------------------- the history


def test_the_history_is_paged_and_filtered(office: Browser, house: House) -> None:
    for minute in range(30):
        house.a_log(started_at=NOW + timedelta(minutes=minute), records_processed=1)
    house.a_log(entity_type="payment", direction="pull", status="failed", error_summary="It was cut.")
    first = office.get(place(house, "history")).text
    assert first.count('<th scope="row">') == 25
    older = first.split('class="button quiet" href="')[-1].split('"')[0].replace("&amp;", "&")
    assert "It was cut." in office.get(older).text
    failed = office.get(place(house, "history") + "?status=failed&entity=payment").text
    assert failed.count('<th scope="row">') == 1
    assert "Nothing of that kind" in office.get(place(house, "history") + "?entity=deposit").text


def test_a_row_opens_with_its_records_and_their_messages(office: Browser, house: House) -> None:
    log = house.a_log(records_processed=1, records_failed=1)
    house.a_waiting_record(sync_log_id=log, error_message="The number is too long; shorten it.")
    listed = office.get(place(house, "history")).text
    assert f'{place(house, "history")}/{log}" data-expand="row-' in listed
    page = office.get(f"{place(house, 'history')}/{log}")
    part = office._runner.run(
        office.http.get(f"{place(house, 'history')}/{log}", headers={"X-Tieout-Part": "1"})
    )
    for shown in (page, part):
        assert "The number is too long; shorten it." in shown.text
        assert "1,250.00 USD" in shown.text
    assert ("<html" in page.text, "<html" in part.text) == (True, False)


def test_a_history_without_rows_says_so(office: Browser, house: House) -> None:
    assert "Nothing was synced yet." in office.get(place(house, "history")).text


def test_a_narrowed_session_is_not_led_where_it_may_not_go(world: World, house: House) -> None:
    link = make_link(world.database, house.id, person="ann", role="viewer", now=NOW)
    visitor = Browser(world)
    visitor.post("/signin", {"link": link})
    assert visitor.post(place(house, "sync"), {}).status_code == 403
