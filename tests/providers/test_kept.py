"""What a provider shows of a record right after it was sent: nobody's edit is seen in it, and none is overlooked."""

from __future__ import annotations

import pytest

from resources.quickbooks.kept import as_kept as kept_by_quickbooks
from resources.xero.kept import as_kept as kept_by_xero
from sync.incoming import BackResolver, to_platform
from sync.mapping import MappingTable
from sync.records import Canonical, Entity, RemoteRecord

BILL: Canonical = {
    "number": None,
    "date": "2026-05-20",
    "due_date": None,
    "party": "v",
    "currency": None,
    "memo": "call Joe",
    "total": "10.00",
    "lines": [{"description": "", "amount": "10.00", "account": "a"}],
}
ENTRY: Canonical = {
    "number": None,
    "date": "2026-05-20",
    "currency": None,
    "memo": "",
    "lines": [
        {"debit": "1.00", "account": "a", "party_kind": "vendor", "party": "v"},
        {
            "credit": "1.00",
            "account": "b",
            "party_kind": None,
            "party": None,
            "dimensions": {"sub_customer": "j"},
        },
    ],
}
SHOWN = {"number": "1001", "due_date": "2026-06-19", "currency": "USD", "memo": "typed there", "lines": []}


def shown(version: str, canonical: Canonical, entity: Entity = Entity.BILL) -> RemoteRecord:
    return RemoteRecord(entity, "1", version, "active", canonical, "It", None)


def test_xero_has_no_memo_on_a_bill_wants_a_text_on_each_line_and_takes_the_date_for_the_due_date() -> None:
    kept = kept_by_xero(Entity.BILL, BILL, shown=SHOWN, before=None)
    assert (kept["memo"], kept["due_date"], kept["number"]) == ("", "2026-05-20", None)
    assert [line["description"] for line in kept["lines"]] == ["No description"]
    assert BILL["lines"][0]["description"] == "", "what was sent is left as it was"


def test_xero_keeps_the_memo_of_an_invoice_and_numbers_a_new_one() -> None:
    kept = kept_by_xero(Entity.INVOICE, BILL, shown=SHOWN, before=None)
    assert (kept["memo"], kept["number"]) == ("call Joe", "1001")


def test_xero_leaves_the_number_where_a_change_names_none() -> None:
    kept = kept_by_xero(Entity.BILL, BILL, shown=SHOWN, before={**SHOWN, "number": "17"})
    assert kept["number"] == "17"


def test_xero_names_nobody_on_the_lines_of_a_journal() -> None:
    kept = kept_by_xero(Entity.JOURNAL_ENTRY, ENTRY, shown=SHOWN, before=None)
    assert [(line["party_kind"], line["party"]) for line in kept["lines"]] == [(None, None)] * 2


@pytest.mark.parametrize(("number", "kept"), [("4000", "4000"), (None, "T001")])
def test_xero_gives_an_account_without_a_number_a_code(number: str | None, kept: str) -> None:
    sent = {"name": "Crane", "number": number, "type": "expense", "description": None}
    assert kept_by_xero(Entity.ACCOUNT, sent, shown={"number": "T001"}, before=None)["number"] == kept


def test_what_quickbooks_shows_of_a_document_that_nobody_touched_is_what_came_of_it() -> None:
    assert kept_by_quickbooks(Entity.BILL, BILL, shown=shown("0", SHOWN), before=None) == SHOWN


def test_a_memo_typed_in_quickbooks_since_is_an_edit() -> None:
    kept = kept_by_quickbooks(Entity.BILL, BILL, shown=shown("1", SHOWN), before=None)
    assert kept["memo"] == "call Joe"


def test_a_change_in_quickbooks_leaves_what_it_does_not_name() -> None:
    kept = kept_by_quickbooks(
        Entity.BILL,
        BILL,
        shown=shown("2", {**SHOWN, "due_date": "2026-07-31"}),
        before={**SHOWN, "due_date": "2026-06-30", "number": "17"},
    )
    assert (kept["due_date"], kept["number"], kept["currency"]) == ("2026-06-30", "17", "USD")


def test_a_vendor_found_by_its_name_in_quickbooks_may_be_entered_by_somebody_else() -> None:
    sent = {"name": "Ridge", "email": None, "phone": None, "address": None}
    there = {**sent, "email": "office@ridge.example"}
    assert (
        kept_by_quickbooks(Entity.VENDOR, sent, shown=shown("0", there, Entity.VENDOR), before=None) == sent
    )


def test_quickbooks_names_the_client_of_a_job_on_a_line_that_names_nobody() -> None:
    there = {**ENTRY, "lines": [{}, {"party_kind": "customer", "party": "c"}]}
    kept = kept_by_quickbooks(Entity.JOURNAL_ENTRY, ENTRY, shown=shown("1", there), before=None)
    assert [line["party"] for line in kept["lines"]] == ["v", "c"]


def test_nothing_was_sent_with_a_void() -> None:
    assert kept_by_quickbooks(Entity.BILL, {}, shown=shown("1", {}), before={}) == {}
    assert kept_by_xero(Entity.BILL, {}, shown={}, before={}) == {}


# ---------------------------------------------------------------------- taking what the ledger changed

BASE_OURS = {"name": "Ridge", "email": "joe@ridge.example", "phone": "1", "address": None}
BASE_THEIRS = {"name": "Ridge", "email": None, "phone": "2", "address": None}


def taken(theirs: Canonical, *, is_chosen: bool = False) -> Canonical:
    return to_platform(
        Entity.VENDOR,
        theirs,
        label="Ridge",
        resolver=BackResolver("Fake Books", MappingTable(), {}, {}),
        base_ours=BASE_OURS,
        base_theirs=BASE_THEIRS,
        is_chosen=is_chosen,
    )


def test_what_the_ledger_did_not_change_stays_as_it_was_here() -> None:
    renamed = taken({**BASE_THEIRS, "name": "Ridge Concrete"})
    assert renamed == {**BASE_OURS, "name": "Ridge Concrete"}


def test_what_the_ledger_changed_comes_in() -> None:
    assert taken({**BASE_THEIRS, "email": "new@ridge.example"})["email"] == "new@ridge.example"


def test_where_a_person_chose_the_ledgers_values_only_what_it_says_nothing_about_stays() -> None:
    chosen = taken({**BASE_THEIRS, "name": "Ridge Concrete"}, is_chosen=True)
    assert (chosen["email"], chosen["phone"]) == ("joe@ridge.example", "2")
