"""Connecting a company through the real OAuth redirects, and everything that must lead nowhere."""

from __future__ import annotations

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from resources.quickbooks.spec import SPEC
from resources.settings import Settings
from resources.spec import ProviderSpec
from resources.store.database import Database
from sync.errors import (
    CodeRefused,
    CompanyTaken,
    ConnectError,
    ConsentDenied,
    InvalidInput,
    InvalidSetting,
    NoCompany,
    ProviderUnavailable,
    StateExpired,
    StateMismatch,
)
from tests.fakes.world import Platform
from tests.support.connecting import BROWSER, QBO, World, no_connection, refused
from tests.support.quickbooks_sandbox import Sandbox

# ---------------------------------------------------------------- consent


def test_a_consent_leads_to_a_connection_with_its_company_and_sealed_tokens(
    world: World, platform: Platform, realm: str
) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    company = world.connections.complete(QBO, params=params, browser=BROWSER)
    row = world.row(platform)
    assert company.company_name.startswith("Larch Homes LLC")
    assert (company.builder_id, company.provider, company.notice) == (platform.builder_id, QBO, None)
    assert (row["status"], row["provider_tenant_id"]) == ("connected", realm)
    assert row["access_token_encrypted"].startswith("v1.")
    assert timedelta(days=90) < row["refresh_expires_at"] - world.clock.now() < timedelta(days=110)
    assert world.looked_at == [(platform.builder_id, company.connection_id)]
    assert (
        world.connections.open(platform.builder_id, company.connection_id).company().name
        == company.company_name
    )


def test_the_request_for_consent_carries_state_pkce_and_the_redirect_address(
    world: World, platform: Platform
) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(world.begin(platform)).query).items()}
    assert asked["response_type"] == "code"
    assert asked["scope"] == "com.intuit.quickbooks.accounting"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 43
    assert asked["redirect_uri"].endswith("/api/v1/integrations/callback/quickbooks_online")


def test_a_person_can_press_connect_on_the_consent_page(world: World, platform: Platform, realm: str) -> None:
    page = world.sandbox.http.get(world.begin(platform))
    assert "wants to work with your company" in page.text
    form = {name: values[0] for name, values in parse_qs(urlsplit(str(page.url)).query).items()}
    answer = world.sandbox.http.post("/connect/oauth2", data=form | {"realm": realm, "choice": "connect"})
    params = {
        name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }
    assert world.connections.complete(QBO, params=params, browser=BROWSER).company_name.startswith(
        "Larch Homes"
    )


def test_every_entity_gets_its_default_direction(world: World, platform: Platform, realm: str) -> None:
    world.connect(platform, realm)
    settings = dict(platform.rows("select entity, direction from entity_settings"))
    assert len(settings) == 9
    assert (settings["account"], settings["invoice"], settings["payment"]) == ("both", "push", "pull")


