"""What the API needs from the rest of the product, as protocols; `resources.wiring.Tieout` and fakes both fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from api.limits import RateLimit, SharedRateLimit
from api.readers import Readers
from resources.imports.importer import Imports
from resources.imports.worker import ImportWorkers
from resources.known_callers import KnownCallers
from resources.platform_tokens import PlatformTokens
from resources.settings import Settings
from resources.store.database import Database
from resources.store.requests import Requests
from resources.store.run_requests import SyncLauncher
from resources.vault import Vault
from sync.clock import Clock
from sync.dimensions import ListName, Subject


class AuthorizationStart(Protocol):
    """Where to send the browser, and until when the answer is awaited."""

    @property
    def url(self) -> str:
        """The provider's consent page."""
        ...

    @property
    def expires_at(self) -> datetime:
        """When the attempt is forgotten."""
        ...


class ConnectedCompany(Protocol):
    """A consent that led to a connection."""

    @property
    def builder_id(self) -> str:
        """Whose connection it is."""
        ...

    @property
    def connection_id(self) -> str:
        """The connection."""
        ...

    @property
    def company_name(self) -> str:
        """The company file's name."""
        ...

    @property
    def notice(self) -> str | None:
        """What did not work right after it, if anything."""
        ...


class Disconnected(Protocol):
    """A connection that ended."""

    @property
    def notice(self) -> str | None:
        """A step to take at the provider when it could not be told."""
        ...


class Connections(Protocol):
    """Makes and ends connections."""

    def begin(self, builder_id: str, provider: str, *, browser: str, requested_by: str) -> AuthorizationStart:
        """Begin a consent for the browser that carries this token."""
        ...

    def complete(self, provider: str, *, params: Mapping[str, str], browser: str) -> ConnectedCompany:
        """Turn a callback into a connection, or raise a ConnectError."""
        ...

    def disconnect(self, builder_id: str, connection_id: str, *, requested_by: str) -> Disconnected:
        """End a connection: revoke, wipe the tokens, take the mapping out of use."""
        ...


class Tieout(Protocol):
    """The wired product, as far as the API uses it."""

    @property
    def settings(self) -> Settings:
        """The installation's settings."""
        ...

    @property
    def database(self) -> Database:
        """The product's database."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def vault(self) -> Vault:
        """Seals what must not be read in the database."""
        ...

    @property
    def connections(self) -> Connections:
        """Connections to providers."""
        ...

    def pull_accounts(self, builder_id: str, connection_id: str) -> None:
        """Read the provider's chart of accounts into the mirror."""
        ...


class Launcher(SyncLauncher, Protocol):
    """Starts syncs in Dagster."""

    def launch_rehearsal(self, *, builder_id: str, provider: str, rehearsal_id: str) -> str:
        """Start a rehearsal that was asked for and return its run's id."""
        ...

    def add_builder(self, builder_id: str) -> None:
        """Give a builder its partition."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One accounting system of the registry, as the API lists it."""

    key: str
    title: str
    is_configured: bool
    # What a job, a cost code or a cost type can become in its lists.
    dimension_lists: Mapping[Subject, Sequence[ListName]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a route may ask for."""

    tieout: Tieout
    launcher: Launcher
    providers: Sequence[ProviderEntry]
    tokens: PlatformTokens
    # Whom this process let in a moment ago.
    callers: KnownCallers
    limit: SharedRateLimit
    # Where lists are read.
    readers: Readers
    # Wrong keys and tokens, counted by where they come from, in this process.
    refusals: RateLimit
    requests: Requests
    imports: Imports
    # Who does the work of imports, apart from this process.
    workers: ImportWorkers

    @property
    def database(self) -> Database:
        """The product's database."""
        return self.tieout.database

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.tieout.clock

    def title_of(self, provider: str) -> str:
        """Return a provider's name for people."""
        return next((entry.title for entry in self.providers if entry.key == provider), provider)

    def dimension_lists_of(self, provider: str) -> Mapping[Subject, Sequence[ListName]]:
        """Return what jobs, cost codes and cost types can become at a provider."""
        return next((entry.dimension_lists for entry in self.providers if entry.key == provider), {})


def services_of(request: Request) -> Services:
    """Return the services of the application that answers this request."""
    return cast("Services", request.app.state.services)


async def _services(request: Request) -> Services:
    # FastAPI sends a plain function to a thread, and the thread costs ten times what this does.
    return services_of(request)


UseServices = Annotated[Services, Depends(_services)]
