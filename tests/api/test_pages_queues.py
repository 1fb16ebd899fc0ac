"""Errors and held records by cause, and conflicts: what is shown, and that each button does what it says."""

from __future__ import annotations

import pytest

from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import FakeLauncher, House, World


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def a_held_bill(house: House, number: str = "4471") -> tuple[str, str]:
    """A bill that waits for the account of a cost code, and the cause."""
    code = house.a_cost_code(f"03-{number}", "Concrete")
    house.an_account("84", "Concrete", "cost_of_goods_sold", number="5033")
    house.an_account("12", "Sales", "income")
    cause = f"hold.mapping_missing:expense:{code}"
    record, _ = house.a_waiting_record(
        "held",
        link={"cause": cause},
        cause=cause,
        code="hold.mapping_missing",
        remedy="fix_mapping",
        label=f"Bill {number}",
        error_message=f"Bill {number} waits because cost code 03 has no expense account.",
    )
    return str(record), cause


# ---------------------------------------------------------------- errors and held


def test_what_has_one_cause_stands_together_with_its_sentence_once(office: Browser, house: House) -> None:
    for number in ("4471", "4472", "4473"):
        house.a_waiting_record(
            cause="push.rejected",
            label=f"Bill {number}",
            error_message=f"Bill {number} waits: the vendor is inactive.",
        )
    house.a_waiting_record(cause="other", label="Bill 9", error_message="Bill 9 waits: it has no lines.")
    shown = office.get(place(house, "errors")).text
    assert "3 records with the same cause" in shown
    assert shown.count("waits: the vendor is inactive.") == 1
    assert shown.count("waits: it has no lines.") == 1
    assert "3,750.00 USD" in shown, "what the three block together"
    assert shown.count("Retry all with this cause") == 1


def test_records_that_say_different_things_are_not_said_to_have_one_cause(
    office: Browser, house: House
) -> None:
    for label, trouble in (("Bill 1", "its number is too long"), ("Client A", "its name has a colon")):
        house.a_waiting_record(
            cause="hold.document_invalid", label=label, error_message=f"{label} waits: {trouble}."
        )
    shown = office.get(place(house, "errors")).text
    assert "2 records to look at one by one" in shown
    assert "with the same cause" not in shown
    assert "with this cause" not in shown
    assert "Retry all of these" in shown


def test_what_waits_for_another_record_leads_to_that_one(office: Browser, house: House) -> None:
    client = house.one("insert into v2_clients (builder_id, name) values (%(builder)s, 'Ann') returning id")
    cause = f"hold.reference_missing:customer:{client}"
    house.a_waiting_record("held", link={"cause": cause}, cause=cause, code="hold.reference_missing")
    shown = office.get(place(house, "errors")).text
    assert f'href="/integrations/records/customer/{client}">Open what it waits for' in shown
    assert "Change it where it was made" not in shown


def test_what_is_held_is_not_said_to_be_refused(office: Browser, house: House) -> None:
    house.a_waiting_record("held", category="validation")
    assert "refused as it is" not in office.get(place(house, "errors")).text
    house.a_waiting_record("error", category="validation")
    assert "refused as it is" in office.get(place(house, "errors")).text


def test_each_record_leads_to_all_that_is_known_of_it(office: Browser, house: House) -> None:
    record, _ = house.a_waiting_record()
    known = house.record(record)["platform_entity_id"]
    assert f'href="/integrations/records/bill/{known}"' in office.get(place(house, "errors")).text


def test_a_record_s_page_shows_where_it_stands(office: Browser, house: House) -> None:
    vendor = house.one(
        "insert into v2_vendors (builder_id, name) values (%(builder)s, 'Summit Electric') returning id"
    )
    house.sql(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, total, currency, changed_at)"
        " values (%(builder)s, 'vendor', %(id)s, 'active', '{}', 'c', 'Summit Electric', 12.5, 'USD', now())"
        " on conflict do nothing",
        id=vendor,
    )
    house.a_link("vendor", record_id=vendor, state="failed", remote_id="31")
    shown = office.get(f"/integrations/records/vendor/{vendor}")
    assert (shown.status_code, "Summit Electric" in shown.text, "See what it waits for" in shown.text) == (
        200,
        True,
        True,
    )


def test_a_record_on_which_both_sides_agree_is_not_said_to_be_synced_yet(
    office: Browser, house: House
) -> None:
    vendor = house.one(
        "insert into v2_vendors (builder_id, name) values (%(builder)s, 'Summit Electric') returning id"
    )
    house.sql(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, changed_at)"
        " values (%(builder)s, 'vendor', %(id)s, 'active', '{}', 'c', 'Summit Electric', now())",
        id=vendor,
    )
    agreed = {"base_ours_checksum": "ours-1", "base_theirs_checksum": "theirs-1", "linked_by": "matched"}
    link = house.a_link("vendor", record_id=vendor, state="open", remote_id="31", **agreed)
    shown = office.get(f"/integrations/records/vendor/{vendor}").text
    assert "Both sides agree" in shown
    assert "To be synced" not in shown
    house.sql("update links set ours_checksum = 'ours-2' where id = %(id)s", id=link)
    assert "To be synced" in office.get(f"/integrations/records/vendor/{vendor}").text


