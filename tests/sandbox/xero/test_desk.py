"""Working inside Xero as its bookkeeper: the same rules, no token, webhooks told all the same."""

from __future__ import annotations

from decimal import Decimal

from tests.sandbox.xero.client import Json, Xero


def test_a_bookkeeper_enters_changes_and_looks_up_documents_without_a_token(
    xero: Xero, contact: Json
) -> None:
    xero.control("/limits", {"enabled": True, "minute": {"limit": 1}})
    body = {"Invoices": [xero.invoice(contact["ContactID"], amount="100.10")]}
    made = xero.control("/act", {"organisation": xero.tenant, "path": "Invoices", "body": body})["Invoices"][
        0
    ]
    path = f"Invoices/{made['InvoiceID']}"
    xero.control("/act", {"method": "POST", "path": path, "body": {"Reference": "by hand"}})
    seen = xero.http.get(f"/_sandbox/objects/{xero.tenant}/{path}").json()["Invoices"][0]
    assert (seen["Reference"], seen["Total"]) == ("by hand", 100.1)
    found = xero.http.get(f"/_sandbox/trial-balance/{xero.tenant}").json()
    balances = {row["number"]: Decimal(row["balance"]) for row in found["accounts"]}
    assert balances == {"200": Decimal("-100.10"), "610": Decimal("100.10")}
    assert Decimal(found["total"]) == 0


def test_a_refusal_of_xero_is_quoted_and_nonsense_is_explained(xero: Xero, contact: Json) -> None:
    bad = {"path": "Invoices", "body": {"Invoices": [xero.invoice(contact["ContactID"], LineItems=[])]}}
    answer = xero.http.post("/_sandbox/act", json=bad)
    assert answer.status_code == 400
    assert "One or more line items must be specified" in answer.json()["error"]
    for wanted in ({}, {"path": "Nope"}, {"path": "Invoices", "method": "BREW"}, {"path": 5}):
        assert xero.http.post("/_sandbox/act", json=wanted).status_code == 400
    assert xero.http.get(f"/_sandbox/objects/{xero.tenant}/Invoices/x").status_code == 400


def test_another_organisation_can_be_opened_with_the_demos_books(xero: Xero) -> None:
    made = xero.control("/organisations", {"name": "Second Ltd", "version": "AU", "scenario": "demo"})
    xero.connect(organisations=["Second Ltd"])
    rows = xero.http.get("/connections", headers=xero.headers).json()
    assert made["id"] in {row["tenantId"] for row in rows}
    xero.headers["Xero-tenant-id"] = made["id"]
    assert xero.one("GET", "Organisation")["BaseCurrency"] == "AUD"
    assert len(xero.many("Invoices")) > 20
