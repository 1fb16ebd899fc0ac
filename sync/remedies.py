"""What each remedy means to whom: the one place where the queue, HTTP, the page and Dagster read it from.

An error says *what has to happen next* (`sync.errors.Remedy`); it never says which status, state or colour that is.
Exactly one function per target does, so that the four can never tell a builder four different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from sync.errors import Remedy, SyncError

LinkState = Literal["open", "held", "conflict", "failed", "unknown"]
DagsterOutcome = Literal["retry", "wait", "fail"]


class Action(StrEnum):
    """The button a person is offered beside the sentence."""

    WAIT = "wait"
    RECONNECT = "reconnect"
    EDIT_RECORD = "edit_record"
    FIX_MAPPING = "fix_mapping"
    DECIDE = "decide"
    NONE = "none"


_LINK_STATES: Mapping[Remedy, LinkState] = {
    # failed with a next_try_at is tried again by itself; without one it waits for a person
    Remedy.RETRY_LATER: "failed",
    Remedy.REFRESH_TOKEN: "failed",
    Remedy.RECONNECT: "failed",
    Remedy.LOOK_IN_LEDGER: "unknown",
    Remedy.ASK_USER: "failed",
    Remedy.FIX_MAPPING: "held",
    Remedy.DECIDE: "unknown",
    Remedy.NEVER: "failed",
}

_STATUSES: Mapping[Remedy, int] = {
    Remedy.RETRY_LATER: 503,
    Remedy.REFRESH_TOKEN: 503,
    Remedy.RECONNECT: 409,
    Remedy.LOOK_IN_LEDGER: 409,
    Remedy.ASK_USER: 422,
    Remedy.FIX_MAPPING: 422,
    Remedy.DECIDE: 409,
    Remedy.NEVER: 403,
}

# Where HTTP has a sharper word than the remedy: nobody retries a 403 hoping that the id will exist.
_SHARPER_STATUSES: Mapping[str, int] = {
    "access.unauthenticated": 401,
    "access.not_found": 404,
    "access.already_done": 409,
    "approval.stale": 409,
    "connect.state": 403,
    "connect.company_taken": 409,
    "conflict.found": 409,
    "conflict.stale": 409,
    "conflict.stale_selection": 409,
    "connection.not_connected": 409,
    "import.busy": 409,
    "import.cancelled": 409,
    "import.moved_on": 409,
    "import.not_undoable": 409,
    "input.too_large": 413,
    "mapping.stale": 409,
    "mapping.stale_draft": 409,
    "queue.nothing_to_decide": 409,
    "request.rate_limited": 429,
    "request.still_at_work": 409,
    "request.version_moved_on": 412,
}

_ACTIONS: Mapping[Remedy, Action] = {
    Remedy.RETRY_LATER: Action.WAIT,
    Remedy.REFRESH_TOKEN: Action.WAIT,
    Remedy.RECONNECT: Action.RECONNECT,
    Remedy.LOOK_IN_LEDGER: Action.WAIT,
    Remedy.ASK_USER: Action.EDIT_RECORD,
    Remedy.FIX_MAPPING: Action.FIX_MAPPING,
    Remedy.DECIDE: Action.DECIDE,
    Remedy.NEVER: Action.NONE,
}

_DAGSTER_OUTCOMES: Mapping[Remedy, DagsterOutcome] = {
    Remedy.RETRY_LATER: "retry",
    Remedy.REFRESH_TOKEN: "retry",
    Remedy.RECONNECT: "fail",
    # The next look settles it; sending the run again would be the blind retry that doubles documents.
    Remedy.LOOK_IN_LEDGER: "wait",
    Remedy.ASK_USER: "fail",
    Remedy.FIX_MAPPING: "wait",
    Remedy.DECIDE: "wait",
    Remedy.NEVER: "fail",
}


def link_state(remedy: Remedy) -> LinkState:
    """Return the state in which a record with this remedy waits in the queue."""
    return _LINK_STATES[remedy]


def http_status(error: SyncError) -> int:
    """Return the HTTP status under which this error is answered."""
    return _SHARPER_STATUSES.get(error.code, _STATUSES[error.remedy])


def ui_action(remedy: Remedy) -> Action:
    """Return the button a person is offered."""
    return _ACTIONS[remedy]


def dagster_outcome(remedy: Remedy) -> DagsterOutcome:
    """Return what a Dagster run does: try again by itself, go on and let the record wait, or fail with the sentence."""
    return _DAGSTER_OUTCOMES[remedy]
