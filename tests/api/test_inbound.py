"""POST /api/v1/webhooks/…: what providers tell, by signature, once, and only as a hint."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr

from resources.settings import Settings
from resources.store.database import Database
from tests.api.world import NOW, House, World

KEYS = {"quickbooks_online": b"the verifier token", "xero": b"the signing key"}
HEADERS = {"quickbooks_online": "intuit-signature", "xero": "x-xero-signature"}


@pytest.fixture(scope="module")
def hearing(settings: Settings, database: Database) -> Iterator[World]:
    told = settings.model_copy(
        update={
            "quickbooks_webhook_token": SecretStr(KEYS["quickbooks_online"].decode()),
            "xero_webhook_key": SecretStr(KEYS["xero"].decode()),
        }
    )
    with asyncio.Runner() as runner:
        yield World(told, database, runner)


def deliver(
    world: World,
    provider: str,
    body: bytes,
    *,
    signature: str | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    signed = base64.b64encode(hmac.new(KEYS[provider], body, hashlib.sha256).digest()).decode()
    sent = {HEADERS[provider]: signed if signature is None else signature} | (headers or {})
    client = world.client()
    return world.runner.run(client.http.post(f"/api/v1/webhooks/{provider}", content=body, headers=sent))


def a_house(
    world: World, *, provider: str = "quickbooks_online", settings: str = "{}", **more: Any
) -> tuple[House, str]:
    house, company = world.a_house(), uuid4().hex
    house.sql(
        "update v2_integration_connections set provider = %(provider)s, provider_tenant_id = %(company)s,"
        " settings = %(settings)s::jsonb, next_due_at = %(due)s",
        provider=provider,
        company=company,
        settings=settings,
        due=more.get("due", "2026-03-02T16:00:00Z"),
    )
    return house, company


def legacy(company: str, **entity: str) -> bytes:
    changed = {"name": "Payment", "id": "7", "operation": "Create", "lastUpdated": "2026-03-02T14:59:58-0700"}
    notice = {"realmId": company, "dataChangeEvent": {"entities": [changed | entity]}}
    return json.dumps({"eventNotifications": [notice]}).encode()


def cloud_event(company: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "type": "qbo.payment.created.v1",
        "intuitaccountid": company,
    }
    return json.dumps([event]).encode()


def xero_event(company: str) -> bytes:
    event = {
        "tenantId": company,
        "tenantType": "ORGANISATION",
        "eventCategory": "INVOICE",
        "resourceId": str(uuid4()),
    }
    # Xero's own spacing, which no JSON writer repeats.
    return json.dumps({"events": [event], "entropy": "S0m3"}, indent=1).replace(":", " :").encode()


def due(house: House) -> Any:
    return house.one("select next_due_at from v2_integration_connections")


@pytest.mark.parametrize(
    ("provider", "body"),
    [("quickbooks_online", legacy), ("quickbooks_online", cloud_event), ("xero", xero_event)],
    ids=["Intuit's older form", "CloudEvents", "Xero"],
)
def test_a_signed_delivery_makes_its_companys_connection_due_now(
    hearing: World, provider: str, body: Any
) -> None:
    house, company = a_house(hearing, provider=provider)
    answer = deliver(hearing, provider, body(company))
    assert (answer.status_code, answer.content) == (200, b"")
    assert due(house) == NOW


def test_the_same_delivery_again_is_answered_and_changes_nothing(hearing: World) -> None:
    house, company = a_house(hearing)
    body = cloud_event(company)
    deliver(hearing, "quickbooks_online", body)
    house.sql("update v2_integration_connections set next_due_at = '2026-03-02T17:00:00Z'")
    assert deliver(hearing, "quickbooks_online", body).status_code == 200
    assert due(house).hour == 17


@pytest.mark.parametrize("signature", ["", "bm90IGl0", "ñ"], ids=["none", "another", "no base64"])
def test_a_delivery_that_nobody_signed_is_refused_and_does_nothing(hearing: World, signature: str) -> None:
    house, company = a_house(hearing)
    body = legacy(company)
    client = hearing.client()
    headers = [(b"intuit-signature", signature.encode("latin-1"))]
    answer = hearing.runner.run(
        client.http.post("/api/v1/webhooks/quickbooks_online", content=body, headers=headers)
    )
    assert (answer.status_code, answer.content) == (401, b"")
    assert due(house).hour == 16


def test_the_signature_is_over_the_bytes_and_not_over_what_they_mean(hearing: World) -> None:
    _, company = a_house(hearing)
    body = legacy(company)
    signature = base64.b64encode(hmac.new(KEYS["quickbooks_online"], body, hashlib.sha256).digest()).decode()
    spaced = json.dumps(json.loads(body), indent=2).encode()
    assert deliver(hearing, "quickbooks_online", spaced, signature=signature).status_code == 401


def test_xeros_handshake_is_answered_by_the_signature_alone(hearing: World) -> None:
    body = b'{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "HHQQAGBNFP"}'
    right, wrong = deliver(hearing, "xero", body), deliver(hearing, "xero", body, signature="d3Jvbmc=")
    assert (right.status_code, right.content) == (200, b"")
    assert (wrong.status_code, wrong.content) == (401, b"")
    assert "set-cookie" not in right.headers


def test_a_real_time_connection_is_looked_at_by_its_worker_and_keeps_its_schedule(hearing: World) -> None:
    house, company = a_house(hearing, settings='{"real_time": true}')
    deliver(hearing, "quickbooks_online", legacy(company))
    assert house.one("select pull_hinted_at from v2_integration_connections") == NOW
    assert due(house).hour == 16


def test_a_manual_connection_stays_manual(hearing: World) -> None:
    house, company = a_house(hearing, due=None)
    deliver(hearing, "quickbooks_online", legacy(company))
    assert due(house) is None


def test_a_hint_outside_the_window_waits_until_it_opens(hearing: World) -> None:
    house, company = a_house(hearing, due="2026-03-04T16:00:00Z")
    house.sql(
        "update v2_integration_connections set time_zone = 'UTC', sync_window = %(window)s::jsonb",
        window='{"days": ["tue"], "from": "06:00", "until": "20:00"}',
    )
    deliver(hearing, "quickbooks_online", legacy(company))
    assert due(house).isoformat() == "2026-03-03T06:00:00+00:00"


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[1, null]", b'{"eventNotifications": 5}', b"[" * 100_000]
)
def test_a_signed_body_that_says_nothing_is_taken_without_a_word(hearing: World, body: bytes) -> None:
    assert deliver(hearing, "quickbooks_online", body).status_code == 200


def test_another_builders_connection_is_not_touched(hearing: World) -> None:
    _, company = a_house(hearing)
    other, _ = a_house(hearing)
    deliver(hearing, "quickbooks_online", legacy(company))
    assert due(other).hour == 16


def test_a_provider_that_does_not_exist_is_not_found(hearing: World) -> None:
    client = hearing.client()
    assert hearing.runner.run(client.http.post("/api/v1/webhooks/sage", content=b"{}")).status_code == 404
