"""Asks Dagster for a run over its GraphQL, so that the API starts syncs without ever loading Dagster.

Promises a Dagster run id, or one sentence that says why there is none and what to do. Whether a sync may start at all
is decided before; that it runs once is Dagster's queue and the product's own lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from resources.http import api_client
from sync.errors import Category, Remedy, SyncError
from sync.records import SYNC_ORDER, Direction, Entity

LOCATION = "tieout"
REPOSITORY = "__repository__"
PARTITIONS = "builders"
# Somebody is waiting: before everything that a schedule asked for.
PRIORITY = "100"
ANSWER_SECONDS_MAX = 30.0

_LAUNCH = """
mutation Launch($repository: RepositorySelector!, $partitions: String!, $builder: String!, $run: ExecutionParams!) {
  partition: addDynamicPartition(
    repositorySelector: $repository, partitionsDefName: $partitions, partitionKey: $builder
  ) { __typename ... on PythonError { message } ... on UnauthorizedError { message } }
  launch: launchRun(executionParams: $run) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on PipelineNotFoundError { message }
    ... on InvalidSubsetError { message }
    ... on UnauthorizedError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""

_ADD_PARTITION = """
mutation AddBuilder($repository: RepositorySelector!, $partitions: String!, $builder: String!) {
  partition: addDynamicPartition(
    repositorySelector: $repository, partitionsDefName: $partitions, partitionKey: $builder
  ) { __typename ... on PythonError { message } ... on UnauthorizedError { message } }
}
"""

_STATUS = """
query RunStatus($id: ID!) {
  run: runOrError(runId: $id) { __typename ... on Run { status } ... on PythonError { message } }
}
"""


class DagsterUnavailable(SyncError):
    """Dagster's web server does not answer; nothing was started."""

    code = "sync.dagster_unavailable"
    remedy = Remedy.RETRY_LATER
    category = Category.NETWORK
    template = (
        "The sync was not started because Dagster at {url} does not answer ({reason})."
        " Start it (python -m pipelines.serve), or set TIEOUT_DAGSTER_URL to where it runs, and try again."
    )


class DagsterRefused(SyncError):
    """Dagster answered, and did not start the run."""

    code = "sync.dagster_refused"
    remedy = Remedy.RETRY_LATER
    category = Category.UNKNOWN
    template = (
        "The sync was not started because Dagster at {url} refused it: {reason}."
        " Look at its code location 'tieout' there, reload it, and try again."
    )


class Launcher:
    """Dagster's web server, as far as the API needs it."""

    def __init__(self, dagster_url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        """Remember where Dagster is; nothing is called yet."""
        self._url = dagster_url.rstrip("/")
        self._client = api_client(self._url, read_seconds=ANSWER_SECONDS_MAX, transport=transport)

    def launch_sync(
        self,
        *,
        builder_id: str,
        connection_id: str,
        provider: str,
        sync_run_id: str,
        entities: Sequence[Entity] = (),
        direction: Direction = "both",
    ) -> str:
        """Start a sync of one connection and return Dagster's run id; no entities means all, and the tie-out."""
        return self._launch(
            builder_id,
            job=f"{provider}_sync",
            assets=[{"path": [provider, step]} for step in _steps(entities)],
            tags={
                "sync/connection": connection_id,
                "sync/run": sync_run_id,
                "sync/trigger": "manual",
                "sync/direction": direction,
            },
        )

    def launch_rehearsal(self, *, builder_id: str, provider: str, rehearsal_id: str) -> str:
        """Start a rehearsal that was asked for and return Dagster's run id."""
        return self._launch(builder_id, job=f"{provider}_rehearsal", tags={"sync/rehearsal": rehearsal_id})

    def _launch(
        self,
        builder_id: str,
        *,
        job: str,
        tags: Mapping[str, str],
        assets: Sequence[Mapping[str, Sequence[str]]] | None = None,
    ) -> str:
        selector: dict[str, object] = {
            "repositoryLocationName": LOCATION,
            "repositoryName": REPOSITORY,
            "pipelineName": job,
        }
        if assets is not None:
            selector["assetSelection"] = assets
        answer = self._ask(
            _LAUNCH,
            {
                **_partition(builder_id),
                "run": {
                    "selector": selector,
                    "mode": "default",
                    "runConfigData": {},
                    "executionMetadata": {
                        "tags": [
                            {"key": key, "value": value}
                            for key, value in {
                                "dagster/partition": builder_id,
                                "dagster/priority": PRIORITY,
                                "dagster/retry_on_asset_or_op_failure": "false",
                                **tags,
                            }.items()
                        ]
                    },
                },
            },
        )
        self._check_partition(answer["partition"])
        launch = answer["launch"]
        if launch["__typename"] != "LaunchRunSuccess":
            raise DagsterRefused(url=self._url, reason=_reason(launch))
        run_id = launch["run"]["runId"]
        assert isinstance(run_id, str), "Dagster's run ids are texts"
        return run_id

    def add_builder(self, builder_id: str) -> None:
        """Give a builder its partition; one that is there already is fine."""
        self._check_partition(self._ask(_ADD_PARTITION, _partition(builder_id))["partition"])

    def run_status(self, dagster_run_id: str) -> str | None:
        """Return Dagster's own status of a run (QUEUED, STARTED, SUCCESS, ...), or None for an unknown run."""
        run = self._ask(_STATUS, {"id": dagster_run_id})["run"]
        return str(run["status"]) if run["__typename"] == "Run" else None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, document: str, variables: Mapping[str, object]) -> dict[str, Any]:
        try:
            response = self._client.post("/graphql", json={"query": document, "variables": variables})
        except httpx.HTTPError as error:
            reason = str(error).lower() or type(error).__name__
            raise DagsterUnavailable(url=self._url, reason=reason) from error
        try:
            answer = response.json()
        except ValueError as error:
            reason = f"something else answers there, with HTTP status {response.status_code}"
            raise DagsterUnavailable(url=self._url, reason=reason) from error
        if not isinstance(answer, dict) or answer.get("errors") or not isinstance(answer.get("data"), dict):
            raise DagsterRefused(url=self._url, reason=_first_error(answer))
        data: dict[str, Any] = answer["data"]
        return data

    def _check_partition(self, answer: Mapping[str, Any]) -> None:
        if answer["__typename"] not in {"AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError"}:
            raise DagsterRefused(url=self._url, reason=_reason(answer))


def _partition(builder_id: str) -> dict[str, object]:
    return {
        "repository": {"repositoryLocationName": LOCATION, "repositoryName": REPOSITORY},
        "partitions": PARTITIONS,
        "builder": builder_id,
    }


def _steps(entities: Sequence[Entity]) -> list[str]:
    chosen = [entity for entity in SYNC_ORDER if not entities or entity in entities]
    # The proof is about all of the books: it is made when all of them were looked at.
    return ["ledger_changes", *chosen, *(["tie_out"] if len(chosen) == len(SYNC_ORDER) else [])]


def _reason(answer: Mapping[str, Any]) -> str:
    errors = answer.get("errors") or [answer]
    message = str(errors[0].get("message") or answer["__typename"])
    return message.strip().splitlines()[0].rstrip(".")


def _first_error(answer: object) -> str:
    if isinstance(answer, dict) and answer.get("errors"):
        return str(answer["errors"][0].get("message", "")).strip().splitlines()[0].rstrip(".")
    return "its answer was not understood"
