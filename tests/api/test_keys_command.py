"""`tieout keys`, `keyring` and `deliver`: made, shown once, narrowed, revoked; turned over; sent once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.api.world import House, World, exact, problem
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow


def keys(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return tieout(world, "keys", *arguments)


def tieout(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "TIEOUT_HOME": str(world.settings.home),
        "TIEOUT_DATABASE_URL": world.settings.database_url.get_secret_value(),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "api.cli", *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | variables,
        cwd=world.settings.home,
    )


def test_a_key_made_on_the_command_line_opens_the_builder_until_it_is_revoked(
    world: World, house: House
) -> None:
    made = keys(world, "create", str(house.id), "--name", "the platform", "--role", "viewer")
    assert made.returncode == 0, made.stderr
    client = world.client(made.stdout.strip())
    exact(client.get("/connections"))
    listed = keys(world, "list", str(house.id)).stdout
    assert "the platform" in listed
    assert made.stdout.strip() not in listed
    assert keys(world, "revoke", str(house.id), listed.split()[0]).returncode == 0
    problem(client.get("/connections"), 401, "access.unauthenticated")


def test_a_key_that_does_not_exist_ends_in_a_sentence(world: World, house: House) -> None:
    refused = keys(world, "revoke", str(house.id), "7")
    assert (refused.returncode, "There is no API key with the id 7" in refused.stderr) == (1, True)


def test_a_key_is_narrowed_on_the_command_line(world: World, house: House) -> None:
    narrowed = ("--name", "narrow", "--scope", "sync:read", "--days", "1")
    made = keys(world, "create", str(house.id), *narrowed)
    client = world.client(made.stdout.strip())
    exact(client.get("/sync/status"))
    problem(client.get("/connections"), 403, "access.scope_missing")
    wrong = keys(world, "create", str(house.id), "--name", "typo", "--scope", "snyc:read")
    assert (wrong.returncode, "there is no such scope" in wrong.stderr) == (1, True)


def test_the_keyring_is_turned_over_by_one_command(world: World) -> None:
    first = tieout(world, "keyring", "rotate")
    assert first.returncode == 0, first.stderr
    second = tieout(world, "keyring", "rotate")
    assert "Key k3 was added" in second.stdout
    text = world.settings.home.joinpath("keyring").read_text()
    assert [each.split(":")[0] for each in text.strip().split(",")] == ["k3", "k2", "k1"]
    assert not any(part.split(":")[1] in first.stdout + second.stdout for part in text.strip().split(","))


def test_what_is_due_is_delivered_once_and_the_command_ends(world: World) -> None:
    done = tieout(world, "deliver", "--once")
    assert done.returncode == 0, done.stderr
    assert "Delivered(mails=0, failures=0" in done.stdout
