"""What the bank statement says of payments and deposits, over the API and on its page."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.api.test_pages import Browser
from tests.api.test_pages_sync import place
from tests.api.world import House, World, exact, problem

TABLES = {"payment": "v2_payments", "bill_payment": "v2_bill_payments", "deposit": "v2_deposits"}
DATES = {"payment": "payment_date", "bill_payment": "payment_date", "deposit": "deposit_date"}


def money(
    house: House,
    entity: str,
    label: str,
    *,
    day: str,
    amount: str,
    status: str | None,
    is_linked: bool = True,
) -> str:
    """A payment or deposit that both sides have, as the bookkeeper has left it."""
    found = str(
        house.one(
            f"insert into {TABLES[entity]} (builder_id, {DATES[entity]}, amount, reference, reconciliation_status)"
            " values (%(builder)s, %(day)s, %(amount)s, 'ACH 77', %(status)s) returning id",
            day=day,
            amount=amount,
            status=status,
        )
    )
    house.sql(
        "insert into records (builder_id, entity, id, state, canonical, checksum, label, document_date, total, currency, changed_at)"
        " values (%(builder)s, %(entity)s, %(id)s, 'active', '{}', 'c', %(label)s, %(day)s, %(amount)s, 'USD', now())"
        " on conflict (builder_id, entity, id) do update set state = 'active', label = excluded.label,"
        " document_date = excluded.document_date, total = excluded.total, currency = excluded.currency",
        entity=entity,
        id=found,
        label=label,
        day=day,
        amount=amount,
    )
    house.sql("delete from links where entity = %(entity)s and record_id = %(id)s", entity=entity, id=found)
    house.a_link(entity, record_id=found, remote_id=label[-2:] if is_linked else None, state="open")
    return found


def furnish(house: House) -> None:
    money(house, "payment", "Payment 11", day="2026-02-03", amount="100.00", status="matched")
    money(house, "payment", "Payment 12", day="2026-02-02", amount="50.25", status="unmatched")
    money(house, "deposit", "Deposit 13", day="2026-02-01", amount="30.00", status="partially_matched")
    money(house, "bill_payment", "Bill payment 14", day="2026-01-31", amount="9.00", status=None)
    money(house, "payment", "Payment 15", day="2026-02-04", amount="1.00", status="matched", is_linked=False)


def labels(answer: Any) -> list[str]:
    return [each["label"] for each in exact(answer)["items"]]


def test_money_that_both_sides_have_is_listed_newest_first_with_its_state(house: House) -> None:
    furnish(house)
    shown = exact(house.client().get(f"/connections/{house.connection_id}/bank"))
    assert [(each["label"], each["status"]) for each in shown["items"]] == [
        ("Payment 11", "matched"),
        ("Payment 12", "unmatched"),
        ("Deposit 13", "partially_matched"),
        ("Bill payment 14", "unknown"),
    ]
    assert shown["items"][1]["amount"] == "50.2500"
    assert shown["items"][0]["reference"] == "ACH 77"
    totals = {(each["entity"], each["status"]): each["records"] for each in shown["totals"]}
    assert totals["payment", "matched"] == 1
    assert totals["bill_payment", "unknown"] == 1


def test_it_is_filtered_and_paged(house: House) -> None:
    furnish(house)
    client, path = house.client(), f"/connections/{house.connection_id}/bank"
    assert labels(client.get(path, status="unmatched")) == ["Payment 12"]
    assert labels(client.get(path, status="unknown")) == ["Bill payment 14"]
    assert labels(client.get(path, entity="payment")) == ["Payment 11", "Payment 12"]
    seen, cursor = [], None
    while True:
        page = exact(client.get(path, limit=1, **({"cursor": cursor} if cursor else {})))
        seen += [each["label"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["Payment 11", "Payment 12", "Deposit 13", "Bill payment 14"]
    problem(client.get(path, cursor="bm9uZQ"), 422, "input.invalid")


def test_another_builder_s_connection_has_no_money_here(house: House) -> None:
    problem(house.client().get(f"/connections/{uuid4()}/bank"), 404, "access.not_found")


def test_the_page_says_what_is_matched_and_what_not(world: World, house: House) -> None:
    furnish(house)
    visitor = Browser(world)
    visitor.sign_in(house, role="viewer")
    shown = visitor.get(place(house, "bank")).text
    for text in ("Matched", "Partly matched", "Not matched yet", "Not said yet", "50.25 USD", "Payment 11"):
        assert text in shown, text
    only = visitor.get(place(house, "bank") + "?status=unmatched&entity=").text
    assert ("Payment 12" in only, "Deposit 13" in only) == (True, False)


def test_a_connection_without_money_says_so(world: World, house: House) -> None:
    visitor = Browser(world)
    visitor.sign_in(house)
    assert (
        "No payment, bill payment or deposit is on both sides yet." in visitor.get(place(house, "bank")).text
    )
