"""Token calls, answer by answer: what is sent, what is kept, and what each refusal means."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stamina

from resources.http import token_client
from resources.oauth import (
    AppRefused,
    GrantRefused,
    OAuth,
    OAuthEndpoints,
    TokenCallFailed,
    TokenSet,
    new_verifier,
)
from resources.quickbooks.spec import SPEC
from resources.settings import Settings
from sync.clock import SetClock

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
GOOD = {
    "token_type": "bearer",
    "access_token": "AT",
    "refresh_token": "RT1-new",
    "expires_in": 3600,
    "x_refresh_token_expires_in": 8726400,
}
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


class Server:
    """A token server that answers by a list, the last answer for ever."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def form(self, number: int = 0) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.requests[number].content.decode()).items()}


def json_answer(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(
        status, content=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )


def call(server: Server, use: Callable[[OAuth], Any], **endpoints: Any) -> Any:
    settings = Settings(quickbooks_client_id="id", quickbooks_client_secret="secret")
    given = SPEC.endpoints(settings)
    changed = {name: getattr(given, name) for name in OAuthEndpoints.__dataclass_fields__} | endpoints
    with token_client(transport=httpx.MockTransport(server)) as http:
        return use(OAuth(OAuthEndpoints(**changed), http=http, clock=SetClock(NOW)))


def exchange(oauth: OAuth) -> TokenSet:
    return oauth.exchange("the-code", verifier="v" * 43, redirect_uri="https://here/callback")


def refresh(oauth: OAuth) -> TokenSet:
    return oauth.refresh("RT1-old")


def test_the_challenge_in_the_address_is_the_hash_of_the_verifier() -> None:
    verifier = new_verifier()
    url = call(
        Server(),
        lambda oauth: oauth.authorization_url(
            state="s", verifier=verifier, redirect_uri="https://here/callback"
        ),
    )
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    digest = hashlib.sha256(verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert (asked["client_id"], asked["state"], asked["redirect_uri"]) == ("id", "s", "https://here/callback")
    assert "secret" not in url


def test_an_exchange_sends_code_verifier_and_basic_authentication() -> None:
    server = Server(json_answer(GOOD))
    tokens = call(server, exchange)
    request = server.requests[0]
    assert server.form() == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "code_verifier": "v" * 43,
        "redirect_uri": "https://here/callback",
    }
    assert request.headers["Authorization"] == "Basic " + base64.b64encode(b"id:secret").decode()
    assert request.headers["Accept"] == "application/json"
    assert (tokens.access_token, tokens.expires_at) == ("AT", NOW + timedelta(hours=1))
    assert tokens.refresh_expires_at == NOW + timedelta(seconds=8726400)


def test_the_end_of_a_grant_is_the_earlier_of_idle_time_and_hard_limit() -> None:
    server = Server(json_answer(GOOD | {"x_refresh_token_hard_expires_in": 86400}))
    assert call(server, refresh).refresh_expires_at == NOW + timedelta(days=1)
    assert server.requests[0].headers["x-include-refresh-token-hard-expires-in"] == "true"


def test_a_provider_that_does_not_say_how_long_a_grant_lives_has_its_known_time() -> None:
    answer = {name: value for name, value in GOOD.items() if not name.startswith("x_")}
    tokens = call(Server(json_answer(answer)), refresh, refresh_seconds=60 * 86400)
    assert tokens.refresh_expires_at == NOW + timedelta(days=60)


def test_a_refresh_keeps_whatever_refresh_token_came_back() -> None:
    server = Server(json_answer(GOOD))
    assert call(server, refresh).refresh_token == "RT1-new"
    assert server.form() == {"grant_type": "refresh_token", "refresh_token": "RT1-old"}


def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one() -> None:
    answer = {name: value for name, value in GOOD.items() if name != "refresh_token"}
    assert call(Server(json_answer(answer)), refresh).refresh_token == "RT1-old"


@pytest.mark.parametrize("use", [exchange, refresh])
def test_invalid_grant_means_that_the_consent_is_over(use: Callable[[OAuth], Any]) -> None:
    server = Server(json_answer({"error": "invalid_grant"}, 400))
    with pytest.raises(GrantRefused):
        call(server, use)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "status"), [("invalid_client", 401), ("unauthorized_client", 400), ("invalid_request", 400)]
)
def test_other_refusals_are_the_installations_own_fault(error: str, status: int) -> None:
    with pytest.raises(AppRefused, match=error):
        call(Server(json_answer({"error": error}, status)), refresh)


TROUBLE: dict[str, Callable[[], httpx.Response | Exception]] = {
    "down": lambda: httpx.Response(503, content=b"<html>down</html>"),
    "throttled": lambda: httpx.Response(429, content=b"slow down"),
    "not JSON": lambda: httpx.Response(200, content=b"not json"),
    "a list": lambda: httpx.Response(200, content=b"[]"),
    "no answer": lambda: httpx.ReadTimeout("no answer"),
    "refused": lambda: httpx.ConnectError("refused"),
    "cut": lambda: httpx.RemoteProtocolError("cut"),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_refresh_is_repeated_after_trouble(trouble: str) -> None:
    server = Server(TROUBLE[trouble](), TROUBLE[trouble](), json_answer(GOOD))
    assert call(server, refresh).access_token == "AT"
    assert len(server.requests) == 3


@pytest.mark.parametrize("trouble", TROUBLE)
def test_an_exchange_is_never_repeated(trouble: str) -> None:
    server = Server(TROUBLE[trouble]())
    with pytest.raises(TokenCallFailed):
        call(server, exchange)
    assert len(server.requests) == 1


@pytest.mark.parametrize("missing", ["access_token", "refresh_token"])
def test_an_answer_without_tokens_is_no_answer(missing: str) -> None:
    answer = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(TokenCallFailed):
        call(Server(json_answer(answer)), exchange)


@pytest.mark.parametrize(("body", "content"), [("json", b'{"token":"RT1-old"}'), ("form", b"token=RT1-old")])
def test_a_revocation_is_written_the_way_the_provider_reads_it(body: str, content: bytes) -> None:
    server = Server(httpx.Response(200))
    call(server, lambda oauth: oauth.revoke("RT1-old"), revoke_body=body)
    assert server.requests[0].content == content
    assert server.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_token_that_is_not_known_any_more_is_as_good_as_revoked() -> None:
    call(Server(json_answer({"error": "invalid_request"}, 400)), lambda oauth: oauth.revoke("RT1-old"))


def test_a_revocation_that_gets_no_answer_is_repeated_and_then_told() -> None:
    server = Server(httpx.Response(503))
    with pytest.raises(TokenCallFailed, match="HTTP 503"):
        call(server, lambda oauth: oauth.revoke("RT1-old"))
    assert len(server.requests) == 3


def test_tokens_and_secrets_do_not_show_when_printed() -> None:
    tokens = TokenSet("AT-secret", "RT-secret", NOW)
    endpoints = OAuthEndpoints("a", "t", "r", "id", "very-secret")
    assert "secret" not in repr(tokens)
    assert "very-secret" not in repr(endpoints)


@pytest.mark.parametrize("trouble", ["no answer", "refused", "cut"])
def test_what_failed_is_told_without_the_address_or_the_token(trouble: str) -> None:
    with pytest.raises(TokenCallFailed) as failure:
        call(Server(TROUBLE[trouble]()), exchange)
    assert str(failure.value) in ("no answer in time", "the connection failed")
