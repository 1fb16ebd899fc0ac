"""A world in which builders connect companies: one installation, a sandbox, and one clock for both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from resources.connections import Connections
from resources.registry import PROVIDERS
from resources.settings import Settings
from resources.store.database import Database
from resources.vault import Vault
from sync.clock import SetClock
from sync.errors import SyncError
from tests.fakes.world import Platform
from tests.support.quickbooks_sandbox import Sandbox

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
            # Its clock stands still: a rate of calls would never let the next one through.
            "providers": {key: replace(spec, limits=None) for key, spec in PROVIDERS.items()},
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


def no_connection(platform: Platform) -> bool:
    return platform.value("select count(*) from v2_integration_connections") == 0


def with_history(platform: Platform, connection: str) -> None:
    platform.run(
        "insert into links (builder_id, connection_id, entity, record_id, remote_id) values (%s, %s, 'vendor', %s, '56')",
        platform.builder_id,
        connection,
        str(uuid4()),
    )


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
