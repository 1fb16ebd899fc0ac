"""The OAuth server behaves as Intuit's does, consent page included."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.sandbox.quickbooks.driver import CLIENT, REDIRECT, Books, Refused


def back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def test_the_consent_page_offers_the_companies_and_connect_sends_the_browser_back(books: Books) -> None:
    page = books.authorize(sandbox_consent="page")
    assert page.status_code == 200
    assert "Sandbox Custom Homes LLC" in page.text
    form = {"client_id": CLIENT[0], "response_type": "code", "scope": "com.intuit.quickbooks.accounting",
            "redirect_uri": REDIRECT, "state": "s2", "realm": "9341450000000202", "choice": "connect"}  # fmt: skip
    answer = back(books.http.post("/connect/oauth2", data=form))
    assert (answer["realmId"], answer["state"]) == ("9341450000000202", "s2")
    assert books.exchange(answer["code"]).status_code == 200


def test_the_consent_page_escapes_what_it_is_given(books: Books) -> None:
    assert "<script>" not in books.authorize(sandbox_consent="page", client_id="<script>x</script>").text


def test_cancel_sends_the_browser_back_with_access_denied(books: Books) -> None:
    assert back(books.authorize(sandbox_consent="deny")) == {"error": "access_denied", "state": "s1"}


def test_an_unknown_scope_is_sent_back_as_invalid_scope(books: Books) -> None:
    assert back(books.authorize(scope="everything"))["error"] == "invalid_scope"


def test_a_redirect_that_is_not_registered_ends_on_a_page_and_not_at_the_stranger(books: Books) -> None:
    books.control("/clients", {"id": CLIENT[0], "secret": CLIENT[1], "redirect_uris": [REDIRECT]})
    answer = books.authorize(redirect_uri="https://evil.example/cb")
    assert answer.status_code == 400
    assert "redirect_uri" in answer.text


def test_registered_clients_need_their_secret(books: Books) -> None:
    books.control("/clients", {"id": CLIENT[0], "secret": "another"})
    answer = books.refresh(books.tokens["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_code_works_once_and_a_second_exchange_kills_the_first_tokens(books: Books) -> None:
    code = back(books.authorize())["code"]
    first = books.exchange(code).json()
    assert books.exchange(code).json() == {"error": "invalid_grant"}
    assert books.refresh(first["refresh_token"]).status_code == 400


def test_a_code_expires(books: Books) -> None:
    code = back(books.authorize())["code"]
    books.control("/clock", {"shift_seconds": 601})
    assert books.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_is_bound_to_its_redirect(books: Books) -> None:
    code = back(books.authorize())["code"]
    assert books.exchange(code, redirect_uri="http://127.0.0.1:9/other").json()["error"] == "invalid_grant"


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@pytest.mark.parametrize(("sent", "status"), [("v" * 50, 200), ("w" * 50, 400), ("", 400)])
def test_a_challenge_that_was_sent_must_be_met(books: Books, sent: str, status: int) -> None:
    asked = back(books.authorize(code_challenge=challenge("v" * 50), code_challenge_method="S256"))
    extra = {"code_verifier": sent} if sent else {}
    assert books.exchange(asked["code"], **extra).status_code == status


def test_the_switch_lets_the_server_ignore_the_challenge(books: Books) -> None:
    books.control("/switches", {"pkce": "ignore"})
    asked = back(books.authorize(code_challenge=challenge("v" * 50), code_challenge_method="S256"))
    assert books.exchange(asked["code"]).status_code == 200


def test_a_refresh_within_a_day_returns_the_same_refresh_token(books: Books) -> None:
    token = books.tokens["refresh_token"]
    answer = books.refresh(token).json()
    assert (answer["refresh_token"], answer["expires_in"]) == (token, 3600)
    assert answer["x_refresh_token_expires_in"] == 8_726_400


def test_the_first_refresh_after_a_day_rotates_and_the_old_value_dies(books: Books) -> None:
    token = books.tokens["refresh_token"]
    books.control("/clock", {"shift_seconds": 90_000})
    assert books.refresh(token).json()["refresh_token"] != token
    assert books.refresh(token).json()["error"] == "invalid_grant"


def test_the_switch_gives_the_old_value_a_day_of_grace(books: Books) -> None:
    books.control("/switches", {"old_refresh_token": "day_of_grace"})
    token = books.tokens["refresh_token"]
    books.control("/clock", {"shift_seconds": 90_000})
    rotated = books.refresh(token).json()["refresh_token"]
    assert books.refresh(token).json()["refresh_token"] == rotated
    books.control("/clock", {"shift_seconds": 90_000})
    assert books.refresh(token).status_code == 400


def test_a_refresh_token_dies_after_a_hundred_and_one_days_without_use(books: Books) -> None:
    books.control("/clock", {"shift_seconds": 8_726_401})
    assert books.refresh(books.tokens["refresh_token"]).status_code == 400


def test_the_hard_expiry_is_told_on_request(books: Books) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": books.tokens["refresh_token"]}
    headers = {"x-include-refresh-token-hard-expires-in": "true"}
    answer = books.http.post("/oauth2/v1/tokens/bearer", data=form, auth=CLIENT, headers=headers).json()
    assert answer["x_refresh_token_hard_expires_in"] > answer["x_refresh_token_expires_in"]


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_revoking_either_token_kills_the_pair(books: Books, which: str) -> None:
    answer = books.http.post("/v2/oauth2/tokens/revoke", json={"token": books.tokens[which]}, auth=CLIENT)
    assert answer.status_code == 200
    assert books.refresh(books.tokens["refresh_token"]).status_code == 400
    with pytest.raises(Refused) as refused:
        books.get("Customer", "1")
    assert (refused.value.status, refused.value.code) == (401, "3200")


def test_an_access_token_expires_after_an_hour_in_the_gateways_own_shape(books: Books) -> None:
    books.control("/clock", {"shift_seconds": 3601})
    with pytest.raises(Refused) as refused:
        books.get("Customer", "1")
    assert refused.value.status == 401
    assert refused.value.body["fault"]["type"] == "AUTHENTICATION"
    assert isinstance(refused.value.body["time"], int)


def test_a_token_of_one_company_opens_no_other(books: Books) -> None:
    books.base = "/v3/company/9341450000000202"
    with pytest.raises(Refused) as refused:
        books.get("Customer", "1")
    assert (refused.value.status, refused.value.code) == (403, "3100")


def test_automatic_consent_gives_each_connection_the_next_free_company(books: Books) -> None:
    assert books.realm == "9341450000000101"
    assert back(books.authorize())["realmId"] == "9341450000000202"


def test_the_discovery_document_points_here(books: Books) -> None:
    found = books.http.get("/.well-known/openid_sandbox_configuration/").json()
    assert found["token_endpoint"] == f"{books.url}/oauth2/v1/tokens/bearer"
    assert "code_challenge_methods_supported" not in found
