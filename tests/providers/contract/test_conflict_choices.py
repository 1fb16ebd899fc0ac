"""Conflicts through the API and read back from the ledger: every answer, many at once, history, another strategy."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import exact, problem
from tests.support.office import Office
from tests.support.office_api import OfficeApi


@pytest.fixture
def manual(office: Office, api: OfficeApi) -> OfficeApi:
    """A person decides."""
    api.strategy("manual")
    return api


def disagree(office: Office, *numbers: str, ours: str = "115.00", theirs: str = "90.00") -> dict[str, str]:
    """Bills that both sides changed; number → our id."""
    vendor = office.vendor()
    made = {number: office.bill(vendor, number=number) for number in numbers}
    office.settled()
    change(office, made, ours=ours, theirs=theirs)
    return made


def change(office: Office, bills: dict[str, str], *, ours: str | None, theirs: str | None) -> None:
    if ours is not None:
        for bill in bills.values():
            office.run("update v2_bill_lines set amount = %s where bill_id = %s", ours, bill)
            office.change("v2_bills", bill, total=ours)
    if theirs is not None:
        office.later(minutes=5)
        for bill in office.books.valid("bill"):
            if bill.number in bills:
                office.books.reprice("bill", bill.id, theirs)


def totals(office: Office) -> dict[str, Decimal]:
    return {str(bill.number): bill.total for bill in office.books.valid("bill")}


def here(office: Office) -> dict[str, Decimal]:
    return dict(office.rows("select number, total from v2_bills where status = 'approved'"))


def test_a_conflict_says_what_each_answer_does_with_the_money(office: Office, manual: OfficeApi) -> None:
    disagree(office, "B-1")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    assert conflict["money_difference"] == "25.00"
    told = {each["choice"]: each for each in conflict["choices"]}
    assert set(told) == {"platform", "provider", "ignore", "keep_both"}
    assert "total 90.00 → 115.00" in told["platform"]["ledger"]
    assert "(a difference of 25.00)" in told["platform"]["ledger"]
    assert "due date" not in told["platform"]["ledger"], "the ledger keeps the day it filled in"
    assert "total 115.00 → 90.00" in told["provider"]["platform"]
    assert told["keep_both"]["is_allowed"] is False
    assert "Both have the number B-1" in told["keep_both"]["why_not"]
    fields = {each["field"]: each for each in conflict["fields"]}
    assert (fields["total"]["ours"], fields["total"]["base"], fields["total"]["theirs"]) == (
        "115.00",
        "100.00",
        "90.00",
    )


@pytest.mark.parametrize(("choice", "total"), [("platform", "115.00"), ("provider", "90.00")])
def test_a_side_that_is_chosen_is_on_both_sides_afterwards(
    office: Office, manual: OfficeApi, choice: str, total: str
) -> None:
    disagree(office, "B-1")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    body = {"chosen_value": choice, "version": conflict["version"], "reason": "agreed", "start_sync": True}
    manual.post(f"/conflicts/{conflict['id']}/resolve", body)
    assert (totals(office), here(office)) == ({"B-1": Decimal(total)}, {"B-1": Decimal(total)})
    assert manual.items("/conflicts") == []
    office.settled()


def test_a_side_per_field_is_rehearsed_chosen_and_on_both_sides_afterwards(
    office: Office, manual: OfficeApi
) -> None:
    invoice = office.invoice(office.client(), memo="Draw 1")
    office.settled()
    (there,) = office.books.valid("invoice")
    office.run("update v2_invoice_lines set amount = 115 where invoice_id = %s", invoice)
    office.change("v2_invoices", invoice, total=115, memo="Draw 1, ours")
    office.later(minutes=5)
    office.books.reprice("invoice", there.id, "90.00")
    office.books.annotate("invoice", there.id, "Draw 1, theirs")
    kept, calls = office.books.kept("invoice"), len(office.books.calls())
    rehearsal = manual.post("/rehearsals")
    (foreseen,) = manual.items(f"/rehearsals/{rehearsal['id']}/records", entity="invoice")
    assert (foreseen["outcome"], foreseen["amount"]) == ("conflict", "115.0000")
    assert {call.method for call in office.books.calls()[calls:]} == {"GET"}
    assert (office.books.kept("invoice"), manual.items("/conflicts")) == (kept, [])
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    changed = {each["field"]: each["changed_by"] for each in conflict["fields"]}
    # Both ledgers fill in a day on which it is due: nobody is asked about it.
    assert changed == {"memo": "both", "lines": "both", "total": "both", "due_date": "neither"}
    path = f"/conflicts/{conflict['id']}/resolve"
    part = {"chosen_value": {"memo": "provider"}, "version": conflict["version"]}
    assert "lines" in problem(manual.client.post(path, part), 422, "conflict.choice_rejected")["detail"]
    chosen = {"memo": "provider", "lines": "platform", "total": "platform"}
    manual.post(path, {"chosen_value": chosen, "version": conflict["version"], "start_sync": True})
    (merged,) = office.books.valid("invoice")
    assert (merged.total, merged.memo.splitlines()[0]) == (Decimal("115.00"), "Draw 1, theirs")
    ours = office.rows("select total, memo from v2_invoices")
    assert ours == [(Decimal("115.0000"), "Draw 1, theirs")]
    pack = manual.get(f"/evidence/invoice/{invoice}")
    before = str([each["before"] for each in pack["changes"]])
    assert ("Draw 1, ours" in before, "90.00" in before) == (True, True), (
        "what was overwritten is written down"
    )
    office.settled()


def test_what_is_ignored_comes_back_with_its_history_when_the_ledger_moves(
    office: Office, manual: OfficeApi
) -> None:
    bills = disagree(office, "B-1")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    manual.post(
        f"/conflicts/{conflict['id']}/resolve", {"chosen_value": "ignore", "reason": "ask the vendor"}
    )
    manual.sync()
    assert manual.items("/conflicts") == []
    assert (totals(office), here(office)) == ({"B-1": Decimal("90.00")}, {"B-1": Decimal("115.00")})
    change(office, bills, ours=None, theirs="95.00")
    manual.sync()
    (again,) = manual.items("/conflicts")
    shown = manual.get(f"/conflicts/{again['id']}")
    (decision,) = shown["history"]
    assert (decision["decision"], decision["reason"]) == ("ignore", "ask the vendor")
    assert {"total": "90.00"}.items() <= {f["field"]: f["theirs"] for f in decision["fields"]}.items()


def test_an_open_conflict_that_moves_keeps_what_it_showed_and_an_old_choice_gets_the_fresh_one(
    office: Office, manual: OfficeApi
) -> None:
    bills = disagree(office, "B-1")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    change(office, bills, ours=None, theirs="95.00")
    manual.sync()
    body = {"chosen_value": "platform", "version": conflict["version"]}
    found = problem(manual.client.post(f"/conflicts/{conflict['id']}/resolve", body), 409, "conflict.stale")
    assert found["conflict"]["money_difference"] == "20.00"
    shown = manual.get(f"/conflicts/{conflict['id']}")
    assert [each["money_difference"] for each in shown["earlier"]] == ["25.00"]
    assert totals(office) == {"B-1": Decimal("95.00")}


def test_both_are_kept_where_their_numbers_differ(office: Office, manual: OfficeApi) -> None:
    bills = disagree(office, "B-1")
    office.change("v2_bills", bills["B-1"], number="B-1A")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    (keep,) = [each for each in conflict["choices"] if each["choice"] == "keep_both"]
    assert keep["is_allowed"] is True
    manual.post(f"/conflicts/{conflict['id']}/resolve", {"chosen_value": "keep_both", "start_sync": True})
    assert totals(office) == {"B-1": Decimal("90.00"), "B-1A": Decimal("115.00")}
    assert here(office) == {"B-1A": Decimal("115.00")}
    office.settled()
    assert len(office.books.valid("bill")) == 2


def test_both_are_not_kept_under_one_number(office: Office, manual: OfficeApi) -> None:
    disagree(office, "B-1")
    manual.sync()
    (conflict,) = manual.items("/conflicts")
    answer = manual.client.post(f"/conflicts/{conflict['id']}/resolve", {"chosen_value": "keep_both"})
    assert "Both have the number B-1" in problem(answer, 422, "conflict.choice_rejected")["detail"]


def test_one_answer_decides_all_of_a_kind_after_a_preview(office: Office, manual: OfficeApi) -> None:
    bills = disagree(office, "B-1", "B-2", "B-3")
    office.bill(office.vendor("Other Supply"), number="X-1")
    manual.sync()
    (first, *_) = manual.items("/conflicts")
    asked: dict[str, Any] = {"like": first["id"], "chosen_value": "provider"}
    preview = manual.post("/conflicts/resolve-all", asked)
    assert (preview["is_preview"], preview["records"], preview["money_difference"]) == (True, 3, "75.00")
    assert all("total 115.00 → 90.00" in each["platform"] for each in preview["conflicts"])
    assert here(office)["B-2"] == Decimal("115.00")

    change(office, {"B-2": bills["B-2"]}, ours=None, theirs="80.00")
    manual.sync()
    answer = manual.client.post("/conflicts/resolve-all", asked | {"version": preview["version"]})
    fresh = problem(answer, 409, "conflict.stale_selection")["conflict"]
    assert fresh["money_difference"] == "85.00"
    done = exact(
        manual.client.post(
            "/conflicts/resolve-all", asked | {"version": fresh["version"], "start_sync": True}
        )
    )
    assert (done["is_preview"], done["records"]) == (False, 3)
    assert {number: total for number, total in here(office).items() if number.startswith("B")} == {
        "B-1": Decimal("90.00"),
        "B-2": Decimal("80.00"),
        "B-3": Decimal("90.00"),
    }


def test_another_strategy_is_previewed_and_then_decides_what_is_open(
    office: Office, manual: OfficeApi
) -> None:
    disagree(office, "B-1", "B-2")
    manual.sync()
    assert len(manual.items("/conflicts")) == 2
    path = f"/connections/{office.connection_id}/settings"
    shown = manual.get(path)
    kept = {k: shown[k] for k in ("sync_schedule", "sync_window", "time_zone", "is_real_time")}
    wanted = kept | {"conflict_strategy": "provider_wins"}
    told = manual.post(f"{path}/preview", wanted)["conflicts"]
    assert told == [
        {"entity": "bill", "strategy": "provider_wins", "what": "taken", "records": 2, "amount": "230.0000"}
    ]
    assert len(manual.items("/conflicts")) == 2
    exact(manual.client.put(path, wanted))
    manual.sync()
    assert manual.items("/conflicts") == []
    assert set(here(office).values()) == {Decimal("90.00")}
    lost = office.rows(
        "select strategy, before -> 'canonical' ->> 'total' from audit_log where action = 'sync.apply'"
    )
    assert lost == [("provider_wins", "115.00"), ("provider_wins", "115.00")]
