from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from pipelines.definitions import build_defs
from tests.pipelines.fake_desk import BUILDER, OTHER_BUILDER, FakeDesk


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("builders", [BUILDER, OTHER_BUILDER])
        yield instance


@pytest.fixture
def defs(desk: FakeDesk) -> dg.Definitions:
    return build_defs(resource_overrides={"tieout": desk})
