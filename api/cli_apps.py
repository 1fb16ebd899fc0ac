"""`tieout apps`: register third-party apps, for one builder's people or for everybody's; list and revoke them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_keys import opened_builder, opened_database

if TYPE_CHECKING:
    from uuid import UUID

    from resources.store.database import Database

apps = typer.Typer(
    no_args_is_help=True, help="Register, list and revoke the third-party apps that people may let in."
)

ForBuilder = Annotated[
    str | None, typer.Option("--builder", help="A builder's name or id; else the app is for everybody.")
]


@apps.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people read before they let it in.")],
    redirect: Annotated[
        list[str], typer.Option(help="Where people are sent back to, letter by letter; several may be given.")
    ],
    scope: Annotated[
        list[str],
        typer.Option(help="The most that it may ask for, such as sync:read; several may be given."),
    ],
    public: Annotated[
        bool, typer.Option("--public", help="It runs in people's hands and can keep no secret.")
    ] = False,
    builder: ForBuilder = None,
) -> None:
    """Register an app and print its client id, and its secret this once; only the secret's hash is kept."""
    from datetime import UTC, datetime

    from resources.store.apps import Wanted, register_app

    wanted = Wanted(name, tuple(redirect), tuple(scope), is_public=public)
    with _owner(builder) as (database, builder_id):
        made = register_app(database, builder_id, wanted, registered_by="the operator", now=datetime.now(UTC))
    print(f"client_id      {made.id}")
    if made.secret:
        print(f"client_secret  {made.secret}")


@apps.command("list")
def list_registered(builder: ForBuilder = None) -> None:
    """Print the apps that may be let in: everybody's, and with --builder that builder's own too."""
    from resources.store.apps import list_apps, list_everybodys_apps

    with _owner(builder) as (database, builder_id):
        found = list_apps(database, builder_id) if builder_id else list_everybodys_apps(database)
    for app in found:
        print(f"{app.id}  {'everybody' if app.is_everybodys else 'builder':<9}  {app.name}")


@apps.command("revoke")
def revoke(
    app: Annotated[str, typer.Argument(help="The app's client id, from the list.")],
    builder: ForBuilder = None,
) -> None:
    """Let an app in no more; what it was given ends at once."""
    from datetime import UTC, datetime
    from uuid import UUID

    from resources.store.apps import revoke_app
    from sync.errors import NotFound

    with _owner(builder) as (database, builder_id):
        try:
            is_revoked = revoke_app(
                database, builder_id, app_id=UUID(app), revoked_by="the operator", now=datetime.now(UTC)
            )
        except ValueError:
            is_revoked = False
        if not is_revoked:
            raise NotFound(what="app", id=app)
    print("The app is let in no more.")


@contextmanager
def _owner(builder: str | None) -> Iterator[tuple[Database, UUID | None]]:
    if builder is not None:
        with opened_builder(builder) as (database, builder_id):
            yield database, builder_id
    else:
        with opened_database() as database:
            yield database, None
