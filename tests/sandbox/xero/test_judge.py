"""The judge itself: it must be able to say no."""

from __future__ import annotations

import json

import pytest
from werkzeug.datastructures import Headers

from tests.sandbox.xero.client import Json, Xero
from tests.sandbox.xero.judge import PREFIX, JudgedRequest, JudgedResponse, problems_of, request_problems


def judged(xero: Xero, change: Json, status: int = 200) -> str:
    body = xero.send("GET", "Invoices", query={"page": 1}).json()
    body["Invoices"][0] |= change
    request = JudgedRequest("get", f"{PREFIX}/Invoices", "page=1", None, "", Headers())
    return problems_of(
        request, JudgedResponse(status, json.dumps(body).encode(), "application/json", Headers())
    )


@pytest.mark.parametrize(
    "change",
    [
        {"Status": "OPEN"},
        {"Total": "12"},
        {"InvoiceID": "not-a-guid"},
        {"LineItems": {}},
        {"Contact": {"ContactID": 5}},
        {"Payments": [{"Invoice": {"CreditNotes": [{"Type": "X"}]}}]},
        {"CurrencyCode": "XXZ"},
    ],
)
def test_the_judge_finds_a_wrong_value_even_deep_in_the_cycle(
    xero: Xero, contact: Json, change: Json
) -> None:
    xero.new_invoice(contact["ContactID"])
    assert judged(xero, {}) == ""
    assert judged(xero, change)


def test_the_judge_finds_a_status_nobody_described(xero: Xero, contact: Json) -> None:
    xero.new_invoice(contact["ContactID"])
    assert judged(xero, {}, status=418)


@pytest.mark.parametrize(
    ("body", "is_fine"),
    [
        ({"Invoices": [{"Type": "ACCREC", "LineItems": [{"UnitAmount": 5.25}], "Date": "2026-01-01"}]}, True),
        ({"Invoices": [{"Type": "INVOICE"}]}, False),
        ({"Invoices": [{"LineItems": [{"UnitAmount": "five"}]}]}, False),
        ({"Invoices": [{"LineItems": [{"UnitPrice": 5}]}]}, False),
    ],
)
def test_requests_can_be_judged_too(*, body: Json, is_fine: bool) -> None:
    headers = Headers({"xero-tenant-id": "t", "Content-Type": "application/json"})
    content = json.dumps(body).encode()
    request = JudgedRequest(
        "put", f"{PREFIX}/Invoices", "summarizeErrors=false", content, "application/json", headers
    )
    assert (request_problems(request) == "") == is_fine


def test_a_request_without_its_tenant_header_is_found() -> None:
    assert request_problems(JudgedRequest("get", f"{PREFIX}/Invoices", "", None, "", Headers()))


def test_a_parameter_nobody_described_is_found() -> None:
    headers = Headers({"xero-tenant-id": "t"})
    good, bad = (
        request_problems(JudgedRequest("get", f"{PREFIX}/Invoices", query, None, "", headers))
        for query in ("page=1&pageSize=100", "page=1&size=100")
    )
    assert good == ""
    assert bad.endswith("not described: ?size")
