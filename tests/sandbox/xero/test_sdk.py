"""Xero's own xero-python, unmodified, drives the sandbox over HTTP; only its public addresses are set.

Each test runs twice: against a sandbox in this process, whose answers are judged by the published description, and
against one started as anyone starts it, by `tieout sandbox xero` in a process of its own.
"""

from __future__ import annotations

import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from xero_python import accounting as sdk
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi
from xero_python.exceptions import AccountingBadRequestException, ApiException
from xero_python.identity import IdentityApi

from tests.sandbox.xero.client import Xero

# xero-python leaves the connection of an error answer to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


class Sdk:
    """The SDK's objects around one token set."""

    def __init__(self, xero: Xero) -> None:
        self.xero = xero
        self.token: dict[str, Any] = xero.token | {"scope": xero.token["scope"].split()}
        self.saves = 0
        held = OAuth2Token(
            client_id="TIEOUTSANDBOXCLIENT0000000000000", client_secret="tieout-sandbox-secret"
        )
        self.client = ApiClient(
            Configuration(oauth2_token=held),
            pool_threads=1,
            oauth2_token_getter=lambda: self.token,
            oauth2_token_saver=self.save,
        )
        self.api = AccountingApi(self.client, base_url=f"{xero.url}/api.xro/2.0")
        self.identity = IdentityApi(self.client, base_url=xero.url)
        self.tenant = xero.tenant

    def save(self, token: dict[str, Any]) -> None:
        self.token = token
        self.saves += 1


@pytest.fixture(scope="module")
def fresh_process() -> Iterator[str]:
    command = [sys.executable, "-m", "api.cli", "sandbox", "xero", "--port", "0", "--seed", "empty"]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert address is not None
        yield address[0]
        process.terminate()


@pytest.fixture(params=["judged", "fresh process"])
def driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sdk]:
    if request.param == "judged":
        xero: Xero = request.getfixturevalue("xero")
    else:
        xero = Xero(request.getfixturevalue("fresh_process"))
        xero.control("/reset", {"scenario": "empty"})
        xero.connect()
    monkeypatch.setattr(TokenApi, "refresh_token_url", f"{xero.url}/connect/token")
    monkeypatch.setattr(TokenApi, "revoke_token_url", f"{xero.url}/connect/revocation")
    made = Sdk(xero)
    yield made
    assert xero.http.get("/_sandbox/ledger").json()["balanced"]
    made.client.rest_client.pool_manager.clear()
    if request.param == "fresh process":
        xero.http.close()
    del made
    gc.collect()


def an_invoice(contact_id: str, *, amount: str = "100.00", **changes: Any) -> sdk.Invoice:
    line = sdk.LineItem(description="Work", quantity=1.0, unit_amount=Decimal(amount), account_code="200")
    fields = {
        "type": "ACCREC",
        "contact": sdk.Contact(contact_id=contact_id),
        "line_items": [line],
        "date": date(2026, 5, 1),
        "due_date": date(2026, 5, 21),
        "status": "AUTHORISED",
        "line_amount_types": sdk.LineAmountTypes.EXCLUSIVE,
    }
    return sdk.Invoice(**(fields | changes))


def new_contact(driver: Sdk, name: str = "Harbour Homes") -> str:
    made = driver.api.create_contacts(driver.tenant, sdk.Contacts(contacts=[sdk.Contact(name=name)]))
    return str(made.contacts[0].contact_id)


def new_invoice(driver: Sdk, contact_id: str, **changes: Any) -> sdk.Invoice:
    body = sdk.Invoices(invoices=[an_invoice(contact_id, **changes)])
    return driver.api.create_invoices(driver.tenant, body).invoices[0]


def test_the_sdk_lists_connections_and_reads_the_organisation(driver: Sdk) -> None:
    (connection,) = driver.identity.get_connections()
    assert (connection.tenant_id, connection.tenant_type) == (driver.tenant, "ORGANISATION")
    organisation = driver.api.get_organisations(driver.tenant).organisations[0]
    assert (organisation.name, str(organisation.base_currency.value)) == ("Kowhai Builders Ltd", "NZD")
    assert driver.api.get_organisation_actions(driver.tenant).actions
    assert len(driver.api.get_accounts(driver.tenant).accounts) > 30
    assert driver.api.get_tax_rates(driver.tenant).tax_rates[0].tax_type == "OUTPUT2"


