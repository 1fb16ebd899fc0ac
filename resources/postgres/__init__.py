"""PostgreSQL for Tieout: the embedded server, the addresses each role connects by, roles, and migrations."""

from resources.postgres.cluster import prepare_cluster
from resources.postgres.embedded import EmbeddedServer, embedded_status, start_embedded, stop_embedded
from resources.postgres.errors import PostgresError
from resources.postgres.urls import DatabaseUrls, database_urls

__all__ = [
    "DatabaseUrls",
    "EmbeddedServer",
    "PostgresError",
    "database_urls",
    "embedded_status",
    "prepare_cluster",
    "start_embedded",
    "stop_embedded",
]
