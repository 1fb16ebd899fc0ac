"""The addresses each of Tieout's roles connects by.

Promises that every address names its driver: SQLAlchemy 2.1 reads a bare postgresql:// as psycopg 3, and
Dagster's storage, which speaks psycopg2, then fails at its first event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from resources.postgres.places import Places
from resources.settings import Settings

PRODUCT_DATABASE = "tieout"
OWNER_ROLE = "tieout_owner"
APP_ROLE = "tieout_app"
SCHEDULER_ROLE = "tieout_scheduler"
DAGSTER_ROLE = "tieout_dagster"
ADMIN_ROLE = "postgres"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One address per role; they may hold a password, so that printing this shows none."""

    admin: str = field(repr=False)
    owner: str = field(repr=False)
    app: str = field(repr=False)
    scheduler: str = field(repr=False)
    dagster: str = field(repr=False)


def database_urls(settings: Settings) -> DatabaseUrls:
    """The addresses of the embedded server, or of the one TIEOUT_DATABASE_URL names."""
    if settings.is_embedded:
        return _embedded_urls(settings)
    return _external_urls(settings)


def _embedded_urls(settings: Settings) -> DatabaseUrls:
    host = quote(str(Places(settings.home).socket_folder), safe="/")

    def url(role: str, database: str, driver: str = "psycopg") -> str:
        return f"postgresql+{driver}://{role}@/{database}?host={host}"

    return DatabaseUrls(
        admin=url(ADMIN_ROLE, PRODUCT_DATABASE),
        owner=url(OWNER_ROLE, PRODUCT_DATABASE),
        app=url(APP_ROLE, PRODUCT_DATABASE),
        scheduler=url(SCHEDULER_ROLE, PRODUCT_DATABASE),
        dagster=url(DAGSTER_ROLE, settings.dagster_database, "psycopg2"),
    )


def _external_urls(settings: Settings) -> DatabaseUrls:
    given = settings.database_url.get_secret_value()
    return DatabaseUrls(
        admin=given,
        owner=_acting_as(given, OWNER_ROLE),
        app=_acting_as(given, APP_ROLE),
        scheduler=_acting_as(given, SCHEDULER_ROLE),
        dagster=with_database(given, settings.dagster_database).replace("+psycopg:", "+psycopg2:", 1),
    )


def _acting_as(url: str, role: str) -> str:
    """The same login, become the role from its first statement on; the login itself is often a superuser."""
    parts = urlsplit(url)
    if parts.username == role:
        return url
    kept = [pair for pair in parts.query.split("&") if pair and not pair.startswith("options=")]
    # Sent at connection start, so that RESET ROLE and a pool's clean-up come back to the role, not to the login.
    options = urlencode({"options": f"-c role={role} -c timezone=UTC"}, quote_via=quote)
    return parts._replace(query="&".join([*kept, options])).geturl()


def with_database(url: str, database: str) -> str:
    """The same address, another database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def database_name(url: str) -> str:
    """The database an address names."""
    return urlsplit(url).path.strip("/")


def for_psycopg(url: str) -> str:
    """The address as the driver itself reads it, without SQLAlchemy's driver name."""
    return "postgresql://" + url.split("://", 1)[1]
