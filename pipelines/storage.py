"""Dagster's Postgres storage over a connection pool.

The stock storage opens a new server process for every call, which costs four times as much per event. The pool
reaches into one private attribute of each sub-storage (`_engine`); `tests/pipelines/test_storage.py` fails when it
moves, and `storage: postgres:` in dagster.yaml is the public way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import sqlalchemy as sa
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import pg_url_from_config

POOL_SIZE = 2
POOL_OVERFLOW_MAX = 20
CONNECTION_AGE_SECONDS_MAX = 600


class PooledPostgresStorage(DagsterPostgresStorage):
    """Dagster's storage, its three parts sharing one pool."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,  # noqa: FBT001, FBT002 - the parent's own signature
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data)
        engine = sa.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW_MAX,
            pool_recycle=CONNECTION_AGE_SECONDS_MAX,
            pool_pre_ping=True,
        )
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            assert isinstance(part._engine, sa.Engine), "dagster-postgres has moved its engine"  # noqa: SLF001
            part._engine.dispose()  # noqa: SLF001 - see the module's docstring
            part._engine = engine  # noqa: SLF001

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        """Build the storage from dagster.yaml."""
        return cls(
            pg_url_from_config(config_value),
            config_value.get("should_autocreate_tables", True),
            inst_data,
        )
