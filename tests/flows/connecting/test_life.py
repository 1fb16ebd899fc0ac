"""The same builder again, another company, and the end of a connection."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
import structlog

from resources.quickbooks.spec import SPEC
from resources.registry import PROVIDERS
from resources.store.database import Database
from sync.errors import (
    AccessExpired,
    AlreadyDone,
    ConnectError,
    NotFound,
    StateMismatch,
)
from tests.fakes.world import Platform
from tests.support.connecting import BROWSER, QBO, World, refused, with_history, with_mapping

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
    platform.run(
        "insert into census (builder_id, connection_id, entity, remote_id, number) values (%s, %s, 'account', '1', 1)",
        platform.builder_id,
        connection,
    )
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    other = world.sandbox.company(name="Another LLC")
    assert world.connect(platform, other) == connection
    assert platform.value("select count(*) from census") == 0, (
        "its lists would be compared with the new one's"
    )
    assert world.row(platform)["provider_tenant_id"] == other
    assert platform.value("select count(*) from mirror") == 0


def test_a_company_that_would_win_where_another_ledger_does_is_not_connected_again(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    platform.run("update v2_integration_connections set conflict_strategy = 'provider_wins'")
    world.connections.disconnect(platform.builder_id, connection, requested_by="owner")
    other = platform.add(
        "v2_integration_connections",
        provider="xero",
        status="connected",
        provider_tenant_id="larch-two",
        provider_company_name="Larch Two Ltd",
        connected_at=world.clock.now(),
        conflict_strategy="provider_wins",
    )
    said = refused(world, world.sandbox.consent(world.begin(platform), realm=realm), ConnectError)
    assert "it wins about customer, vendor, invoice, bill, journal entry (provider_wins)" in said
    assert "so does Larch Two Ltd" in said
    assert "choose another strategy in the settings of one of them" in said
    ((status,),) = platform.rows("select status from v2_integration_connections where id = %s", connection)
    assert (status, world.live_tokens(realm)) == ("disconnected", 0), "and the grant was given back"
    platform.run(
        "update v2_integration_connections set conflict_strategy = 'platform_wins' where id = %s", other
    )
    assert world.connect(platform, realm) == connection


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
