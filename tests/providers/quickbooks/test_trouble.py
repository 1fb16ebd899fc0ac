"""Expired access, throttles, outages and refusals, over real HTTP."""

from __future__ import annotations

import gzip

import httpx
import pytest

from resources.http import api_client
from resources.quickbooks.provider import QuickBooks
from sync.errors import (
    AccessExpired,
    ProviderUnavailable,
    RateLimited,
    RejectedByProvider,
)
from sync.ports import Done, Moved, Rejected
from sync.records import Entity
from tests.providers.quickbooks.looking import done
from tests.providers.quickbooks.writes import (
    a_bill,
    a_name,
    create,
)
from tests.support.quickbooks_sandbox import Sandbox, TokenAccess

# ---------------------------------------------------------------- trouble


def test_an_expired_token_is_renewed_once_and_the_call_repeated(sandbox: Sandbox, realm: str) -> None:
    access = TokenAccess(sandbox, realm)
    provider = QuickBooks(access, http=sandbox.http, clock=sandbox.emulator.clock)
    sandbox.fault("expired_token", tenant=realm)
    assert provider.company().currency == "USD"
    assert access.renewals == 1
    assert access.reports == []


def test_a_write_with_an_expired_token_is_sent_again_because_a_401_executes_nothing(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    sandbox.fault("expired_token", tenant=realm, path="*/batch")
    done(provider, create(Entity.VENDOR, a_name("Once Only Supply")))
    assert (
        sum(one["DisplayName"] == "Once Only Supply" for one in sandbox.rows(realm, "Vendor").values()) == 1
    )


def test_access_that_stays_refused_is_reported_to_the_connection(sandbox: Sandbox, realm: str) -> None:
    access = TokenAccess(sandbox, realm)
    provider = QuickBooks(access, http=sandbox.http, clock=sandbox.emulator.clock)
    sandbox.fault("forbidden", tenant=realm, count=5)
    with pytest.raises(AccessExpired):
        provider.company()
    assert len(access.reports) == 1


@pytest.mark.parametrize("kind", ["status", "xml_throttle"])
def test_a_throttled_read_is_repeated(sandbox: Sandbox, realm: str, provider: QuickBooks, kind: str) -> None:
    sandbox.fault(kind, tenant=realm, status=429)
    assert provider.company().currency == "USD"


def test_a_read_that_stays_throttled_says_how_long_to_wait(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    sandbox.fault("status", tenant=realm, status=429, count=None)
    with pytest.raises(RateLimited) as throttled:
        provider.company()
    assert throttled.value.details["wait_seconds"] == 60


def test_a_throttled_write_is_not_repeated_and_nothing_was_sent(
    sandbox: Sandbox, realm: str, provider: QuickBooks
) -> None:
    provider.check(Entity.VENDOR, a_name("Slow Supply"))
    sandbox.fault("xml_throttle", tenant=realm, path="*/batch", count=1)
    with pytest.raises(RateLimited):
        provider.write([create(Entity.VENDOR, a_name("Slow Supply"))])
    assert "Slow Supply" not in {one["DisplayName"] for one in sandbox.rows(realm, "Vendor").values()}


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_repeated_while_quickbooks_is_down(
    sandbox: Sandbox, realm: str, provider: QuickBooks, status: int
) -> None:
    sandbox.fault("status", tenant=realm, status=status, count=2)
    assert provider.company().currency == "USD"


def test_a_stale_answer_to_a_write_has_moved(sandbox: Sandbox, realm: str, provider: QuickBooks) -> None:
    provider.check(Entity.VENDOR, a_name("x"))
    sandbox.fault("stale_token", tenant=realm, path="*/batch")
    assert isinstance(provider.write([create(Entity.VENDOR, a_name("Stale Supply"))])[0], Moved)


def test_a_batch_refused_as_a_whole_because_of_one_record_is_halved_until_the_others_are_done(
    sandbox: Sandbox, realm: str
) -> None:
    poison = "Poison Supply"

    class Gateway(httpx.BaseTransport):
        """Refuses every batch that contains one certain record, naming nobody."""

        def __init__(self) -> None:
            self.inner = httpx.HTTPTransport()

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if poison.encode() in request.read():
                fault = {"Fault": {"Error": [{"Message": "m", "Detail": "Malformed", "code": "2010"}]}}
                return httpx.Response(400, json=fault)
            return self.inner.handle_request(request)

        def close(self) -> None:
            self.inner.close()

    with api_client(sandbox.url, transport=Gateway()) as http:
        provider = sandbox.provider(realm, http=http)
        names = ["Tile A", "Tile B", poison, "Tile C", "Tile D"]
        outcomes = provider.write([create(Entity.VENDOR, a_name(name)) for name in names])
    assert [type(outcome) for outcome in outcomes] == [Done, Done, Rejected, Done, Done]
    refused = outcomes[2]
    assert isinstance(refused, Rejected)
    assert isinstance(refused.error, RejectedByProvider)


def test_known_refusals_are_whole_sentences_that_name_the_record(provider: QuickBooks) -> None:
    sentence = provider.check(Entity.BILL, a_bill("1", number="N" * 22))
    assert sentence == (
        f"Bill {'N' * 22} waits: the number '{'N' * 22}' has 22 characters and QuickBooks takes 21; shorten it."
    )
    assert provider.check(Entity.BILL, a_bill("1")) is None


def test_a_throttle_that_asks_for_more_than_a_minute_is_left_to_the_caller(
    sandbox: Sandbox, realm: str
) -> None:
    calls: list[str] = []

    def throttle(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return httpx.Response(429, headers={"Retry-After": "3600"}, content=b"")

    with api_client(sandbox.url, transport=httpx.MockTransport(throttle)) as http:
        provider = sandbox.provider(realm, http=http)
        with pytest.raises(RateLimited) as throttled:
            provider.company()
    assert len(calls) == 1
    assert throttled.value.details["wait_seconds"] == 3600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"<html>sign in</html>"])
def test_a_good_status_with_an_unreadable_body_is_no_answer(
    sandbox: Sandbox, realm: str, content: bytes
) -> None:
    def mumble(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=content)

    with (
        api_client(sandbox.url, transport=httpx.MockTransport(mumble)) as http,
        pytest.raises(ProviderUnavailable, match="could not be read"),
    ):
        sandbox.provider(realm, http=http).company()


def test_every_call_names_the_version_asks_for_json_and_carries_the_token(
    sandbox: Sandbox, realm: str
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"QueryResponse": {}, "time": "2026-05-05T03:20:37.245-07:00"})

    with api_client(sandbox.url, transport=httpx.MockTransport(answer)) as http:
        provider = sandbox.provider(realm, http=http)
        assert list(provider.changes(None))[-1].cursor == "2026-05-05T10:15:37.245000+00:00"
    assert provider.calls == len(seen) == 10
    for request in seen:
        assert request.url.params["minorversion"] == "75"
        assert request.headers["Accept"] == "application/json"
        assert request.headers["Authorization"].startswith("Bearer ")
        assert "gzip" in request.headers["Accept-Encoding"]


def test_packed_answers_are_unpacked(sandbox: Sandbox, realm: str) -> None:
    body = b'{"CompanyInfo": {"CompanyName": "Packed LLC"}, "Preferences": {}}'

    def packed(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(body))

    with api_client(sandbox.url, transport=httpx.MockTransport(packed)) as http:
        assert sandbox.provider(realm, http=http).company().name == "Packed LLC"
