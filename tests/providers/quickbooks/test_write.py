"""Records to QuickBooks' JSON: what is sent, what is left out, and what must not be touched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import pytest

from resources.quickbooks.chart import Account, Chart
from resources.quickbooks.items import Items, item_name, item_request_id
from resources.quickbooks.read import Reader
from resources.quickbooks.taxes import TaxCodes
from resources.quickbooks.write import Request, Writer
from sync.errors import RejectedByProvider
from sync.records import Entity, RemoteRecord
from tests.providers.quickbooks import payloads as qb
from tests.providers.quickbooks.payloads import ref
from tests.providers.quickbooks.writes import a_bill, a_line, a_name, an_invoice, change, create


class FakeChart:
    """Three accounts."""

    accounts = (
        Account("45", "Construction income", "Income", is_active=True),
        Account("60", "Job Expenses", "Expense", is_active=True),
        Account("84", "Accounts Receivable (A/R)", "Accounts Receivable", is_active=True),
    )

    def account(self, account_id: str) -> Account | None:
        return next((one for one in self.accounts if one.id == account_id), None)

    def at(self, path: str) -> Account | None:
        return next((one for one in self.accounts if one.path == path), None)


class FakeItems:
    """An item for every account."""

    def for_account(self, account_id: str, *, label: str) -> str:
        return f"item-{account_id}"


def reader() -> Reader:
    return Reader(home_currency="USD", account_of_item=lambda _item, _side: None)


def request(write: Any, previous: dict[str, Any] | None = None, **company: bool) -> Request:
    facts = {"is_multi_currency": False, "is_domestic": True} | company
    writer = Writer(
        chart=cast("Chart", FakeChart()),
        items=cast("Items", FakeItems()),
        reader=reader(),
        tax_codes=cast("TaxCodes", object()),
        **facts,
    )
    return writer.request(write, previous or {})


def record(name: str, body: dict[str, Any]) -> RemoteRecord:
    found = reader().record(name, body)
    assert found is not None
    return found


def updated(kind: str, body: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """What is sent when a record that is in QuickBooks as `body` changes."""
    before = record(kind, body)
    write = change("update", before, before.canonical | changes)
    return request(write, dict(before.raw)).body


# ---------------------------------------------------------------- documents


def test_a_new_invoice_names_customer_dates_number_note_and_an_item_per_line() -> None:
    write = create(
        Entity.INVOICE, an_invoice("1", a_line("100.00", "45", quantity="4.00", unit_price="25.00"))
    )
    sent = request(write)
    assert (sent.name, sent.verb) == ("Invoice", "create")
    assert sent.body == {
        "TxnDate": "2026-05-04",
        "DueDate": "2026-06-03",
        "DocNumber": write.canonical["number"],
        "PrivateNote": f"Draw 3\n{write.marker}",
        "CustomerRef": {"value": "1"},
        "Line": [
            {
                "Description": "Framing, first floor",
                "Amount": Decimal("100.00"),
                "DetailType": "SalesItemLineDetail",
                "SalesItemLineDetail": {
                    "ItemRef": {"value": "item-45"},
                    "Qty": Decimal("4.00"),
                    "UnitPrice": Decimal("25.00"),
                },
            }
        ],
    }


def test_quantity_and_price_are_left_out_where_they_do_not_multiply_to_the_amount() -> None:
    line = a_line("100.00", "45", quantity="3.00", unit_price="33.30")
    detail = request(create(Entity.INVOICE, an_invoice("1", line))).body["Line"][0]["SalesItemLineDetail"]
    assert "Qty" not in detail
    assert "UnitPrice" not in detail


def test_quantity_and_price_are_sent_where_they_multiply_to_the_rounded_amount() -> None:
    line = a_line("100.00", "45", quantity="3.00", unit_price="33.3333")
    detail = request(create(Entity.INVOICE, an_invoice("1", line))).body["Line"][0]["SalesItemLineDetail"]
    assert (detail["Qty"], detail["UnitPrice"]) == (Decimal("3.00"), Decimal("33.3333"))


def test_the_currency_is_named_only_in_a_company_with_several() -> None:
    write = create(Entity.BILL, a_bill("56"))
    assert "CurrencyRef" not in request(write).body
    assert request(write, is_multi_currency=True).body["CurrencyRef"] == {"value": "USD"}


def test_outside_the_us_no_sales_tax_is_asked_for() -> None:
    write = create(Entity.BILL, a_bill("56"))
    assert "GlobalTaxCalculation" not in request(write).body
    assert request(write, is_domestic=False).body["GlobalTaxCalculation"] == "NotApplicable"


def test_an_update_is_sparse_names_the_version_and_leaves_unchanged_lines_out() -> None:
    sent = updated("Invoice", qb.an_invoice(), memo="Draw 4")
    assert (sent["Id"], sent["SyncToken"], sent["sparse"]) == ("130", "1", True)
    assert sent["PrivateNote"] == f"Draw 4\n{qb.MARKER}"
    assert "Line" not in sent


def test_a_changed_line_keeps_everything_else_about_it() -> None:
    before = record("Invoice", qb.an_invoice())
    line = before.canonical["lines"][0] | {"amount": "150.00", "quantity": "3.00"}
    [sent] = updated("Invoice", qb.an_invoice(), lines=[line], total="150.00")["Line"]
    assert (sent["Id"], sent["LineNum"], sent["Amount"]) == ("1", 1, Decimal("150.00"))
    detail = sent["SalesItemLineDetail"]
    assert detail["ItemRef"] == ref("10", "Framing")
    assert (detail["ServiceDate"], detail["Qty"]) == ("2026-05-01", Decimal("3.00"))


def test_a_line_moved_to_another_account_takes_that_accounts_item() -> None:
    before = record("Invoice", qb.an_invoice())
    line = before.canonical["lines"][0] | {"account": "60"}
    [sent] = updated("Invoice", qb.an_invoice(), lines=[line])["Line"]
    assert sent["SalesItemLineDetail"]["ItemRef"] == {"value": "item-60"}
    assert "ItemAccountRef" not in sent["SalesItemLineDetail"]


def test_sales_tax_is_never_sent_as_a_line() -> None:
    body = qb.an_invoice(TxnTaxDetail={"TotalTax": Decimal("7.20")}, TotalAmt=Decimal("107.20"))
    tax, framing = (
        record("Invoice", body).canonical["lines"][1],
        record("Invoice", body).canonical["lines"][0],
    )
    sent = updated("Invoice", body, lines=[framing | {"description": "Framing"}, tax])
    assert [line["Description"] for line in sent["Line"]] == ["Framing"]


def test_a_discount_goes_back_with_quickbooks_sign() -> None:
    discount = {
        "Id": "2",
        "Amount": Decimal("10.00"),
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": False, "DiscountAccountRef": ref("86")},
    }
    body = qb.an_invoice(Line=[qb.a_sales_line(), discount])
    first, second = record("Invoice", body).canonical["lines"]
    sent = updated("Invoice", body, lines=[first, second | {"amount": "-12.00"}])
    assert sent["Line"][1]["Amount"] == Decimal("12.00")
    assert sent["Line"][1]["DetailType"] == "DiscountLineDetail"


def test_a_bundle_can_keep_its_lines_but_not_have_them_changed() -> None:
    bundle = {
        "Id": "5",
        "DetailType": "GroupLineDetail",
        "GroupLineDetail": {"Line": [qb.a_sales_line(Id="6")]},
    }
    body = qb.an_invoice(Line=[bundle])
    assert "Line" not in updated("Invoice", body, memo="fine")
    with pytest.raises(RejectedByProvider, match="bundle of items, which only QuickBooks can change"):
        updated("Invoice", body, lines=[])


def test_a_bill_line_keeps_its_job_and_is_never_told_that_it_was_billed() -> None:
    body = qb.a_bill(Line=[qb.a_bill_line(detail={"BillableStatus": "HasBeenBilled"})])
    line = record("Bill", body).canonical["lines"][0] | {"amount": "210.00"}
    detail = updated("Bill", body, lines=[line], total="210.00")["Line"][0]["AccountBasedExpenseLineDetail"]
    assert detail["CustomerRef"] == ref("1")
    assert "BillableStatus" not in detail


def test_an_item_line_of_a_bill_that_moves_to_another_account_becomes_an_account_line() -> None:
    item_line = {
        "Id": "3",
        "Amount": Decimal(90),
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {
            "ItemRef": ref("10"),
            "ItemAccountRef": ref("63"),
            "CustomerRef": ref("1"),
            "Qty": 3,
        },
    }
    body = qb.a_bill(Line=[item_line])
    line = record("Bill", body).canonical["lines"][0]
    kept = updated("Bill", body, lines=[line | {"amount": "95.00"}])["Line"][0]
    moved = updated("Bill", body, lines=[line | {"account": "60"}])["Line"][0]
    assert (kept["Id"], kept["DetailType"]) == ("3", "ItemBasedExpenseLineDetail")
    assert moved["AccountBasedExpenseLineDetail"] == {"CustomerRef": ref("1"), "AccountRef": {"value": "60"}}
    assert not {"Id", "ItemBasedExpenseLineDetail"} & moved.keys()


@pytest.mark.parametrize("entity", [Entity.INVOICE, Entity.BILL])
def test_an_amount_without_an_account_is_not_sent(entity: Entity) -> None:
    document = an_invoice("1", a_line(account=None))
    with pytest.raises(RejectedByProvider, match="line 1 names no account; map its cost code"):
        request(create(entity, document))


def test_a_line_of_words_alone_stays_one() -> None:
    write = create(
        Entity.INVOICE, an_invoice("1", a_line(account="45"), a_line("0.00", None, description="Thank you"))
    )
    assert request(write).body["Line"][1] == {"Description": "Thank you", "DetailType": "DescriptionOnly"}


def test_an_employee_on_a_journal_line_is_kept() -> None:
    employee = {"Entity": {"Type": "Employee", "EntityRef": ref("70")}}
    body = qb.a_journal_entry(
        Line=[
            qb.a_journal_line("0", "Debit", "75.25", "45", detail=employee),
            qb.a_journal_line("1", "Credit", "75.25", "60"),
        ]
    )
    lines = record("JournalEntry", body).canonical["lines"]
    sent = updated("JournalEntry", body, lines=[lines[0] | {"description": "Wages"}, lines[1]])
    assert sent["Line"][0]["JournalEntryLineDetail"]["Entity"]["Type"] == "Employee"
    assert [line["Id"] for line in sent["Line"]] == ["0", "1"]


# ---------------------------------------------------------------- ends


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("Invoice", qb.an_invoice(), ("update", None, True, {"operation": "void"})),
        ("Payment", qb.a_payment(), ("update", "void", False, {})),
        ("BillPayment", qb.a_bill_payment(), ("update", "void", False, {})),
        ("Bill", qb.a_bill(), ("delete", None, False, {})),
        ("JournalEntry", qb.a_journal_entry(), ("delete", None, False, {})),
        ("Deposit", qb.a_deposit(), ("delete", None, False, {})),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_document_is_voided_the_way_quickbooks_has(
    name: str, body: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    sent = request(change("void", record(name, body)))
    assert (sent.verb, sent.options, sent.is_single, dict(sent.params)) == expected
    assert (sent.body["Id"], sent.body["SyncToken"]) == (body["Id"], body["SyncToken"])


def test_a_name_is_ended_by_making_it_inactive_and_keeps_the_rest() -> None:
    before = record("Customer", qb.a_customer())
    sent = request(change("void", before), dict(before.raw)).body
    assert (sent["Active"], sent["Notes"], sent["DisplayName"]) == (
        False,
        "pays late",
        "Amy's Bird Sanctuary",
    )


# ---------------------------------------------------------------- names


def test_an_update_of_a_name_sends_back_what_was_there() -> None:
    sent = updated("Customer", qb.a_customer(), email="new@example.com")
    assert sent["Notes"] == "pays late"
    assert sent["PrimaryEmailAddr"] == {"Address": "new@example.com"}
    assert sent["BillAddr"] == qb.a_customer()["BillAddr"]
    assert not {"Balance", "sparse", "MetaData"} & sent.keys()


def test_a_new_address_replaces_all_its_lines_and_keeps_the_country() -> None:
    address = {"line": "1 Foundry St", "city": "Alder Falls", "region": "CA", "postal_code": None}
    sent = updated("Customer", qb.a_customer(), address=address)["BillAddr"]
    assert sent == {
        "Id": "2",
        "Country": "USA",
        "Line1": "1 Foundry St",
        "City": "Alder Falls",
        "CountrySubDivisionCode": "CA",
    }


def test_the_name_printed_on_checks_follows_unless_it_was_another() -> None:
    follows = updated("Vendor", qb.a_customer(), name="Amy's Bird Inn")
    differs = updated("Vendor", qb.a_customer(PrintOnCheckName="A. Bird"), name="Amy's Bird Inn")
    assert "PrintOnCheckName" not in follows
    assert differs["PrintOnCheckName"] == "A. Bird"


def test_a_new_type_of_an_account_drops_the_old_sub_type() -> None:
    body = qb.an_account(SubAccount=False, FullyQualifiedName="Job Materials")
    kept = updated("Account", body, description="by the week")
    changed = updated("Account", body, type="cost_of_goods_sold")
    assert kept["AccountSubType"] == "SuppliesMaterials"
    assert changed["AccountType"] == "Cost of Goods Sold"
    assert "AccountSubType" not in changed


def test_a_new_customer_has_only_what_is_known() -> None:
    assert request(create(Entity.CUSTOMER, a_name("Amy Bird"))).body == {"DisplayName": "Amy Bird"}


# ---------------------------------------------------------------- money that moved


def test_a_payments_other_uses_stay_when_what_it_pays_changes() -> None:
    sent = updated("Payment", qb.a_payment(), applications=[{"invoice": "130", "amount": "90.00"}])
    uses = [(line["LinkedTxn"][0]["TxnType"], line["Amount"]) for line in sent["Line"]]
    assert uses == [("JournalEntry", Decimal("40.00")), ("Invoice", Decimal("90.00"))]


def test_what_a_deposit_contains_is_quickbooks_business() -> None:
    assert updated("Deposit", qb.a_deposit(), memo="corrected")["DepositToAccountRef"] == {"value": "35"}
    with pytest.raises(RejectedByProvider, match="can only be changed in QuickBooks"):
        updated("Deposit", qb.a_deposit(), lines=[])


def test_a_bill_payment_is_not_invented_without_its_bank_account() -> None:
    canonical = record("BillPayment", qb.a_bill_payment()).canonical
    with pytest.raises(RejectedByProvider, match="from which bank account"):
        request(create(Entity.BILL_PAYMENT, canonical))


# ---------------------------------------------------------------- items


@pytest.mark.parametrize(
    ("path", "suffix", "name"),
    [
        ("Retainage Receivable", "", "Retainage Receivable"),
        ("Job Costs:Job Materials", "", "Job Costs - Job Materials"),
        ("x" * 120, "", "x" * 100),
        ("x" * 120, " (9)", "x" * 96 + " (9)"),
    ],
)
def test_an_item_is_named_after_its_account(path: str, suffix: str, name: str) -> None:
    assert item_name(path, suffix=suffix) == name


def test_making_the_same_item_twice_is_the_same_request() -> None:
    request = item_request_id("1", "45", "Income", known=["7", "11"])
    assert request == item_request_id("1", "45", "Income", known={"11": {}, "7": {}})
    assert request != item_request_id("2", "45", "Income", known=["7", "11"])
    assert request != item_request_id("1", "45", "Income", known=["7", "11", "12"])
    assert len(request) == 36
