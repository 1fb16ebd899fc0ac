"""The way to many machines: manifests that Kubernetes would take, and the same processes started apart."""

from __future__ import annotations

import base64
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import kubernetes_validate
import pytest
import sqlalchemy as sa
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster_k8s import K8sRunLauncher

from pipelines.processes import Child, Household, answers, free_port, listens, lives
from resources.launcher import Launcher
from resources.postgres import database_urls
from resources.settings import Settings
from resources.store.database import Database
from resources.store.demo import add_builder
from tests.support.postgres import SessionServer, settings_for
from tests.support.repository import ROOT

FOLDER = ROOT / "pipelines" / "kubernetes"
MANIFESTS = [each for each in yaml.safe_load_all(FOLDER.joinpath("tieout.yaml").read_text()) if each]
VALUES = yaml.safe_load(FOLDER.joinpath("dagster-values.yaml").read_text())
DAGSTER = yaml.safe_load(ROOT.joinpath("pipelines", "dagster.yaml").read_text())
KUBERNETES = "1.33"
BIN = Path(sys.executable).parent


def test_kubernetes_would_take_every_manifest() -> None:
    for manifest in MANIFESTS:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    assert len(MANIFESTS) == 6


def test_a_manifest_with_a_misspelt_field_would_be_refused() -> None:
    broken = {**MANIFESTS[0], "spec": {**MANIFESTS[0]["spec"], "backofLimit": 3}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_the_queue_on_kubernetes_has_the_limits_it_has_here() -> None:
    queue = VALUES["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = DAGSTER["concurrency"]["runs"]
    assert queue["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert queue["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    for theirs, ours in (("runRetries", "run_retries"), ("sensors", "sensors"), ("schedules", "schedules")):
        assert snake(VALUES["dagsterDaemon"][theirs]) == DAGSTER[ours]
    monitoring = snake(VALUES["dagsterDaemon"]["runMonitoring"])
    # A pod may wait for a node; all else is the same.
    assert monitoring | {"start_timeout_seconds": 120} == DAGSTER["run_monitoring"]


def test_dagster_s_own_launcher_takes_its_settings() -> None:
    given = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    config = {
        "image_pull_policy": given["imagePullPolicy"],
        "load_incluster_config": given["loadInclusterConfig"],
        "env_secrets": [each["name"] for each in given["envSecrets"]],
        "run_k8s_config": snake(given["runK8sConfig"], deep=False),
        "dagster_home": {"env": "DAGSTER_HOME"},
        "instance_config_map": "dagster-instance",
        "job_namespace": "default",
        "service_account_name": "dagster",
    }
    schema = resolve_to_config_type(K8sRunLauncher.config_type())
    os.environ.setdefault("DAGSTER_HOME", "/opt/dagster/dagster_home")
    checked = process_config(schema, config)
    assert checked.success, checked.errors


def test_everything_runs_from_one_image_and_one_secret() -> None:
    pods = [each["spec"]["template"]["spec"] for each in MANIFESTS if "template" in each.get("spec", {})]
    containers = [container for pod in pods for container in pod["containers"]]
    assert {each["image"] for each in containers} == {"REGISTRY/tieout:0.1.0"}
    assert all({"secretRef": {"name": "tieout-settings"}} in each["envFrom"] for each in containers)
    chart = VALUES["dagster-user-deployments"]["deployments"][0]["image"]
    assert f"{chart['repository']}:{chart['tag']}" == "REGISTRY/tieout:0.1.0"
    # Whatever a pod writes may go with it.
    volumes = [volume for pod in pods for volume in pod.get("volumes", ())]
    assert all("emptyDir" in volume or "configMap" in volume for volume in volumes)


def test_the_image_copies_every_package_it_runs() -> None:
    text = FOLDER.joinpath("Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\w+) \w+$", text, re.MULTILINE))
    assert copied == {"api", "assets", "pipelines", "resources", "sql", "sync"}
    for name in re.findall(r"requirements[\w-]*\.(?:lock|in)", text):
        assert ROOT.joinpath(name).exists()


# ---------------------------------------------------------------- the same processes, apart


def command(name: str) -> list[str]:
    """The command of one of our pods."""
    (found,) = [
        container["command"]
        for manifest in MANIFESTS
        for container in manifest.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())
        if container["name"] == name
    ]
    return [str(BIN / found[0]), *found[1:]]


@pytest.fixture
def apart(postgres_server: SessionServer, tmp_path: Path) -> Iterator[Settings]:
    """A managed database, and one of Dagster's own; nothing else is shared by the processes."""
    with ExitStack() as stack:
        ours = stack.enter_context(postgres_server.fresh_database())
        dagsters = stack.enter_context(postgres_server.fresh_database(template="template0"))
        yield settings_for(ours, tmp_path, dagster_database=sa.make_url(dagsters).database)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_every_process_runs_on_its_own_with_nothing_but_the_database_between_them(
    apart: Settings, tmp_path: Path
) -> None:
    code_port, web_port, api_port = free_port(), free_port(), free_port()
    home = tmp_path / "dagster"
    home.mkdir()
    # The stock storage, as the chart has it, and the queue of the values.
    instance = {key: DAGSTER[key] for key in ("concurrency", "run_retries", "telemetry", "compute_logs")}
    instance["storage"] = {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    instance["run_coordinator"] = DAGSTER["run_coordinator"]
    home.joinpath("dagster.yaml").write_text(yaml.safe_dump(instance))
    workspace = tmp_path / "workspace.yaml"
    server = {"host": "127.0.0.1", "port": code_port, "location_name": "tieout"}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "DAGSTER_POSTGRES_URL": database_urls(apart).dagster,
        "TIEOUT_DATABASE_URL": apart.database_url.get_secret_value(),
        "TIEOUT_DAGSTER_DATABASE": apart.dagster_database,
        "TIEOUT_DAGSTER_URL": f"http://127.0.0.1:{web_port}",
        "TIEOUT_KEYRING": f"k1:{base64.b64encode(os.urandom(32)).decode()}",
        "TIEOUT_API_PORT": str(api_port),
    }
    builder = uuid4()
    with Database(database_urls(apart)) as database:
        add_builder(database, str(builder), name="Cedar Ridge Homes", time_zone="UTC", currency="USD")
    grpc = VALUES["dagster-user-deployments"]["deployments"][0]["dagsterApiGrpcArgs"]
    here = ["-h", "127.0.0.1", "-p"]
    with Household(tmp_path / "logs", environment=environment) as household:
        start = partial(start_pod, household, tmp_path)
        start("code", [str(BIN / "dagster"), "api", "grpc", *here, str(code_port), *grpc], listens(code_port))
        start("api", command("api"), answers(f"http://127.0.0.1:{api_port}/readyz"))
        start("deliver", command("deliver"), lives)
        start("worker one", command("worker"), lives)
        start("worker two", command("worker"), lives)
        household.wait("code")
        web = [str(BIN / "dagster-webserver"), *here, str(web_port), "-w", str(workspace)]
        start("web", web, answers(f"http://127.0.0.1:{web_port}/server_info"))
        start("daemon", [str(BIN / "dagster-daemon"), "run", "-w", str(workspace)], lives)
        household.wait("web", "api")
        with Launcher(f"http://127.0.0.1:{web_port}") as launcher:
            assert run_to_its_end(launcher, builder) == "SUCCESS"
        household.check()


def start_pod(household: Household, folder: Path, name: str, args: list[str], is_ready: Any) -> None:
    """Start a process with a data folder of its own, as a pod has it."""
    home = folder / f"home {name}"
    home.mkdir()
    household.start(Child(name, args, is_ready, environment={"TIEOUT_HOME": str(home)}))


def run_to_its_end(launcher: Launcher, builder: UUID) -> str:
    """Ask for a sync of a builder that has no connection, and return how its run ended."""
    launcher.add_builder(str(builder))
    run_id = launcher.launch_sync(
        builder_id=str(builder),
        connection_id=str(uuid4()),
        provider="quickbooks_online",
        sync_run_id=str(uuid4()),
    )
    deadline = time.monotonic() + 120
    while (status := launcher.run_status(run_id)) not in {each.value for each in FINISHED}:
        assert time.monotonic() < deadline, f"still {status}"
        time.sleep(0.3)
    return status


FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def snake(found: Any, *, deep: bool = True) -> Any:
    """The chart's camelCase as Dagster's own snake_case."""
    if not isinstance(found, dict):
        return found
    return {
        re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower(): snake(value) if deep else value
        for key, value in found.items()
    }
