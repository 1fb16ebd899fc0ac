"""The approval lane and documents of closed periods: what the sentence tells a person to do can be done where it leads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import FakeLauncher, House, World


@pytest.fixture
def office(world: World, house: House) -> Browser:
    visitor = Browser(world)
    visitor.sign_in(house)
    return visitor


def a_bill_to_approve(house: House, label: str = "Bill 4471", **link: Any) -> tuple[UUID, UUID]:
    return house.a_waiting_record(
        "held",
        link={"decided_ours_checksum": "ours-1"} | link,
        cause="hold.approval_missing:bill",
        code="hold.approval_missing",
        remedy="ASK_USER",
        label=label,
        error_message=f"{label} waits for approval to be created in QuickBooks Online. Accept or reject it under Approvals.",
    )


def a_bill_of_a_closed_period(house: House, code: str = "hold.period_question") -> tuple[UUID, UUID]:
    return house.a_waiting_record(
        "held",
        link={"decided_ours_checksum": "ours-1"},
        cause=code,
        code=code,
        remedy="ASK_USER",
        label="Bill 9",
        error_message="Bill 9 waits for your choice: its date 2026-01-15 lies in a closed period.",
    )


def test_what_says_accept_it_under_approvals_leads_there(office: Browser, house: House) -> None:
    a_bill_to_approve(house)
    shown = office.get(place(house, "errors")).text
    assert f'href="{place(house, "approvals")}">Open the approvals' in shown
    assert "Change it where it was made" not in shown
    lane = office.get(place(house, "approvals")).text
    for text in ("Bill 4471", "1,250.00 USD", "Accept all", "Reject…"):
        assert text in lane, text
    assert "under Approvals" not in lane, "one stands there"


def test_accepting_sends_the_record(office: Browser, house: House, launcher: FakeLauncher) -> None:
    record, link = a_bill_to_approve(house)
    answer = office.post(place(house, f"approvals/{record}/accept"), {})
    assert answer.headers["location"] == place(house, "approvals") + "?done=accepted&n=1"
    assert house.link(link)["approved_by"] == "user ann@example.com"
    assert launcher.launched[-1]["entities"] == ["bill"]
    told = office.get(answer.headers["location"]).text
    assert "1 record is accepted" in told
    assert "No record waits for approval" in told


def test_accepting_all_of_a_kind_leaves_the_other_kinds(office: Browser, house: House) -> None:
    a_bill_to_approve(house)
    other, _ = a_bill_to_approve(house, "Invoice 7")
    house.sql("update v2_sync_records set platform_entity_type = 'invoice' where id = %(id)s", id=other)
    house.sql(
        "update links set entity = 'invoice' where id = (select link_id from v2_sync_records where id = %(id)s)",
        id=other,
    )
    answer = office.post(place(house, "approvals/accept-all"), {"entity": "bill"})
    assert answer.headers["location"].endswith("done=accepted&n=1")
    lane = office.get(place(house, "approvals")).text
    assert ("Invoice 7" in lane, "Bill 4471" in lane) == (True, False)


def test_a_rejected_record_is_found_again_with_its_reason_and_proposed_again(
    office: Browser, house: House
) -> None:
    record, link = a_bill_to_approve(house)
    assert office.post(place(house, f"approvals/{record}/reject"), {"reason": ""}).status_code == 422
    office.post(place(house, f"approvals/{record}/reject"), {"reason": "paid in cash"})
    assert house.link(link)["state"] == "ignored"
    rejected = office.get(place(house, "approvals") + "?state=rejected").text
    assert "paid in cash" in rejected
    answer = office.post(place(house, f"approvals/{record}/resend"), {})
    assert answer.headers["location"].endswith("done=resent")
    assert house.link(link)["state"] == "open"


def test_what_was_edited_after_it_was_shown_is_not_accepted(office: Browser, house: House) -> None:
    record, link = a_bill_to_approve(house, ours_checksum="ours-2")
    lane = office.get(place(house, "approvals")).text
    assert "It was edited since" in lane
    assert f"approvals/{record}/accept" not in lane
    refused = office.post(place(house, f"approvals/{record}/accept"), {})
    assert (refused.status_code, "approval.stale" in refused.text) == (409, True)
    assert house.link(link)["state"] == "held"


def test_a_viewer_sees_the_lane_and_is_offered_no_button(world: World, house: House) -> None:
    a_bill_to_approve(house)
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    shown = visitor.get(place(house, "approvals")).text
    assert "Bill 4471" in shown
    assert 'method="post" action="/integrations' not in shown


def test_a_document_of_a_closed_period_is_decided_where_it_waits(
    office: Browser, house: House, launcher: FakeLauncher
) -> None:
    record, link = a_bill_of_a_closed_period(house)
    shown = office.get(place(house, "errors")).text
    for text in ("Post it on the first open day", "Leave it held"):
        assert text in shown, text
    path = place(house, f"errors/{record}/closed-period")
    answer = office.post(path, {"choice": "first_open_day"})
    assert answer.headers["location"] == place(house, "errors") + "?done=moved_to_open_day"
    assert house.audit("period.chosen")[-1]["after"] == {"choice": "first_open_day"}
    assert launcher.launched[-1]["entities"] == ["bill"]
    assert house.link(link)["state"] == "open"


def test_what_is_posted_in_a_closed_period_is_offered_no_other_day(office: Browser, house: House) -> None:
    a_bill_of_a_closed_period(house, "hold.period_posted")
    assert "Post it on the first open day" not in office.get(place(house, "errors")).text
