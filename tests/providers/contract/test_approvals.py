"""The approval lane, through the API and read back from the ledger."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.api.world import problem
from tests.support.office import Office
from tests.support.office_api import OfficeApi


@pytest.fixture
def lane(office: Office, api: OfficeApi) -> OfficeApi:
    """Bills are looked through by a person."""
    api.setting("bill", approval="review")
    return api


def numbers(office: Office) -> list[str | None]:
    return sorted(str(one.number) for one in office.books.valid("bill"))


def test_nothing_is_sent_before_a_person_accepts_it(office: Office, lane: OfficeApi) -> None:
    vendor = office.vendor()
    office.bill(vendor)
    office.bill(vendor, number="B-2")
    office.invoice(office.client())
    lane.sync()
    assert numbers(office) == []
    assert len(office.books.valid("invoice")) == 1, "another entity's lane is direct"
    waiting = {each["label"]: each for each in lane.items("/approvals")}
    accepted = waiting["Bill B-1 (Ridge Concrete)"]
    assert accepted["amount"] == "100.0000"
    assert "waits for approval to be created" in accepted["message"]
    done = lane.post(f"/approvals/{accepted['id']}/accept", {"reason": "checked", "start_sync": True})
    assert done["records"] == 1
    assert numbers(office) == ["B-1"]
    assert [each["label"] for each in lane.items("/approvals")] == ["Bill B-2 (Ridge Concrete)"]
    approver = office.value(
        "select after ->> 'approved_by' from audit_log where action = 'push.create' and entity = 'bill'"
    )
    assert approver.startswith("api key owner")


def test_what_was_rejected_is_not_proposed_again_until_it_is_edited(office: Office, lane: OfficeApi) -> None:
    bill = office.bill(office.vendor())
    lane.sync()
    (waiting,) = lane.items("/approvals")
    problem(lane.client.post(f"/approvals/{waiting['id']}/reject", {"reason": ""}), 422, "request.invalid")
    lane.post(f"/approvals/{waiting['id']}/reject", {"reason": "no delivery note"})
    lane.sync()
    assert lane.items("/approvals") == []
    (rejected,) = lane.items("/approvals", state="rejected")
    assert (rejected["reject_reason"], numbers(office)) == ("no delivery note", [])
    office.change("v2_bills", bill, memo="note attached")
    lane.sync()
    assert len(lane.items("/approvals")) == 1
    assert lane.items("/approvals", state="rejected") == []


def test_what_was_rejected_can_be_sent_back_as_it_is(office: Office, lane: OfficeApi) -> None:
    office.bill(office.vendor())
    lane.sync()
    (waiting,) = lane.items("/approvals")
    lane.post(f"/approvals/{waiting['id']}/reject", {"reason": "wrong month"})
    lane.post(f"/approvals/{waiting['id']}/resend", {"start_sync": True})
    (again,) = lane.items("/approvals")
    assert numbers(office) == []
    lane.post("/approvals/accept-all", {"entity": "bill", "start_sync": True})
    assert numbers(office) == ["B-1"]
    problem(lane.client.post(f"/approvals/{waiting['id']}/resend"), 404, "access.not_found")
    problem(lane.client.post(f"/approvals/{again['id']}/accept"), 409, "access.already_done")
    actions = [
        row[0]
        for row in office.rows(
            "select action from audit_log where starts_with(action, 'approval.') order by at"
        )
    ]
    assert actions == ["approval.rejected", "approval.resent", "approval.accepted"]


def test_an_edit_after_the_acceptance_asks_again(office: Office, lane: OfficeApi) -> None:
    bill = office.bill(office.vendor())
    lane.sync()
    (waiting,) = lane.items("/approvals")
    lane.post(f"/approvals/{waiting['id']}/accept")
    office.change("v2_bills", bill, memo="something else")
    lane.sync()
    assert numbers(office) == []
    assert len(lane.items("/approvals")) == 1


def test_an_edit_and_a_void_of_what_was_sent_are_looked_through_as_well(
    office: Office, lane: OfficeApi
) -> None:
    vendor = office.vendor()
    edited, ended = office.bill(vendor), office.bill(vendor, number="B-2")
    lane.sync()
    lane.post("/approvals/accept-all", {"start_sync": True})
    office.run("update v2_bill_lines set amount = 75 where bill_id = %s", edited)
    office.change("v2_bills", edited, total=75)
    office.change("v2_bills", ended, status="void")
    lane.sync()
    assert numbers(office) == ["B-1", "B-2"]
    messages = " ".join(each["message"] for each in lane.items("/approvals"))
    assert "to be changed" in messages
    assert "to be voided" in messages
    lane.post("/approvals/accept-all", {"start_sync": True})
    assert [(one.number, one.total) for one in office.books.valid("bill")] == [("B-1", Decimal("75.00"))]


def test_a_lane_that_becomes_direct_lets_everything_out(office: Office, lane: OfficeApi) -> None:
    office.bill(office.vendor())
    lane.sync()
    lane.setting("bill", approval="direct")
    lane.sync()
    assert numbers(office) == ["B-1"]
