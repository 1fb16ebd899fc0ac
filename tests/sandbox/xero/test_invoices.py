from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.xero.wire import ZERO_GUID
from tests.sandbox.xero.client import Json, Xero, exact


def test_a_created_invoice_posts_and_the_trial_balance_stays_level(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"], LineAmountTypes="Exclusive")
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (Decimal(100), Decimal(15), Decimal(115))
    found = xero.trial_balance()
    assert found["Accounts Receivable (610)"] == "115.00"
    assert found["Construction Income (200)"] == "-100.00"
    assert found["GST (820)"] == "-15.00"
    assert found["debit"] == found["credit"]


def test_inclusive_amounts_carry_their_tax_inside(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"], amount="89.00", LineAmountTypes="Inclusive")
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (
        Decimal("77.39"),
        Decimal("11.61"),
        Decimal("89.0"),
    )


def test_the_create_answer_differs_from_the_read_answer_as_recorded(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    assert (
        not {"Payments", "CreditNotes", "AmountCredited", "HasAttachments", "InvoiceAddresses"} & made.keys()
    )
    assert "StatusAttributeString" not in made
    assert made["LineItems"][0]["ValidationErrors"] == []
    assert len(made["Contact"]["Phones"]) == 4
    read = xero.one("GET", f"Invoices/{made['InvoiceID']}")
    assert read["Payments"] == []
    assert read["AmountCredited"] == 0
    assert "ValidationErrors" not in read["LineItems"][0]
    assert read["Contact"]["Phones"] == []


def test_dates_come_in_both_spellings_and_never_shift(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"], Date="/Date(1777593600000+0000)/")
    assert made["DateString"] == "2026-05-01T00:00:00"
    assert made["Date"] == "/Date(1777593600000+0000)/"
    assert made["DueDateString"] == "2026-05-21T00:00:00"
    assert made["UpdatedDateUTCString"].endswith("Z")


def test_an_empty_number_is_filled_and_counts_on(xero: Xero, contact: Json) -> None:
    first, second = (xero.new_invoice(contact["ContactID"])["InvoiceNumber"] for _ in range(2))
    assert (first, second) == ("INV-0001", "INV-0002")


def test_put_refuses_a_taken_sales_number_and_post_edits_the_invoice_that_has_it(
    xero: Xero, contact: Json
) -> None:
    made = xero.new_invoice(contact["ContactID"], InvoiceNumber="A-1")
    body = {"Invoices": [xero.invoice(contact["ContactID"], InvoiceNumber="a-1", amount="7.00")]}
    assert xero.refused("PUT", "Invoices", body) == ["Invoice # must be unique."]
    edited = xero.one("POST", "Invoices", body)
    assert edited["InvoiceID"] == made["InvoiceID"]
    assert edited["Total"] == Decimal(7)


def test_a_bill_number_need_not_be_unique_and_post_never_matches_it(xero: Xero, contact: Json) -> None:
    body = {"Invoices": [xero.invoice(contact["ContactID"], Type="ACCPAY", InvoiceNumber="B-1")]}
    ids = {xero.one(verb, "Invoices", body)["InvoiceID"] for verb in ("PUT", "POST", "POST")}
    assert len(ids) == 3


def test_a_deleted_number_can_be_used_again_and_a_voided_one_cannot(xero: Xero, contact: Json) -> None:
    draft = xero.new_invoice(contact["ContactID"], InvoiceNumber="D-1", Status="DRAFT")
    xero.one("POST", f"Invoices/{draft['InvoiceID']}", {"Status": "DELETED"})
    again = xero.new_invoice(contact["ContactID"], InvoiceNumber="D-1")
    xero.one("POST", f"Invoices/{again['InvoiceID']}", {"Status": "VOIDED"})
    body = {"Invoices": [xero.invoice(contact["ContactID"], InvoiceNumber="D-1")]}
    assert xero.refused("PUT", "Invoices", body) == ["Invoice # must be unique."]


def test_a_refused_delete_answers_200_with_the_wrong_status_echoed(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    body = {"Invoices": [{"InvoiceID": made["InvoiceID"], "Status": "DELETED"}]}
    found = xero.one("POST", "Invoices", body, query={"summarizeErrors": "False"})
    assert found["Status"] == "DELETED"
    assert found["StatusAttributeString"] == "ERROR"
    assert found["HasErrors"] is True
    assert "InvoiceNumber" not in found
    assert found["ValidationErrors"] == [{"Message": "Invoice not of valid status for modification"}]
    assert xero.one("GET", f"Invoices/{made['InvoiceID']}")["Status"] == "AUTHORISED"


def test_void_shows_the_old_sum_at_once_and_nothing_due_later(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    voided = xero.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"})
    assert (voided["Status"], voided["AmountDue"]) == ("VOIDED", Decimal(100))
    read = xero.one("GET", f"Invoices/{made['InvoiceID']}")
    assert (read["Status"], read["AmountDue"], read["Total"]) == ("VOIDED", Decimal(0), Decimal(100))
    assert "Accounts Receivable (610)" not in xero.trial_balance()


@pytest.mark.parametrize(
    ("before", "wanted", "is_fine"),
    [
        ("DRAFT", "SUBMITTED", True),
        ("SUBMITTED", "DRAFT", True),
        ("DRAFT", "AUTHORISED", True),
        ("SUBMITTED", "AUTHORISED", True),
        ("DRAFT", "DELETED", True),
        ("SUBMITTED", "DELETED", True),
        ("DRAFT", "VOIDED", False),
        ("AUTHORISED", "DRAFT", False),
        ("AUTHORISED", "DELETED", False),
        ("AUTHORISED", "PAID", False),
        ("AUTHORISED", "VOIDED", True),
        ("DRAFT", "PAID", False),
    ],
)
def test_the_status_machine_of_invoices(
    xero: Xero, contact: Json, before: str, wanted: str, *, is_fine: bool
) -> None:
    made = xero.new_invoice(contact["ContactID"], Status=before)
    if is_fine:
        assert xero.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": wanted})["Status"] == wanted
    else:
        messages = xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"Status": wanted})
        assert messages == ["Invoice not of valid status for modification"]


@pytest.mark.parametrize("end", ["VOIDED", "DELETED"])
def test_voided_and_deleted_are_final(xero: Xero, contact: Json, end: str) -> None:
    before = "AUTHORISED" if end == "VOIDED" else "DRAFT"
    made = xero.new_invoice(contact["ContactID"], Status=before)
    xero.one("POST", f"Invoices/{made['InvoiceID']}", {"Status": end})
    for change in ({"Status": "AUTHORISED"}, {"Reference": "x"}):
        messages = xero.refused("POST", f"Invoices/{made['InvoiceID']}", change)
        assert messages == ["Invoice not of valid status for modification"]


def test_lines_without_their_id_replace_all_and_lines_with_it_are_kept(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    line_id = made["LineItems"][0]["LineItemID"]
    new = {"Description": "More", "Quantity": 2, "UnitAmount": "5.00", "AccountCode": "200"}
    both = xero.one("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": [{"LineItemID": line_id}, new]})
    assert [line["LineItemID"] == line_id for line in both["LineItems"]] == [True, False]
    assert both["Total"] == Decimal(110)
    replaced = xero.one("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": [new]})
    assert line_id not in {line["LineItemID"] for line in replaced["LineItems"]}
    assert replaced["Total"] == Decimal(10)


def test_with_money_on_it_an_invoice_refuses_edit_and_void(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    xero.pay(made["InvoiceID"], "40.00")
    messages = xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"})
    assert messages == [
        "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
    ]
    messages = xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"Reference": "new"})
    assert messages == ["This document cannot be edited as it has a payment or credit note allocated to it."]


def test_the_documented_edits_of_a_part_paid_invoice_can_be_switched_on(xero: Xero, contact: Json) -> None:
    xero.control("/switches", {"edit_with_money": "documented"})
    made = xero.new_invoice(contact["ContactID"])
    xero.pay(made["InvoiceID"], "40.00")
    before = xero.one("GET", f"Invoices/{made['InvoiceID']}")
    due = xero.one("POST", f"Invoices/{made['InvoiceID']}", {"DueDate": "2026-07-01"})
    assert due["DueDateString"].startswith("2026-07-01")
    assert due["UpdatedDateUTC"] == before["UpdatedDateUTC"]
    changed = xero.one("POST", f"Invoices/{made['InvoiceID']}", {"Reference": "new"})
    assert changed["UpdatedDateUTC"] != before["UpdatedDateUTC"]
    lines = [{"Description": "x", "UnitAmount": 1, "AccountCode": "200"}]
    assert xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"LineItems": lines})


