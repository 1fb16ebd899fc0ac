"""Webhooks: signed, in both shapes, retried, doubled and out of order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.quickbooks.driver import Books


class Inbox:
    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                inbox.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(inbox.statuses.pop(0) if inbox.statuses else 200)
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wait(self, number: int) -> list[tuple[dict[str, str], bytes]]:
        deadline = time.monotonic() + 5
        while len(self.received) < number and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.received) >= number
        return self.received


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox()
    yield box
    box.server.shutdown()
    box.server.server_close()
    box.thread.join()


def test_a_change_is_told_signed_as_a_cloud_event(books: Books, inbox: Inbox) -> None:
    books.control("/webhooks", {"url": inbox.url, "verifier": "v-token"})
    bill = books.a_bill("10")
    headers, body = inbox.wait(1)[0]
    expected = base64.b64encode(hmac.new(b"v-token", body, hashlib.sha256).digest()).decode()
    assert headers["intuit-signature"] == expected
    event = next(each for each in json.loads(body) if each["type"] == "qbo.bill.created.v1")
    assert (event["intuitentityid"], event["intuitaccountid"], event["data"]) == (bill["Id"], books.realm, {})


def test_the_legacy_shape_groups_by_company(books: Books, inbox: Inbox) -> None:
    books.control("/webhooks", {"url": inbox.url, "verifier": "v", "shape": "legacy"})
    invoice = books.an_invoice("10")
    _headers, body = inbox.wait(1)[0]
    note = json.loads(body)["eventNotifications"][0]
    assert note["realmId"] == books.realm
    assert {"name": "Invoice", "id": invoice["Id"], "operation": "Create"}.items() <= note["dataChangeEvent"][
        "entities"
    ][0].items()


def test_a_refused_webhook_is_tried_again(books: Books, inbox: Inbox) -> None:
    inbox.statuses = [500, 503]
    books.control("/webhooks", {"url": inbox.url, "verifier": "v", "retry_seconds": [0.05, 0.05]})
    books.a_customer("Retry House")
    assert len({body for _, body in inbox.wait(3)}) == 1


def test_held_webhooks_come_doubled_and_out_of_order_on_demand(books: Books, inbox: Inbox) -> None:
    books.control("/webhooks", {"url": inbox.url, "verifier": "v", "hold": True})
    ids = [books.a_customer(f"House {n}")["Id"] for n in range(3)]
    assert inbox.received == []
    books.control("/webhooks/deliver", {"order": "reverse", "duplicate": True})
    bodies = [json.loads(body) for _, body in inbox.wait(2)]
    assert [event["intuitentityid"] for event in bodies[0]] == ids[::-1]
    assert bodies[0] == bodies[1]
