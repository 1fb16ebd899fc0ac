"""OAuth, connections, organisation choice, scopes, and the bodies of 401, 403, 404, 405, 406 and 503."""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.xero.identity import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET
from tests.sandbox.xero.client import Json, Xero

BACK = "http://localhost:9999/callback"
SCOPES = "openid profile email offline_access accounting.settings accounting.contacts accounting.invoices"
AUTH = (DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET)


def authorize(xero: Xero, **changes: str) -> dict[str, str]:
    """Walk through the consent page as a script does, and return what came back."""
    query = {
        "response_type": "code",
        "client_id": DEFAULT_CLIENT_ID,
        "redirect_uri": BACK,
        "scope": SCOPES,
        "state": "s1",
        "sandbox_consent": "all",
        **changes,
    }
    answer = xero.http.get("/identity/connect/authorize", params=query)
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def token(xero: Xero, **form: str) -> httpx.Response:
    return xero.http.post("/connect/token", data=form, auth=AUTH)


def exchange(xero: Xero, **changes: str) -> Json:
    back = authorize(xero, **changes)
    assert back["state"] == "s1"
    answer = token(xero, grant_type="authorization_code", code=back["code"], redirect_uri=BACK)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def connections(xero: Xero, access: str, **query: str) -> list[Json]:
    answer = xero.http.get("/Connections", headers={"Authorization": f"Bearer {access}"}, params=query)
    assert answer.status_code == 200
    return list(answer.json())


def test_the_code_flow_gives_tokens_a_signed_identity_and_the_connections(xero: Xero) -> None:
    found = exchange(xero, nonce="n1")
    assert (found["token_type"], found["expires_in"], found["scope"]) == ("Bearer", 1800, SCOPES)
    keys = KeySet.import_key_set(xero.http.get("/.well-known/openid-configuration/jwks").json())
    who = jwt.decode(found["id_token"], keys).claims
    assert (who["aud"], who["nonce"]) == (DEFAULT_CLIENT_ID, "n1")
    claims = jwt.decode(found["access_token"], keys).claims
    (row,) = connections(xero, found["access_token"])
    assert row.keys() == {
        "id",
        "authEventId",
        "tenantId",
        "tenantType",
        "tenantName",
        "createdDateUtc",
        "updatedDateUtc",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", row["createdDateUtc"])
    assert claims["authentication_event_id"]


def test_an_organisation_linked_before_keeps_its_first_event_so_the_filtered_list_is_empty(
    xero: Xero,
) -> None:
    found = exchange(xero)
    event = jwt.decode(
        found["access_token"],
        KeySet.import_key_set(xero.http.get("/.well-known/openid-configuration/jwks").json()),
    ).claims["authentication_event_id"]
    assert connections(xero, found["access_token"], authEventId=event) == []
    assert len(connections(xero, found["access_token"])) == 1


def test_a_code_works_once_in_time_and_with_the_same_address(xero: Xero) -> None:
    code = authorize(xero)["code"]
    wrong = token(xero, grant_type="authorization_code", code=code, redirect_uri="http://localhost/other")
    assert (wrong.status_code, wrong.json()) == (400, {"error": "invalid_grant"})
    code = authorize(xero)["code"]
    xero.control("/clock", {"shift_seconds": 301})
    late = token(xero, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert late.json() == {"error": "invalid_grant"}


def test_a_public_app_must_use_pkce(xero: Xero) -> None:
    app = xero.control("/apps", {"is_public": True, "redirect_uris": [BACK]})
    assert authorize(xero, client_id=app["client_id"])["error"] == "invalid_request"
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")
    asked = {"client_id": app["client_id"], "code_challenge": challenge, "code_challenge_method": "S256"}
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": app["client_id"]}
    code = authorize(xero, **asked)["code"]
    assert (
        xero.http.post("/connect/token", data={**form, "code": code, "code_verifier": "w" * 43}).status_code
        == 400
    )
    code = authorize(xero, **asked)["code"]
    assert (
        xero.http.post("/connect/token", data={**form, "code": code, "code_verifier": "v" * 43}).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("address", "is_fine"),
    [
        ("https://app.example.com/cb", True),
        ("http://localhost/cb", True),
        ("http://127.0.0.1:8000/cb", False),
        ("http://app.example.com/cb", False),
        ("javascript:alert(1)", False),
    ],
)
def test_redirect_addresses_are_https_or_localhost(xero: Xero, address: str, *, is_fine: bool) -> None:
    query = {
        "response_type": "code",
        "client_id": DEFAULT_CLIENT_ID,
        "redirect_uri": address,
        "scope": SCOPES,
    }
    answer = xero.http.get("/identity/connect/authorize", params={**query, "sandbox_consent": "all"})
    assert answer.status_code == (302 if is_fine else 400)


def test_a_registered_address_must_match_exactly(xero: Xero) -> None:
    app = xero.control("/apps", {"redirect_uris": [BACK]})
    query = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": BACK + "/",
        "scope": SCOPES,
    }
    assert xero.http.get("/identity/connect/authorize", params=query).status_code == 400


@pytest.mark.parametrize("scope", ["openid accounting.transactions", "openid nonsense", ""])
def test_broad_and_unknown_scopes_fail_at_the_consent(xero: Xero, scope: str) -> None:
    assert authorize(xero, scope=scope)["error"] == "invalid_scope"


def test_the_consent_page_lets_a_person_choose_among_several_or_none(xero: Xero) -> None:
    xero.control("/reset", {"scenario": "two"})
    xero.control("/practices", {"name": "Ledger & Partners"})
    query = {
        "response_type": "code",
        "client_id": DEFAULT_CLIENT_ID,
        "redirect_uri": BACK,
        "scope": SCOPES,
        "state": "s1",
    }
    page = xero.http.get("/identity/connect/authorize", params=query)
    ids = re.findall(r'name="tenant" value="([^"]+)"', page.text)
    assert len(ids) == 3
    assert "Ledger &amp; Partners (PRACTICE)" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]

    def choose(**form: object) -> dict[str, str]:
        answer = xero.http.post("/identity/connect/authorize", params=query, data=form)
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    assert choose(decision="deny") == {"error": "access_denied", "state": "s1"}
    none = token(
        xero, grant_type="authorization_code", code=choose(decision="allow")["code"], redirect_uri=BACK
    )
    assert connections(xero, none.json()["access_token"]) == []
    code = choose(decision="allow", tenant=ids[1:])["code"]
    some = token(xero, grant_type="authorization_code", code=code, redirect_uri=BACK).json()
    assert {row["tenantId"] for row in connections(xero, some["access_token"])} == set(ids[1:])
    assert {row["tenantType"] for row in connections(xero, some["access_token"])} == {
        "ORGANISATION",
        "PRACTICE",
    }


