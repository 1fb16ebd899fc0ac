"""Keeping the access to a company fresh, across processes and through trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest

from resources.access import TokenKeeper
from resources.connections import Connections
from resources.oauth import OAuth, TokenSet
from resources.quickbooks.faults import Fault, error_of
from resources.settings import Settings
from resources.store.database import Database
from resources.token_sets import ConnectionKey
from resources.vault import Vault
from sync.errors import (
    AccessExpired,
    ProviderUnavailable,
    SyncError,
)
from tests.fakes.world import Platform
from tests.support.connecting import QBO, World

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


WAITING_HERE = (
    "select count(*) from pg_locks join pg_stat_activity using (pid)"
    " where not granted and datname = current_database()"
)


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
        # In this database: the tests beside this one wait for locks of their own on the same server.
        is_waiting=lambda: platform.value(WAITING_HERE) > 0,
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


def test_a_company_whose_subscription_ended_goes_on_by_itself_once_it_is_renewed(
    world: World, platform: Platform, realm: str
) -> None:
    connection = world.connect(platform, realm)
    key = ConnectionKey(UUID(platform.builder_id), UUID(connection), QBO, "QuickBooks Online")
    ended = error_of(Fault("6190", 403), label="the company", is_write=False)
    assert isinstance(ended, AccessExpired)
    world.connections._keeper.expire(key, ended)
    row = world.row(platform)
    assert row["status"] == "error"
    assert "Renew the subscription" in row["status_reason"]
    world.connections.open(platform.builder_id, connection).company()
    assert world.row(platform)["status"] == "connected"