def test_the_sdk_creates_reads_updates_and_voids_an_invoice(driver: Sdk) -> None:
    made = new_invoice(driver, new_contact(driver))
    assert (made.invoice_number, made.total, made.date) == ("INV-0001", Decimal("115.0"), date(2026, 5, 1))
    read = driver.api.get_invoice(driver.tenant, made.invoice_id).invoices[0]
    assert (read.amount_due, read.line_items[0].account_code) == (Decimal("115.0"), "200")
    assert isinstance(read.updated_date_utc, datetime)
    change = sdk.Invoices(invoices=[sdk.Invoice(reference="R-1")])
    assert driver.api.update_invoice(driver.tenant, made.invoice_id, change).invoices[0].reference == "R-1"
    void = sdk.Invoices(invoices=[sdk.Invoice(invoice_id=made.invoice_id, status="VOIDED")])
    assert driver.api.update_or_create_invoices(driver.tenant, void).invoices[0].status == "VOIDED"
    draft = new_invoice(driver, read.contact.contact_id, status="DRAFT")
    gone = sdk.Invoices(invoices=[sdk.Invoice(status="DELETED")])
    assert driver.api.update_invoice(driver.tenant, draft.invoice_id, gone).invoices[0].status == "DELETED"


def test_the_sdk_pays_deletes_a_payment_and_allocates_a_credit(driver: Sdk) -> None:
    contact_id = new_contact(driver)
    invoice = new_invoice(driver, contact_id)
    payment = sdk.Payment(
        invoice=sdk.Invoice(invoice_id=invoice.invoice_id),
        account=sdk.Account(code="090"),
        date=date(2026, 5, 9),
        amount=Decimal("115.00"),
    )
    made = driver.api.create_payments(driver.tenant, sdk.Payments(payments=[payment])).payments[0]
    assert driver.api.get_invoice(driver.tenant, invoice.invoice_id).invoices[0].status == "PAID"
    gone = driver.api.delete_payment(driver.tenant, made.payment_id, sdk.PaymentDelete(status="DELETED"))
    assert gone.payments[0].status == "DELETED"
    again = driver.api.create_payment(driver.tenant, payment).payments[0]
    assert driver.api.get_payment(driver.tenant, again.payment_id).payments[0].amount == Decimal("115.0")
    other = new_invoice(driver, contact_id)
    line = sdk.LineItem(description="Credit", quantity=1.0, unit_amount=Decimal(10), account_code="200")
    note = sdk.CreditNote(
        type="ACCRECCREDIT",
        contact=sdk.Contact(contact_id=contact_id),
        date=date(2026, 5, 2),
        line_items=[line],
        status="AUTHORISED",
    )
    credit = driver.api.create_credit_notes(driver.tenant, sdk.CreditNotes(credit_notes=[note])).credit_notes[
        0
    ]
    allocation = sdk.Allocation(
        invoice=sdk.Invoice(invoice_id=other.invoice_id), amount=Decimal("11.50"), date=date(2026, 5, 3)
    )
    body = sdk.Allocations(allocations=[allocation])
    done = driver.api.create_credit_note_allocation(driver.tenant, credit.credit_note_id, body).allocations[0]
    assert driver.api.get_credit_note(driver.tenant, credit.credit_note_id).credit_notes[0].status == "PAID"
    removed = driver.api.delete_credit_note_allocations(
        driver.tenant, credit.credit_note_id, done.allocation_id
    )
    assert removed.is_deleted is True