def test_every_refresh_rotates_and_the_previous_token_lives_thirty_minutes_more(xero: Xero) -> None:
    first = exchange(xero)["refresh_token"]

    def refresh(value: str) -> httpx.Response:
        return token(xero, grant_type="refresh_token", refresh_token=value)

    second = refresh(first).json()["refresh_token"]
    assert second != first
    assert refresh(first).status_code == 200
    xero.control("/clock", {"shift_seconds": 1_801})
    assert (refresh(first).status_code, refresh(first).json()) == (400, {"error": "invalid_grant"})
    assert refresh(second).status_code == 200
    xero.control("/switches", {"refresh_grace": "no"})
    assert refresh(second).json() == {"error": "invalid_grant"}


def test_a_refresh_token_dies_after_sixty_days_without_use(xero: Xero) -> None:
    first = exchange(xero)["refresh_token"]
    xero.control("/clock", {"shift_seconds": 60 * 86_400 + 1})
    assert token(xero, grant_type="refresh_token", refresh_token=first).json() == {"error": "invalid_grant"}


def test_without_offline_access_there_is_no_refresh_token(xero: Xero) -> None:
    assert "refresh_token" not in exchange(xero, scope="openid accounting.settings")


def test_revoking_a_refresh_token_drops_every_connection(xero: Xero) -> None:
    found = exchange(xero)
    assert (
        xero.http.post("/connect/revocation", data={"token": found["refresh_token"]}, auth=AUTH).status_code
        == 200
    )
    assert connections(xero, found["access_token"]) == []
    assert token(xero, grant_type="refresh_token", refresh_token=found["refresh_token"]).status_code == 400


