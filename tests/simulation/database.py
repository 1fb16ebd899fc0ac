"""The product's database without the layers that a simulation has no use for, and with ids that a seed decides.

The same statements run in the same transactions, under the same roles and row-level security, on a real server: only
the pool and SQLAlchemy's results are left out, and the planner's hints, which change no answer.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

from resources.postgres.urls import DatabaseUrls, for_psycopg
from resources.store.database import Database, Transaction, _prepare_connection
from resources.store.queries import named_query

HINTS = frozenset({"read_by_index", "refresh_statistics", "hint_ring"})
_PARAMETER = re.compile(r"%\((?P<name>[a-z_][a-z0-9_]*)\)s|%s|%%")
Row = dict[str, Any]


class Answered:
    """The answer of one statement, as far as `Transaction` asks for it."""

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        """Keep what came back."""
        self._rows = rows
        self.rowcount = rowcount

    def mappings(self) -> Answered:
        """The rows by name, which they are already."""
        return self

    def all(self) -> Sequence[Row]:
        """Every row."""
        return self._rows

    def keys(self) -> Sequence[str]:
        """The names of the columns, as far as a row says them."""
        return list(self._rows[0]) if self._rows else []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """The rows by place."""
        return (tuple(row.values()) for row in self._rows)

    def one_or_none(self) -> Row | None:
        """The only row."""
        assert len(self._rows) <= 1, "one row at most was expected"
        return self._rows[0] if self._rows else None

    def scalar_one_or_none(self) -> Any:
        """The first column of the only row."""
        row = self.one_or_none()
        return None if row is None else next(iter(row.values()))


class Session:
    """One session with the server; stands in for SQLAlchemy's connection."""

    def __init__(self, url: str) -> None:
        """Connect; every statement commits by itself until `begin`."""
        self.driver = psycopg.connect(for_psycopg(url), autocommit=True)
        _prepare_connection(self.driver, None)
        self._server = self.driver.pgconn
        self.simply("set plan_cache_mode = force_generic_plan; set client_min_messages = error")
        self._texts: dict[str, tuple[bytes, list[str]]] = {}
        self._prepared: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._numbers = itertools.count(1)
        self._left_out = {named_query(name).text for name in HINTS}

    @property
    def connection(self) -> Session:
        """Itself: SQLAlchemy's connection has the pool's here, and that has the driver's."""
        return self

    @property
    def dbapi_connection(self) -> psycopg.Connection[Any]:
        """The driver's connection, of which pages of what is shown are asked."""
        return self.driver

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is open."""
        return self._server.transaction_status == pq.TransactionStatus.IDLE

    def simply(self, statements: str) -> None:
        """Run statements without parameters."""
        result = self._server.exec_(statements.encode())
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.errors.error_from_result(result)

    def exec_driver_sql(self, statement: str, parameters: Any = None, **_: Any) -> Answered:
        """Run one statement, or one per set of parameters."""
        if statement in self._left_out:
            return Answered([], 0)
        if isinstance(parameters, list):
            for each in parameters:
                self.run(statement, each)
            return Answered([], len(parameters))
        try:
            return self.run(statement, parameters or {})
        except psycopg.IntegrityError as error:
            raise sa.exc.IntegrityError(statement, {}, error) from error
        except psycopg.DataError as error:
            raise sa.exc.DataError(statement, {}, error) from error

    def run(self, statement: str, parameters: Mapping[str, Any] | Sequence[Any]) -> Answered:
        """Prepare a statement once and run it; parameters by name or by place."""
        text, names = self._text(statement)
        values = [parameters[name] for name in names] if isinstance(parameters, Mapping) else list(parameters)
        transformer = Transformer(self.driver)
        dumped = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        key = (statement, tuple(transformer.types or ()))
        name = self._prepared.get(key)
        if name is None:
            name = self._prepared[key] = f"s{next(self._numbers)}".encode()
            self._checked(self._server.prepare(name, text, transformer.types))
        result = self._checked(self._server.exec_prepared(name, dumped, transformer.formats))
        if result.status != pq.ExecStatus.TUPLES_OK:
            return Answered([], result.command_tuples or 0)
        transformer.set_pgresult(result)
        columns = [(result.fname(place) or b"").decode() for place in range(result.nfields)]
        rows = transformer.load_rows(0, result.ntuples, lambda found: dict(zip(columns, found, strict=True)))
        return Answered(rows, result.ntuples)

    def _text(self, statement: str) -> tuple[bytes, list[str]]:
        if statement not in self._texts:
            names: list[str] = []

            def place(found: re.Match[str]) -> str:
                if found[0] == "%%":
                    return "%"
                name = found["name"] or f"place {len(names)}"
                if name not in names:
                    names.append(name)
                return f"${names.index(name) + 1}"

            text = _PARAMETER.sub(place, statement).encode()
            self._texts[statement] = (text, names)
        return self._texts[statement]

    @staticmethod
    def _checked(result: Any) -> Any:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.errors.error_from_result(result)
        return result

    @contextmanager
    def begin_nested(self) -> Iterator[None]:
        """A savepoint."""
        self.simply("savepoint part")
        try:
            yield
        except BaseException:
            self.simply("rollback to part; release part")
            raise
        self.simply("release part")

    @contextmanager
    def transaction(self, first: str = "") -> Iterator[Transaction]:
        """A transaction; commits at the end, rolls back on an error."""
        self.simply(f"begin; {first}")
        try:
            yield Transaction(self)  # type: ignore[arg-type]
        except BaseException:
            self.simply("rollback")
            raise
        self.simply("commit")

    def close(self) -> None:
        """End the session."""
        self.driver.close()


class SimDatabase(Database):
    """A database of one's own, in which one world lives after the other."""

    def __init__(self, urls: DatabaseUrls) -> None:
        """Connect, and let the seed decide ids from now on."""
        super().__init__(urls, pool_size=1)
        self.app = Session(urls.app)
        # What people and questions of the world itself need: one statement at a time, each committed by itself.
        self._office = Session(urls.app)
        self._office.simply("set lock_timeout = '10s'")
        self._office_of = ""
        self._scheduler_session = Session(urls.scheduler)
        # A lock is held by its session, and a second sync of the same process has one of its own.
        self._lockers = [Session(urls.app), Session(urls.app)]
        self._idle_lockers = list(self._lockers)
        self._admin = psycopg.connect(for_psycopg(urls.admin), autocommit=True)
        self._admin.execute(_COUNTED_IDS)
        found = self._admin.execute(_TABLES).fetchall()
        self._emptied = "; ".join(f"delete from {name}" for (name,) in found)

    def begin_world(self, seed: int) -> None:
        """Remove what the last world left, and count ids anew from the seed."""
        self._admin.pgconn.exec_(
            f"set session_replication_role = replica; {self._emptied}; set session_replication_role = default;"
            f" select setval('sim_ids', 1), setval('sim_seed', {seed + 1})".encode()
        )

    @contextmanager
    def builder_tx(self, builder_id: UUID, *, is_planned_once: bool = False) -> Iterator[Transaction]:
        """A transaction that sees and writes one builder's rows; commits at the end, rolls back on an error."""
        del is_planned_once  # as every statement here is
        with self.app.transaction(f"set local app.builder_id = '{UUID(str(builder_id))}'") as tx:
            yield tx

    def office(self, builder_id: str) -> Session:
        """The session of one builder's office, as any SQL client of the platform would have one."""
        if builder_id != self._office_of:
            self._office.simply(f"set app.builder_id = '{UUID(builder_id)}'")
            self._office_of = builder_id
        return self._office

    @contextmanager
    def shared_tx(self) -> Iterator[Transaction]:
        """A transaction for what all builders share; it sees no builder's rows."""
        with self.app.transaction() as tx:
            yield tx

    @contextmanager
    def scheduler_tx(self) -> Iterator[Transaction]:
        """A transaction that sees what is due across builders, and no records."""
        with self._scheduler_session.transaction() as tx:
            yield tx

    @contextmanager
    def session_lock(self, lock: str, unlock: str, /, **parameters: Any) -> Iterator[bool]:
        """Try to take an advisory lock on a session of its own; False when it is taken."""
        session = self._idle_lockers.pop()
        is_locked = bool(session.run(named_query(lock).text, parameters).scalar_one_or_none())
        try:
            yield is_locked
        finally:
            if is_locked:
                session.run(named_query(unlock).text, parameters)
            self._idle_lockers.append(session)

    def close(self) -> None:
        """Close every session."""
        for session in (self.app, self._office, self._scheduler_session, *self._lockers):
            session.close()
        self._admin.close()
        super().close()


# Without time and chance in them, and still in no order that a query could lean on unnoticed.
_COUNTED_IDS = """
create sequence if not exists sim_ids;
create sequence if not exists sim_seed;
create or replace function sim_id() returns uuid language sql volatile as
$$ select md5((select last_value from sim_seed)::text || '/' || nextval('sim_ids')::text)::uuid $$;
grant usage, select on sequence sim_ids, sim_seed to public;
do $$
declare
    place record;
begin
    for place in select table_name, column_name from information_schema.columns
        where table_schema = 'public' and column_default like 'gen_random_uuid()%'
    loop
        execute format('alter table %I alter column %I set default sim_id()', place.table_name, place.column_name);
    end loop;
end
$$
"""
_TABLES = """
select distinct c.table_name from information_schema.columns c
join information_schema.tables t using (table_schema, table_name)
where c.table_schema = 'public' and t.table_type = 'BASE TABLE'
  and (c.column_name = 'builder_id' or c.table_name in ('v2_builders', 'inbound_events'))
order by 1
"""
