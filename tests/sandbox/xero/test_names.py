"""Contacts, accounts, items, tracking, tax rates, history and attachments."""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.xero.client import Json, Xero


def new_contact(xero: Xero, **fields: object) -> Json:
    return xero.one("PUT", "Contacts", {"Contacts": [fields]})


def test_names_are_unique_among_active_contacts_whatever_their_case(xero: Xero) -> None:
    new_contact(xero, Name="Kauri Ltd")
    (message,) = xero.refused("PUT", "Contacts", {"Contacts": [{"Name": "KAURI LTD"}]})
    assert message.startswith("The contact name KAURI LTD is already assigned to another contact.")
    assert message.endswith("The contact name must be unique across all active contacts.")


def test_an_archived_contact_frees_its_name_keeps_its_number_and_cannot_be_edited(xero: Xero) -> None:
    made = new_contact(xero, Name="Kauri Ltd", ContactNumber="K-1")
    xero.new_invoice(made["ContactID"])
    archived = xero.one(
        "POST", "Contacts", {"Contacts": [{"ContactID": made["ContactID"], "ContactStatus": "ARCHIVED"}]}
    )
    assert archived["ContactStatus"] == "ARCHIVED"
    assert new_contact(xero, Name="Kauri Ltd")["ContactID"] != made["ContactID"]
    assert xero.refused("PUT", "Contacts", {"Contacts": [{"Name": "Other", "ContactNumber": "K-1"}]})
    messages = xero.refused("POST", f"Contacts/{made['ContactID']}", {"Name": "New"})
    assert messages == [
        "The contact details matched an archived contact. Archived contacts cannot currently be edited via the API."
    ]
    assert made["ContactID"] not in {one["ContactID"] for one in xero.many("Contacts")}
    assert len(xero.many("Contacts", query={"includeArchived": "true"})) == 2


def test_post_matches_by_id_then_number_then_name(xero: Xero) -> None:
    made = new_contact(xero, Name="Kauri Ltd", ContactNumber="K-1")
    by_number = xero.one(
        "POST", "Contacts", {"Contacts": [{"ContactNumber": "K-1", "Name": "Kauri Limited"}]}
    )
    by_name = xero.one(
        "POST", "Contacts", {"Contacts": [{"Name": "kauri limited", "EmailAddress": "a@example.com"}]}
    )
    assert {by_number["ContactID"], by_name["ContactID"]} == {made["ContactID"]}
    assert xero.one("GET", "Contacts/K-1")["EmailAddress"] == "a@example.com"
    xero.control("/switches", {"contact_match_by_name": "no"})
    assert xero.refused("POST", "Contacts", {"Contacts": [{"Name": "Kauri Limited"}]})


def test_an_unknown_contact_id_in_a_post_ends_the_call_with_404(xero: Xero) -> None:
    body = {"Contacts": [{"ContactID": "11111111-1111-4111-8111-111111111111", "Name": "x"}]}
    assert xero.send("POST", "Contacts", body, query={"summarizeErrors": "false"}).status_code == 404


def test_a_contact_needs_a_key_a_sound_email_and_short_texts(xero: Xero) -> None:
    assert xero.refused("PUT", "Contacts", {"Contacts": [{"FirstName": "x"}]})[0].startswith(
        "The Contact must contain"
    )
    bad = {"Name": "N", "EmailAddress": "nowhere"}
    assert xero.refused("PUT", "Contacts", {"Contacts": [bad]}) == ["Email address must be valid."]
    assert xero.refused("PUT", "Contacts", {"Contacts": [{"Name": "x" * 256}]})


def test_a_single_read_has_both_addresses_and_all_four_phones(xero: Xero) -> None:
    made = new_contact(xero, Name="A", Addresses=[{"AddressType": "STREET", "City": "Napier"}])
    read = xero.one("GET", f"Contacts/{made['ContactID']}")
    assert [one["AddressType"] for one in read["Addresses"]] == ["STREET", "POBOX"]
    assert read["Addresses"][0]["City"] == "Napier"
    assert {one["PhoneType"] for one in read["Phones"]} == {"DDI", "DEFAULT", "FAX", "MOBILE"}


