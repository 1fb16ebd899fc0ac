"""Every setting of Tieout, read once from `TIEOUT_…` variables and a `.env` file.

Promises a frozen, checked `Settings`, and one clear sentence for each setting that is wrong. What the settings
mean for Postgres, the vault or a provider is decided where they are used.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TIEOUT_"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
DATABASE_SCHEME = "postgresql+psycopg"
TOKEN_SECRET_LENGTH_MIN = 32


class SettingsError(Exception):
    """The settings cannot be used; the text has one sentence per wrong setting, each with its remedy."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"'{value}' is not a web address; write it like https://example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError(
            f"'{value}' would send secrets unencrypted; use https, or http on this machine only (127.0.0.1)"
        )
    return value.rstrip("/")


def _record_address(value: str) -> str:
    if "{id}" not in value:
        raise ValueError(
            f"'{value}' does not say where the record's id goes; write it like https://example.com/{{entity}}/{{id}}"
        )
    return _web_address(value)


WebAddress = Annotated[str, AfterValidator(_web_address)]
RecordAddress = Annotated[str, AfterValidator(_record_address)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Everything that can differ between two installations."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default=Path(".tieout"),
        description="Data folder: the embedded database, Dagster's files, the key file, the demo's books.",
    )
    database_url: SecretStr = Field(
        default=SecretStr(""),
        description="PostgreSQL 15 or later as postgresql+psycopg://user:password@host:5432/database; empty means embedded.",
    )
    dagster_database: str = Field(
        default="dagster",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Name of Dagster's own database, in the same server as the product's.",
    )
    api_host: str = Field(default="127.0.0.1", description="Address the API and pages listen on.")
    api_port: Port = Field(default=8000, description="Port of the API and pages.")
    api_processes: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1,
        description="How many processes answer the API's requests; about one per core of a busy installation.",
    )
    api_readers: Annotated[int, Field(ge=1, le=20)] = Field(
        default=4,
        description="How many lists each of these processes reads at once; more wait, because threads slow each other down.",
    )
    dagster_host: str = Field(default="127.0.0.1", description="Address Dagster's web server listens on.")
    dagster_port: Port = Field(default=3000, description="Port of Dagster's web server.")
    dagster_url: WebAddress | None = Field(
        default=None,
        description="Where the API reaches Dagster's web server; empty means http://127.0.0.1 and the Dagster port.",
    )
    public_url: WebAddress | None = Field(
        default=None,
        description="Address builders' browsers use, the base of OAuth redirect addresses; "
        "empty means http://127.0.0.1 and the API port.",
    )
    quickbooks_sandbox_port: Port = Field(default=8101, description="Port of the QuickBooks sandbox.")
    xero_sandbox_port: Port = Field(default=8102, description="Port of the Xero sandbox.")

    quickbooks_base_url: WebAddress = Field(
        default="https://quickbooks.api.intuit.com",
        description="QuickBooks Online's API: production, Intuit's own sandbox, or Tieout's.",
    )
    quickbooks_authorize_url: WebAddress = Field(
        default="https://appcenter.intuit.com/connect/oauth2",
        description="QuickBooks' consent page.",
    )
    quickbooks_token_url: WebAddress = Field(
        default="https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
        description="QuickBooks' token endpoint.",
    )
    quickbooks_revoke_url: WebAddress = Field(
        default="https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
        description="QuickBooks' revocation endpoint.",
    )
    quickbooks_client_id: str = Field(default="", description="Client id of your app at Intuit.")
    quickbooks_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret of your app at Intuit."
    )
    quickbooks_webhook_token: SecretStr = Field(
        default=SecretStr(""), description="Verifier token of your app's webhooks at Intuit."
    )

    quickbooks_metered_reads: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        default=500_000,
        description="Reads a month your app's plan at Intuit allows for all companies together; 0 means no limit.",
    )

    quickbooks_app_url: WebAddress | None = Field(
        default=None,
        description="Where people work in QuickBooks, for links to documents; empty means the place that belongs to the API's address.",
    )

    xero_base_url: WebAddress = Field(
        default="https://api.xero.com", description="Xero's API: production, or Tieout's sandbox."
    )
    xero_app_url: WebAddress | None = Field(
        default=None,
        description="Where people work in Xero, for links to documents; empty means the place that belongs to the API's address.",
    )
    xero_authorize_url: WebAddress = Field(
        default="https://login.xero.com/identity/connect/authorize", description="Xero's consent page."
    )
    xero_token_url: WebAddress = Field(
        default="https://identity.xero.com/connect/token", description="Xero's token endpoint."
    )
    xero_revoke_url: WebAddress = Field(
        default="https://identity.xero.com/connect/revocation", description="Xero's revocation endpoint."
    )
    xero_client_id: str = Field(default="", description="Client id of your app at Xero.")
    xero_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret of your app at Xero."
    )
    xero_webhook_key: SecretStr = Field(
        default=SecretStr(""), description="Signing key of your app's webhooks at Xero."
    )

    token_jwks_url: WebAddress | None = Field(
        default=None,
        description="Where the platform publishes the keys of its signed tokens (JWKS); empty means none are taken by it.",
    )
    token_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret the platform signs its tokens with (HS256), 32 characters or more; instead of a JWKS address.",
    )
    token_issuer: str = Field(
        default="", description="The `iss` of the platform's tokens; needed once they are taken."
    )
    token_audience: str = Field(default="tieout", description="The `aud` of the platform's tokens.")
    token_leeway_seconds: Annotated[int, Field(ge=0, le=300)] = Field(
        default=30, description="How far the platform's clock may be off when a token's times are checked."
    )
    platform_url: WebAddress | None = Field(
        default=None,
        description="The platform's address; its pages may hand people over to Tieout's, and people who are not signed in "
        "are sent there. Empty means that only links of `tieout signin` sign people in.",
    )
    platform_record_url: RecordAddress | None = Field(
        default=None,
        description="The page of one record on the platform, with {id} and perhaps {entity} in it, for links in the queues and in "
        "webhooks: https://platform.example.com/{entity}/{id}. Empty means that none is given.",
    )
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = Field(
        default=60, description="After how many minutes without use people are signed out of the pages."
    )
    session_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        default=12, description="After how many hours people have to sign in anew, however busy they were."
    )
    rate_limit_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=600,
        description="Requests each API key or person may make in a minute, counted for all processes together; 0 means no limit.",
    )
    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token that opens /metrics for Prometheus; empty means there is no such page.",
    )

    webhook_allow_loopback: bool = Field(
        default=False,
        description="Let webhooks go to this machine, also without https; for trying things out only.",
    )

    history_days: Annotated[int, Field(ge=30, le=36_500)] = Field(
        default=730,
        description="Days for which records of past syncs are kept; what waits for somebody and the audit log stay longer.",
    )
    idle_history_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=14,
        description="Days for which syncs that found nothing to do stay in the history, and finished runs in Dagster.",
    )

    import_file_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        default=30,
        description="Days for which uploaded files and their files of problems are kept; what they brought stays.",
    )

    keyring: SecretStr = Field(
        default=SecretStr(""),
        description="Keys that wrap stored tokens, as id:base64key,… with the newest first (32 bytes each); "
        "empty means a key file under the data folder, made at the first start.",
    )

    smtp_host: str = Field(default="", description="Mail server; empty means no mail is sent.")
    smtp_port: Port = Field(default=587, description="Port of the mail server.")
    smtp_username: str = Field(default="", description="User name at the mail server; empty means none.")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="Password at the mail server.")
    smtp_starttls: bool = Field(default=True, description="Encrypt the mail connection with STARTTLS.")
    smtp_from: str = Field(default="tieout@localhost", description="Sender address of Tieout's mail.")

    import_processes_max: Annotated[int, Field(ge=1, le=64)] = Field(
        default=2,
        description="How many uploaded files are imported at once, each by a process of its own, over all processes of"
        " the API and all builders; the others wait their turn.",
    )
    drop_folder: Path | None = Field(
        default=None,
        description="Folder that Dagster watches for files to import, one folder per builder in it; empty means none.",
    )

    log_format: Annotated[str, Field(pattern="^(auto|json|console)$")] = Field(
        default="auto", description="json, console, or auto: console on a terminal, json elsewhere."
    )
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = Field(
        default="info", description="Least level that is logged: debug, info, warning or error."
    )

    @property
    def import_folder(self) -> Path:
        """Where uploaded files are kept until their import is over."""
        return self.home / "imports"

    @field_validator("home")
    @classmethod
    def _home_is_absolute(cls, value: Path) -> Path:
        # Dagster and Postgres both refuse relative folders, and every child process has its own idea of "here".
        return value.expanduser().resolve()

    @field_validator("database_url")
    @classmethod
    def _database_url_names_its_driver(cls, value: SecretStr) -> SecretStr:
        return SecretStr(normalise_database_url(value.get_secret_value()))

    @model_validator(mode="after")
    def _tokens_can_be_checked(self) -> Self:
        secret = self.token_secret.get_secret_value()
        if secret and self.token_jwks_url:
            raise ValueError(
                f"{PREFIX}TOKEN_SECRET and {PREFIX}TOKEN_JWKS_URL are both given; keep the one the platform signs with"
            )
        if secret and len(secret) < TOKEN_SECRET_LENGTH_MIN:
            raise ValueError(
                f"{PREFIX}TOKEN_SECRET is too short; give it {TOKEN_SECRET_LENGTH_MIN} characters or more"
            )
        if (secret or self.token_jwks_url) and not (self.token_issuer and self.token_audience):
            raise ValueError(
                f"{PREFIX}TOKEN_ISSUER and {PREFIX}TOKEN_AUDIENCE are needed to check the platform's tokens"
            )
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        taken: dict[int, str] = {}
        for name in ("api_port", "dagster_port", "quickbooks_sandbox_port", "xero_sandbox_port"):
            other = taken.setdefault(getattr(self, name), name)
            if other != name:
                raise ValueError(
                    f"{PREFIX}{name.upper()} and {PREFIX}{other.upper()} are both {getattr(self, name)}; "
                    "give each its own port"
                )
        return self

    @property
    def is_embedded(self) -> bool:
        """Whether Tieout runs its own PostgreSQL."""
        return not self.database_url.get_secret_value()

    @property
    def dagster_home(self) -> Path:
        """The folder Dagster calls DAGSTER_HOME."""
        return self.home / "dagster"

    @property
    def public_base_url(self) -> str:
        """Where builders' browsers find the API and pages."""
        return self.public_url or f"http://127.0.0.1:{self.api_port}"

    @property
    def dagster_base_url(self) -> str:
        """Where the API finds Dagster's web server."""
        return self.dagster_url or f"http://127.0.0.1:{self.dagster_port}"


