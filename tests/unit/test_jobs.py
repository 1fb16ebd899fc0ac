"""When another job on a line is a change that the ledger has to hear of."""

from __future__ import annotations

from typing import Any

import pytest

from sync.jobs import is_no_change
from sync.records import checksum

NOW = {"memo": "", "lines": [{"key": "a", "amount": "1.00", "job": "new"}]}


def base(**line: Any) -> dict[str, Any]:
    return {"memo": "", "lines": [{"key": "a", "amount": "1.00", **line}]}


def no_change(before: dict[str, Any], *, uses_jobs: bool, state: str = "active") -> bool:
    settled = checksum(before, state="active")
    return is_no_change(NOW, before, state=state, base_checksum=settled, uses_jobs=uses_jobs)


@pytest.mark.parametrize("uses_jobs", [True, False])
def test_a_base_from_before_jobs_were_kept_makes_no_document_different(*, uses_jobs: bool) -> None:
    assert no_change(base(), uses_jobs=uses_jobs)


def test_another_job_is_a_change_only_where_the_ledger_hears_of_jobs() -> None:
    assert no_change(base(job="old"), uses_jobs=False)
    assert not no_change(base(job="old"), uses_jobs=True)
    assert not no_change(base(job=None), uses_jobs=True)


def test_anything_else_that_changed_is_a_change() -> None:
    assert not no_change(base(job="old", description="More"), uses_jobs=False)
    assert not no_change(base(job="new"), uses_jobs=False, state="void")