def test_being_a_customer_does_not_move_the_contacts_timestamp(xero: Xero) -> None:
    made = new_contact(xero, Name="A")
    xero.new_invoice(made["ContactID"])
    read = xero.one("GET", f"Contacts/{made['ContactID']}")
    assert (read["IsCustomer"], read["IsSupplier"]) == (True, False)
    assert read["UpdatedDateUTC"] == made["UpdatedDateUTC"]
    assert read["Balances"]["AccountsReceivable"]["Outstanding"] == Decimal(100)


def test_a_nested_name_creates_the_contact_and_a_nested_id_with_more_rewrites_it(xero: Xero) -> None:
    body = xero.invoice("", Contact={"Name": "Fresh Ltd"})
    made = xero.one("PUT", "Invoices", {"Invoices": [body]})
    contact_id = made["Contact"]["ContactID"]
    persons = [{"FirstName": "Jo", "EmailAddress": "jo@example.com"}]
    xero.one("POST", f"Contacts/{contact_id}", {"ContactPersons": persons})
    nested = {"ContactID": contact_id, "EmailAddress": "b@example.com"}
    xero.one("PUT", "Invoices", {"Invoices": [xero.invoice("", Contact=nested)]})
    read = xero.one("GET", f"Contacts/{contact_id}")
    assert (read["EmailAddress"], read["ContactPersons"]) == ("b@example.com", [])


def test_merged_contacts_point_to_the_winner_and_documents_follow(xero: Xero) -> None:
    loser, winner = new_contact(xero, Name="Old"), new_contact(xero, Name="New")
    invoice = xero.new_invoice(loser["ContactID"])
    xero.control(
        "/bookkeeper",
        {"action": "merge_contacts", "winner": winner["ContactID"], "loser": loser["ContactID"]},
    )
    gone = xero.one("GET", f"Contacts/{loser['ContactID']}")
    assert (gone["ContactStatus"], gone["MergedToContactID"]) == ("ARCHIVED", winner["ContactID"])
    assert xero.one("GET", f"Invoices/{invoice['InvoiceID']}")["Contact"]["Name"] == "New"


def test_an_account_is_put_alone_and_its_code_and_name_are_unique(xero: Xero) -> None:
    made = xero.one("PUT", "Accounts", {"Code": "305", "Name": "Timber", "Type": "DIRECTCOSTS"})
    assert (made["Class"], made["Status"]) == ("EXPENSE", "ACTIVE")
    listed = {"Accounts": [{"Code": "306", "Name": "Steel", "Type": "DIRECTCOSTS"}]}
    assert xero.send("PUT", "Accounts", listed).json()["ErrorNumber"] == 17
    assert xero.refused("PUT", "Accounts", {"Code": "307", "Name": "timber", "Type": "EXPENSE"}) == [
        "Please enter a unique Name."
    ]
    assert xero.refused("PUT", "Accounts", {"Code": "305", "Name": "Other", "Type": "EXPENSE"})
    assert xero.refused("PUT", "Accounts", {"Code": "12345678901", "Name": "Other", "Type": "EXPENSE"})


def test_used_and_system_accounts_cannot_be_deleted_and_archiving_goes_alone(
    xero: Xero, contact: Json
) -> None:
    by_code = {one.get("Code"): one["AccountID"] for one in xero.many("Accounts")}
    xero.new_invoice(contact["ContactID"])
    assert xero.refused("DELETE", f"Accounts/{by_code['200']}", None)
    assert xero.refused("DELETE", f"Accounts/{by_code['610']}", None)
    assert xero.one("DELETE", f"Accounts/{by_code['400']}")["Status"] == "DELETED"
    path = f"Accounts/{by_code['404']}"
    assert xero.refused("POST", path, {"Status": "ARCHIVED", "Name": "x"})
    assert xero.one("POST", path, {"Accounts": [{"Status": "ARCHIVED"}]})["Status"] == "ARCHIVED"
    line = [{"Description": "x", "UnitAmount": 1, "AccountCode": "404"}]
    messages = xero.refused(
        "PUT", "Invoices", {"Invoices": [xero.invoice(contact["ContactID"], LineItems=line)]}
    )
    assert messages[0].startswith("Account code '404' has been archived, or has been deleted.")


