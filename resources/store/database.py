"""Connections and transactions: the only place that commits, and the only way to a builder's rows.

`builder_tx` names the builder to row-level security for one transaction; without it the application's role sees no
row at all. Nothing here may stay open across a call to a provider.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Self, cast
from uuid import UUID

import psycopg
import simplejson
import sqlalchemy as sa
from psycopg.rows import dict_row
from psycopg.types.json import JsonbDumper, set_json_loads
from sqlalchemy.pool import ConnectionPoolEntry

from resources.postgres.errors import PostgresError
from resources.postgres.statements import cluster_statement
from resources.postgres.urls import DatabaseUrls
from resources.store.queries import named_query, narrowed

# Kept open once used: a connection over the pool's size would be made and thrown away for each request of a busy API,
# which costs the server more than the request.
POOL_SIZE = 20
SCHEDULER_POOL_SIZE = 5
POOL_WAIT_SECONDS_MAX = 30
CONNECTION_AGE_SECONDS_MAX = 1800
PING_AFTER_SECONDS = 1.0
# A statement is prepared when it comes for the second time: a sync asks the same few dozen again and again, and making
# their plans costs more than carrying them out.
PREPARED_AFTER_TIMES = 1
PREPARED_MAX = 300


class Transaction:
    """One open transaction, in which named queries run."""

    def __init__(self, connection: sa.Connection, *, is_planned_once: bool = False) -> None:
        self.connection = connection
        # See `Database.builder_tx`.
        self.is_planned_once = is_planned_once

    def rows(self, query: str, /, **parameters: Any) -> Sequence[sa.RowMapping]:
        """All rows of a named query."""
        return self._execute(query, parameters).mappings().all()

    def records(self, query: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of a named query as dictionaries of their own: what is shown, a page at a time.

        Asked of the driver itself: SQLAlchemy would make a description of the columns for each answer anew, which costs more
        than the rows of a page do. What goes wrong is told as SQLAlchemy tells it.
        """
        with _driver(self.connection).cursor(row_factory=dict_row) as cursor:
            try:
                text = narrowed(named_query(query), _checked(query, parameters))
                cursor.execute(text, parameters)
                return cursor.fetchall()
            except psycopg.Error as error:
                raise self._told(query, error) from error

    def row(self, query: str, /, **parameters: Any) -> sa.RowMapping | None:
        """The only row of a named query, or None; two rows are a bug."""
        return self._execute(query, parameters).mappings().one_or_none()

    def value(self, query: str, /, **parameters: Any) -> Any:
        """The first column of the only row, or None when there is none."""
        return self._execute(query, parameters).scalar_one_or_none()

    def run(self, query: str, /, **parameters: Any) -> int:
        """Run a named query for its effect; the number of rows it touched."""
        return self._execute(query, parameters).rowcount

    def run_many(self, query: str, parameters: Iterable[Mapping[str, Any]], /) -> None:
        """Run a named query once per set of parameters, in one round trip."""
        prepared = [_checked(query, each) for each in parameters]
        if prepared:
            self.connection.exec_driver_sql(named_query(query).text, prepared)

    def stream(self, query: str, /, *, page_rows: int = 1000, **parameters: Any) -> Iterator[sa.RowMapping]:
        """The rows of a named query in pages, for results too large to hold."""
        options = {"yield_per": page_rows, "stream_results": True}
        result = self.connection.exec_driver_sql(
            named_query(query).text, _checked(query, parameters), execution_options=options
        )
        yield from result.mappings()

    def cursor(self) -> psycopg.Cursor[Any]:
        """The driver's cursor inside this transaction, for COPY."""
        return cast("psycopg.Cursor[Any]", self.connection.connection.cursor())

    def _told(self, query: str, error: psycopg.Error) -> sa.exc.StatementError:
        is_lost = _driver(self.connection).closed
        told = sa.exc.DBAPIError.instance(
            named_query(query).text,
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=is_lost,
            dialect=self.connection.dialect,
        )
        if is_lost:
            # The pool throws it away, and all others that are as old.
            self.connection.invalidate(error)
        return told

    def _execute(self, query: str, parameters: Mapping[str, Any]) -> sa.CursorResult[Any]:
        return self.connection.exec_driver_sql(named_query(query).text, _checked(query, parameters))


