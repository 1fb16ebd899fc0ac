"""`tieout keys`: a key is made, shown once, listed without itself, and revoked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.api.world import House, World, exact, problem
from tests.support.repository import ROOT

pytestmark = pytest.mark.slow


def keys(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "TIEOUT_HOME": str(world.settings.home),
        "TIEOUT_DATABASE_URL": world.settings.database_url.get_secret_value(),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "api.cli", "keys", *arguments]
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
