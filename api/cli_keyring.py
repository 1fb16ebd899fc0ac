"""`tieout keyring`: turn over the keys under which tokens and webhook secrets are sealed."""

from __future__ import annotations

from typing import Annotated

import typer

keyring = typer.Typer(no_args_is_help=True, help="Turn over the keys under which stored secrets are sealed.")


@keyring.callback()
def _keyring() -> None:
    """Keep `rotate` a command of its own while it is the only one."""


@keyring.command("rotate")
def rotate(
    new_key: Annotated[
        bool,
        typer.Option(help="Put a new key in front of the key file first; else only wrap by the newest one."),
    ] = True,
) -> None:
    """Wrap every stored token and webhook secret by the newest key.

    With a key file under TIEOUT_HOME a new key is made first. With TIEOUT_KEYRING put the new key in front yourself, keep
    the old ones behind it, and run this. Stop tieout serve, tieout deliver and Dagster before, start them after: a
    process that runs on the old keyring cannot open what the new key wrapped. Old keys may go after a day.
    """
    from resources.postgres import start_embedded
    from resources.rotation import add_key, rewrap_all
    from resources.settings import load_settings
    from resources.vault import Vault
    from resources.wiring import Tieout

    settings = load_settings()
    if settings.is_embedded:
        start_embedded(settings)
    if new_key and not settings.keyring.get_secret_value():
        Vault.from_settings(settings)  # makes the key file where there is none yet
        print(
            f"Key {add_key(settings.home)} was added to the key file; keep a copy of it apart from the backups."
        )
    with Tieout(settings) as tieout:
        done = rewrap_all(tieout.database, settings, tieout.connections)
    print(
        f"Wrapped by the newest key: {done.connections} connection(s), {done.webhooks} webhook endpoint(s)."
    )