class BuilderSession:
    """One connection kept over several transactions of one builder, so that its temporary tables last."""

    def __init__(self, connection: sa.Connection, builder_id: UUID) -> None:
        self._connection = connection
        self._builder_id = builder_id

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction; commits at the end, rolls back on an error."""
        with self._connection.begin():
            yield _begun_for(self._connection, self._builder_id)


class Database:
    """The product's database, as the application and the scheduler reach it."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = POOL_SIZE) -> None:
        self._app = _engine(urls.app, pool_size=pool_size)
        # Only short reads across builders run as the scheduler, and each says what was true when it ran: no transaction
        # around one statement, which every request of the API would pay for with two round trips.
        self._scheduler = _engine(urls.scheduler, pool_size=SCHEDULER_POOL_SIZE, isolation_level="AUTOCOMMIT")

    @contextmanager
    def builder_tx(self, builder_id: UUID, *, is_planned_once: bool = False) -> Iterator[Transaction]:
        """A transaction that sees and writes one builder's rows; commits at the end, rolls back on an error.

        `is_planned_once` is for statements that look up a few rows by their keys: each is planned once per connection, and
        by indexes only, so that a plan made while a table was empty stays a good one. Otherwise most of them would be
        planned at every call, because a guess says that a plan for just these values may be better.
        """
        with self._app.begin() as connection:
            yield _begun_for(connection, builder_id, is_planned_once=is_planned_once)

    @contextmanager
    def rolled_back_tx(self, builder_id: UUID) -> Iterator[Transaction]:
        """A transaction of one builder of which nothing stays, however it ends: for trying out what would happen."""
        with self._app.connect() as connection, connection.begin() as whole:
            try:
                yield _begun_for(connection, builder_id)
            finally:
                whole.rollback()

    @contextmanager
    def builder_session(self, builder_id: UUID) -> Iterator[BuilderSession]:
        """A connection of one's own for work in several transactions; it is closed at the end, not lent again."""
        with self._app.connect() as connection:
            connection.detach()
            yield BuilderSession(connection, builder_id)

    @contextmanager
    def shared_tx(self) -> Iterator[Transaction]:
        """A transaction for what all builders share, such as counts of calls; it sees no builder's rows."""
        with self._app.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def shared_statement(self) -> Iterator[Transaction]:
        """One statement on what all builders share, a transaction by itself: none of two round trips around it."""
        with self._app.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            yield Transaction(connection)

    @contextmanager
    def scheduler_tx(self) -> Iterator[Transaction]:
        """Read what is due across builders, and no records; each statement by itself."""
        with self._scheduler.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def session_lock(self, lock: str, unlock: str, /, **parameters: Any) -> Iterator[bool]:
        """Try to take an advisory lock by a named query and hold it on a session of its own; False when it is taken.

        The lock ends with the session, so a process that dies never leaves one behind. No transaction stays open.
        """
        with self._app.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            session = Transaction(connection)
            is_locked = bool(session.value(lock, **parameters))
            try:
                yield is_locked
            finally:
                if is_locked:
                    session.value(unlock, **parameters)

    def close(self) -> None:
        """Give all connections back to the server."""
        self._app.dispose()
        self._scheduler.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def json_text(value: Any) -> str:
    """JSON with amounts written digit by digit; Decimal never passes through a float."""
    # Named tuples are not among what is written: looking for them at every list and object is half of the time.
    return simplejson.dumps(
        value, use_decimal=True, ensure_ascii=False, default=str, namedtuple_as_object=False
    )


_exact_json = json.JSONDecoder(parse_float=Decimal)


def json_value(text: str | bytes) -> Any:
    """Read JSON with its amounts as Decimal."""
    return _exact_json.decode(text if isinstance(text, str) else text.decode())


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    return cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)


def _begun_for(connection: sa.Connection, builder_id: UUID, *, is_planned_once: bool = False) -> Transaction:
    """Begin a transaction and name its builder in one round trip.

    The driver would send the two one after the other, before every read of the API and every step of a sync. What did not
    go through is asked again in the driver's own way, which knows how to tell what is wrong.
    """
    transaction = Transaction(connection, is_planned_once=is_planned_once)
    driver = _driver(connection)
    # Hexadecimal digits and dashes: the one value that needs no quoting.
    named = named_query("set_builder").text % {"builder_id": f"'{UUID(str(builder_id))}'"}
    planned = f"{named_query('plan_once').text}; " if is_planned_once else ""
    result = driver.pgconn.exec_(f"begin; {planned}{named}".encode())
    if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
        if driver.pgconn.transaction_status == psycopg.pq.TransactionStatus.INERROR:
            driver.rollback()
        transaction.value("set_builder", builder_id=str(builder_id))
    return transaction


class _PlainJsonb(JsonbDumper):
    """Dumps dictionaries and `Jsonb` values alike."""

    _dumps = staticmethod(json_text)


def _engine(url: str, *, pool_size: int, **options: Any) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        # The connection used last has the plans and the server's caches warm.
        pool_use_lifo=True,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS_MAX,
        pool_recycle=CONNECTION_AGE_SECONDS_MAX,
        json_serializer=json_text,
        json_deserializer=json_value,
        hide_parameters=True,
        **options,
    )
    sa.event.listen(engine, "connect", _prepare_connection)
    sa.event.listen(engine, "checkin", _note_checkin)
    sa.event.listen(engine, "checkout", _ping_if_rested)
    return engine


def _note_checkin(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["checked_in"] = time.monotonic()


def _ping_if_rested(connection: psycopg.Connection[Any], record: ConnectionPoolEntry, _proxy: object) -> None:
    """Make sure that the server has not gone since this connection was used; one just used is taken as it is.

    A sync opens a transaction every few milliseconds: asking before each of them would be a third of its round trips.
    """
    if time.monotonic() - record.info.get("checked_in", time.monotonic()) < PING_AFTER_SECONDS:
        return
    # Not through the driver: it would begin a transaction, and taking one back makes it forget every prepared statement.
    answer = connection.pgconn.exec_(b"select")
    if answer.status != psycopg.pq.ExecStatus.TUPLES_OK:
        # The pool throws it away, and all others that are as old, and opens a new one.
        raise sa.exc.DisconnectionError


def _prepare_connection(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.prepare_threshold = PREPARED_AFTER_TIMES
    connection.prepared_max = PREPARED_MAX
    connection.adapters.register_dumper(dict, _PlainJsonb)
    # The driver's default would read the amounts inside a JSON value as floats.
    set_json_loads(json_value, connection)
    with connection.cursor() as cursor:
        found = cursor.execute(cluster_statement("role_is_bound")).fetchone()
    connection.rollback()
    if found is None or not found[0]:
        role = found[1] if found else "(unknown)"
        raise PostgresError(
            f"The database role {role} ignores row-level security, so that builders could see each other's books; "
            "Tieout does not run under it. Use a login that is no superuser and has no BYPASSRLS, or one that may "
            "become tieout_app."
        )


def _checked(query: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = named_query(query).parameters
    assert wanted == parameters.keys(), f"{query} takes {sorted(wanted)}, and was given {sorted(parameters)}"
    return parameters
