"""What goes wrong between a builder's books and a QuickBooks company: told in a sentence, nothing doubled, nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import stamina

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sync.errors import AccessExpired
from sync.summary import TieOut
from tests.fakes.world import Platform
from tests.support.quickbooks_sandbox import Sandbox, running_sandbox

LUMBER, INCOME, RETAINAGE = "36", "1", "9"


class Books:
    """One builder, connected to a company of its own."""

    def __init__(self, tieout: Tieout, sandbox: Sandbox) -> None:
        self.tieout = tieout
        self.sandbox = sandbox
        self.realm = sandbox.company(name="Larch Homes LLC")
        self.platform = Platform(tieout.database)
        builder = self.platform.builder_id
        start = tieout.connections.begin(builder, "quickbooks_online", browser="b", requested_by="owner")
        params = sandbox.consent(start.url, realm=self.realm)
        company = tieout.connections.complete("quickbooks_online", params=params, browser="b")
        assert company.notice is None
        self.connection = self.platform.connection_id = company.connection_id
        self._map()
        self.tie_out: TieOut | None = None

    def _map(self) -> None:
        add, version = self.platform.run, str(uuid4())
        add(
            "insert into mapping_versions (builder_id, id, connection_id, number, created_by)"
            " values (%s, %s, %s, 1, 'owner')",
            self.platform.builder_id,
            version,
            self.connection,
        )
        for profile, code, account in (
            ("cost_code", self.platform.code, LUMBER),
            ("revenue", self.platform.code, INCOME),
            ("asset", None, RETAINAGE),
        ):
            add(
                "insert into v2_account_mappings (builder_id, connection_id, platform_cost_code_id,"
                " platform_entity_type, provider_account_id, version_id) values (%s, %s, %s, %s, %s, %s)",
                self.platform.builder_id,
                self.connection,
                code,
                profile,
                account,
                version,
            )

    def sync(self) -> None:
        run = self.platform.add(
            "sync_runs",
            connection_id=self.connection,
            trigger="manual",
            requested_by="owner",
            status="queued",
        )
        with self.tieout.sync(self.platform.builder_id, self.connection, run) as sync:
            _, _, self.tie_out = sync.sync_all()
            sync.finish()

    def client(self, name: str) -> str:
        return self.platform.add("v2_clients", name=name)

    def invoice(self, client: str, number: str, *amounts: str, **values: Any) -> str:
        total = sum(int(amount) for amount in amounts)
        invoice = self.platform.add(
            "v2_invoices",
            number=number,
            client_id=client,
            invoice_date="2026-05-04",
            status="approved",
            total=total,
            **values,
        )
        for position, amount in enumerate(amounts):
            self.platform.add(
                "v2_invoice_lines",
                invoice_id=invoice,
                position=position,
                description="Retainage" if int(amount) < 0 else "Framing",
                role="retainage" if int(amount) < 0 else "work",
                cost_code_id=None if int(amount) < 0 else self.platform.code,
                amount=amount,
            )
        return invoice

    def there(self, entity: str) -> list[dict[str, Any]]:
        return list(self.sandbox.rows(self.realm, entity).values())

    def sentences(self) -> list[str]:
        """What the queue tells the bookkeeper."""
        statement = (
            "select error_message from v2_sync_records where resolved_at is null and status <> 'synced'"
        )
        return [row[0] for row in self.platform.rows(statement)]

    def is_tied(self) -> bool:
        total = self.sandbox.control("GET", f"/trial-balance/{self.realm}")["total"]
        return self.tie_out is not None and self.tie_out.is_tied and Decimal(total) == 0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def books(database: Database, settings: Settings, sandbox: Sandbox) -> Iterator[Books]:
    tieout = Tieout(sandbox.settings(settings), database=database)
    yield Books(tieout, sandbox)
    tieout.connections.close()
    sandbox.control("DELETE", "/faults")


def test_connecting_brings_in_the_chart_of_accounts(books: Books) -> None:
    names = {row[0] for row in books.platform.rows("select name from v2_accounts")}
    assert {"Contract Income", "Job Costs:Job Materials:Lumber and Framing Materials"} <= names


@pytest.mark.parametrize("kind", ["drop_after", "status_after", "drop_before"])
def test_an_answer_that_got_lost_doubles_nothing_and_loses_nothing(books: Books, kind: str) -> None:
    client = books.client("Amy Bird")
    books.sync()
    for number in range(1, 6):
        books.invoice(client, f"10{number:02}", "1000")
    books.sandbox.fault(kind, path="*/batch", tenant=books.realm)
    books.sync()
    books.sync()
    found = [one["DocNumber"] for one in books.there("Invoice")]
    assert len(found) == len(set(found))
    if kind != "drop_before":
        assert sorted(found) == ["1001", "1002", "1003", "1004", "1005"]
        assert books.is_tied()


def test_what_quickbooks_would_refuse_waits_with_a_sentence_and_the_rest_goes_through(books: Books) -> None:
    client = books.client("Smith: Kitchen")
    good = books.client("Amy Bird")
    books.invoice(client, "1001", "1000")
    books.invoice(good, "N" * 22, "1000")
    books.invoice(good, "1003", "1000")
    books.sync()
    told = " ".join(books.sentences())
    assert "the name 'Smith: Kitchen' contains a colon" in told
    assert "has 22 characters and QuickBooks takes 21; shorten it" in told
    assert [one["DocNumber"] for one in books.there("Invoice")] == ["1003"]


def test_a_number_that_is_taken_by_another_document_is_told_and_nothing_is_overwritten(books: Books) -> None:
    [customer] = [one for one in books.there("Customer") if one["DisplayName"] == "City of Alder Falls"]
    detail = {"ItemRef": {"value": "1"}}
    line = {
        "Amount": 7,
        "Description": "Other work",
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": detail,
    }
    by_hand = {
        "CustomerRef": {"value": customer["Id"]},
        "DocNumber": "1001",
        "TxnDate": "2026-01-04",
        "Line": [line],
    }
    books.sandbox.act(books.realm, "Invoice", by_hand, operation="create")
    books.invoice(books.client("Amy Bird"), "1001", "1000")
    books.sync()
    assert [one["TotalAmt"] for one in books.there("Invoice")] == [7]
    [invoice] = books.there("Invoice")
    [sentence] = books.sentences()
    assert "Invoice 1001 (Amy Bird) was refused because its number is already used" in sentence
    assert f"by another document (“Invoice {invoice['DocNumber']}”)" in sentence


def test_lost_access_ends_the_sync_with_the_way_back(books: Books) -> None:
    books.sandbox.control("POST", "/revoke", {"realm": books.realm})
    with pytest.raises(AccessExpired, match="Reconnect it in Settings > Integrations"):
        books.sync()
    assert books.platform.value("select status from v2_integration_connections") == "expired"
