"""`tieout keys`: make, list and revoke the API keys of a builder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from uuid import UUID

    from resources.store.database import Database

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke the API keys of a builder.")

Builder = Annotated[str, typer.Argument(help="The builder's name or id.")]


@keys.command("create")
def create(
    builder: Builder,
    name: Annotated[str, typer.Option(help="What the key is for; the audit log names it.")],
    role: Annotated[
        Literal["owner", "bookkeeper", "viewer"],
        typer.Option(help="A viewer reads, a bookkeeper also maps and decides, an owner also connects."),
    ] = "owner",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="Narrows the key, such as sync:read; may be given several times. Else all its role may."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="After how many days it ends; else never.")] = None,
) -> None:
    """Make a key and print it. It is shown this once; only its hash is kept."""
    from datetime import UTC, datetime, timedelta

    from resources.store.api_keys import create_api_key

    ends = datetime.now(UTC) + timedelta(days=days) if days else None
    with opened_builder(builder) as (database, builder_id):
        print(create_api_key(database, builder_id, name=name, role=role, scopes=scope, expires_at=ends))


@keys.command("list")
def list_keys(builder: Builder) -> None:
    """Print the keys that open something: their ids, last characters, roles and names."""
    from resources.store.api_keys import list_api_keys

    with opened_builder(builder) as (database, builder_id):
        for key in list_api_keys(database, builder_id):
            print(f"{key.id}  …{key.last_four}  {key.role:<10}  {key.name}")


@keys.command("revoke")
def revoke(
    builder: Builder, key: Annotated[str, typer.Argument(help="The key's id, from the list.")]
) -> None:
    """Let a key open nothing any more, from now on."""
    from uuid import UUID

    from resources.store.api_keys import revoke_api_key
    from sync.errors import NotFound

    with opened_builder(builder) as (database, builder_id):
        try:
            is_revoked = revoke_api_key(database, builder_id, key_id=UUID(key))
        except ValueError:
            is_revoked = False
        if not is_revoked:
            raise NotFound(what="API key", id=key)
        print("The key opens nothing any more.")


@contextmanager
def opened_builder(said: str) -> Iterator[tuple[Database, UUID]]:
    """Open the database and find the builder that a command names."""
    from resources.imports.builders import find_builder

    with opened_database() as database:
        yield database, find_builder(database, said)


@contextmanager
def opened_database() -> Iterator[Database]:
    """Open the database, for what is everybody's."""
    from resources.postgres import database_urls, start_embedded
    from resources.settings import load_settings
    from resources.store.database import Database

    settings = load_settings()
    if settings.is_embedded:
        start_embedded(settings)
    with Database(database_urls(settings)) as database:
        yield database
