"""where, order, paging, If-Modified-Since, ids and the light forms of lists."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.xero.refusals import CallRefused
from sandbox.xero.resource import columns_of
from sandbox.xero.where import parse_order, parse_where
from tests.sandbox.xero.client import Json, Xero, exact

COLUMNS = columns_of(Name="text", Total="number", Date="date", Paid="flag", ID="guid")


@pytest.fixture
def three(xero: Xero, contact: Json) -> list[Json]:
    other = xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Other Ltd"}]})
    return [
        xero.new_invoice(contact["ContactID"], amount="10.00", Date="2026-05-01", Reference="alpha"),
        xero.new_invoice(contact["ContactID"], amount="20.00", Date="2026-05-02", Status="DRAFT"),
        xero.new_invoice(other["ContactID"], amount="30.00", Date="2026-05-03", Type="ACCPAY"),
    ]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ('Type=="ACCREC"', [0, 1]),
        ('Type=="ACCREC" AND Status=="AUTHORISED"', [0]),
        ('Status=="DRAFT" || AmountDue >= 30', [1, 2]),
        ("Date>=DateTime(2026,05,02)", [1, 2]),
        ('Date < DateTime.Parse("2026-05-02")', [0]),
        ("Total > 10 && Total <= 20.00", [1]),
        ('Reference != null AND Reference.StartsWith("al")', [0]),
        ('Contact.Name.ToLower().Contains("other")', [2]),
        ('Contact.Name == "HARBOUR HOMES"', [0, 1]),
        ('!(Status=="DRAFT") AND (Type=="ACCPAY" OR Total==10)', [0, 2]),
        ("SentToContact == false", [0, 1, 2]),
        ('InvoiceNumber == "inv-0001"', [0]),
    ],
)
def test_where_finds_what_it_says(xero: Xero, three: list[Json], where: str, found: list[int]) -> None:
    listed = xero.many("Invoices", query={"where": where, "page": 1})
    assert {one["InvoiceID"] for one in listed} == {three[n]["InvoiceID"] for n in found}


def test_where_takes_guids_and_dotted_fields(xero: Xero, three: list[Json]) -> None:
    key = three[0]["InvoiceID"]
    assert [
        one["InvoiceID"] for one in xero.many("Invoices", query={"where": f'InvoiceID==Guid("{key}")'})
    ] == [key]
    paid = xero.pay(key, "10.00")
    where = f'Invoice.InvoiceID==guid("{key}") AND Status=="AUTHORISED"'
    assert [one["PaymentID"] for one in xero.many("Payments", query={"where": where})] == [paid["PaymentID"]]


@pytest.mark.parametrize(
    "where",
    [
        "Nope==1",
        "Total=='x'",
        "Total==",
        "(Total==1",
        "Date==5",
        'Name.Foo("x")',
        "Total AND",
        '"x"',
        "((((" * 40,
        "!" * 400 + "Paid",
        "DateTime(1,2)",
        'Guid("x")==ID',
        "Name.Contains(" * 300,
    ],
)
def test_a_bad_where_is_a_query_parse_exception(where: str) -> None:
    with pytest.raises(CallRefused) as refused:
        parse_where(where, columns=COLUMNS, type_name="Invoice")
    assert (refused.value.number, refused.value.kind) == (16, "QueryParseException")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='NameTotlDIPaid.()&|=!<>"0123456789 ,ANDORnul', max_size=40))
def test_any_text_as_where_parses_or_is_refused(text: str) -> None:
    document = {"Name": "x", "Total": Decimal(1), "Date": None, "Paid": True, "ID": None}
    number, answer = 0, True
    try:
        answer = parse_where(text, columns=COLUMNS, type_name="Invoice").test(document)
    except CallRefused as refused:
        number = refused.number
    assert (number, answer) in ((16, True), (0, True), (0, False))


def test_order_sorts_by_several_fields_with_nothing_first() -> None:
    documents = [{"Name": "b", "Total": 1}, {"Name": "a", "Total": 1}, {"Total": 2}]
    arrange = parse_order("Total DESC, Name", columns=COLUMNS, type_name="Invoice")
    assert [one.get("Name") for one in arrange(documents)] == [None, "a", "b"]


def test_pages_count_and_end_with_an_empty_list(xero: Xero, three: list[Json]) -> None:
    first = xero.ok("GET", "Invoices", query={"page": 1, "pageSize": 2, "order": "Date DESC"})
    assert first["pagination"] == {"page": 1, "pageSize": 2, "pageCount": 2, "itemCount": 3}
    assert first["Invoices"][0]["InvoiceID"] == three[2]["InvoiceID"]
    assert len(xero.many("Invoices", query={"page": 2, "pageSize": 2})) == 1
    assert xero.many("Invoices", query={"page": 3, "pageSize": 2}) == []
    assert "pagination" not in xero.ok("GET", "Invoices")


def test_without_a_page_lists_come_whole_but_without_lines(xero: Xero, three: list[Json]) -> None:
    assert {len(one["LineItems"]) for one in xero.many("Invoices")} == {0}
    assert {len(one["LineItems"]) for one in xero.many("Invoices", query={"page": 1})} == {1}
    assert {
        len(one["LineItems"]) for one in xero.many("Invoices", query={"Statuses": "DRAFT,AUTHORISED"})
    } == {1}


def test_summary_only_needs_a_page_and_is_light(xero: Xero, three: list[Json]) -> None:
    assert xero.send("GET", "Invoices", query={"summaryOnly": "true"}).json()["ErrorNumber"] == 16
    found = xero.many("Invoices", query={"summaryOnly": "True", "page": 1})
    assert len(found) == 3
    assert "LineItems" not in found[0]


@pytest.mark.parametrize(
    "query", [{"page": 0}, {"page": "x"}, {"page": 1, "pageSize": 1001}, {"pageSize": -1}]
)
def test_a_bad_page_is_refused(xero: Xero, query: Json) -> None:
    assert xero.send("GET", "Invoices", query=query).status_code == 400


def test_id_number_contact_and_status_lists_filter(xero: Xero, three: list[Json]) -> None:
    def ids(**query: str) -> set[str]:
        return {one["InvoiceID"] for one in xero.many("Invoices", query=query)}

    keys = [one["InvoiceID"] for one in three]
    assert ids(IDs=f"{keys[0]},{keys[2]}") == {keys[0], keys[2]}
    assert ids(InvoiceNumbers="INV-0001, inv-0002") == set(keys[:2])
    assert ids(ContactIDs=three[2]["Contact"]["ContactID"]) == {keys[2]}
    assert ids(Statuses="DRAFT") == {keys[1]}
    assert ids(searchTerm="ALPH") == {keys[0]}
    assert ids(createdByMyApp="true") == set(keys)


@pytest.mark.parametrize(
    "spelling",
    [
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+00:00",
        "%Y-%m-%dT%H:%M:%S.000Z",
        "%a, %d %b %Y %H:%M:%S GMT",
    ],
)
def test_if_modified_since_is_understood_in_every_spelling(xero: Xero, contact: Json, spelling: str) -> None:
    xero.new_invoice(contact["ContactID"])
    xero.control("/clock", {"shift_seconds": 100})
    cut = xero.emulator.clock.now()
    xero.control("/clock", {"shift_seconds": 100})
    late = xero.new_invoice(contact["ContactID"])
    found = xero.many("Invoices", headers={"If-Modified-Since": cut.strftime(spelling)}, query={"page": 1})
    assert [one["InvoiceID"] for one in found] == [late["InvoiceID"]]


def test_if_modified_since_sees_an_old_document_that_changed_and_answers_200_when_nothing_did(
    xero: Xero, three: list[Json]
) -> None:
    xero.control("/clock", {"shift_seconds": 60})
    since = {"If-Modified-Since": xero.emulator.clock.now().isoformat()}
    assert xero.many("Invoices", headers=since) == []
    xero.control("/clock", {"shift_seconds": 60})
    xero.one("POST", f"Invoices/{three[1]['InvoiceID']}", {"Status": "AUTHORISED"})
    assert [one["InvoiceID"] for one in xero.many("Invoices", headers=since)] == [three[1]["InvoiceID"]]
    assert xero.send("GET", "Invoices", headers={"If-Modified-Since": "yesterday"}).status_code == 400


@pytest.mark.parametrize(("boundary", "count"), [("exclusive", 0), ("inclusive", 1)])
def test_the_boundary_of_if_modified_since_is_a_switch(
    xero: Xero, contact: Json, boundary: str, count: int
) -> None:
    xero.control("/switches", {"ims_boundary": boundary})
    xero.control("/clock", {"now": "2026-11-01T10:00:00Z", "frozen": True})
    xero.new_invoice(contact["ContactID"])
    found = xero.many("Invoices", headers={"If-Modified-Since": "2026-11-01T10:00:00"})
    xero.control("/clock", {"frozen": False})
    assert len(found) == count


def test_a_due_date_changed_by_a_person_on_a_part_paid_invoice_is_not_seen_by_if_modified_since(
    xero: Xero, contact: Json
) -> None:
    made = xero.new_invoice(contact["ContactID"])
    xero.pay(made["InvoiceID"], "10.00")
    xero.control("/clock", {"shift_seconds": 60})
    since = {"If-Modified-Since": xero.emulator.clock.now().isoformat()}
    xero.control("/clock", {"shift_seconds": 60})
    xero.control("/bookkeeper", {"action": "set_due_date", "id": made["InvoiceID"], "date": "2026-09-09"})
    assert xero.many("Invoices", headers=since) == []
    assert xero.one("GET", f"Invoices/{made['InvoiceID']}")["DueDateString"] == "2026-09-09T00:00:00"


def test_a_very_large_organisation_refuses_unindexed_filters(
    xero: Xero, three: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.xero.listing.VOLUME_MAX", 2)
    answer = xero.send("GET", "Invoices", query={"where": "SubTotal > 1"})
    assert exact(answer)["Type"] == "QueryParseException"
    assert "extremely high volume" in exact(answer)["Message"]
    assert len(xero.many("Invoices", query={"where": 'Status=="DRAFT"', "order": "UpdatedDateUTC ASC"})) == 1


def test_reading_does_not_change_the_ids_of_documents_to_come(xero: Xero) -> None:
    def first_id(reads: int) -> str:
        xero.control("/reset", {"scenario": "empty", "seed": 3})
        xero.connect()
        for _ in range(reads):
            xero.many("Accounts")
        return str(xero.one("PUT", "Contacts", {"Contacts": [{"Name": "A"}]})["ContactID"])

    assert first_id(0) == first_id(5)