def test_the_sdk_batches_transfers_journals_and_bank_transactions(driver: Sdk) -> None:
    contact_id = new_contact(driver)
    invoice = new_invoice(driver, contact_id)
    part = sdk.Payment(invoice=sdk.Invoice(invoice_id=invoice.invoice_id), amount=Decimal("15.00"))
    batch = sdk.BatchPayment(
        account=sdk.Account(code="090"), date=date(2026, 5, 5), payments=[part], reference="Run"
    )
    made = driver.api.create_batch_payment(
        driver.tenant, sdk.BatchPayments(batch_payments=[batch])
    ).batch_payments[0]
    assert (made.type, made.total_amount) == ("RECBATCH", Decimal("15.0"))
    key = sdk.BatchPaymentDeleteByUrlParam(status="DELETED")
    gone = driver.api.delete_batch_payment_by_url_param(driver.tenant, made.batch_payment_id, key)
    assert gone.batch_payments[0].status == "DELETED"
    transfer = sdk.BankTransfer(
        from_bank_account=sdk.Account(code="090"),
        to_bank_account=sdk.Account(code="091"),
        amount=Decimal(5),
        date=date(2026, 5, 1),
    )
    moved = driver.api.create_bank_transfer(driver.tenant, sdk.BankTransfers(bank_transfers=[transfer]))
    body = sdk.BankTransferDeleteByUrlParam(status="DELETED")
    driver.api.delete_bank_transfer(driver.tenant, moved.bank_transfers[0].bank_transfer_id, body)
    lines = [
        sdk.ManualJournalLine(line_amount=Decimal(n), account_code=c) for n, c in ((9, "300"), (-9, "825"))
    ]
    journal = sdk.ManualJournal(
        narration="Retention", journal_lines=lines, status="POSTED", date=date(2026, 5, 1)
    )
    posted = driver.api.create_manual_journals(driver.tenant, sdk.ManualJournals(manual_journals=[journal]))
    assert posted.manual_journals[0].status == "POSTED"
    line = sdk.LineItem(description="Fuel", quantity=1.0, unit_amount=Decimal(20), account_code="429")
    spend = sdk.BankTransaction(
        type="SPEND",
        contact=sdk.Contact(contact_id=contact_id),
        line_items=[line],
        bank_account=sdk.Account(code="090"),
        date=date(2026, 5, 4),
    )
    spent = driver.api.create_bank_transactions(
        driver.tenant, sdk.BankTransactions(bank_transactions=[spend])
    )
    assert spent.bank_transactions[0].total == Decimal("23.0")
    report = driver.api.get_report_trial_balance(driver.tenant).reports[0]
    total = report.rows[-1].rows[-1].cells
    assert total[3].value == total[4].value != "0.00"


def test_the_sdk_handles_accounts_items_tracking_history_and_files(driver: Sdk, tmp_path: Path) -> None:
    account = sdk.Account(code="305", name="Timber", type=sdk.AccountType.DIRECTCOSTS)
    made = driver.api.create_account(driver.tenant, account).accounts[0]
    change = sdk.Accounts(accounts=[sdk.Account(status="ARCHIVED")])
    assert driver.api.update_account(driver.tenant, made.account_id, change).accounts[0].status == "ARCHIVED"
    item = driver.api.create_items(driver.tenant, sdk.Items(items=[sdk.Item(code="a", name="Door")])).items[0]
    driver.api.delete_item(driver.tenant, item.item_id)
    assert driver.api.get_items(driver.tenant).items == []
    category = driver.api.create_tracking_category(driver.tenant, sdk.TrackingCategory(name="Job"))
    key = category.tracking_categories[0].tracking_category_id
    option = driver.api.create_tracking_options(driver.tenant, key, sdk.TrackingOption(name="Lot 1")).options[
        0
    ]
    assert option.name == "Lot 1"
    invoice = new_invoice(driver, new_contact(driver))
    note = sdk.HistoryRecords(history_records=[sdk.HistoryRecord(details="seen")])
    driver.api.create_invoice_history(driver.tenant, invoice.invoice_id, note)
    assert (
        driver.api.get_invoice_history(driver.tenant, invoice.invoice_id).history_records[0].details == "seen"
    )
    kept = driver.api.create_invoice_attachment_by_file_name(
        driver.tenant, invoice.invoice_id, "a.pdf", b"%PDF-1.4 sandbox", include_online=True
    )
    assert (kept.attachments[0].content_length, kept.attachments[0].include_online) == (16, True)
    driver.client.configuration.temp_folder_path = str(tmp_path)
    path = driver.api.get_invoice_attachment_by_file_name(
        driver.tenant, invoice.invoice_id, "a.pdf", content_type="application/pdf"
    )
    assert Path(path).read_bytes() == b"%PDF-1.4 sandbox"


