"""Connecting a company through the real OAuth redirects, keeping its access fresh, and letting it go."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import stamina
import structlog

from resources.access import ConnectionKey, TokenKeeper
from resources.connections import Connections
from resources.oauth import OAuth, TokenSet
from resources.quickbooks.spec import SPEC
from resources.registry import PROVIDERS
from resources.settings import Settings
from resources.spec import ProviderSpec
from resources.store.database import Database
from resources.vault import Vault
from sync.clock import SetClock
from sync.errors import (
    AccessExpired,
    AlreadyDone,
    CodeRefused,
    CompanyTaken,
    ConnectError,
    ConsentDenied,
    InvalidInput,
    InvalidSetting,
    NoCompany,
    NotFound,
    ProviderUnavailable,
    StateExpired,
    StateMismatch,
    SyncError,
)
from tests.fakes.world import Platform
from tests.support.quickbooks_sandbox import Sandbox, running_sandbox

QBO = "quickbooks_online"
BROWSER = "browser-token-of-the-bookkeeper"


class World:
    """One installation: its database, its sandbox, and a clock that both share."""

    def __init__(self, database: Database, settings: Settings, sandbox: Sandbox) -> None:
        self.database = database
        self.sandbox = sandbox
        self.settings = sandbox.settings(settings)
        self.clock = SetClock(datetime.now(UTC))
        self.looked_at: list[tuple[str, str]] = []
        self.connections = self.another_process()
        sandbox.emulator.clock.freeze(is_frozen=True)
        sandbox.emulator.clock.move_to(self.clock.now())

    def another_process(self, **changes: Any) -> Connections:
        """The same installation, with nothing shared but the database."""
        given: dict[str, Any] = {
            "vault": Vault.from_settings(self.settings),
            "clock": self.clock,
            "on_connected": lambda builder, connection: self.looked_at.append((builder, connection)),
        }
        settings = changes.pop("settings", self.settings)
        return Connections(self.database, settings, **(given | changes))

    def pass_time(self, by: timedelta) -> None:
        self.clock.move(by)
        self.sandbox.emulator.clock.move_to(self.clock.now())

    def begin(self, platform: Platform, *, browser: str = BROWSER) -> str:
        return self.connections.begin(platform.builder_id, QBO, browser=browser, requested_by="owner").url

    def connect(self, platform: Platform, realm: str) -> str:
        params = self.sandbox.consent(self.begin(platform), realm=realm)
        platform.connection_id = self.connections.complete(QBO, params=params, browser=BROWSER).connection_id
        return platform.connection_id

    def row(self, platform: Platform) -> dict[str, Any]:
        names = (
            "status", "status_reason", "provider_tenant_id", "access_token_encrypted", "refresh_token_encrypted",
            "token_expires_at", "refresh_expires_at", "refresh_failures", "next_due_at",
        )  # fmt: skip
        statement = f"select {', '.join(names)} from v2_integration_connections"
        ((*values,),) = platform.rows(statement)
        return dict(zip(names, values, strict=True))

    def live_tokens(self, realm: str) -> int:
        return sum(
            row["realm"] == realm for row in self.sandbox.emulator.store.rows("oauth/refresh").values()
        )

    def token_calls(self) -> int:
        return sum(entry.path.endswith("/tokens/bearer") for entry in self.sandbox.emulator.log.recent(1000))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def world(database: Database, settings: Settings, sandbox: Sandbox) -> Iterator[World]:
    made = World(database, settings, sandbox)
    yield made
    made.connections.close()
    sandbox.control("DELETE", "/faults")
    sandbox.control("DELETE", "/requests")


@pytest.fixture
def platform(database: Database) -> Platform:
    return Platform(database)


@pytest.fixture
def realm(sandbox: Sandbox) -> str:
    return sandbox.company(name="Larch Homes LLC")


def no_connection(platform: Platform) -> bool:
    return platform.value("select count(*) from v2_integration_connections") == 0


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


def refused(
    world: World,
    params: dict[str, str],
    kind: type[SyncError],
    *,
    browser: str = BROWSER,
    provider: str = QBO,
) -> str:
    with pytest.raises(kind) as refusal:
        world.connections.complete(provider, params=params, browser=browser)
    assert type(refusal.value) is kind
    return refusal.value.user_message


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


# ---------------------------------------------------------------- the same builder again


def test_connecting_the_same_company_again_keeps_the_connection_and_its_history(
    world: World, platform: Platform, realm: str
) -> None:
    first = world.connect(platform, realm)
    with_history(platform, first)
    world.connections.disconnect(platform.builder_id, first, requested_by="owner")
    assert world.connect(platform, realm) == first
    assert platform.value("select count(*) from links") == 1
    assert world.row(platform)["status"] == "connected"


def test_another_company_while_one_is_connected_is_refused_and_the_grant_given_back(
    world: World, platform: Platform, realm: str
) -> None:
    world.connect(platform, realm)
    other = world.sandbox.company(name="Another LLC")
    params = world.sandbox.consent(world.begin(platform), realm=other)
    assert "disconnect Larch Homes LLC" in refused(world, params, ConnectError)
    assert world.row(platform)["provider_tenant_id"] == realm
    assert (world.live_tokens(realm), world.live_tokens(other)) == (1, 0)


def test_another_company_after_a_disconnect_is_refused_while_documents_are_linked(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    with_history(platform, connection)
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    params = world.sandbox.consent(world.begin(platform), realm=world.sandbox.company(name="Another LLC"))
    assert "would double documents" in refused(world, params, ConnectError)
    assert world.row(platform)["provider_tenant_id"] == realm


def test_another_company_after_a_disconnect_is_fine_while_nothing_was_linked(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    platform.run(
        "insert into mirror (builder_id, connection_id, entity, remote_id, state, canonical, checksum)"
        " values (%s, %s, 'account', '1', 'active', '{}', 'x')",
        platform.builder_id,
        connection,
    )
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    other = world.sandbox.company(name="Another LLC")
    assert world.connect(platform, other) == connection
    assert world.row(platform)["provider_tenant_id"] == other
    assert platform.value("select count(*) from mirror") == 0


def with_history(platform: Platform, connection: str) -> None:
    platform.run(
        "insert into links (builder_id, connection_id, entity, record_id, remote_id) values (%s, %s, 'vendor', %s, '56')",
        platform.builder_id,
        connection,
        str(uuid4()),
    )


# ---------------------------------------------------------------- keeping access fresh


def test_a_token_that_is_about_to_expire_is_renewed_before_it_is_used(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    before = world.row(platform)
    world.pass_time(timedelta(minutes=56))
    world.connections.open(platform.builder_id, connection).company()
    after = world.row(platform)
    assert after["token_expires_at"] > before["token_expires_at"]
    assert 401 not in {entry.status for entry in world.sandbox.emulator.log.recent(1000)}


def test_a_refresh_token_that_rotates_is_kept(world: World, platform: Platform, realm: str) -> None:
    connection = world.connect(platform, realm)
    for _ in range(3):
        world.pass_time(timedelta(days=2))
        assert world.connections.open(platform.builder_id, connection).company().currency == "USD"
    assert world.live_tokens(realm) == 1


def test_a_token_that_ends_during_a_long_sync_is_renewed_once(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    provider = world.connections.open(platform.builder_id, connection)
    calls = world.token_calls()
    world.pass_time(timedelta(hours=2))
    provider.company()
    provider.company()
    assert world.token_calls() == calls + 1


def test_a_token_killed_early_is_renewed_after_a_401(world: World, platform: Platform, realm: str) -> None:
    connection = world.connect(platform, realm)
    provider = world.connections.open(platform.builder_id, connection)
    store = world.sandbox.emulator.store
    for token in [key for key, row in store.rows("oauth/access").items() if row["realm"] == realm]:
        with store.transaction():
            store.remove("oauth/access", token)
    assert provider.company().currency == "USD"
    assert world.row(platform)["status"] == "connected"


def test_many_processes_that_need_a_new_token_at_once_refresh_it_once(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.pass_time(timedelta(days=2))
    processes = [world.another_process() for _ in range(6)]
    calls, names, errors = world.token_calls(), [], []
    barrier = threading.Barrier(len(processes))

    def work(connections: Connections) -> None:
        barrier.wait()
        try:
            names.append(connections.open(platform.builder_id, connection).company().name)
        except SyncError as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        process.close()
    assert errors == []
    assert len(names) == 6
    assert world.token_calls() == calls + 1
    assert world.row(platform)["status"] == "connected"


def test_a_revoked_grant_marks_the_connection_and_says_what_to_do(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    provider = world.connections.open(platform.builder_id, connection)
    world.sandbox.control("POST", "/revoke", {"realm": realm})
    with pytest.raises(AccessExpired) as ended:
        provider.company()
    row = world.row(platform)
    assert (row["status"], row["status_reason"]) == ("expired", ended.value.user_message)
    assert "Reconnect it in Settings > Integrations" in row["status_reason"]
    with pytest.raises(AccessExpired, match="Reconnect"):
        world.connections.open(platform.builder_id, connection)


def test_a_connection_whose_access_ended_works_again_after_a_new_consent(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.sandbox.control("POST", "/revoke", {"realm": realm})
    world.pass_time(timedelta(hours=2))
    with pytest.raises(AccessExpired):
        world.connections.open(platform.builder_id, connection)
    assert world.connect(platform, realm) == connection
    assert world.row(platform)["status"] == "connected"


class LosesTheRace:
    """Token calls that are refused once, because another program has just stored a newer refresh token."""

    def __init__(self, oauth: OAuth, store_newer: Callable[[], None], is_waiting: Callable[[], bool]) -> None:
        self.oauth = oauth
        self.store_newer = store_newer
        self.is_waiting = is_waiting
        self.refreshed: list[str] = []

    def refresh(self, refresh_token: str) -> TokenSet:
        self.refreshed.append(refresh_token)
        if len(self.refreshed) == 1:
            threading.Thread(target=self.store_newer).start()
            deadline = time.monotonic() + 10
            # The row is locked by us now, so the other program gets it as soon as we let go.
            while not self.is_waiting() and time.monotonic() < deadline:
                time.sleep(0.01)
        return self.oauth.refresh(refresh_token)


def test_a_refresh_that_lost_a_race_is_tried_once_more_with_what_the_winner_stored(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.pass_time(timedelta(hours=2))
    newer = world.row(platform)["refresh_token_encrypted"]
    vault = Vault.from_settings(world.settings)
    place = {"builder_id": platform.builder_id, "connection_id": connection, "field": "refresh_token"}
    store = "update v2_integration_connections set refresh_token_encrypted = %s"
    platform.run(store, vault.seal("RT1-superseded", **place))
    oauth = LosesTheRace(
        world.sandbox.oauth(),
        store_newer=lambda: platform.run(store, newer),
        is_waiting=lambda: platform.value("select count(*) from pg_locks where not granted") > 0,
    )
    keeper = TokenKeeper(world.database, vault, world.clock, lambda _provider: cast("OAuth", oauth))
    key = ConnectionKey(UUID(platform.builder_id), UUID(connection), QBO, "QuickBooks Online")
    assert keeper.fresh(key).expires_at > world.clock.now()
    assert oauth.refreshed == ["RT1-superseded", vault.open(newer, **place)]
    assert world.row(platform)["status"] == "connected"


def test_a_token_endpoint_that_is_down_does_not_end_the_connection(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.sandbox.fault("status", path="*/tokens/bearer", status=503, count=None)
    world.pass_time(timedelta(minutes=56))
    assert world.connections.open(platform.builder_id, connection).company().currency == "USD"
    world.pass_time(timedelta(minutes=30))
    with pytest.raises(ProviderUnavailable):
        world.connections.open(platform.builder_id, connection)
    row = world.row(platform)
    assert (row["status"], row["refresh_failures"]) == ("connected", 2)
    world.sandbox.control("DELETE", "/faults")
    world.connections.open(platform.builder_id, connection)
    assert world.row(platform)["refresh_failures"] == 0


def test_tokens_moved_to_another_row_do_not_open(
    world: World, platform: Platform, realm: str, database: Database
) -> None:
    connection = world.connect(platform, realm)
    thief = Platform(database)
    stolen = world.connect(thief, world.sandbox.company(name="Thief LLC"))
    row = world.row(platform)
    thief.run(
        "update v2_integration_connections set access_token_encrypted = %s, refresh_token_encrypted = %s",
        row["access_token_encrypted"],
        row["refresh_token_encrypted"],
    )
    with pytest.raises(AccessExpired, match="cannot be opened any more"):
        world.connections.open(thief.builder_id, stolen)
    assert world.row(thief)["status"] == "expired"
    assert world.connections.open(platform.builder_id, connection)


def test_rotating_the_keyring_rewraps_every_connection(world: World, platform: Platform, realm: str) -> None:
    connection = world.connect(platform, realm)
    old_key = (world.settings.home / "keyring").read_text().strip()
    keyring = f"k2:{'A' * 43}=,{old_key}"
    rotated = world.another_process(
        vault=Vault.from_settings(Settings(**world.settings.model_dump() | {"keyring": keyring}))
    )
    assert rotated.rewrap() >= 1
    assert world.row(platform)["access_token_encrypted"].startswith("v1.k2.")
    assert rotated.open(platform.builder_id, connection).company().currency == "USD"
    rotated.close()


# ---------------------------------------------------------------- the end


def test_a_disconnect_revokes_wipes_tokens_and_mapping_and_keeps_history(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    with_history(platform, connection)
    with_mapping(platform, connection)
    ended = world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    row = world.row(platform)
    assert ended.notice is None
    assert (row["status"], row["access_token_encrypted"], row["refresh_token_encrypted"]) == (
        "disconnected",
        None,
        None,
    )
    assert row["next_due_at"] is None
    assert world.live_tokens(realm) == 0
    assert platform.value("select count(*) from v2_account_mappings where is_active") == 0
    assert platform.value("select count(*) from links") == 1
    with pytest.raises(AccessExpired, match="it was disconnected"):
        world.connections.open(platform.builder_id, connection)


def with_mapping(platform: Platform, connection: str) -> None:
    version = str(uuid4())
    platform.run(
        "insert into mapping_versions (builder_id, id, connection_id, number, created_by) values (%s, %s, %s, 1, 'owner')",
        platform.builder_id,
        version,
        connection,
    )
    platform.run(
        "insert into v2_account_mappings (builder_id, connection_id, platform_entity_type, provider_account_id, version_id)"
        " values (%s, %s, 'cost_code', '36', %s)",
        platform.builder_id,
        connection,
        version,
    )


def test_a_disconnect_ends_the_access_of_a_sync_that_is_under_way(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    provider = world.connections.open(platform.builder_id, connection)
    elsewhere = world.another_process()
    elsewhere.disconnect(platform.builder_id, connection, requested_by="owner")
    elsewhere.close()
    with pytest.raises(AccessExpired):
        provider.company()
    assert world.row(platform)["status"] == "disconnected"


def test_a_second_disconnect_says_that_it_was_done(world: World, platform: Platform, realm: str) -> None:
    connection = world.connect(platform, realm)
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    with pytest.raises(AlreadyDone, match="already disconnected"):
        world.connections.disconnect(platform.builder_id, connection, requested_by="owner")


def test_a_disconnect_that_the_provider_does_not_confirm_keeps_nothing_and_asks_for_a_step(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    world.sandbox.fault("status", path="*/tokens/revoke", status=503, count=None)
    ended = world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    assert ended.notice is not None
    assert "remove Tieout from the connected apps in QuickBooks Online" in ended.notice
    assert world.row(platform)["refresh_token_encrypted"] is None


def test_a_connection_of_another_builder_is_not_found(
    world: World, platform: Platform, realm: str, database: Database
) -> None:
    connection = world.connect(platform, realm)
    stranger = Platform(database)
    for attempt in (
        lambda: world.connections.open(stranger.builder_id, connection),
        lambda: world.connections.disconnect(stranger.builder_id, connection, requested_by="x"),
        lambda: world.connections.open(platform.builder_id, "no id at all"),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert world.row(platform)["status"] == "connected"


# ---------------------------------------------------------------- nothing secret gets out


def test_no_token_code_or_state_reaches_a_log_or_an_error(
    world: World, platform: Platform, realm: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as events:
        url = world.begin(platform)
        params = world.sandbox.consent(url, realm=realm)
        connection = world.connections.complete(QBO, params=params, browser=BROWSER).connection_id
        world.pass_time(timedelta(days=2))
        world.connections.open(platform.builder_id, connection).company()
        sentence = refused(world, params, StateMismatch)
        world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    store = world.sandbox.emulator.store
    tokens = [*store.rows("oauth/access"), *store.rows("oauth/refresh"), *store.rows("oauth/codes")]
    secrets_of_it = [*tokens, params["code"], params["state"], BROWSER, "a-made-up-secret"]
    text = f"{events}{sentence}"
    assert events
    assert not [secret for secret in secrets_of_it if secret in text]
    assert "RT1-" not in text


def test_the_registry_has_one_line_per_provider() -> None:
    assert PROVIDERS[QBO] is SPEC
