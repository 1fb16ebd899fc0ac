"""The problems each kind of route may answer with, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.problems import Problem

Responses = dict[int | str, dict[str, Any]]

_WORDS = {
    400: "The body could not be read.",
    401: "No valid API key or token.",
    403: "The role may not do this, or the key lacks the scope.",
    404: "Nothing with this id belongs to this builder.",
    409: "The thing changed or was decided meanwhile, or is not connected.",
    412: "The thing is not the version that If-Match names any more.",
    413: "The body is too large.",
    422: "The request cannot be used as it is; the problem says why.",
    429: "More requests in a minute than one caller may make.",
    503: "Dagster, the provider or the database cannot be reached; try again later.",
}


def problems(*statuses: int) -> Responses:
    """Describe these statuses as problems."""
    return {status: {"model": Problem, "description": _WORDS[status]} for status in statuses}


READ: Responses = problems(401, 403, 422, 429, 503)
READ_ONE: Responses = problems(401, 403, 404, 422, 429, 503)
WRITE: Responses = problems(400, 401, 403, 404, 409, 413, 422, 429, 503)