def test_connecting_and_disconnecting_is_in_the_audit_log(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    entries = platform.rows(
        "select action, actor from audit_log where connection_id = %s order by at, action", connection
    )
    assert sorted(entries) == [("connection.connected", "owner"), ("connection.disconnected", "owner")]


def test_a_first_look_that_fails_leaves_the_connection_and_says_so(
    world: World, platform: Platform, realm: str
) -> None:
    def look(_builder: str, _connection: str) -> None:
        raise ProviderUnavailable(provider="QuickBooks Online", reason="it is down")

    connections = world.another_process(on_connected=look)
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    company = connections.complete(QBO, params=params, browser=BROWSER)
    connections.close()
    assert company.notice is not None
    assert "cannot be reached" in company.notice
    assert world.row(platform)["status"] == "connected"


# ---------------------------------------------------------------- consent that leads nowhere


def test_a_callback_that_comes_twice_counts_once(world: World, platform: Platform, realm: str) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    world.connections.complete(QBO, params=params, browser=BROWSER)
    assert "was used before" in refused(world, params, StateMismatch)
    assert world.row(platform)["status"] == "connected"
    assert world.live_tokens(realm) == 1


def test_of_two_callbacks_at_once_one_wins(world: World, platform: Platform, realm: str) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    results: list[object] = []
    barrier = threading.Barrier(2)

    def answer() -> None:
        barrier.wait()
        try:
            results.append(world.connections.complete(QBO, params=params, browser=BROWSER))
        except StateMismatch as error:
            results.append(error)

    threads = [threading.Thread(target=answer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, StateMismatch) for result in results) == 1
    assert world.row(platform)["status"] == "connected"


def test_an_answer_in_another_browser_is_refused_and_uses_the_state_up(
    world: World, platform: Platform, realm: str
) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    refused(world, params, StateMismatch, browser="another browser")
    refused(world, params, StateMismatch)
    assert no_connection(platform)


def test_two_browsers_of_two_builders_do_not_mix(world: World, database: Database, sandbox: Sandbox) -> None:
    one, two = Platform(database), Platform(database)
    realms = sandbox.company(name="One LLC"), sandbox.company(name="Two LLC")
    first = sandbox.consent(world.begin(one, browser="first"), realm=realms[0])
    second = sandbox.consent(world.begin(two, browser="second"), realm=realms[1])
    swapped = first | {"state": second["state"]}
    refused(world, swapped, StateMismatch, browser="first")
    connected = world.connections.complete(QBO, params=first, browser="first")
    assert connected.builder_id == one.builder_id
    assert no_connection(two)


@pytest.mark.parametrize("state", [None, "", "made-up", "x" * 5000])
def test_a_state_nobody_gave_out_is_refused(world: World, state: str | None) -> None:
    params = {"code": "c", "realmId": "1"} | ({"state": state} if state is not None else {})
    refused(world, params, StateMismatch)


def test_an_answer_after_ten_minutes_is_refused(world: World, platform: Platform, realm: str) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    world.pass_time(timedelta(minutes=10, seconds=1))
    assert "10 minutes" in refused(world, params, StateExpired)
    assert no_connection(platform)


def test_denied_consent_says_that_consent_was_not_given(world: World, platform: Platform) -> None:
    params = world.sandbox.consent(world.begin(platform), consent="deny")
    assert "consent was not given" in refused(world, params, ConsentDenied)
    refused(world, params, StateMismatch)
    assert no_connection(platform)


@pytest.mark.parametrize("error", ["invalid_scope", "<script>alert(1)</script>"])
def test_another_error_in_the_answer_is_named_only_if_it_is_a_word(
    world: World, platform: Platform, error: str
) -> None:
    params = world.sandbox.consent(world.begin(platform), consent="deny") | {"error": error}
    sentence = refused(world, params, ConnectError)
    assert ("invalid_scope" in sentence) == (error == "invalid_scope")
    assert "<" not in sentence


def test_a_code_that_expired_is_refused(world: World, platform: Platform, realm: str) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    world.sandbox.emulator.clock.shift(3600)
    assert "authorization code" in refused(world, params, CodeRefused)
    assert no_connection(platform)


def test_a_code_of_another_consent_is_refused_by_its_verifier(
    world: World, platform: Platform, realm: str
) -> None:
    first = world.sandbox.consent(world.begin(platform), realm=realm)
    second = world.sandbox.consent(world.begin(platform), realm=realm)
    refused(world, first | {"code": second["code"]}, CodeRefused)
    assert no_connection(platform)


def test_a_company_that_was_swapped_in_the_answer_is_noticed(
    world: World, platform: Platform, realm: str
) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    other = world.sandbox.company(name="Somebody else LLC")
    sentence = refused(world, params | {"realmId": other}, ConnectError)
    assert "could not be read" in sentence
    assert no_connection(platform)
    assert world.live_tokens(realm) == 0


@pytest.mark.parametrize("realm_id", [None, "", "../../evil", "12a"])
def test_an_answer_without_a_company_is_refused_and_the_grant_given_back(
    world: World, platform: Platform, realm: str, realm_id: str | None
) -> None:
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    changed = (
        {**params, "realmId": realm_id}
        if realm_id is not None
        else {k: v for k, v in params.items() if k != "realmId"}
    )
    refused(world, changed, NoCompany)
    assert no_connection(platform)
    assert world.live_tokens(realm) == 0


def test_a_company_of_another_builder_is_refused_and_the_grant_given_back(
    world: World, database: Database, realm: str
) -> None:
    holder, newcomer = Platform(database), Platform(database)
    world.connect(holder, realm)
    params = world.sandbox.consent(world.begin(newcomer), realm=realm)
    sentence = refused(world, params, CompanyTaken)
    assert "The company Larch Homes LLC" in sentence
    assert "already connected to another builder" in sentence
    assert no_connection(newcomer)
    assert world.live_tokens(realm) == 1
    assert world.connections.open(holder.builder_id, holder.connection_id).company().currency == "USD"


def test_a_company_that_another_builder_let_go_can_be_connected(
    world: World, database: Database, realm: str
) -> None:
    holder, newcomer = Platform(database), Platform(database)
    world.connections.disconnect(holder.builder_id, world.connect(holder, realm), requested_by="owner")
    world.connect(newcomer, realm)
    assert world.row(newcomer)["status"] == "connected"


def test_an_answer_of_the_other_issuer_is_refused(world: World, platform: Platform, realm: str) -> None:
    other = ProviderSpec(
        **{name: getattr(SPEC, name) for name in SPEC.__dataclass_fields__} | {"key": "xero"}
    )
    connections = world.another_process(providers={QBO: SPEC, "xero": other})
    params = world.sandbox.consent(world.begin(platform), realm=realm)
    with pytest.raises(StateMismatch):
        connections.complete("xero", params=params, browser=BROWSER)
    connections.close()
    refused(world, params, StateMismatch)
    assert no_connection(platform)


def test_a_provider_nobody_has_heard_of_is_refused_with_the_names_there_are(
    world: World, platform: Platform
) -> None:
    with pytest.raises(InvalidInput, match=QBO):
        world.connections.begin(platform.builder_id, "peachtree", browser=BROWSER, requested_by="owner")


def test_an_installation_without_credentials_names_the_setting(world: World, platform: Platform) -> None:
    bare = world.another_process(
        settings=Settings(**world.settings.model_dump() | {"quickbooks_client_id": ""})
    )
    with pytest.raises(InvalidSetting, match="TIEOUT_QUICKBOOKS_CLIENT_ID"):
        bare.begin(platform.builder_id, QBO, browser=BROWSER, requested_by="owner")
    bare.close()


def test_an_app_that_the_provider_refuses_sends_the_administrator_to_the_settings(
    world: World, platform: Platform, realm: str
) -> None:
    world.sandbox.control("POST", "/clients", {"id": "tieout-tests", "secret": "another secret"})
    try:
        params = world.sandbox.consent(world.begin(platform), realm=realm)
        assert "TIEOUT_QUICKBOOKS_CLIENT_SECRET" in refused(world, params, ConnectError)
    finally:
        world.sandbox.control("POST", "/clients", {"id": "tieout-tests", "secret": "a-made-up-secret"})
    assert no_connection(platform)


def test_of_two_first_consents_at_once_one_connection_stands_and_the_other_is_given_back(
    world: World, platform: Platform
) -> None:
    realms = world.sandbox.company(name="One LLC"), world.sandbox.company(name="Two LLC")
    answers = [world.sandbox.consent(world.begin(platform), realm=realm) for realm in realms]
    results: list[object] = []
    barrier = threading.Barrier(2)

    def answer(params: dict[str, str]) -> None:
        barrier.wait()
        try:
            results.append(world.connections.complete(QBO, params=params, browser=BROWSER))
        except ConnectError as error:
            results.append(error)

    threads = [threading.Thread(target=answer, args=(params,)) for params in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, ConnectError) for result in results) == 1
    assert sum(world.live_tokens(realm) for realm in realms) == 1
    assert world.live_tokens(str(world.row(platform)["provider_tenant_id"])) == 1