def normalise_database_url(value: str) -> str:
    """The URL with its driver named, or a ValueError that says what to write instead."""
    if not value:
        return ""
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError(
            "it is not a database address; write postgresql+psycopg://user:password@host:5432/database"
        )
    # A bare scheme means psycopg 3 to us and breaks Dagster's storage, so that nothing of ours ever passes one on.
    if scheme in {"postgres", "postgresql", DATABASE_SCHEME}:
        _check_database_address(rest)
        return f"{DATABASE_SCHEME}://{rest}"
    raise ValueError(
        f"it begins with {scheme}://, which Tieout cannot use; write postgresql+psycopg://user:password@host:5432/database"
    )


def _check_database_address(rest: str) -> None:
    parts = urlsplit(f"postgresql://{rest}")
    if not parts.path.strip("/"):
        raise ValueError("it names no database; add it at the end, like …:5432/tieout")
    if not parts.username:
        raise ValueError("it names no user; write postgresql+psycopg://user:password@host:5432/database")


def load_settings(**given: object) -> Settings:
    """The settings of this process, or a SettingsError with a sentence per wrong one."""
    try:
        return Settings(**given)  # type: ignore[arg-type]  # pydantic checks what the environment or a test gives
    except ValidationError as error:
        raise SettingsError([_sentence(dict(problem)) for problem in error.errors()]) from None


def _sentence(problem: dict[str, object]) -> str:
    context = problem.get("ctx")
    cause = context.get("error") if isinstance(context, dict) else None
    reason = str(cause) if isinstance(cause, ValueError) else _as_clause(str(problem["msg"]))
    location = problem["loc"]
    if not isinstance(location, tuple) or not location:
        return f"{reason}."
    return f"{PREFIX}{str(location[0]).upper()} is wrong: {reason}. See docs/settings.md."


def _as_clause(message: str) -> str:
    return (
        (message[:1].lower() + message[1:])
        .replace("input should be", "it must be")
        .replace("string should match", "it must match")
        .rstrip(".")
    )


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """One sentence for each `TIEOUT_…` variable that no setting answers to, with the nearest real name."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    sentences = []
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists every setting."
            sentences.append(f"{name} is set, but there is no such setting; {hint}")
    return sentences
