"""DAGSTER_HOME, written anew at every start, and the environment Dagster's processes need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from resources.launcher import LOCATION
from resources.postgres import database_urls
from resources.settings import Settings

TEMPLATE = Path(__file__).with_name("dagster.yaml")

_WORKSPACE = """\
# Written at every start: the one code server that web server and daemon share.
load_from:
  - grpc_server:
      host: 127.0.0.1
      port: {port}
      location_name: {location}
"""


def prepare_dagster_home(settings: Settings, *, code_server_port: int) -> Path:
    """Write dagster.yaml and the workspace file; return the workspace file."""
    home = settings.dagster_home
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.joinpath("dagster.yaml").write_text(TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    workspace = home / "workspace.yaml"
    workspace.write_text(_WORKSPACE.format(port=code_server_port, location=LOCATION), encoding="utf-8")
    return workspace


def dagster_environment(settings: Settings, *, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of Dagster's processes: ours, and where Dagster keeps things."""
    kept = {name: value for name, value in environment.items() if not name.startswith("DAGSTER_")}
    # Compiled modules halve the start of every run, whatever the machine's habit is.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {
        "DAGSTER_HOME": str(settings.dagster_home),
        "DAGSTER_POSTGRES_URL": database_urls(settings).dagster,
        "TIEOUT_HOME": str(settings.home),
        "PYTHONUNBUFFERED": "1",
    }
