"""`tieout signin` and `tieout signout`: let a person into the builders' pages by a link, and end sessions."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from api.cli_keys import Builder, opened_builder


def signin(
    builder: Builder,
    person: Annotated[str, typer.Option(help="Who it is, as the audit log names them.")] = "the operator",
    role: Annotated[
        Literal["owner", "bookkeeper", "viewer"],
        typer.Option(help="A viewer reads, a bookkeeper also maps and decides, an owner also connects."),
    ] = "owner",
) -> None:
    """Print a link that signs a person in to the pages once, within ten minutes."""
    from datetime import UTC, datetime

    from resources.settings import load_settings
    from resources.store.sessions import make_link

    with opened_builder(builder) as (database, builder_id):
        token = make_link(database, builder_id, person=person, role=role, now=datetime.now(UTC))
    print(f"{load_settings().public_base_url}/signin?link={token}")


def signout(
    builder: Builder,
    person: Annotated[str | None, typer.Option(help="Only this person's sessions; else everybody's.")] = None,
) -> None:
    """End the sessions of a builder's people, at once."""
    from datetime import UTC, datetime

    from resources.store.sessions import end_sessions

    with opened_builder(builder) as (database, builder_id):
        ended = end_sessions(
            database, builder_id, person=person, ended_by="the operator", now=datetime.now(UTC)
        )
    print(f"{ended} session(s) ended.")
