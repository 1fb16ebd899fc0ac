"""Xero's tracking categories: the lists whose options lines carry, found by the category's name.

Two categories may be active, with a hundred active options each. What is archived does not count and can be restored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resources.xero.client import Client
from resources.xero.words import TITLE
from sync.dimensions import Option, Place
from sync.errors import RejectedByProvider
from sync.ports import Listed, Listing, NewOption, OptionChange
from sync.records import name_key

Json = Mapping[str, Any]

RESOURCE = "TrackingCategories"
ACTIVE_CATEGORIES_MAX = 2
ACTIVE_OPTIONS_MAX = 100


class Book:
    """Reads and writes the tracking options of one organisation."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def listing(self, place: Place) -> Listing:
        """Read a category with its archived options; without an id where there is no category of this name."""
        categories = self._client.rows(RESOURCE, {"includeArchived": "true"})
        same = [one for one in categories if name_key(str(one.get("Name"))) == name_key(place.category)]
        active = [one for one in same if one.get("Status") == "ACTIVE"]
        if active:
            return _listing(active[0])
        if same:
            return Listing(
                problem=f"the tracking category “{place.category}” is archived in Xero; restore it there (Settings >"
                " Tracking categories), or name another in the connection's dimensions"
            )
        taken = [str(one.get("Name")) for one in categories if one.get("Status") == "ACTIVE"]
        if len(taken) >= ACTIVE_CATEGORIES_MAX:
            return Listing(
                problem=f"Xero keeps {ACTIVE_CATEGORIES_MAX} active tracking categories and has {' and '.join(taken)};"
                f" archive one of them there, or name one of them instead of “{place.category}” in the connection's"
                " dimensions"
            )
        return Listing(options_max=ACTIVE_OPTIONS_MAX)

    def open_list(self, place: Place, *, request_id: str) -> Listing:
        """Make a category."""
        label = f"the tracking category {place.category}"
        rows = self._send("PUT", RESOURCE, {"Name": place.category}, RESOURCE, key=request_id, label=label)
        return _listing(rows)

    def create(self, place: Place, new: NewOption, *, request_id: str) -> Listed:
        """Make an option."""
        path = f"{RESOURCE}/{new.list_id}/Options"
        label = f"the tracking option {new.name}"
        return _listed(self._send("PUT", path, {"Name": new.name}, "Options", key=request_id, label=label))

    def change(
        self, place: Place, present: Listed, change: OptionChange, *, list_id: str | None, request_id: str
    ) -> Listed:
        """Rename, archive or restore an option."""
        body: dict[str, Any] = {"Name": change.name if change.name is not None else present.name}
        if change.is_active is not None:
            body["Status"] = "ACTIVE" if change.is_active else "ARCHIVED"
        path = f"{RESOURCE}/{list_id}/Options/{present.remote_id}"
        label = f"the tracking option {present.name}"
        return _listed(self._send("POST", path, body, "Options", key=request_id, label=label))

    def know(self, options: Iterable[Option]) -> None:
        """Hear of options; a tracking option changes nothing about how a document is read."""

    def _send(
        self, method: str, path: str, body: dict[str, Any], wrapper: str, *, key: str, label: str
    ) -> Json:
        answer = self._client.send(method, path, body, key=key, params={}, label=label)
        rows = answer.get(wrapper)
        if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
            raise RejectedByProvider(
                f"Xero answered to {label} with something else; it is tried again by the next sync.",
                provider=TITLE,
                label=label,
            )
        found: Json = rows[0]
        return found


def _listing(category: Json) -> Listing:
    return Listing(
        options=[_listed(option) for option in category.get("Options") or ()],
        list_id=str(category["TrackingCategoryID"]),
        options_max=ACTIVE_OPTIONS_MAX,
    )


def _listed(option: Json) -> Listed:
    return Listed(
        remote_id=str(option["TrackingOptionID"]),
        name=str(option.get("Name") or ""),
        is_active=str(option.get("Status") or "ACTIVE") == "ACTIVE",
        version=f"{option.get('Status')}:{option.get('Name')}",
    )
