"""POST /connect/:provider and GET /callback/:provider."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from uuid import uuid4

import pytest

from resources.settings import load_settings
from sync.errors import (
    ChoiceNeeded,
    CodeRefused,
    CompanyTaken,
    ConsentDenied,
    InvalidInput,
    NoCompany,
    ProviderUnavailable,
    StateExpired,
    StateMismatch,
    SyncError,
)
from tests.api.world import Client, Completed, House, World, exact, problem

PAGE = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def connected(world: World, house: House) -> Completed:
    done = Completed(str(house.id), str(uuid4()), "Cedar <Ridge> Homes", "quickbooks_online")
    world.connections.completed = done
    return done


def test_connecting_returns_where_to_go_and_binds_the_browser(
    client: Client, house: House, world: World
) -> None:
    response = client.post("/connect/quickbooks_online")
    start = exact(response)
    assert start["redirect_url"].startswith("https://provider.example/consent")
    assert world.connections.begun == [(str(house.id), "quickbooks_online", start["browser"])]
    cookie = response.headers["set-cookie"]
    assert f"tieout_browser={start['browser']}" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_the_same_browser_keeps_its_token_for_a_second_consent(client: Client) -> None:
    first, second = exact(client.post("/connect/quickbooks_online")), exact(client.post("/connect/xero"))
    assert first["browser"] == second["browser"]


def test_the_callback_of_the_browser_that_began_completes(
    client: Client, world: World, connected: Completed
) -> None:
    browser = exact(client.post("/connect/quickbooks_online"))["browser"]
    found = exact(client.get("/callback/quickbooks_online", code="c", state="s", realmId="123"))
    assert found == {
        "connection_id": connected.connection_id,
        "provider": "quickbooks_online",
        "company_name": "Cedar <Ridge> Homes",
        "notice": None,
    }
    assert world.connections.answered == [
        ("quickbooks_online", {"code": "c", "state": "s", "realmId": "123"}, browser)
    ]
    assert world.launcher.builders == [connected.builder_id]


def test_a_script_sends_the_token_as_a_header(client: Client, world: World, connected: Completed) -> None:
    browser = exact(client.post("/connect/quickbooks_online"))["browser"]
    response = world.client().call(
        "GET", "/callback/quickbooks_online", params={"code": "c"}, headers={"X-Tieout-Browser": browser}
    )
    exact(response)
    assert world.connections.answered[0][2] == browser


@pytest.mark.parametrize("token", [None, "", "short", "x" * 44, "é" * 43])
def test_another_browser_is_refused_before_anything_is_looked_up(
    world: World, connected: Completed, token: str | None
) -> None:
    headers = {} if token is None else {"X-Tieout-Browser": token.encode()}
    response = world.client().call(
        "GET", "/callback/quickbooks_online", params={"code": "c"}, headers=headers
    )
    problem(response, 403, "connect.state")
    assert world.connections.answered == []


def test_a_person_sees_a_page_that_names_the_company_and_runs_nothing(
    client: Client, connected: Completed
) -> None:
    exact(client.post("/connect/quickbooks_online"))
    response = client.call("GET", "/callback/quickbooks_online", params={"code": "secret-code"}, headers=PAGE)
    assert response.headers["content-type"].startswith("text/html")
    assert "<h1>Connected to Cedar &lt;Ridge&gt; Homes</h1>" in response.text
    assert "secret-code" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert 'tieout_browser=""' in response.headers["set-cookie"]


def test_the_pages_style_is_the_one_its_policy_allows(client: Client, connected: Completed) -> None:
    exact(client.post("/connect/quickbooks_online"))
    response = client.call("GET", "/callback/quickbooks_online", headers=PAGE)
    found = re.search(r"<style>(.*?)</style>", response.text, re.DOTALL)
    assert found
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in response.headers["content-security-policy"]


REFUSALS: list[tuple[SyncError, int]] = [
    (ConsentDenied(provider="QuickBooks Online"), 422),
    (StateMismatch(provider="QuickBooks Online"), 403),
    (StateExpired(provider="QuickBooks Online", minutes=10), 422),
    (CodeRefused(provider="QuickBooks Online"), 422),
    (NoCompany(provider="QuickBooks Online"), 422),
    (CompanyTaken(provider="QuickBooks Online", company="Cedar Ridge Homes"), 409),
    (ProviderUnavailable(provider="QuickBooks Online", reason="it timed out"), 503),
]


@pytest.mark.parametrize(("error", "status"), REFUSALS, ids=[error.code for error, _ in REFUSALS])
def test_a_consent_that_fails_says_why_to_programs_and_people(
    client: Client, world: World, connected: Completed, error: SyncError, status: int
) -> None:
    exact(client.post("/connect/quickbooks_online"))
    world.connections.fails = error
    assert (
        problem(client.get("/callback/quickbooks_online"), status, error.code)["detail"] == error.user_message
    )
    page = client.call("GET", "/callback/quickbooks_online", headers=PAGE)
    assert page.status_code == status
    assert "QuickBooks Online was not connected" in page.text
    assert html.escape(error.user_message) in page.text
    assert world.launcher.builders == []


def test_a_connection_stands_although_dagster_is_down(
    client: Client, world: World, connected: Completed
) -> None:
    exact(client.post("/connect/quickbooks_online"))
    world.launcher.refuses = ProviderUnavailable(provider="Dagster", reason="connection refused")
    assert exact(client.get("/callback/quickbooks_online"))["company_name"] == "Cedar <Ridge> Homes"


def test_a_provider_nobody_knows_is_refused(client: Client, world: World) -> None:
    world.connections.fails = InvalidInput(what="The provider 'sage'", reason="there is none of that name")
    problem(client.post("/connect/sage"), 422, "input.invalid")
    problem(client.post("/connect/Not-A-Provider"), 422, "request.invalid")


def test_over_https_the_cookie_is_locked_to_this_host(world: World, house: House) -> None:
    plain = world.tieout.settings
    world.tieout.settings = load_settings(
        _env_file=None, home=plain.home, public_url="https://books.example.com"
    )
    try:
        cookie = house.client().post("/connect/quickbooks_online").headers["set-cookie"]
    finally:
        world.tieout.settings = plain
    assert cookie.startswith("__Host-tieout_browser=")
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert "Domain" not in cookie


def choice() -> ChoiceNeeded:
    choices = [{"id": "a1", "name": "Cedar <Ridge> Homes"}, {"id": "b2", "name": "Alder Homes"}]
    return ChoiceNeeded(provider="Xero", state="st-1", choices=choices)


def test_a_consent_of_several_companies_answers_a_program_with_the_choices(
    client: Client, world: World
) -> None:
    exact(client.post("/connect/xero"))
    world.connections.fails = choice()
    found = problem(client.get("/callback/xero", code="c", state="st-1"), 422, "connect.choice_needed")
    assert found["details"]["choices"] == choice().details["choices"]
    assert found["details"]["state"] == "st-1"


def test_a_consent_of_several_companies_shows_a_person_a_button_for_each(
    client: Client, world: World
) -> None:
    exact(client.post("/connect/xero"))
    world.connections.fails = choice()
    page = client.call("GET", "/callback/xero", params={"code": "secret-code", "state": "st-1"}, headers=PAGE)
    assert page.status_code == 422
    buttons = re.findall(
        r'<form method="get" action="[^"]+/callback/xero">\s*<input type="hidden" name="state" value="st-1">'
        r'<input type="hidden" name="company" value="([^"]+)">\s*<button type="submit">([^<]+)</button>',
        page.text,
    )
    assert [(company, html.unescape(text)) for company, text in buttons] == [
        ("a1", "Connect Cedar <Ridge> Homes"),
        ("b2", "Connect Alder Homes"),
    ]
    assert "secret-code" not in page.text
    assert "form-action 'self';" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer", "the address holds the code"
