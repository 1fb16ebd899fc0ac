"""Batch, change data capture, request ids, voiding, deleting, closed books, the envelope."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.quickbooks.driver import Books, Refused, cost_line, sales_line


def refused(books: Books, entity: str, body: dict[str, Any], **params: str) -> Refused:
    with pytest.raises(Refused) as caught:
        books.post(entity, body, **params)
    return caught.value


# --- batch --------------------------------------------------------------------------------------------


def test_batch_items_succeed_and_fail_on_their_own(books: Books) -> None:
    answers = books.batch(
        {"bId": "1", "operation": "create", "Vendor": {"DisplayName": "Batch Vendor"}},
        {"bId": "2", "operation": "create", "Vendor": {"DisplayName": "Alder Falls Lumber"}},
        {"bId": "3", "Query": "select * from Customer maxresults 2"},
        {"bId": "4", "operation": "create", "Invoice": {"CustomerRef": {"value": "1"}, "Line": []}},
        {"bId": "5", "operation": "dance", "Vendor": {}},
    )
    by_id = {answer["bId"]: answer for answer in answers}
    assert by_id["1"]["Vendor"]["DisplayName"] == "Batch Vendor"
    assert by_id["2"]["Fault"]["Error"][0]["code"] == "6240"
    assert by_id["3"]["QueryResponse"]["maxResults"] == 2
    assert by_id["4"]["Fault"]["Error"][0]["code"] == "2020"
    assert by_id["5"]["Fault"]["Error"][0]["code"] == "2170"
    assert books.is_balanced()


def test_a_batch_of_more_than_thirty_is_1040(books: Books) -> None:
    with pytest.raises(Refused) as caught:
        books.batch(*({"bId": str(n), "Query": "select * from Term"} for n in range(31)))
    assert (caught.value.status, caught.value.code) == (400, "1040")


def test_a_batch_can_void_delete_and_allow_duplicate_numbers(books: Books) -> None:
    payment, bill = books.a_payment(books.an_invoice("10")), books.a_bill("3", DocNumber="D1")
    answers = books.batch(
        {"bId": "a", "operation": "update", "optionsData": "void",
         "Payment": {"Id": payment["Id"], "SyncToken": "0", "sparse": True}},
        {"bId": "b", "operation": "delete", "Bill": {"Id": bill["Id"], "SyncToken": "0"}},
        {"bId": "c", "operation": "create", "optionsData": "allowduplicatedocnum",
         "Bill": {"VendorRef": {"value": "5"}, "DocNumber": "D1", "Line": [cost_line("1")]}},
    )  # fmt: skip
    assert answers[0]["Payment"]["TotalAmt"] == 0
    assert answers[1]["Bill"] == {"status": "Deleted", "domain": "QBO", "Id": bill["Id"]}
    assert answers[2]["Bill"]["DocNumber"] == "D1"


def test_replaying_a_batch_counts_request_id_and_item_id_together(books: Books) -> None:
    item = {"bId": "x1", "operation": "create", "Vendor": {"DisplayName": "Once"}}
    first = books.batch(item, requestid="batch-1")
    assert books.batch(item, requestid="batch-1")[0]["Vendor"] == first[0]["Vendor"]
    other = books.batch({**item, "bId": "x2"}, requestid="batch-1")
    assert other[0]["Fault"]["Error"][0]["code"] == "6240"


# --- request ids --------------------------------------------------------------------------------------


def test_a_replay_returns_the_first_answer_and_writes_nothing(books: Books) -> None:
    body = {"VendorRef": {"value": "5"}, "Line": [cost_line("44")]}
    path = {
        "params": {"requestid": "r-1"},
        "json": {"VendorRef": {"value": "5"}, "Line": [{**cost_line("44"), "Amount": 44}]},
    }
    first = books.raw("POST", "bill", **path)
    books.control("/clock", {"shift_seconds": 2000})
    again = books.raw("POST", "bill", **path)
    assert again.text == first.text
    assert books.query("select count(*) from Bill") == {"totalCount": 1}
    with pytest.raises(Refused) as other:
        books.post("Bill", {**body, "PrivateNote": "other"}, requestid="r-1")
    assert other.value.code == "600"


def test_a_replay_after_a_failed_first_try_is_judged_again(books: Books) -> None:
    body = {"VendorRef": {"value": "99"}, "Line": [cost_line("44")]}
    assert refused(books, "Bill", body, requestid="r-2").code == "2500"
    assert refused(books, "Bill", body, requestid="r-2").code == "2500"


def test_a_request_id_can_be_forgotten_by_switch_and_is_at_most_fifty_long(books: Books) -> None:
    books.control("/switches", {"requestid_memory": "expired"})
    for _ in range(2):
        books.post("Bill", {"VendorRef": {"value": "5"}, "Line": [cost_line("44")]}, requestid="r-3")
    assert books.query("select count(*) from Bill") == {"totalCount": 2}
    assert refused(books, "Bill", {}, requestid="r" * 51).code == "2050"


# --- void and delete -----------------------------------------------------------------------------------


def test_voiding_an_invoice_zeroes_it_and_frees_its_payments(books: Books) -> None:
    invoice = books.an_invoice("100", PrivateNote="draw 1")
    payment = books.a_payment(invoice, "60")
    body = {"Id": invoice["Id"], "SyncToken": "1"}
    voided = books.post("Invoice", body, operation="void")
    assert (voided["TotalAmt"], voided["Balance"], voided["LinkedTxn"]) == (0, 0, [])
    assert voided["PrivateNote"].startswith("Voided")
    freed = books.get("Payment", payment["Id"])
    assert (freed["UnappliedAmt"], freed["Line"], freed["SyncToken"]) == (60, [], "1")
    assert books.get("Customer", "1")["Balance"] == -60
    assert books.is_balanced()


def test_voiding_a_payment_reopens_the_invoice(books: Books) -> None:
    invoice = books.an_invoice("100")
    payment = books.a_payment(invoice)
    body = {"Id": payment["Id"], "SyncToken": "0", "sparse": True}
    assert books.post("Payment", body, operation="update", include="void")["TotalAmt"] == 0
    assert books.get("Invoice", invoice["Id"])["Balance"] == 100
    assert (
        refused(books, "Bill", {"Id": books.a_bill("1")["Id"], "SyncToken": "0"}, operation="void").code
        == "500"
    )


def test_a_deleted_transaction_is_gone_and_captured_as_a_stub(books: Books) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    bill = books.a_bill("10")
    answer = books.post("Bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete")
    assert answer == {"status": "Deleted", "domain": "QBO", "Id": bill["Id"]}
    with pytest.raises(Refused) as gone:
        books.get("Bill", bill["Id"])
    assert gone.value.code == "610"
    stub = books.cdc("Bill", since.isoformat())[0]["Bill"][0]
    assert (stub["Id"], stub["status"], "SyncToken" in stub) == (bill["Id"], "Deleted", False)


def test_a_paid_bill_must_be_unlinked_before_it_is_deleted_unless_the_switch_unlinks(books: Books) -> None:
    bill = books.a_bill("10")
    payment = books.a_bill_payment(bill)
    assert refused(books, "Bill", {"Id": bill["Id"], "SyncToken": "1"}, operation="delete").code == "6000"
    books.control("/switches", {"delete_linked": "unlink"})
    books.post("Bill", {"Id": bill["Id"], "SyncToken": "1"}, operation="delete")
    assert books.get("BillPayment", payment["Id"])["Line"] == []
    assert books.get("Vendor", "5")["Balance"] == -10
    assert books.is_balanced()


def test_deleting_a_payment_reopens_what_it_paid(books: Books) -> None:
    bill = books.a_bill("10")
    payment = books.a_bill_payment(bill)
    books.post("BillPayment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")
    after = books.get("Bill", bill["Id"])
    assert (after["Balance"], after["SyncToken"], "LinkedTxn" in after) == (10, "2", False)


# --- change data capture ---------------------------------------------------------------------------------


def test_capture_has_one_slot_per_entity_with_everything_that_moved(books: Books) -> None:
    books.control("/clock", {"shift_seconds": 1800})
    since = books.control("/clock")["now"]
    books.control("/clock", {"shift_seconds": 10})
    invoice = books.an_invoice("10")
    customers, invoices, vendors = books.cdc("Customer,Invoice,Vendor", since)
    assert [row["Id"] for row in customers["Customer"]] == ["1"]
    assert [row["Id"] for row in invoices["Invoice"]] == [invoice["Id"]]
    assert vendors == {}


@pytest.mark.parametrize(
    ("entities", "since", "code"),
    [
        ("Invoice", "2026-01-01", "2180"),
        ("Invoice", "yesterday", "2180"),
        ("Invoice", "2026-11-20T10:00:00 00:00", "2180"),
        ("Wish", "now", "2170"),
        ("TaxCode", "now", "2170"),
        ("", "now", "2020"),
        ("Invoice", "", "2020"),
    ],
)
def test_a_bad_capture_is_refused(books: Books, entities: str, since: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        books.cdc(entities, datetime.now(UTC).isoformat() if since == "now" else since)
    assert caught.value.code == code


def test_capture_stops_at_a_thousand_objects(books: Books) -> None:
    books.control("/seed", {"realm": books.realm, "size": 8000})
    since = (datetime.now(UTC) - timedelta(days=29)).isoformat()
    groups = books.cdc("Bill,Invoice,Payment,BillPayment,Deposit,Purchase,JournalEntry,Customer", since)
    assert sum(len(next(iter(group.values()))) for group in groups if group) == 1000


# --- books and envelope ------------------------------------------------------------------------------------


def test_closed_books_refuse_with_6210(books: Books) -> None:
    bill = books.a_bill("10", TxnDate="2026-01-15")
    books.control("/close-books", {"realm": books.realm, "date": "2026-01-31"})
    fault = refused(
        books, "Bill", {"VendorRef": {"value": "5"}, "TxnDate": "2026-01-20", "Line": [cost_line("1")]}
    )
    assert (fault.code, "has closed the books through 2026-01-31" in fault.detail) == ("6210", True)
    assert refused(books, "Bill", {"Id": bill["Id"], "SyncToken": "0"}, operation="delete").code == "6210"
    assert books.a_bill("10", TxnDate="2026-02-01")["TotalAmt"] == 10


def test_a_journal_entry_matched_by_the_bank_cannot_be_deleted(books: Books) -> None:
    entry = books.a_journal("5")
    books.control("/clear", {"realm": books.realm, "entity": "JournalEntry", "id": entry["Id"]})
    assert (
        refused(books, "JournalEntry", {"Id": entry["Id"], "SyncToken": "0"}, operation="delete").code
        == "6480"
    )


def test_without_a_json_accept_the_answer_is_xml(books: Books) -> None:
    answer = books.raw("GET", "customer/1", headers={"accept": "*/*"})
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.text.startswith("<?xml")
    assert "<DisplayName>Marlow Residence</DisplayName>" in answer.text


def test_answers_carry_a_transaction_id_and_pacific_time(books: Books) -> None:
    answer = books.raw("GET", "customer/1")
    assert answer.headers["intuit_tid"].startswith("1-")
    assert answer.json()["time"][-6:] in ("-07:00", "-08:00")
    assert "." in answer.json()["time"]
    assert "." not in answer.json()["Customer"]["MetaData"]["CreateTime"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "2010"),
        (b"[1]", "2010"),
        (b"", "2020"),
        (b'{"VendorRef": {"value": "5"}}', "2020"),
        (b'{"VendorRef": "5", "Line": []}', "2010"),
        (b'{"VendorRef": {"value": "999"}, "Line": [{"Amount": 1}]}', "2500"),
        (b'{"VendorRef": {"value": "5"}, "TxnDate": "32nd", "Line": [{"Amount": 1}]}', "2010"),
        (b'{"Id": "abc", "SyncToken": "0"}', "2030"),
        (b'{"Id": "4711", "SyncToken": "0"}', "610"),
    ],
)
def test_a_malformed_write_is_refused_with_its_code(books: Books, body: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        books.call("POST", "bill", content=body, headers={"content-type": "application/json"})
    assert caught.value.code == code


def test_amounts_must_be_the_product_of_quantity_and_price(books: Books) -> None:
    fault = refused(
        books, "Invoice", {"CustomerRef": {"value": "1"}, "Line": [sales_line("10", Qty=3, UnitPrice=3)]}
    )
    assert fault.code == "6070"
    made = books.post(
        "Invoice", {"CustomerRef": {"value": "1"}, "Line": [sales_line("9.99", Qty=3, UnitPrice="3.33")]}
    )
    assert made["Line"][0]["SalesItemLineDetail"]["Qty"] == 3


def test_attachments_are_noted_uploaded_and_found(books: Books) -> None:
    invoice = books.an_invoice("10")
    ref = [{"EntityRef": {"type": "Invoice", "value": invoice["Id"]}, "IncludeOnSend": False}]
    note = books.post("Attachable", {"Note": "see drawing", "AttachableRef": ref})
    assert len(note["Id"]) == 19
    files = {
        "file_metadata_01": (None, b'{"FileName": "plan.pdf", "AttachableRef": []}', "application/json"),
        "file_content_01": ("plan.pdf", b"%PDF-1.4", "application/pdf"),
    }
    answer = books.call("POST", "upload", files=files)["AttachableResponse"][0]["Attachable"]
    assert (answer["FileName"], answer["Size"]) == ("plan.pdf", 8)
    assert books.raw("GET", f"download/{answer['Id']}").text == answer["TempDownloadUri"]
    assert books.http.get(answer["TempDownloadUri"]).content == b"%PDF-1.4"
    found = books.rows(f"select * from Attachable where AttachableRef.EntityRef.value = '{invoice['Id']}'")
    assert [row["Note"] for row in found] == ["see drawing"]
    assert (
        refused(books, "Attachable", {"Id": note["Id"], "SyncToken": "0"}, operation="delete").code == "2020"
    )
    assert books.post("Attachable", note, operation="delete")["status"] == "Deleted"
