"""Name lists: limits, uniqueness, trees, activation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.quickbooks.driver import Books, Refused, cost_line


def refused(books: Books, entity: str, body: dict[str, Any], **params: str) -> Refused:
    with pytest.raises(Refused) as caught:
        books.post(entity, body, **params)
    return caught.value


def test_a_display_name_is_unique_across_customers_vendors_and_employees_whatever_its_case(
    books: Books,
) -> None:
    made = books.a_customer("Willow Creek")
    fault = refused(books, "Vendor", {"DisplayName": "WILLOW creek"})
    assert (fault.status, fault.code) == (400, "6240")
    assert fault.detail.endswith(f"Id={made['Id']}")
    assert refused(books, "Employee", {"DisplayName": "Willow Creek"}).code == "6240"


@pytest.mark.parametrize("name", ["Marlow:Annex", "tab\there", "line\nbreak", "   "])
def test_a_name_with_a_forbidden_letter_is_refused(books: Books, name: str) -> None:
    assert refused(books, "Customer", {"DisplayName": name}).code == "6000"


def test_a_missing_name_is_built_from_its_parts_or_refused(books: Books) -> None:
    built = books.post("Customer", {"Title": "Dr", "GivenName": "Ana", "FamilyName": "Ruiz"})
    assert built["DisplayName"] == "Dr Ana Ruiz"
    assert refused(books, "Customer", {"Notes": "nameless"}).code == "2020"


def test_long_texts_and_bad_addresses_are_refused_with_their_codes(books: Books) -> None:
    assert refused(books, "Customer", {"DisplayName": "x" * 501}).code == "2050"
    assert (
        refused(books, "Customer", {"DisplayName": "a", "PrimaryEmailAddr": {"Address": "nobody"}}).code
        == "2210"
    )
    assert refused(books, "Customer", {"DisplayName": "a", "Mood": "good"}).code == "2010"
    fault = refused(
        books, "Bill", {"VendorRef": {"value": "5"}, "DocNumber": "1" * 22, "Line": [cost_line("1")]}
    )
    assert fault.code == "2050"
    assert "Max:21 supported. Supplied length:22" in fault.detail


def test_a_name_is_made_inactive_not_deleted_and_comes_back(books: Books) -> None:
    made = books.a_vendor("Short Lived")
    assert refused(books, "Vendor", {"Id": made["Id"], "SyncToken": "0"}, operation="delete").code == "500"
    gone = books.post("Vendor", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    assert (gone["DisplayName"], gone["Active"]) == ("Short Lived (deleted)", False)
    fault = refused(books, "Bill", {"VendorRef": {"value": made["Id"]}, "Line": [cost_line("1")]})
    assert (fault.code, "made inactive" in fault.detail) == ("610", True)
    assert books.rows("select * from Vendor where DisplayName like 'Short%'") == []
    assert len(books.rows("select * from Vendor where DisplayName like 'Short%' and Active = false")) == 1
    back = books.post("Vendor", {"Id": made["Id"], "SyncToken": "1", "sparse": True, "Active": True})
    assert back["DisplayName"] == "Short Lived"


def test_an_inactive_name_stays_valid_on_old_documents(books: Books) -> None:
    vendor = books.a_vendor("Fading")
    bill = books.a_bill("10", vendor["Id"])
    books.a_bill_payment(bill)
    books.post("Vendor", {"Id": vendor["Id"], "SyncToken": "0", "sparse": True, "Active": False})
    noted = books.post(
        "Bill",
        {
            "Id": bill["Id"],
            "SyncToken": "1",
            "sparse": True,
            "VendorRef": bill["VendorRef"],
            "PrivateNote": "still fine",
        },
    )
    assert noted["PrivateNote"] == "still fine"


def test_a_name_with_an_open_balance_cannot_be_made_inactive(books: Books) -> None:
    books.a_bill("10")
    assert (
        refused(books, "Vendor", {"Id": "5", "SyncToken": "0", "sparse": True, "Active": False}).code
        == "6000"
    )


def test_accounts_get_type_subtype_classification_and_place(books: Books) -> None:
    made = books.post("Account", {"Name": "Petty Cash", "AccountType": "Bank"})
    assert (made["AccountSubType"], made["Classification"], made["CurrentBalance"]) == (
        "CashOnHand",
        "Asset",
        0,
    )
    assert int(made["Id"]) > 1_150_040_000
    sub = books.post(
        "Account",
        {"Name": "Site Till", "AccountType": "Bank", "SubAccount": True, "ParentRef": {"value": made["Id"]}},
    )
    assert sub["FullyQualifiedName"] == "Petty Cash:Site Till"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Name": "Nothing"}, "6010"),
        ({"Name": "Odd", "AccountType": "Treasure"}, "2170"),
        ({"Name": "Odd", "AccountSubType": "Treasure"}, "2170"),
        ({"Name": "Mixed", "AccountType": "Expense", "AccountSubType": "Checking"}, "2170"),
        ({"Name": 'Quote"d', "AccountType": "Bank"}, "6000"),
        ({"Name": "Operating checking", "AccountType": "Bank"}, "6240"),
        ({"Name": "Numbered", "AccountType": "Bank", "AcctNum": "1000"}, "6140"),
        ({"Name": "Numbered", "AccountType": "Bank", "AcctNum": "12345678"}, "2050"),
        ({"Name": "Orphan", "AccountType": "Bank", "SubAccount": True}, "2020"),
        (
            {"Name": "Orphan", "AccountType": "Bank", "SubAccount": True, "ParentRef": {"value": "999"}},
            "2500",
        ),
    ],
)
def test_a_bad_account_is_refused_with_its_code(books: Books, body: dict[str, Any], code: str) -> None:
    assert refused(books, "Account", body).code == code


def test_an_item_needs_an_account_that_is_not_receivable(books: Books) -> None:
    assert refused(books, "Item", {"Name": "Air", "Type": "Service"}).code == "2020"
    assert (
        refused(books, "Item", {"Name": "Air", "Type": "Service", "IncomeAccountRef": {"value": "8"}}).code
        == "6430"
    )
    made = books.post(
        "Item", {"Name": "Air", "Type": "Service", "IncomeAccountRef": {"value": "1"}, "UnitPrice": "12.50"}
    )
    assert made["UnitPrice"] == Decimal("12.5")


def test_jobs_nest_five_deep_and_never_into_themselves(books: Books) -> None:
    parent = "1"
    for depth in range(4):
        made = books.a_customer(f"Level {depth}", Job=True, ParentRef={"value": parent})
        parent = made["Id"]
    assert made["Level"] == 4
    assert (
        refused(
            books, "Customer", {"DisplayName": "Too deep", "Job": True, "ParentRef": {"value": parent}}
        ).code
        == "6250"
    )
    loop = {"Id": "1", "SyncToken": "0", "sparse": True, "Job": True, "ParentRef": {"value": parent}}
    assert refused(books, "Customer", loop).code == "6000"


def test_terms_methods_classes_and_departments_are_made(books: Books) -> None:
    assert books.post("Term", {"Name": "Net 45", "DueDays": 45})["Type"] == "STANDARD"
    assert (
        books.post("Term", {"Name": "The 10th", "DayOfMonthDue": 10, "DueNextMonthDays": 5})["Type"]
        == "DATE_DRIVEN"
    )
    assert refused(books, "Term", {"Name": "Net 1000", "DueDays": 1000}).code == "2080"
    assert books.post("PaymentMethod", {"Name": "Wire"})["Active"] is True
    sub = books.post(
        "Class", {"Name": "Kitchens", "SubClass": True, "ParentRef": {"value": "5000000000000000001"}}
    )
    assert sub["FullyQualifiedName"] == "Residential:Kitchens"
    assert books.post("Department", {"Name": "South Yard"})["FullyQualifiedName"] == "South Yard"


def test_a_due_date_follows_the_term(books: Books) -> None:
    made = books.an_invoice("10", TxnDate="2026-03-01", SalesTermRef={"value": "2"})
    assert made["DueDate"] == "2026-03-16"


def test_a_used_document_number_is_6140_unless_allowed(books: Books) -> None:
    bill = books.a_bill("10", DocNumber="INV-77")
    fault = refused(
        books, "Bill", {"VendorRef": {"value": "6"}, "DocNumber": "inv-77", "Line": [cost_line("1")]}
    )
    assert (fault.code, f"TxnId={bill['Id']}" in fault.detail) == ("6140", True)
    body = {"VendorRef": {"value": "6"}, "DocNumber": "INV-77", "Line": [cost_line("1")]}
    assert books.post("Bill", body, include="allowduplicatedocnum")["DocNumber"] == "INV-77"


def test_invoices_are_numbered_unless_the_company_numbers_them_itself(books: Books) -> None:
    assert books.an_invoice("1", DocNumber="2500")["DocNumber"] == "2500"
    assert books.an_invoice("1")["DocNumber"] == "2501"
    books.post("Preferences", {"SalesFormsPrefs": {"CustomTxnNumbers": True}})
    assert "DocNumber" not in books.an_invoice("1")
    assert "DocNumber" not in books.a_bill("1")


def test_preferences_and_company_info_are_read_and_partly_written(books: Books) -> None:
    info = books.get("CompanyInfo", books.realm)
    assert info["CompanyName"] == "Sandbox Custom Homes LLC"
    renamed = books.post(
        "CompanyInfo", {"Id": "1", "SyncToken": info["SyncToken"], "sparse": True, "CompanyName": "New"}
    )
    assert renamed["CompanyName"] == "New"
    prefs = books.call("GET", "preferences")["Preferences"]
    assert prefs["AccountingInfoPrefs"]["ClassTrackingPerTxnLine"] is True
    assert refused(books, "Preferences", {"Surprise": 1}).code == "2010"


def test_a_tax_code_is_made_through_the_tax_service_only(books: Books) -> None:
    assert refused(books, "TaxCode", {"Name": "County"}).code == "500"
    answer = books.call("POST", "taxservice/taxcode", json={
        "TaxCode": "County", "TaxRateDetails": [{"TaxRateName": "County Tax", "RateValue": "1.5", "TaxAgencyId": "1",
                                                 "TaxApplicableOn": "Sales"}]})  # fmt: skip
    assert books.get("TaxCode", answer["TaxCodeId"])["Name"] == "County"


def test_class_references_follow_the_preference_and_the_switch(books: Books) -> None:
    tagged = cost_line("5", ClassRef={"value": "5000000000000000001"})
    made = books.post("Bill", {"VendorRef": {"value": "5"}, "Line": [tagged]})
    assert made["Line"][0]["AccountBasedExpenseLineDetail"]["ClassRef"]["name"] == "Residential"
    books.post("Preferences", {"AccountingInfoPrefs": {"ClassTrackingPerTxnLine": False}})
    assert refused(books, "Bill", {"VendorRef": {"value": "5"}, "Line": [tagged]}).code == "6000"
    books.control("/switches", {"class_without_tracking": "drop"})
    dropped = books.post("Bill", {"VendorRef": {"value": "5"}, "Line": [tagged]})
    assert "ClassRef" not in dropped["Line"][0]["AccountBasedExpenseLineDetail"]