def test_retrying_one_starts_a_sync_of_its_kind(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    record, link = house.a_waiting_record()
    answer = office.post(place(house, f"errors/{record}/retry"), {})
    assert answer.headers["location"] == place(house, "errors") + "?done=retried_now&n=1"
    assert house.link(link)["state"] == "open"
    assert launcher.launched[-1]["entities"] == ["bill"]
    assert "the next sync looks at it again" in office.get(place(house, "errors")).text


def test_retrying_a_cause_leaves_the_others_alone(office: Browser, house: House) -> None:
    _, wanted = house.a_waiting_record(cause="push.rejected")
    _, other = house.a_waiting_record(cause="other")
    office.post(place(house, "errors/retry-all"), {"cause": "push.rejected", "status": "error"})
    assert (house.link(wanted)["state"], house.link(other)["state"]) == ("open", "failed")
    office.post(place(house, "errors/retry-all"), {})
    assert house.link(other)["state"] == "open"


def test_dismissing_keeps_the_reason(office: Browser, house: House) -> None:
    record, link = house.a_waiting_record()
    answer = office.post(place(house, f"errors/{record}/dismiss"), {"reason": "paid in cash"})
    assert "done=dismissed&n=1" in answer.headers["location"]
    assert house.link(link)["state"] == "ignored"
    assert house.audit("queue.dismissed")[-1]["reason"] == "paid in cash"
    for number in range(2):
        house.a_waiting_record(label=f"Bill {number}")
    office.post(place(house, "errors/dismiss-all"), {"reason": "before our time"})
    assert "Nothing waits" in office.get(place(house, "errors")).text


def test_a_button_of_one_connection_touches_no_other(office: Browser, house: House) -> None:
    other = house.a_second_connection()
    _, link = house.a_waiting_record(connection_id=other, link={"connection_id": other})
    office.post(place(house, "errors/retry-all"), {})
    office.post(place(house, "errors/dismiss-all"), {})
    assert house.link(link)["state"] == "failed"


def test_a_hold_is_ended_where_it_stands_by_choosing_the_account(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    _, cause = a_held_bill(house)
    shown = office.get(place(house, "errors") + "?status=held").text
    assert "Map it and send" in shown
    assert '<option value="84">5033 Concrete</option>' in shown
    assert '<option value="12">' not in shown, "an income account fits no expense"
    answer = office.post(place(house, "holds/fix"), {"cause": cause, "provider_account_id": "84"})
    assert answer.headers["location"].endswith("done=released&n=1")
    assert launcher.launched[-1]["entities"] == ["bill"]
    assert house.one("select count(*) from mapping_versions where connection_id = %(connection)s") == 1


def test_an_account_that_does_not_fit_is_refused_with_its_sentence(office: Browser, house: House) -> None:
    _, cause = a_held_bill(house)
    refused = office.post(place(house, "holds/fix"), {"cause": cause, "provider_account_id": "12"})
    assert (refused.status_code, "choose one of type cost of goods sold" in refused.text) == (422, True)


def test_the_list_is_filtered_and_exported_alike(office: Browser, house: House) -> None:
    a_held_bill(house)
    house.a_waiting_record(label="Bill 77", error_message="Bill 77 waits.", category="validation")
    only = office.get(place(house, "errors") + "?status=error&entity=bill&category=validation").text
    assert "Bill 77" in only
    assert "Bill 4471" not in only
    address = only.split('href="')[1:]
    export = next(each.split('"')[0] for each in address if "/export" in each).replace("&amp;", "&")
    file = office.get(export)
    assert file.headers["content-type"].startswith("text/csv")
    assert ("Bill 77" in file.text, "Bill 4471" in file.text) == (True, False)


def test_a_viewer_sees_what_waits_and_is_offered_no_button(world: World, house: House) -> None:
    a_held_bill(house)
    house.a_conflict()
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    for tab in ("errors", "conflicts"):
        shown = visitor.get(place(house, tab)).text
        assert "Bill 4471" in shown
        assert 'method="post" action="/integrations' not in shown


def test_what_a_record_is_called_is_never_markup(office: Browser, house: House) -> None:
    house.a_waiting_record(label="<img src=x>", error_message="<img src=x> waits: <b>x</b>")
    house.a_conflict(label="<img src=x>")
    for tab in ("errors", "conflicts"):
        shown = office.get(place(house, tab)).text
        assert "<img" not in shown
        assert "&lt;img" in shown


# ---------------------------------------------------------------- conflicts


def version_in(page: str) -> str:
    return page.split('name="version" value="')[1].split('"', maxsplit=1)[0]


def test_a_conflict_shows_three_values_and_what_each_answer_does(office: Browser, house: House) -> None:
    conflict, _ = house.a_conflict()
    assert "250.00 USD" in office.get(place(house, "conflicts")).text
    shown = office.get(place(house, f"conflicts/{conflict}")).text
    for text in ("2026-04-30", "2026-04-15", "2026-05-15", "250.00 USD", "Keep ours", "Keep theirs"):
        assert text in shown, text
    for text in ("Keep both", "Leave both as they are", "Field by field", "Nothing changes here."):
        assert text in shown, text


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ({"chosen_value": "platform"}, "use_ours"),
        ({"chosen_value": "provider"}, "use_theirs"),
        ({"chosen_value": "ignore"}, "dismissed"),
        (
            {"chosen_value": "per_field", "side.due_date": "platform", "side.memo": "provider"},
            'merge:{"due_date":"platform","memo":"provider"}',
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_answer_is_stored_as_it_was_given(
    office: Browser, house: House, launcher: FakeLauncher, answer: dict[str, str], decision: str
) -> None:
    conflict, link = house.a_conflict()
    version = version_in(office.get(place(house, f"conflicts/{conflict}")).text)
    # The sides per field are sent along by every answer, and count for one only.
    form = (
        {"side.due_date": "platform", "side.memo": "platform"}
        | answer
        | {"version": version, "reason": "asked Ann"}
    )
    done = office.post(place(house, f"conflicts/{conflict}"), form)
    assert done.headers["location"] == place(house, "conflicts") + "?done=resolved"
    assert house.link(link)["decision"] == decision
    assert house.audit("conflict.resolved")[-1]["reason"] == "asked Ann"
    assert launcher.launched[-1]["entities"] == ["bill"]


def test_a_conflict_says_who_changed_what_and_asks_nothing_about_the_rest(
    office: Browser, house: House
) -> None:
    changed = {"memo": "both", "number": "platform", "total": "provider", "due_date": "neither"}
    fields = [
        {"field": name, "ours": None, "base": None, "theirs": "1", "changed_by": by}
        for name, by in changed.items()
    ]
    data = {"fields": fields, "ours_checksum": "ours-1", "theirs_checksum": "theirs-1"}
    conflict, link = house.a_conflict(conflict_data=data)
    shown = office.get(place(house, f"conflicts/{conflict}")).text
    for text in (
        "Changed on both sides",
        "Changed here",
        "Changed in QuickBooks Online",
        "Changed by neither: QuickBooks Online filled it in; no answer needed",
        '<input type="radio" name="side.due_date" value="" checked> As it is',
    ):
        assert text in shown, text
    assert shown.count(" As it is</label>") == 1
    answer = {"chosen_value": "per_field", "version": version_in(shown), "side.due_date": ""}
    sides = {"side.memo": "platform", "side.number": "platform", "side.total": "provider"}
    done = office.post(place(house, f"conflicts/{conflict}"), answer | sides)
    assert done.headers["location"] == place(house, "conflicts") + "?done=resolved"
    assert house.link(link)["decision"] == 'merge:{"memo":"platform","number":"platform","total":"provider"}'


def test_an_answer_about_older_values_shows_the_fresh_conflict(office: Browser, house: House) -> None:
    conflict, link = house.a_conflict()
    refused = office.post(
        place(house, f"conflicts/{conflict}"), {"chosen_value": "platform", "version": "0" * 16}
    )
    assert refused.status_code == 409
    assert "changed again after this conflict was shown" in refused.text
    assert "2026-05-15" in refused.text
    assert version_in(refused.text) != "0" * 16
    assert house.link(link)["decision"] is None


def test_an_answer_that_cannot_be_given_says_why_beside_the_conflict(office: Browser, house: House) -> None:
    conflict, _ = house.a_conflict()
    for form, sentence in (
        ({}, "Choose an answer first."),
        ({"chosen_value": "keep_both"}, "Both cannot be kept."),
        ({"chosen_value": "per_field", "side.memo": "platform"}, "no side was chosen for due_date"),
    ):
        refused = office.post(place(house, f"conflicts/{conflict}"), form)
        assert (refused.status_code, sentence in refused.text) == (422, True), sentence
        assert "2026-05-15" in refused.text


def test_one_answer_for_all_alike_is_previewed_and_decides_exactly_that(
    office: Browser, house: House
) -> None:
    conflict, link = house.a_conflict()
    _, other = house.a_conflict(label="Bill 4472")
    preview = office.get(place(house, f"conflicts/{conflict}/alike") + "?chosen_value=provider").text
    assert "Keep theirs for 2 conflicts" in preview
    assert "500.00 USD" in preview
    assert house.link(link)["decision"] is None, "a preview decides nothing"
    form = {"chosen_value": "provider", "version": version_in(preview)}
    house.a_conflict(label="Bill 4473")
    stale = office.post(place(house, f"conflicts/{conflict}/alike"), form)
    assert (stale.status_code, "3 conflicts" in stale.text) == (409, True)
    form["version"] = version_in(stale.text)
    done = office.post(place(house, f"conflicts/{conflict}/alike"), form)
    assert done.headers["location"].endswith("done=resolved_many&n=3")
    assert (house.link(link)["decision"], house.link(other)["decision"]) == ("use_theirs", "use_theirs")
    assert "No conflict is open" in office.get(place(house, "conflicts")).text