def test_without_summarize_errors_good_elements_are_kept_and_bad_ones_echoed(
    xero: Xero, contact: Json
) -> None:
    good = xero.invoice(contact["ContactID"])
    bad = xero.invoice(
        contact["ContactID"], LineItems=[{"Description": "x", "UnitAmount": 1, "AccountCode": "zzz"}]
    )
    found = xero.ok("PUT", "Invoices", {"Invoices": [good, bad, good]}, query={"summarizeErrors": "false"})[
        "Invoices"
    ]
    assert [one["StatusAttributeString"] for one in found] == ["OK", "ERROR", "OK"]
    assert found[1]["InvoiceID"] == ZERO_GUID
    assert found[1]["ValidationErrors"] == [
        {"Message": "Account code 'zzz' is not a valid code for this document."}
    ]
    assert len(xero.many("Invoices")) == 2


@pytest.mark.parametrize(("keeps", "count"), [("yes", 1), ("no", 0)])
def test_a_bulk_400_keeps_its_good_elements_by_switch(
    xero: Xero, contact: Json, keeps: str, count: int
) -> None:
    xero.control("/switches", {"bulk_400_keeps_good": keeps})
    bad = xero.invoice(contact["ContactID"], LineItems=[])
    answer = xero.send("PUT", "Invoices", {"Invoices": [xero.invoice(contact["ContactID"]), bad]})
    found = exact(answer)
    assert (answer.status_code, found["ErrorNumber"], found["Type"]) == (400, 10, "ValidationException")
    assert found["Message"] == "A validation exception occurred"
    assert found["Elements"][0]["HasValidationErrors"] is True
    assert len(found["Elements"]) == 1
    assert len(xero.many("Invoices")) == count


