"""The query language: what it finds, in which order, and how it complains."""

from __future__ import annotations

import pytest

from tests.sandbox.quickbooks.driver import Books, Refused


def fault(books: Books, text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        books.query(text)
    assert caught.value.status == 400
    return caught.value


def test_an_empty_page_is_exactly_an_empty_object(books: Books) -> None:
    assert books.query("select * from Invoice") == {}
    assert books.query("select count(*) from Invoice") == {"totalCount": 0}


def test_total_count_is_there_for_the_recorded_entities_only(books: Books) -> None:
    books.an_invoice("5")
    answer = books.query("select * from Invoice")
    assert (answer["startPosition"], answer["maxResults"], answer["totalCount"]) == (1, 1, 1)
    assert "totalCount" not in books.query("select * from Customer")


def test_the_query_may_be_posted_as_text(books: Books) -> None:
    found = books.call(
        "POST", "query", content="SELECT * FROM Customer", headers={"content-type": "application/text"}
    )
    assert found["QueryResponse"]["maxResults"] == 4


def test_strings_keywords_and_names_ignore_case_and_quotes_are_escaped(books: Books) -> None:
    books.a_customer("O'Brien \\ Sons")
    rows = books.rows(r"sElEcT * fRoM customer WhErE displayname = 'o\'BRIEN \\ sons'")
    assert [row["DisplayName"] for row in rows] == ["O'Brien \\ Sons"]


def test_like_in_and_comparison_work_together(books: Books) -> None:
    bills = [
        books.a_bill(amount, TxnDate=day)
        for amount, day in (("10", "2026-01-05"), ("20", "2026-02-05"), ("30", "2026-03-05"))
    ]
    found = books.rows("select * from Bill where TxnDate >= '2026-02-01' and TotalAmt < '30'")
    assert [row["Id"] for row in found] == [bills[1]["Id"]]
    found = books.rows(f"select * from Bill where Id in ('{bills[0]['Id']}', '{bills[2]['Id']}') orderby Id")
    assert [row["Id"] for row in found] == [bills[0]["Id"], bills[2]["Id"]]
    assert len(books.rows("select * from Vendor where DisplayName like '%Supply%'")) == 0
    assert len(books.rows("select * from Vendor where DisplayName like '%er%'")) >= 2


def test_references_and_nested_times_filter(books: Books) -> None:
    invoice = books.an_invoice("5", "2")
    assert books.rows("select * from Invoice where CustomerRef = '2'")[0]["Id"] == invoice["Id"]
    assert books.rows("select * from Invoice where CustomerRef = '3'") == []
    changed = invoice["MetaData"]["LastUpdatedTime"]
    assert len(books.rows(f"select * from Invoice where MetaData.LastUpdatedTime >= '{changed}'")) == 1
    assert books.rows(f"select * from Invoice where MetaData.LastUpdatedTime > '{changed}'") == []


def test_without_an_order_transactions_come_last_changed_first_and_names_by_byte(books: Books) -> None:
    first, second = books.a_bill("1"), books.a_bill("2")
    books.control("/clock", {"shift_seconds": 5})
    books.post(
        "Bill",
        {
            "Id": first["Id"],
            "SyncToken": "0",
            "sparse": True,
            "VendorRef": {"value": "5"},
            "PrivateNote": "x",
        },
    )
    assert [row["Id"] for row in books.rows("select * from Bill")] == [first["Id"], second["Id"]]
    books.a_vendor("Pam Seitz")
    books.a_vendor("PG&E")
    names = [row["DisplayName"] for row in books.rows("select * from Vendor where DisplayName like 'P%'")]
    assert names == ["PG&E", "Pam Seitz"]


def test_pages_ordered_by_id_cover_everything_once(books: Books) -> None:
    made = [books.a_bill(str(n))["Id"] for n in range(1, 8)]
    seen: list[str] = []
    for start in range(1, 12, 3):
        seen += [
            row["Id"]
            for row in books.rows(f"select * from Bill orderby Id startposition {start} maxresults 3")
        ]
    assert seen == made
    descending = books.rows("select * from Bill order by TotalAmt desc, Id asc maxresults 2")
    assert [row["TotalAmt"] for row in descending] == [7, 6]


@pytest.mark.parametrize("more", ["", " and TotalAmt > '0'"])
def test_pages_ordered_by_change_cover_everything_once_also_within_one_second(
    books: Books, more: str
) -> None:
    books.control("/clock", {"frozen": True})
    made = [books.a_bill(str(n))["Id"] for n in range(1, 6)]
    since = books.control("/clock")["now"][:19] + "Z"
    books.control("/clock", {"shift_seconds": 5})
    made += [books.a_bill(str(n))["Id"] for n in range(1, 4)]
    seen: list[str] = []
    for start in range(1, 12, 3):
        text = f"select * from Bill where MetaData.LastUpdatedTime >= '{since}'{more} orderby MetaData.LastUpdatedTime, Id"
        seen += [row["Id"] for row in books.rows(f"{text} startposition {start} maxresults 3")]
    assert seen == made
    later = f"select Id from Bill where MetaData.LastUpdatedTime > '{since}'{more} orderby MetaData.LastUpdatedTime"
    assert [row["Id"] for row in books.rows(later)] == made[5:]


def test_a_projection_returns_the_listed_fields(books: Books) -> None:
    rows = books.rows("select Id, DisplayName, MetaData.CreateTime from Customer orderby Id maxresults 1")
    assert set(rows[0]) == {"Id", "DisplayName", "MetaData", "domain", "sparse"}
    assert rows[0]["sparse"] is True
    assert books.rows("select *, Sku from Item maxresults 1")[0]["sparse"] is False


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("select * from Customer where Foo = 'x'", "4001", "Property Foo not found for Entity Customer"),
        (
            "select * from Purchase where DepartmentRef = '1'",
            "4001",
            "property 'DepartmentRef' is not queryable",
        ),
        ("select * from Bill where Line.Amount = '1'", "4001", "is not queryable"),
        ("select * from Wish", "4001", "Wish"),
        ("select * from Bill startposition 0", "4001", "value 0 is too small. Min allowed value is 1"),
        ("select * from Bill maxresults 1001", "4001", "Max allowed value is 1000"),
        ("select * from Bill where Id > '3'", "4001", "Id supports only"),
        ("select * from Bill where TotalAmt = 'many'", "4001", "decimal"),
        ("select * from Bill where TxnDate = 'someday'", "4001", "date"),
        ("select * from Invoice orderby CustomerRef", "4001", "not sortable"),
        (
            "select * from Bill where DocNumber = 'Bob's'",
            "4000",
            'Encountered " <IDENTIFIER> "s "" at line 1, column 43',
        ),
        ("select * from Bill where DocNumber = '1' or DocNumber = '2'", "4000", '"or'),
        ("select * from Bill where TotalAmt = 5", "4000", "<NUMBER>"),
        ("select * from Bill where DocNumber = 'a\u2013b' \u2013", "4000", "Lexical error"),
        ("select", "4000", "<EOF>"),
        ("delete from Bill", "4000", "Encountered"),
        ("", "4000", "<EOF>"),
    ],
)
def test_a_bad_query_gets_the_parsers_own_fault(books: Books, text: str, code: str, words: str) -> None:
    caught = fault(books, text)
    assert (caught.code, words in caught.detail) == (code, True), caught.detail


def test_switches_open_what_is_undecided(books: Books) -> None:
    books.a_bill("5")
    books.control("/switches", {"start_position_zero": "allow", "bare_numbers": "allow"})
    assert len(books.rows("select * from Bill where TotalAmt = 5 startposition 0")) == 1


def test_dates_may_be_current_date_and_booleans_bare(books: Books) -> None:
    books.a_bill("5")
    assert len(books.rows("select * from Bill where TxnDate <= CURRENT_DATE")) == 1
    assert len(books.rows("select * from Customer where Active in (true, false)")) == 4
