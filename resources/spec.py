"""What one accounting system tells the rest of the product about itself, so that a new one is a folder and a line.

`resources/<provider>/spec.py` makes one ProviderSpec; connections, API and pages work from it and know no provider
by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from resources.gate import CallLimits, Gate
from resources.oauth import OAuthEndpoints
from resources.settings import Settings
from sync.clock import Clock
from sync.dimensions import ListName, Subject
from sync.errors import AccessExpired
from sync.ports import Provider


@dataclass(frozen=True, slots=True)
class CompanyFacts:
    """What is known of a company before it is called; all but the id can be missing at the first call."""

    company_id: str
    name: str = ""
    currency: str | None = None
    country: str | None = None
    # The connection's own settings.
    preferences: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider works with besides its access."""

    http: httpx.Client
    clock: Clock
    # Where calls wait for their turn.
    gate: Gate
    # Where builders' browsers find us: a document in the ledger can link back.
    public_url: str


class Access(Protocol):
    """The way into one company: hands out access tokens and hears what became of them. Safe across threads."""

    @property
    def company(self) -> CompanyFacts:
        """Say which company this opens."""
        ...

    def token(self) -> str:
        """Return an access token that is not about to expire; may raise AccessExpired or ProviderUnavailable."""
        ...

    def renew(self, refused: str) -> str:
        """Return another token after the provider answered 401 to this one, refreshing unless somebody just did."""
        ...

    def report(self, error: AccessExpired) -> None:
        """Hear that the company no longer opens, so that the connection says so from now on."""
        ...

    def confirm(self) -> None:
        """Hear that a call succeeded."""
        ...


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the provider sent back to our redirect address."""

    state: str | None
    code: str | None = field(default=None, repr=False)
    # Where the provider names the chosen company in the callback itself.
    company_id: str | None = None
    # OAuth's own error code, `access_denied` when the person said no.
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """A provider's word that something changed in a company; the event itself only tells repetitions apart."""

    company_id: str
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WebhookSpec:
    """How a provider signs what it tells, and how its companies are read from it."""

    signature_header: str
    key: Callable[[Settings], str]
    hints: Callable[[Any], Iterable[Hint]]


@dataclass(frozen=True, slots=True)
class Preference:
    """Something only this provider lets one choose, per connection."""

    key: str
    # What it decides, in a sentence.
    meaning: str
    # What may be chosen, the first being what holds without a choice; none means the id of an account of the ledger.
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """One accounting system: its words, its OAuth places, and how to make a Provider for one company."""

    key: str
    title: str
    # How its users call one set of books.
    company_word: str
    # Settings that must be filled before anybody can connect.
    credential_settings: tuple[str, str]
    # Entity -> (one, many) in the provider's own words.
    terms: Mapping[str, tuple[str, str]]
    base_url: Callable[[Settings], str]
    endpoints: Callable[[Settings], OAuthEndpoints]
    read_callback: Callable[[Mapping[str, str]], CallbackAnswer]
    # The companies a fresh consent opens; the access token is the second argument. Of several a person chooses one.
    companies: Callable[[CallbackAnswer, str, httpx.Client], Sequence[CompanyFacts]]
    build: Callable[[Access, Surroundings], Provider]
    # What a job, a cost code or a cost type can become in its lists.
    dimension_lists: Mapping[Subject, tuple[ListName, ...]] = field(default_factory=dict)
    # Ends one company's consent where revoking the refresh token would end others too; None means revoking.
    release: Callable[[str, str, httpx.Client], None] | None = None
    # What its calls are counted against across processes.
    limits: CallLimits | None = None
    # How many reads of all companies the app's plan allows in a month; 0 where none are counted.
    metered_reads_a_month: Callable[[Settings], int] = lambda _: 0
    # The page on which its own users see a record: settings, entity and its id.
    page_of: Callable[[Settings, str, str], str | None] | None = None
    # What its users choose beyond what all providers have.
    preferences: tuple[Preference, ...] = ()
    # Whether one of its names can be a customer and a vendor at once, under one id.
    shares_parties: bool = False
    # Where the provider tells of changes of its own accord.
    webhook: WebhookSpec | None = None