def test_a_wrong_enum_ends_the_whole_call_whatever_was_asked(xero: Xero, contact: Json) -> None:
    bodies = [
        xero.invoice(contact["ContactID"]),
        xero.invoice(contact["ContactID"], LineAmountTypes="exclusive"),
    ]
    answer = xero.send("PUT", "Invoices", {"Invoices": bodies}, query={"summarizeErrors": "false"})
    found = exact(answer)
    assert (answer.status_code, found["ErrorNumber"], found["Type"]) == (400, 14, "PostDataInvalidException")
    assert xero.many("Invoices") == []


def test_an_unknown_contact_ends_the_whole_call_with_an_html_404(xero: Xero, contact: Json) -> None:
    answer = xero.send(
        "PUT", "Invoices", {"Invoices": [xero.invoice("11111111-1111-4111-8111-111111111111")]}
    )
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_unit_amounts_are_rounded_to_two_places_unless_unitdp_says_four(xero: Xero, contact: Json) -> None:
    line = [{"Description": "x", "Quantity": 100, "UnitAmount": "1.2345", "AccountCode": "200"}]
    body = {"Invoices": [xero.invoice(contact["ContactID"], LineItems=line)]}
    assert xero.one("PUT", "Invoices", body)["Total"] == Decimal(123)
    assert xero.one("PUT", "Invoices", body, query={"unitdp": 4})["Total"] == Decimal("123.45")