def test_items_are_keyed_by_code_fill_lines_and_are_deleted_for_good(xero: Xero, contact: Json) -> None:
    body = {
        "Items": [
            {
                "Code": "abc",
                "Name": "Door",
                "Description": "Oak door",
                "SalesDetails": {"UnitPrice": "250.00", "AccountCode": "200"},
            }
        ]
    }
    made = xero.one("PUT", "Items", body)
    assert xero.refused("PUT", "Items", body) == ["Price List Item with Code 'abc' already exists"]
    assert xero.one("POST", "Items", body)["ItemID"] == made["ItemID"]
    line = [{"ItemCode": "abc", "Quantity": 2}]
    invoice = xero.new_invoice(contact["ContactID"], LineItems=line)
    assert invoice["Total"] == Decimal(500)
    assert invoice["LineItems"][0]["Item"]["Name"] == "Door"
    assert xero.send("DELETE", f"Items/{made['ItemID']}").status_code == 204
    kept = xero.one("GET", f"Invoices/{invoice['InvoiceID']}")["LineItems"][0]
    assert (kept["ItemCode"], kept["Description"]) == ("abc", "Oak door")
    off = xero.one(
        "PUT", "Items", {"Items": [{"Code": "x", "IsPurchased": False, "PurchaseDescription": "gone"}]}
    )
    assert "PurchaseDescription" not in off


def test_there_are_two_active_categories_with_a_hundred_options_each(xero: Xero, contact: Json) -> None:
    first = xero.one("PUT", "TrackingCategories", {"Name": "Job"})
    xero.one("PUT", "TrackingCategories", {"Name": "Region"})
    assert xero.refused("PUT", "TrackingCategories", {"Name": "Third"})
    path = f"TrackingCategories/{first['TrackingCategoryID']}"
    options = [xero.one("PUT", f"{path}/Options", {"Name": f"Lot {n}"}) for n in range(100)]
    assert xero.refused("PUT", f"{path}/Options", {"Name": "one more"})
    by_id = {
        "TrackingCategoryID": first["TrackingCategoryID"],
        "TrackingOptionID": options[3]["TrackingOptionID"],
    }
    line = {"Description": "x", "UnitAmount": 1, "AccountCode": "200"}
    invoice = xero.new_invoice(contact["ContactID"], LineItems=[line | {"Tracking": [by_id]}])
    assert invoice["LineItems"][0]["Tracking"][0]["Option"] == "Lot 3"
    assert xero.refused("DELETE", f"{path}/Options/{options[3]['TrackingOptionID']}", None)
    assert xero.one("DELETE", f"{path}/Options/{options[4]['TrackingOptionID']}")["Status"] == "DELETED"
    renamed = xero.one("POST", f"{path}/Options/{options[3]['TrackingOptionID']}", {"Name": "Lot Three"})
    assert renamed["Name"] == "Lot Three"
    read = xero.one("GET", f"Invoices/{invoice['InvoiceID']}")
    assert read["LineItems"][0]["Tracking"][0]["Option"] == "Lot Three"
    bad = {
        "Invoices": [
            xero.invoice(
                contact["ContactID"], LineItems=[line | {"Tracking": [{"Name": "Job", "Option": "?"}]}]
            )
        ]
    }
    assert xero.refused("PUT", "Invoices", bad)
    xero.control("/switches", {"unknown_tracking_option": "drop"})
    assert xero.one("PUT", "Invoices", bad)["LineItems"][0]["Tracking"] == []
    assert xero.refused("DELETE", path, None)
    assert xero.one("POST", path, {"Status": "ARCHIVED"})["Status"] == "ARCHIVED"
    assert [one["Name"] for one in xero.many("TrackingCategories")] == ["Region"]
    assert len(xero.many("TrackingCategories", query={"includeArchived": "true"})) == 2


def test_a_tax_type_must_suit_the_account_and_own_rates_are_numbered(xero: Xero, contact: Json) -> None:
    line = [{"Description": "x", "UnitAmount": 1, "AccountCode": "200", "TaxType": "INPUT2"}]
    body = {"Invoices": [xero.invoice(contact["ContactID"], LineAmountTypes="Exclusive", LineItems=line)]}
    assert xero.refused("PUT", "Invoices", body) == [
        "The TaxType code 'INPUT2' cannot be used with account code '200'."
    ]
    rate = {"Name": "Levy", "TaxComponents": [{"Name": "Levy", "Rate": "2.5", "IsCompound": False}]}
    made = xero.one("PUT", "TaxRates", {"TaxRates": [rate]})
    assert (made["TaxType"], made["EffectiveRate"]) == ("TAX001", Decimal("2.5"))
    assert xero.one("GET", "TaxRates/TAX001")["Name"] == "Levy"


