from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest
import sqlalchemy as sa

from resources.postgres import DatabaseUrls, PostgresError
from resources.store.database import PING_AFTER_SECONDS, Database, Transaction


def insert_builder(transaction: Transaction, builder_id: object, name: str) -> None:
    transaction.connection.exec_driver_sql(
        "insert into v2_builders (id, name) values (%(id)s, %(name)s)", {"id": builder_id, "name": name}
    )


def builder_names(transaction: Transaction) -> list[str]:
    return list(
        transaction.connection.exec_driver_sql("select name from v2_builders order by name").scalars()
    )


def test_two_builders_do_not_see_each_other(database: Database) -> None:
    one, other = uuid4(), uuid4()
    with database.builder_tx(one) as transaction:
        insert_builder(transaction, one, "One")
    with database.builder_tx(other) as transaction:
        insert_builder(transaction, other, "Other")
        assert builder_names(transaction) == ["Other"]
    with database.builder_tx(one) as transaction:
        assert builder_names(transaction) == ["One"]


def test_a_builder_cannot_write_rows_of_another(database: Database) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        database.builder_tx(uuid4()) as transaction,
    ):
        insert_builder(transaction, uuid4(), "Intruder")


def test_the_builder_is_forgotten_when_its_transaction_ends(database: Database) -> None:
    one = uuid4()
    with database.builder_tx(one) as transaction:
        insert_builder(transaction, one, "Gone")
    with database._app.begin() as connection:  # what a forgotten builder_tx would see
        assert connection.exec_driver_sql("select count(*) from v2_builders").scalar_one() == 0


def test_an_error_inside_undoes_the_whole_transaction(database: Database) -> None:
    one = uuid4()
    with pytest.raises(ZeroDivisionError), database.builder_tx(one) as transaction:
        insert_builder(transaction, one, "Half")
        _ = 1 / 0
    with database.builder_tx(one) as transaction:
        assert builder_names(transaction) == []


def test_the_scheduler_sees_builders_but_not_their_records(database: Database) -> None:
    one = uuid4()
    with database.builder_tx(one) as transaction:
        insert_builder(transaction, one, "Due")
    with database.scheduler_tx() as transaction:
        assert "Due" in builder_names(transaction)
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            transaction.connection.exec_driver_sql("select * from v2_bills")


def test_a_role_that_ignores_row_level_security_is_refused(urls: DatabaseUrls) -> None:
    with (
        Database(replace(urls, app=urls.admin)) as careless,
        pytest.raises(PostgresError, match="postgres ignores row-level security"),
        careless.builder_tx(uuid4()),
    ):
        pytest.fail("a transaction was opened")


def test_amounts_pass_through_json_digit_by_digit(database: Database) -> None:
    exact = Decimal("12345678901234567890.123456789")
    with database.builder_tx(uuid4()) as transaction:
        back = transaction.connection.exec_driver_sql(
            "select %(j)s::jsonb", {"j": {"total": exact}}
        ).scalar_one()
    assert back == {"total": exact}
    assert isinstance(back["total"], Decimal)


def test_a_wrong_parameter_name_is_caught_before_the_server_is_asked(database: Database) -> None:
    with database.builder_tx(uuid4()) as transaction, pytest.raises(AssertionError, match="takes"):
        transaction.rows("set_builder", builder="x")


PLANS = "select generic_plans, custom_plans from pg_prepared_statements where statement = %(text)s"


def plans_of_names(transaction: Transaction) -> tuple[int, int] | None:
    """How often the statement of `builder_names` was planned for any values, and for just these, on this connection."""
    text = {"text": "select name from v2_builders order by name"}
    row = transaction.connection.exec_driver_sql(PLANS, text).one_or_none()
    return None if row is None else (row[0], row[1])


def test_a_connection_that_rested_keeps_what_it_has_prepared(urls: DatabaseUrls) -> None:
    with Database(urls, pool_size=1) as database:
        for _ in range(3):
            with database.builder_tx(uuid4()) as transaction:
                builder_names(transaction)
        time.sleep(PING_AFTER_SECONDS + 0.1)
        with database.builder_tx(uuid4()) as transaction:
            assert plans_of_names(transaction) is not None


def test_a_statement_is_planned_once_where_that_is_asked_for_and_nowhere_else(urls: DatabaseUrls) -> None:
    with Database(urls, pool_size=1) as database:
        for _ in range(4):
            with database.builder_tx(uuid4(), is_planned_once=True) as transaction:
                builder_names(transaction)
        with database.builder_tx(uuid4()) as transaction:
            made = plans_of_names(transaction)
            modes = transaction.connection.exec_driver_sql(
                "select current_setting('plan_cache_mode'), current_setting('enable_seqscan')"
            ).one()
    assert made is not None
    assert made[0] > 0
    assert made[1] == 0
    assert tuple(modes) == ("auto", "on")