def test_a_line_amount_must_match_quantity_times_price(xero: Xero, contact: Json) -> None:
    line = [{"Description": "x", "Quantity": 2, "UnitAmount": 3, "LineAmount": 7, "AccountCode": "200"}]
    body = {"Invoices": [xero.invoice(contact["ContactID"], LineItems=line)]}
    assert xero.refused("PUT", "Invoices", body) == [
        "The line total 7.00 does not match the expected line total 6.00"
    ]


@pytest.mark.parametrize("code", ["090", "610", "800", "nope"])
def test_bank_control_and_unknown_accounts_cannot_stand_on_a_line(
    xero: Xero, contact: Json, code: str
) -> None:
    line = [{"Description": "x", "UnitAmount": 3, "AccountCode": code}]
    body = {"Invoices": [xero.invoice(contact["ContactID"], LineItems=line)]}
    messages = xero.refused("PUT", "Invoices", body)
    assert messages == [f"Account code '{code}' is not a valid code for this document."]


def test_a_draft_may_leave_accounts_and_due_date_out_and_approval_may_not(xero: Xero, contact: Json) -> None:
    loose = [{"Description": "x", "UnitAmount": 3}]
    draft = xero.new_invoice(contact["ContactID"], Status="DRAFT", DueDate=None, LineItems=loose)
    assert xero.refused("POST", f"Invoices/{draft['InvoiceID']}", {"Status": "AUTHORISED"})
    ready = {
        "Status": "AUTHORISED",
        "DueDate": "2026-06-01",
        "LineItems": [{"LineItemID": draft["LineItems"][0]["LineItemID"], "AccountCode": "200"}],
    }
    assert xero.one("POST", f"Invoices/{draft['InvoiceID']}", ready)["Status"] == "AUTHORISED"


def test_payment_terms_of_the_contact_give_the_due_date(xero: Xero) -> None:
    terms = {"Sales": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    made = xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Terms Ltd", "PaymentTerms": terms}]})
    invoice = xero.new_invoice(made["ContactID"], DueDate=None)
    assert invoice["DueDateString"] == "2026-06-20T00:00:00"


def test_a_locked_period_refuses_create_edit_and_void(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    xero.control("/bookkeeper", {"action": "lock_period", "date": "2026-05-31"})
    text = "The document date cannot be before the period lock date"
    assert xero.refused("PUT", "Invoices", {"Invoices": [xero.invoice(contact["ContactID"])]}) == [text]
    assert xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"Date": "2026-06-02"}) == [text]
    assert xero.refused("POST", f"Invoices/{made['InvoiceID']}", {"Status": "VOIDED"}) == [text]
    assert xero.one("GET", "Organisation")["PeriodLockDate"].startswith("/Date(")
    assert xero.new_invoice(contact["ContactID"], Date="2026-06-01")["Status"] == "AUTHORISED"


def test_an_invoice_is_found_by_its_number_and_sent_by_email(xero: Xero) -> None:
    made = xero.one("PUT", "Contacts", {"Contacts": [{"Name": "Mail Ltd", "EmailAddress": "a@example.com"}]})
    invoice = xero.new_invoice(made["ContactID"], InvoiceNumber="N-1")
    named = xero.new_invoice(made["ContactID"], InvoiceNumber="N-77")
    assert xero.one("GET", "Invoices/N-77")["InvoiceID"] == named["InvoiceID"]
    assert xero.send("POST", f"Invoices/{invoice['InvoiceID']}/Email", {}).status_code == 204
    assert xero.one("GET", f"Invoices/{invoice['InvoiceID']}")["SentToContact"] is True
    assert xero.one("GET", f"Invoices/{invoice['InvoiceID']}/OnlineInvoice")["OnlineInvoiceUrl"].startswith(
        "https://"
    )
    draft = xero.new_invoice(made["ContactID"], Status="DRAFT")
    assert xero.send("POST", f"Invoices/{draft['InvoiceID']}/Email", {}).status_code == 400