def test_history_notes_are_added_and_attachments_replace_by_name_up_to_ten(xero: Xero, contact: Json) -> None:
    invoice = xero.new_invoice(contact["ContactID"])
    path = f"Invoices/{invoice['InvoiceID']}"
    xero.ok("PUT", f"{path}/History", {"HistoryRecords": [{"Details": "checked by Bo"}]})
    assert xero.many(f"{path}/History")[0]["Details"] == "checked by Bo"
    assert xero.refused("PUT", f"{path}/History", {"HistoryRecords": [{"Details": "x" * 451}]})

    def put(name: str, content: bytes) -> int:
        headers = {**xero.headers, "Content-Type": "application/pdf"}
        return xero.http.put(
            f"/api.xro/2.0/{path}/Attachments/{name}", content=content, headers=headers
        ).status_code

    assert [put(f"a{n}.pdf", b"one") for n in range(10)] == [200] * 10
    assert put("b.pdf", b"eleventh") == 400
    assert put("a0.pdf", b"again") == 200
    assert put("a%3Fb.pdf", b"x") == 400
    held = xero.many(f"{path}/Attachments")
    assert len(held) == 10
    assert xero.send("GET", f"{path}/Attachments/a0.pdf").content == b"again"
    by_id = xero.send("GET", f"{path}/Attachments/{held[1]['AttachmentID']}")
    assert (by_id.content, by_id.headers["content-type"]) == (b"one", "application/pdf")
    assert xero.one("GET", path)["HasAttachments"] is True


def test_reports_come_from_the_ledger_and_agree_with_each_other(xero: Xero, contact: Json) -> None:
    sale = xero.new_invoice(contact["ContactID"], amount="500.00", LineAmountTypes="Exclusive")
    xero.new_invoice(contact["ContactID"], amount="200.00", Type="ACCPAY", LineAmountTypes="Exclusive")
    xero.pay(sale["InvoiceID"], "300.00")

    def figures(name: str, **query: str) -> dict[str, list[str]]:
        report = xero.one("GET", f"Reports/{name}", query=query)
        rows = [row for part in report["Rows"] for row in part.get("Rows", ())]
        return {row["Cells"][0]["Value"]: [cell["Value"] for cell in row["Cells"][1:]] for row in rows}

    dates = {"fromDate": "2026-05-01", "toDate": "2026-05-31"}
    assert figures("ProfitAndLoss", **dates)["Net Profit"] == ["300.00"]
    sheet = figures("BalanceSheet", date="2026-05-31")
    assert sheet["Total Assets"] == ["575.00"]
    assert sheet["Net Assets"] == sheet["Total Equity"] == ["300.00"]
    assert figures("BankSummary", **dates)["Business Bank Account"] == [
        "0.00",
        "300.00",
        "0.00",
        "0.00",
        "300.00",
    ]
    aged = figures("AgedReceivablesByContact", contactId=contact["ContactID"], date="2026-05-31")
    assert aged["Total"][-4:] == ["575.00", "300.00", "0.00", "275.00"]
    assert figures("AgedPayablesByContact", contactId=contact["ContactID"])["Total"][-1] == "230.00"
    assert (
        figures("AgedReceivablesByContact", contactId=contact["ContactID"], date="2026-05-02")["Total"][-1]
        == "575.00"
    )
    assert figures("TrialBalance", date="2026-04-30")["Total"][-1] == "0.00"
    assert xero.send("GET", "Reports/AgedReceivablesByContact").json()["ErrorNumber"] == 16


def test_profit_of_earlier_years_stands_on_retained_earnings(xero: Xero, contact: Json) -> None:
    xero.new_invoice(contact["ContactID"], Date="2025-02-01", DueDate="2025-03-01")
    found = xero.trial_balance()
    assert found["Retained Earnings (960)"] == "-100.00"
    assert "Construction Income (200)" not in found
