"""A backup holds the builders' rows and comes back whole, behind the same walls; a broken one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from resources.postgres import PostgresError, database_urls, start_embedded, stop_embedded
from resources.postgres.backup import back_up, restore
from resources.postgres.migrate import migrate
from resources.settings import Settings, load_settings
from resources.store.database import Database


def an_installation(home: Path) -> Settings:
    settings = load_settings(_env_file=None, home=home)
    start_embedded(settings, is_durable=False)
    migrate(database_urls(settings).owner)
    return settings


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    made = an_installation(tmp_path / "home")
    yield made
    stop_embedded(made)


def add_builder(settings: Settings, builder_id: UUID) -> None:
    with Database(database_urls(settings)) as database, database.builder_tx(builder_id) as transaction:
        transaction.connection.exec_driver_sql(
            "insert into v2_builders (id, name) values (%(id)s, 'Kept')", {"id": builder_id}
        )


def builders_seen_by(settings: Settings, builder_id: UUID) -> list[UUID]:
    with Database(database_urls(settings)) as database, database.builder_tx(builder_id) as transaction:
        return list(transaction.connection.exec_driver_sql("select id from v2_builders").scalars())


def test_a_backup_comes_back_as_it_was_and_behind_the_same_walls(settings: Settings, tmp_path: Path) -> None:
    kept, later = uuid4(), uuid4()
    add_builder(settings, kept)
    assert back_up(settings, tmp_path / "books.dump") > 1000
    add_builder(settings, later)
    restore(settings, tmp_path / "books.dump")
    assert builders_seen_by(settings, kept) == [kept]
    assert builders_seen_by(settings, later) == []
    assert migrate(database_urls(settings).owner).applied == ()


def test_a_file_that_is_no_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    kept = uuid4()
    add_builder(settings, kept)
    broken = tmp_path / "broken.dump"
    back_up(settings, tmp_path / "books.dump")
    broken.write_bytes(tmp_path.joinpath("books.dump").read_bytes()[:-2000])
    with pytest.raises(PostgresError, match="pg_restore failed and changed nothing"):
        restore(settings, broken)
    assert builders_seen_by(settings, kept) == [kept]


def test_a_backup_is_never_written_over_another_file(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "books.dump"
    file.write_text("precious")
    with pytest.raises(PostgresError, match="exists already"):
        back_up(settings, file)
    assert file.read_text() == "precious"


def test_a_backup_that_is_not_there_ends_in_one_sentence(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="There is no file"):
        restore(settings, tmp_path / "nothing.dump")