def test_a_wrong_secret_and_a_wrong_grant_are_told_apart(xero: Xero) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = xero.http.post("/connect/token", data=form, auth=(DEFAULT_CLIENT_ID, "no"))
    assert answer.json() == {"error": "invalid_client"}
    in_form = {**form, "client_id": AUTH[0], "client_secret": AUTH[1]}
    assert xero.http.post("/connect/token", data=in_form).json() == {"error": "invalid_grant"}
    assert token(xero, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_a_custom_connection_has_one_organisation_and_needs_no_tenant_header(xero: Xero) -> None:
    app = xero.control("/apps", {"custom_connection": xero.tenant, "client_secret": "cc"})
    form = {"grant_type": "client_credentials", "scope": "accounting.settings"}
    found = xero.http.post("/connect/token", data=form, auth=(app["client_id"], "cc")).json()
    assert "refresh_token" not in found
    headers = {
        "Authorization": f"Bearer {found['access_token']}",
        "Accept": "application/json",
        "Xero-tenant-id": "",
    }
    assert xero.http.get("/api.xro/2.0/Organisation", headers=headers).status_code == 200
    assert token(xero, **form).json() == {"error": "unauthorized_client"}


def test_an_expired_token_says_when(xero: Xero) -> None:
    xero.control("/clock", {"now": "2026-01-31T09:30:00Z"})
    xero.connect()
    xero.control("/clock", {"shift_seconds": 1_801})
    answer = xero.send("GET", "Organisation")
    found = answer.json()
    assert (answer.status_code, found["Title"], found["Status"], found["Type"]) == (
        401,
        "Unauthorized",
        401,
        None,
    )
    assert found["Detail"].startswith("TokenExpired: token expired at 01/31/2026 10:00:0")
    assert found["Extensions"] == {}


def test_a_missing_or_unknown_token_is_401(xero: Xero) -> None:
    for header in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic eDp5"}):
        answer = xero.http.get("/api.xro/2.0/Organisation", headers=header)
        assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthenticationUnsuccessful")


def test_a_deleted_connection_is_403_on_data_while_the_token_still_refreshes(xero: Xero) -> None:
    found = exchange(xero)
    bearer = {"Authorization": f"Bearer {found['access_token']}"}
    (row,) = connections(xero, found["access_token"])
    assert xero.http.delete(f"/connections/{row['tenantId']}", headers=bearer).status_code == 404
    assert xero.http.delete(f"/connections/{row['id']}", headers=bearer).status_code == 204
    answer = xero.send("GET", "Organisation")
    assert answer.status_code == 403
    assert answer.json() | {"Instance": ""} == {
        "Type": None,
        "Title": "Forbidden",
        "Status": 403,
        "Detail": "AuthenticationUnsuccessful",
        "Instance": "",
        "Extensions": {},
    }
    assert token(xero, grant_type="refresh_token", refresh_token=found["refresh_token"]).status_code == 200


def test_a_practice_and_a_foreign_tenant_are_403(xero: Xero) -> None:
    practice = xero.control("/practices", {})["id"]
    xero.control("/connect", {})
    for tenant in (practice, "11111111-1111-4111-8111-111111111111", "nonsense", ""):
        assert xero.send("GET", "Organisation", headers={"Xero-tenant-id": tenant}).status_code == 403


def test_a_missing_scope_is_named_in_the_challenge(xero: Xero) -> None:
    xero.connect(scopes="accounting.invoices accounting.settings.read")
    assert xero.send("GET", "Accounts").status_code == 200
    answer = xero.send("PUT", "Items", {"Items": [{"Code": "a"}]})
    assert answer.status_code == 401
    assert "insufficient_scope" in answer.headers["www-authenticate"]
    xero.control("/switches", {"missing_scope_status": "403"})
    assert xero.send("GET", "Contacts").status_code == 403
    assert xero.send("GET", "Reports/TrialBalance").status_code == 403


def test_paths_verbs_and_media_types_that_do_not_exist(xero: Xero, contact: Json) -> None:
    unknown = xero.send("GET", "Invoices/11111111-1111-4111-8111-111111111111")
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert xero.send("GET", "Nonsense").status_code == 404
    assert xero.send("DELETE", f"Contacts/{contact['ContactID']}").status_code == 405
    assert xero.send("PUT", "Prepayments", {}).status_code == 405
    assert xero.send("GET", "Quotes").status_code == 501
    assert xero.send("GET", "Organisation", headers={"Accept": "*/*"}).status_code == 406
    assert xero.send("PUT", "Contacts", {}, headers={"Content-Type": "text/plain"}).status_code == 415
    assert xero.send("GET", "organisation").status_code == 200
    assert xero.send("GET", "INVOICES").status_code == 200


def test_an_offline_organisation_is_503_text_and_an_expired_trial_403(xero: Xero) -> None:
    xero.control("/bookkeeper", {"action": "set_access", "access": "offline"})
    answer = xero.send("GET", "Organisation")
    assert (answer.status_code, answer.text) == (503, "The Organisation is offline")
    assert answer.headers["content-type"].startswith("text/plain")
    xero.control("/bookkeeper", {"action": "set_access", "access": "expired"})
    assert xero.send("GET", "Organisation").status_code == 403
