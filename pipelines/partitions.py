"""Keeps Dagster's partitions in step with the product's builders."""

from __future__ import annotations

from collections.abc import Collection

import dagster as dg

from assets.partitions import BUILDERS

PartitionRequest = dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest


def requests_to_match(
    builder_ids: Collection[str], *, instance: dg.DagsterInstance
) -> list[PartitionRequest]:
    """Return what to add and delete so that every builder has exactly one partition."""
    name = BUILDERS.name
    assert name is not None, "the partition set has a name"
    present = set(instance.get_dynamic_partitions(name))
    missing = [builder_id for builder_id in builder_ids if builder_id not in present]
    gone = sorted(present.difference(builder_ids))
    requests: list[PartitionRequest] = []
    if missing:
        requests.append(BUILDERS.build_add_request(missing))
    if gone:
        requests.append(BUILDERS.build_delete_request(gone))
    return requests