def test_the_sdk_queries_pages_orders_and_asks_for_changes(driver: Sdk) -> None:
    contact_id = new_contact(driver)
    for n in range(5):
        new_invoice(driver, contact_id, amount=f"{10 + n}.00")
    first = driver.api.get_invoices(
        driver.tenant, page=1, page_size=2, order="Total DESC", where='Type=="ACCREC"'
    )
    assert [str(one.total) for one in first.invoices] == ["16.1", "14.95"]
    assert (first.pagination.page_count, first.pagination.item_count) == (3, 5)
    found = driver.api.get_invoices(
        driver.tenant, i_ds=[first.invoices[0].invoice_id], statuses=["AUTHORISED"]
    )
    assert len(found.invoices) == 1
    moved = driver.xero.control("/clock", {"shift_seconds": 60})
    since = datetime.fromisoformat(moved["now"]).astimezone(UTC)
    assert driver.api.get_invoices(driver.tenant, if_modified_since=since).invoices == []
    assert (
        driver.api.get_contacts(driver.tenant, page=1, summary_only=True).contacts[0].contact_id == contact_id
    )


def test_the_sdk_sees_errors_as_its_own_exceptions(driver: Sdk) -> None:
    contact_id = new_contact(driver)
    with pytest.raises(AccountingBadRequestException) as refused:
        driver.api.create_invoices(
            driver.tenant, sdk.Invoices(invoices=[an_invoice(contact_id, line_items=[])])
        )
    assert refused.value.error_data["ErrorNumber"] == 10
    bodies = sdk.Invoices(invoices=[an_invoice(contact_id), an_invoice(contact_id, line_items=[])])
    both = driver.api.create_invoices(driver.tenant, bodies, summarize_errors=False).invoices
    assert [one.status_attribute_string for one in both] == ["OK", "ERROR"]
    assert both[1].validation_errors[0].message == "One or more line items must be specified"
    with pytest.raises(ApiException) as missing:
        driver.api.get_invoice(driver.tenant, "11111111-1111-4111-8111-111111111111")
    assert missing.value.status == 404
    # With a Retry-After the SDK's urllib3 would wait and try again by itself, so the kind without one is asked for.
    driver.xero.control("/faults", {"kind": "rate_limit", "options": {"problem": "concurrent"}})
    with pytest.raises(ApiException) as limited:
        driver.api.get_organisations(driver.tenant)
    assert (limited.value.status, limited.value.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")


def test_the_sdk_repeats_a_call_under_its_idempotency_key(driver: Sdk) -> None:
    body = sdk.Invoices(invoices=[an_invoice(new_contact(driver))])
    ids = {
        driver.api.create_invoices(driver.tenant, body, idempotency_key="once").invoices[0].invoice_id
        for _ in range(2)
    }
    assert len(ids) == 1


def test_the_sdk_refreshes_an_expired_token_by_itself_revokes_and_disconnects(driver: Sdk) -> None:
    before = driver.token["refresh_token"]
    driver.token = driver.token | {"expires_at": 1.0}
    assert driver.api.get_organisations(driver.tenant).organisations
    assert driver.saves == 1
    assert driver.token["refresh_token"] != before
    (connection,) = driver.identity.get_connections()
    driver.identity.delete_connection(connection.id)
    with pytest.raises(ApiException) as refused:
        driver.api.get_organisations(driver.tenant)
    assert refused.value.status == 403
    held = driver.client.configuration.oauth2_token
    held.update_token(**driver.token)
    assert held.revoke_access_token(driver.client)
