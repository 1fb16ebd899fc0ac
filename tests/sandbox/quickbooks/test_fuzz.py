"""Any malformed request gets the provider's own fault with its own status, never a Python error."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.sandbox.quickbooks.driver import Books, cost_line, journal_line, sales_line

REQUESTS = int(os.environ.get("SANDBOX_FUZZ_REQUESTS", "10000"))
ENTITIES = [
    "invoice",
    "bill",
    "payment",
    "billpayment",
    "customer",
    "vendor",
    "account",
    "item",
    "class",
    "department",
    "term",
    "paymentmethod",
    "purchase",
    "deposit",
    "transfer",
    "journalentry",
    "creditmemo",
    "vendorcredit",
    "estimate",
    "purchaseorder",
    "attachable",
    "companyinfo",
    "preferences",
    "taxcode",
    "salesreceipt",
    "refundreceipt",
    "employee",
    "taxrate",
]
ODD: tuple[Any, ...] = (
    None, "", " ", "x" * 5000, 0, -1, 1e308, "1e999", "NaN", True, [], {}, [[]], {"value": None}, {"value": "x"},
    {"value": {"value": "1"}}, "2026-02-30", "\u2013\u0000", "'; drop", 10**30, "９９", ["a"], {"Id": "1"},
    "0x10", "-0", "1_000", "Infinity", "9999-12-31", "0001-01-01", {"name": "n"}, [None], [{}], "\ud83d\ude00",
)  # fmt: skip
TEXTS = (
    "select * from Bill", "select count(*) from Invoice where TotalAmt > '1'", "select Id from Customer orderby Id",
    "select * from Vendor where DisplayName like '%a%' startposition 1 maxresults 5",
    "select * from Item where Active in (true,false) order by Name desc",
)  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "invoice": {"CustomerRef": {"value": "1"}, "Line": [sales_line("10", Qty=2, UnitPrice=5)], "DueDate": "2026-01-01"},
    "bill": {"VendorRef": {"value": "5"}, "Line": [cost_line("10")], "DocNumber": "F", "TxnDate": "2026-01-01"},
    "payment": {"CustomerRef": {"value": "1"}, "TotalAmt": 5, "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "1", "TxnType": "Invoice"}]}]},
    "billpayment": {"VendorRef": {"value": "5"}, "TotalAmt": 5, "PayType": "Check", "CheckPayment": {"BankAccountRef": {"value": "5"}},
                    "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "2", "TxnType": "Bill"}]}]},
    "journalentry": {"Line": [journal_line("5", "Debit", "5"), journal_line("5", "Credit", "6")]},
    "deposit": {"DepositToAccountRef": {"value": "5"}, "CashBack": {"AccountRef": {"value": "6"}, "Amount": 1},
                "Line": [{"Amount": 5, "LinkedTxn": [{"TxnId": "3", "TxnType": "Payment", "TxnLineId": "0"}]}]},
    "purchase": {"PaymentType": "Check", "AccountRef": {"value": "5"}, "Line": [cost_line("10")], "EntityRef": {"value": "5", "type": "Vendor"}},
    "customer": {"DisplayName": "Fuzz", "ParentRef": {"value": "1"}, "Job": True, "PrimaryEmailAddr": {"Address": "a@b.c"}, "BillAddr": {"Line1": "x"}},
    "account": {"Name": "Fuzz", "AccountType": "Bank", "SubAccount": True, "ParentRef": {"value": "5"}, "AcctNum": "77"},
    "item": {"Name": "Fuzz", "Type": "Service", "IncomeAccountRef": {"value": "1"}, "UnitPrice": 5},
    "transfer": {"FromAccountRef": {"value": "5"}, "ToAccountRef": {"value": "6"}, "Amount": 5},
    "attachable": {"Note": "n", "AttachableRef": [{"EntityRef": {"type": "Invoice", "value": "1"}}]},
    "preferences": {"SalesFormsPrefs": {"CustomTxnNumbers": True}},
    "batch": {"BatchItemRequest": [{"bId": "1", "operation": "create", "Bill": {"VendorRef": {"value": "5"}, "Line": [cost_line("1")]}}]},
    "taxservice/taxcode": {"TaxCode": "F", "TaxRateDetails": [{"TaxRateName": "f", "RateValue": 1, "TaxAgencyId": "1"}]},
}  # fmt: skip


def mutated(value: Any, dice: random.Random) -> Any:
    """Return a copy with one place spoilt."""
    if dice.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return dice.choice(ODD)
    if isinstance(value, list):
        place = dice.randrange(len(value))
        return [mutated(each, dice) if at == place else each for at, each in enumerate(value)]
    name = dice.choice(list(value))
    roll = dice.random()
    if roll < 0.1:
        return {key: each for key, each in value.items() if key != name}
    if roll < 0.2:
        return {
            **value,
            dice.choice(("Id", "SyncToken", "sparse", "Foo", "Line", "domain", "TotalAmt")): dice.choice(ODD),
        }
    return {**value, name: mutated(value[name], dice)}


def garbled(text: str, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(letters) + 1)
        letters[place : place + dice.randint(0, 3)] = dice.choice(
            ("'", "\\", "%", "(", " ", "\u2013", "9", "or", "where ", "\n", "")
        )
    return "".join(letters)


def a_write(dice: random.Random) -> tuple[str, str, dict[str, Any]]:
    path = dice.choice(list(BODIES))
    body = mutated(BODIES[path], dice)
    content = json.dumps(body, default=str).encode("utf-8", "surrogatepass")
    if dice.random() < 0.1:
        content = content[: dice.randrange(len(content) + 1)] + bytes(dice.randrange(256) for _ in range(3))
    params = dice.choice(({}, {}, {"operation": dice.choice(("delete", "void", "update", "dance"))}, {"include": "void"},
                          {"requestid": "r" * dice.randint(1, 60)}, {"minorversion": "x"}))  # fmt: skip
    target = (
        path
        if dice.random() < 0.8
        else f"{dice.choice(ENTITIES)}/{dice.choice(('1', 'x', '../1', '%00', ''))}"
    )
    return (
        "POST",
        target,
        {"content": content, "params": params, "headers": {"content-type": "application/json"}},
    )


def a_query(dice: random.Random) -> tuple[str, str, dict[str, Any]]:
    text = garbled(dice.choice(TEXTS), dice)
    if dice.random() < 0.5:
        return "GET", "query", {"params": {"query": text}}
    kind = dice.choice(("application/text", "text/plain", "application/json", ""))
    return "POST", "query", {"content": text.encode(), "headers": {"content-type": kind}}


def a_read(dice: random.Random) -> tuple[str, str, dict[str, Any]]:
    odd = dice.choice(("1", "-1", "99999999999999999999999", "x", "1.5", "é", "1/2/3", ""))
    return dice.choice(("GET", "PUT", "DELETE", "PATCH")), f"{dice.choice(ENTITIES)}/{odd}", {}


def a_capture_or_report(dice: random.Random) -> tuple[str, str, dict[str, Any]]:
    when = dice.choice(
        ("2026-11-20", "x", "", "9999-99-99", "2026-11-20T10:00:00 08:00", "0001-01-01T00:00:00Z")
    )
    if dice.random() < 0.5:
        return (
            "GET",
            "cdc",
            {
                "params": {
                    "entities": dice.choice(("Invoice", "Invoice,,x", "", "bill,BILL")),
                    "changedSince": when,
                }
            },
        )
    names = (
        "TrialBalance",
        "GeneralLedger",
        "TransactionList",
        "AgedReceivables",
        "AgedPayables",
        "BalanceSheet",
        "x",
    )
    params = {
        "start_date": when,
        "end_date": dice.choice(("2026-11-22", "x")),
        "columns": dice.choice(("", "x", "tx_date,,")),
    }
    return (
        "GET",
        f"reports/{dice.choice(names)}",
        {"params": {k: v for k, v in params.items() if dice.random() < 0.6}},
    )


def an_upload(dice: random.Random) -> tuple[str, str, dict[str, Any]]:
    kind = dice.choice(("multipart/form-data; boundary=b", "multipart/form-data", "application/json"))
    part = '--b\r\nContent-Disposition: form-data; name="file_content_01"; filename="a.pdf"\r\n\r\n'
    return (
        "POST",
        "upload",
        {"content": garbled(part + "x\r\n--b--", dice).encode(), "headers": {"content-type": kind}},
    )


MAKERS: tuple[Callable[[random.Random], tuple[str, str, dict[str, Any]]], ...] = (
    a_write, a_write, a_write, a_write, a_query, a_query, a_read, a_capture_or_report, an_upload,
)  # fmt: skip


def is_own_answer(answer: httpx.Response) -> bool:
    if answer.status_code == 200:
        return True
    body = answer.json()
    fault = body.get("Fault") or body.get("fault")
    return bool(fault) and bool((fault.get("Error") or fault.get("error"))[0].get("code"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_malformed_requests_get_the_providers_own_fault(books: Books) -> None:
    books.a_payment(books.an_invoice("100"))
    books.a_bill("50")
    dice = random.Random(20_261_122)
    seen: dict[int, int] = {}
    for _ in range(REQUESTS):
        method, path, options = dice.choice(MAKERS)(dice)
        answer = books.raw(method, path, **options)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (method, path, options, answer.text)
        assert is_own_answer(answer), (method, path, options, answer.status_code, answer.text)
    assert seen.keys() <= {200, 400, 401, 403}
    assert seen[400] > REQUESTS / 2
    assert books.is_balanced()


def test_malformed_oauth_requests_are_refused_politely(books: Books) -> None:
    dice = random.Random(5)
    for _ in range(REQUESTS // 100):
        form = {
            dice.choice(("grant_type", "code", "refresh_token", "redirect_uri", "x")): str(dice.choice(ODD))[
                :200
            ]
            for _ in range(3)
        }
        content = "&".join(f"{name}={value}" for name, value in form.items()).encode("utf-8", "replace")
        headers = {"content-type": dice.choice(("application/x-www-form-urlencoded", "application/json", "multipart/form-data")),
                   "authorization": dice.choice(("Basic x", "Basic dGVzdDpz", "Bearer x", "", "Basic \u00ff"))}  # fmt: skip
        for path in ("/oauth2/v1/tokens/bearer", "/v2/oauth2/tokens/revoke"):
            answer = books.http.post(
                path, content=content, headers={k: v.encode("latin-1") for k, v in headers.items()}
            )
            assert answer.status_code in (400, 401), (path, answer.status_code)
            assert "error" in answer.json()
        query = {
            name: str(dice.choice(ODD))[:300]
            for name in ("client_id", "response_type", "scope", "redirect_uri", "state")
        }
        query = {name: value.encode("utf-8", "replace").decode() for name, value in query.items()}
        assert books.http.get("/connect/oauth2", params=query).status_code in (200, 302, 400)
