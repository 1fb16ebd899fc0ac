"""Opaque cursors: the place after the last row of a page, in the order of one list."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from resources.store.views import FROM_START, After
from sync.errors import InvalidInput

Row = TypeVar("Row")

PAGE_ROWS_MAX = 200
PAGE_ROWS = 50
CURSOR_LENGTH_MAX = 1000
PLACE_DIGITS_MAX = 9


def without_nul(text: str) -> str:
    """Refuse the one character that Postgres cannot store in a text."""
    if "\x00" in text:
        raise ValueError("it contains a NUL character; remove it")
    return text


Text = Annotated[str, StringConstraints(max_length=500, strip_whitespace=True), AfterValidator(without_nul)]


def _in_utc(moment: datetime) -> datetime:
    # Postgres knows no zone 16 hours away; the moment is the same in ours.
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("it is outside the years 1 to 9999; choose another time") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Paging(BaseModel):
    """Which page of a list is asked for; a parameter nobody knows is an error, so that a typing mistake is not silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(
        default=PAGE_ROWS, ge=1, le=PAGE_ROWS_MAX, description="How many rows a page holds at most."
    )
    cursor: str | None = Field(
        default=None,
        max_length=CURSOR_LENGTH_MAX,
        description="`next_cursor` of the page before; leave out for the first page.",
    )


class Period(Paging):
    """The same, within a time."""

    since: Moment | None = Field(
        default=None, description="Only what happened at or after this time (UTC unless it has a zone)."
    )
    until: Moment | None = Field(default=None, description="Only what happened before this time.")


def page_of(
    rows: Sequence[Row], *, limit: int, kind: str, key: Callable[[Row], tuple[str, str]]
) -> tuple[list[Row], str | None]:
    """Cut a result that was asked for with one row more than the limit; return the page and the next cursor."""
    page = list(rows[:limit])
    if len(rows) <= limit:
        return page, None
    return page, _encode(kind, *key(page[-1]))


def after_time(cursor: str | None, *, kind: str) -> After:
    """Read a cursor over (time, id)."""
    if cursor is None:
        return FROM_START
    at, identifier = _decode(cursor, kind=kind)
    try:
        moment = datetime.fromisoformat(at)
        return After(moment.replace(tzinfo=moment.tzinfo or UTC), UUID(identifier))
    except ValueError:
        raise _foreign() from None


def after_name(cursor: str | None, *, kind: str) -> tuple[str, str] | None:
    """Read a cursor over (name, id)."""
    return None if cursor is None else _decode(cursor, kind=kind)


def after_place(cursor: str | None, *, kind: str) -> int:
    """Read a cursor over places counted from 1; 0 without one."""
    if cursor is None:
        return 0
    place, _ = _decode(cursor, kind=kind)
    if not (place.isascii() and place.isdigit()) or len(place) > PLACE_DIGITS_MAX:
        raise _foreign()
    return int(place)


def time_key(column: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    """Return what places a row in a list that is ordered by a time and the id."""
    return lambda row: (row[column].isoformat(), str(row["id"]))


def _encode(kind: str, *parts: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([kind, *parts]).encode()).decode().rstrip("=")


def _decode(cursor: str, *, kind: str) -> tuple[str, str]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        # Half a surrogate pair is valid in JSON and in nothing else.
        json.dumps(parts, ensure_ascii=False).encode()
    except (binascii.Error, ValueError, RecursionError):
        raise _foreign() from None
    is_ours = isinstance(parts, list) and len(parts) == 3 and all(isinstance(each, str) for each in parts)
    if not is_ours or parts[0] != kind or "\x00" in parts[1] + parts[2]:
        raise _foreign()
    return parts[1], parts[2]


def _foreign() -> InvalidInput:
    return InvalidInput(what="The cursor", reason="it is not one that this list gave out")
