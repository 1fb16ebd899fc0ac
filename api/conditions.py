"""Conditional changes: an ETag says which version was shown, If-Match that a change is meant for that one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from sync.refusals import VersionMovedOn

IfMatch = Annotated[
    str | None,
    Header(
        max_length=100, description="The ETag of the version that was loaded; another one since gives 412."
    ),
]


def etag(version: int) -> str:
    """Return a version as an ETag."""
    return f'"{version}"'


def require_match(if_match: str | None, *, version: int, what: str) -> None:
    """Refuse a change that is meant for another version; `*` and no header mean any."""
    if if_match is None or if_match.strip() == "*":
        return
    # A proxy that compressed the answer marks the tag as weak.
    sent = [each.strip().removeprefix("W/") for each in if_match.split(",")]
    if etag(version) not in sent:
        raise VersionMovedOn(what=what, sent=if_match)
