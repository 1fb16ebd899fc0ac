"""What commands about one builder share: the database, and the builder by name or id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from uuid import UUID

    from resources.store.database import Database

BuilderOption = Annotated[str, typer.Option(help="The builder's name or id.")]


@contextmanager
def open_database() -> Iterator[Database]:
    """Open the product's database, and start the embedded server where nobody did."""
    from resources.postgres import database_urls, start_embedded
    from resources.settings import load_settings
    from resources.store.database import Database

    settings = load_settings()
    if settings.is_embedded:
        start_embedded(settings)
    with Database(database_urls(settings)) as database:
        yield database


def builder_named(database: Database, said: str) -> UUID:
    """Return the builder that a name or id means; raises NotFound with what to do."""
    from resources.imports.builders import find_builder

    return find_builder(database, said)
