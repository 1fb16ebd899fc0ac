"""Idempotency, limits, faults, bodies that are wrong, webhooks, restart and the page."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.kernel.server import ServerThread
from sandbox.xero import create_app
from tests.sandbox.xero.client import Json, Xero, exact


def test_a_repeated_key_answers_the_same_and_writes_once(xero: Xero, contact: Json) -> None:
    body = {"Invoices": [xero.invoice(contact["ContactID"])]}
    key = {"Idempotency-Key": "k1"}
    first, second = (xero.send("PUT", "Invoices", body, headers=key) for _ in range(2))
    assert first.content == second.content
    assert len(xero.many("Invoices")) == 1
    xero.control("/clock", {"shift_seconds": 361})
    xero.send("PUT", "Invoices", body, headers=key)
    assert len(xero.many("Invoices")) == 2


def test_a_key_with_another_request_or_too_long_is_refused(xero: Xero, contact: Json) -> None:
    xero.send("PUT", "Contacts", {"Contacts": [{"Name": "A"}]}, headers={"Idempotency-Key": "k"})
    other = xero.send("PUT", "Contacts", {"Contacts": [{"Name": "B"}]}, headers={"Idempotency-Key": "k"})
    assert other.status_code == 400
    assert "is used with a different request" in exact(other)["Message"]
    long = xero.send("PUT", "Contacts", {"Contacts": [{"Name": "B"}]}, headers={"Idempotency-Key": "k" * 129})
    assert long.status_code == 400


def test_error_answers_are_remembered_too_unless_switched_off(xero: Xero, contact: Json) -> None:
    body = {"Contacts": [{"ContactID": contact["ContactID"], "Name": ""}]}
    key = {"Idempotency-Key": "bad"}
    first = xero.send("POST", "Contacts", body, headers=key)
    assert first.status_code == 400
    assert xero.send("POST", "Contacts", body, headers=key).content == first.content
    xero.control("/switches", {"idempotency_keeps_errors": "no"})
    payment = {
        "Payments": [
            {
                "Invoice": {"InvoiceNumber": "P-1"},
                "Account": {"Code": "090"},
                "Amount": 1,
                "Date": "2026-05-05",
            }
        ]
    }
    key = {"Idempotency-Key": "later"}
    assert xero.send("PUT", "Payments", payment, headers=key).status_code == 400
    xero.new_invoice(contact["ContactID"], InvoiceNumber="P-1")
    assert xero.send("PUT", "Payments", payment, headers=key).status_code == 200


def test_the_sixty_first_call_of_a_minute_is_429_without_a_body(xero: Xero) -> None:
    xero.control("/clock", {"now": "2026-11-01T10:00:05Z", "frozen": True})
    xero.connect()
    xero.control("/limits", {"enabled": True})
    answers = [xero.send("GET", "Organisation") for _ in range(61)]
    good, refused = answers[59], answers[60]
    assert (good.status_code, good.headers["x-minlimit-remaining"]) == (200, "0")
    assert (refused.status_code, refused.content) == (429, b"")
    assert "content-type" not in refused.headers
    assert (refused.headers["x-rate-limit-problem"], refused.headers["retry-after"]) == ("minute", "55")
    assert refused.headers["x-daylimit-remaining"] == str(5_000 - 61)
    xero.control("/clock", {"shift_seconds": 55, "frozen": False})
    assert xero.send("GET", "Organisation").status_code == 200
    xero.control("/limits", {"day": {"limit": 1}})
    day = [xero.send("GET", "Organisation") for _ in range(2)][1]
    assert day.headers["x-rate-limit-problem"] == "day"


def test_the_sixth_call_in_flight_is_refused_as_concurrent(xero: Xero) -> None:
    xero.control("/limits", {"enabled": True})
    xero.control("/faults", {"kind": "slow", "seconds": 0.6, "count": 5, "path": "/api.xro/*"})
    answers: list[httpx.Response] = []

    def call() -> None:
        with httpx.Client(base_url=xero.url, timeout=10) as http:
            answers.append(http.get("/api.xro/2.0/Organisation", headers=xero.headers))

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = [one.headers.get("x-rate-limit-problem") for one in answers if one.status_code == 429]
    assert problems == ["concurrent"]
    # An answer is counted as given a moment after it has arrived.
    deadline = time.monotonic() + 5
    while xero.emulator.in_flight[xero.tenant] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert xero.emulator.in_flight[xero.tenant] == 0


@pytest.mark.parametrize(
    ("rule", "status", "text"),
    [
        ({"kind": "status", "status": 503}, 503, "The Organisation is offline"),
        ({"kind": "status", "status": 500}, 500, "ErrorNumber"),
        ({"kind": "rate_limit", "options": {"problem": "day"}}, 429, ""),
        ({"kind": "token_expired"}, 401, "TokenExpired"),
        ({"kind": "offline"}, 503, "offline"),
        ({"kind": "disconnected"}, 403, "AuthenticationUnsuccessful"),
    ],
)
def test_asked_for_failures_carry_xeros_bodies(xero: Xero, rule: Json, status: int, text: str) -> None:
    xero.control("/faults", {**rule, "path": "/api.xro/*"})
    answer = xero.send("GET", "Organisation")
    assert answer.status_code == status
    assert text in answer.text


def test_a_write_whose_answer_is_lost_is_settled_by_its_key(xero: Xero, contact: Json) -> None:
    xero.control("/faults", {"kind": "drop_after", "method": "PUT"})
    body, key = {"Invoices": [xero.invoice(contact["ContactID"])]}, {"Idempotency-Key": "once"}
    with pytest.raises(httpx.RemoteProtocolError):
        xero.send("PUT", "Invoices", body, headers=key)
    assert xero.send("PUT", "Invoices", body, headers=key).status_code == 200
    assert len(xero.many("Invoices")) == 1


def test_a_truncated_page_a_lock_and_a_revoked_grant_on_demand(xero: Xero, contact: Json) -> None:
    for _ in range(4):
        xero.new_invoice(contact["ContactID"])
    xero.control("/faults", {"kind": "truncated_page", "path": "/api.xro/2.0/Invoices"})
    assert len(xero.many("Invoices", query={"page": 1})) == 2
    assert len(xero.many("Invoices", query={"page": 1})) == 4
    xero.control("/faults", {"kind": "lock_period", "method": "PUT", "options": {"date": "2026-12-31"}})
    assert xero.refused("PUT", "Invoices", {"Invoices": [xero.invoice(contact["ContactID"])]})
    xero.control("/faults", {"kind": "revoked_grant", "path": "/connect/token"})
    form = {"grant_type": "refresh_token", "refresh_token": xero.token["refresh_token"]}
    auth = ("TIEOUTSANDBOXCLIENT0000000000000", "tieout-sandbox-secret")
    assert xero.http.post("/connect/token", data=form, auth=auth).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"{", 14),
        (b"", 17),
        (b"[]", 17),
        (b"{}", 17),
        (b'{"Contacts":[]}', 17),
        (b'{"Wrong":[{}]}', 17),
        (b"7", 14),
        (b'{"Contacts":[1]}', 14),
        (b'{"Contacts":[{"Name":{"a":1}}]}', 14),
        (b"[" * 5000, 14),
        (b"\xff\xfe", 14),
        (b'{"Contacts":[{"Addresses":[{"AddressType":"MOON"}]}]}', 14),
        (b'{"Contacts":[{"Name":NaN}]}', 14),
        (b'{"Contacts":[{"Name":"\\ud800"}]}', 14),
        (b'{"Contacts":[{"ContactID":"\\ud800"}]}', 14),
    ],
)
def test_malformed_bodies_get_xeros_own_numbers(xero: Xero, body: bytes, number: int) -> None:
    headers = {**xero.headers, "Content-Type": "application/json"}
    answer = xero.http.put("/api.xro/2.0/Contacts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, number)


class Receiver:
    """A webhook receiver that answers as told and keeps what it got."""

    def __init__(self, key: str) -> None:
        self.bodies: list[Json] = []
        self.refuses = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                made = base64.b64encode(hmac.new(key.encode(), raw, hashlib.sha256).digest()).decode()
                is_right = hmac.compare_digest(made, self.headers["x-xero-signature"])
                if is_right and json.loads(raw)["events"]:
                    receiver.bodies.append(json.loads(raw))
                if receiver.refuses and json.loads(raw)["events"]:
                    receiver.refuses -= 1
                    is_right = False
                self.send_response(200 if is_right else 401)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Keep the test's output quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver("hook-key")
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_is_saved_after_its_intent_to_receive_and_tells_of_changes(
    xero: Xero, contact: Json, receiver: Receiver
) -> None:
    saved = xero.control("/webhooks", {"url": receiver.url, "key": "hook-key", "delay_seconds": 3600})
    assert saved["status"] == "OK"
    made = xero.new_invoice(contact["ContactID"])
    body = {
        "Type": "ACCRECCREDIT",
        "Contact": {"ContactID": contact["ContactID"]},
        "LineAmountTypes": "NoTax",
        "LineItems": [{"Description": "x", "UnitAmount": 1, "AccountCode": "200"}],
    }
    xero.one("PUT", "CreditNotes", {"CreditNotes": [body]})
    xero.refused("PUT", "CreditNotes", {"CreditNotes": [{**body, "LineItems": []}]})
    assert xero.control("/webhooks/flush?all=true")["sent"] == 2
    (invoice,), (note,) = (one["events"] for one in receiver.bodies)
    assert invoice | {"eventDateUtc": ""} == {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/Invoices/{made['InvoiceID']}",
        "resourceId": made["InvoiceID"],
        "eventDateUtc": "",
        "eventType": "CREATE",
        "eventCategory": "INVOICE",
        "tenantId": xero.tenant,
        "tenantType": "ORGANISATION",
    }
    assert note["data"] == {"Type": "ACCRECCREDIT", "Status": "DRAFT"}
    assert [one["firstEventSequence"] for one in receiver.bodies] == [1, 2]


def test_a_receiver_with_the_wrong_key_fails_the_intent(xero: Xero, receiver: Receiver) -> None:
    assert (
        xero.control("/webhooks", {"url": receiver.url, "key": "other"})["status"]
        == "intent to receive failed"
    )


def test_a_refused_delivery_is_tried_again_at_once_then_after_fifteen_minutes(
    xero: Xero, receiver: Receiver
) -> None:
    xero.control("/webhooks", {"url": receiver.url, "key": "hook-key", "delay_seconds": 10})
    receiver.refuses = 2
    xero.one("PUT", "Contacts", {"Contacts": [{"Name": "A"}]})
    xero.control("/clock", {"shift_seconds": 11})
    (delivery,) = next(iter(xero.emulator.webhooks.subscriptions.values())).deliveries
    for _ in range(200):
        if delivery.tries >= 2:
            break
        threading.Event().wait(0.02)
    assert (delivery.tries, delivery.state) == (2, "waiting")
    xero.control("/clock", {"shift_seconds": 901})
    for _ in range(200):
        if delivery.state == "delivered":
            break
        threading.Event().wait(0.02)
    assert (delivery.tries, delivery.state) == (3, "delivered")


def test_duplicated_and_dropped_webhooks_on_demand(xero: Xero, receiver: Receiver) -> None:
    xero.control(
        "/webhooks", {"url": receiver.url, "key": "hook-key", "delay_seconds": 3600, "duplicate": True}
    )
    xero.one("PUT", "Contacts", {"Contacts": [{"Name": "A"}]})
    assert xero.control("/webhooks/flush?all=true")["sent"] == 2
    xero.control("/webhooks", {"url": receiver.url, "key": "hook-key", "drop": True})
    xero.one("PUT", "Contacts", {"Contacts": [{"Name": "B"}]})
    assert xero.control("/webhooks/flush?all=true")["sent"] == 0


def test_the_books_the_tokens_and_the_connection_survive_a_restart(tmp_path: Path) -> None:
    with ServerThread(create_app(data=tmp_path, seed="empty")) as server:
        before = Xero(server.url)
        before.connect()
        contact = before.one("PUT", "Contacts", {"Contacts": [{"Name": "Kept"}]})
        invoice = before.new_invoice(contact["ContactID"])
        before.pay(invoice["InvoiceID"], "40.00")
        seen = before.ok("GET", f"Invoices/{invoice['InvoiceID']}")["Invoices"]
        balance = before.trial_balance()
        before.http.close()
    with ServerThread(create_app(data=tmp_path)) as server:
        after = Xero(server.url)
        after.headers = before.headers
        assert after.ok("GET", f"Invoices/{invoice['InvoiceID']}")["Invoices"] == seen
        assert after.trial_balance() == balance
        assert after.http.get("/_sandbox/ledger").json()["balanced"] is True
        assert after.new_invoice(contact["ContactID"])["InvoiceNumber"] == "INV-0002"
        after.http.close()


def test_a_snapshot_brings_the_whole_world_back(xero: Xero, contact: Json) -> None:
    xero.new_invoice(contact["ContactID"])
    xero.control("/snapshots/before")
    xero.new_invoice(contact["ContactID"])
    xero.control("/snapshots/before/restore")
    assert len(xero.many("Invoices")) == 1
    assert xero.trial_balance()["Accounts Receivable (610)"] == "100.00"


def test_the_same_seed_gives_the_same_world(xero: Xero) -> None:
    def world(seed: int) -> list[tuple[str, str, str]]:
        xero.control("/reset", {"scenario": "demo", "seed": seed, "size": 60})
        xero.connect()
        listed = xero.many("Invoices", query={"page": 1, "pageSize": 1000})
        return [(one["InvoiceID"], one["Contact"]["Name"], str(one["Total"])) for one in listed]

    first = world(7)
    assert world(7) == first
    assert world(8) != first
    assert len(first) > 40


def test_the_page_shows_the_books_the_log_and_the_mischief(xero: Xero, contact: Json) -> None:
    made = xero.new_invoice(contact["ContactID"])
    page = xero.http.get("/").text
    for text in (
        made["InvoiceNumber"],
        "Harbour Homes",
        "Accounts Receivable",
        "/api.xro/2.0/Invoices",
        "Token expired",
    ):
        assert text in page


def test_the_pages_button_for_a_lost_write_meets_xeros_put(xero: Xero, contact: Json) -> None:
    page = xero.http.get("/").text
    buttons = [json.loads(html.unescape(text)) for text in re.findall(r'name="rule" value="([^"]*)"', page)]
    rule = next(rule for rule in buttons if rule["kind"] == "timeout_after")
    answer = xero.http.post("/_sandbox/faults", data={"rule": json.dumps(rule | {"seconds": 0.05})})
    assert answer.status_code == 303
    assert xero.send("PUT", "Invoices", {"Invoices": [xero.invoice(contact["ContactID"])]}).status_code == 504
    assert len(xero.many("Invoices")) == 1


@contextmanager
def started(folder: Path) -> Iterator[tuple[Xero, subprocess.Popen[str]]]:
    """A sandbox in a process of its own, with its books in a folder."""
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "xero",
        "--port",
        "0",
        "--seed",
        "empty",
        "--data",
        str(folder),
    ]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        address = re.search(r"http://[\d.]+:\d+", process.stdout.readline())
        assert address is not None
        made = Xero(address[0])
        try:
            yield made, process
        finally:
            made.http.close()
            process.kill()


def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    with started(tmp_path) as (before, process):
        before.connect()
        contact = before.one("PUT", "Contacts", {"Contacts": [{"Name": "Kept"}]})
        ids = [before.new_invoice(contact["ContactID"])["InvoiceID"] for _ in range(20)]
        process.kill()
    with started(tmp_path) as (after, _):
        after.headers = before.headers
        assert [one["InvoiceID"] for one in after.many("Invoices")] == ids
        assert after.http.get("/_sandbox/ledger").json()["balanced"] is True
