"""One remedy means one thing to each of the queue, HTTP, the page and Dagster."""

from __future__ import annotations

import typing
from http import HTTPStatus

import pytest

from sync.errors import AlreadyDone, NotAllowed, NotFound, OutcomeUnknown, RateLimited, Remedy, SyncError
from sync.refusals import NotConnected, StaleChoice, StaleMapping, StillLookedUp, Unauthenticated
from sync.remedies import (
    Action,
    DagsterOutcome,
    LinkState,
    dagster_outcome,
    http_status,
    link_state,
    ui_action,
)


@pytest.mark.parametrize("remedy", Remedy)
def test_every_remedy_means_something_to_everyone(remedy: Remedy) -> None:
    error = SyncError("sentence")
    error.remedy = remedy
    assert link_state(remedy) in typing.get_args(LinkState)
    assert dagster_outcome(remedy) in typing.get_args(DagsterOutcome)
    assert ui_action(remedy) in Action
    assert 400 <= HTTPStatus(http_status(error)) < 600


def test_what_nobody_knows_the_outcome_of_is_never_retried_by_anybody() -> None:
    assert link_state(OutcomeUnknown.remedy) == "unknown"
    assert dagster_outcome(OutcomeUnknown.remedy) == "wait"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthenticated, 401),
        (NotAllowed, 403),
        (NotFound, 404),
        (AlreadyDone, 409),
        (StaleMapping, 409),
        (StaleChoice, 409),
        (StillLookedUp, 409),
        (NotConnected, 409),
        (RateLimited, 503),
    ],
)
def test_http_has_the_sharpest_word(error: type[SyncError], status: int) -> None:
    assert http_status(error("sentence")) == status
