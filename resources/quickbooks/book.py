"""The lists of QuickBooks whose entries lines can carry: classes, locations, sub-customers (jobs) and items.

Entries are made by name, and QuickBooks keeps one of a name; lists are updated as a whole, from the object last read.
A project cannot be made through this interface; a sub-customer is what a job is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.chart import rows_of
from resources.quickbooks.client import Client
from resources.quickbooks.items import Items
from resources.quickbooks.read import without_computed
from resources.quickbooks.words import name_in_use
from sync.dimensions import ListName, Option, Place
from sync.errors import RejectedByProvider
from sync.ports import Listed, Listing, NewOption, OptionChange

Json = Mapping[str, Any]

ENTITIES: Mapping[ListName, str] = {
    "sub_customer": "Customer",
    "class": "Class",
    "location": "Department",
    "item": "Item",
}
_SIDES: Mapping[str, str] = {"income": "IncomeAccountRef", "expense": "ExpenseAccountRef"}


class Jobs:
    """Which customers are jobs of ours, and below whom: a document of such a one is its client's."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def remember(self, customer_id: str, parent_id: str) -> None:
        """Take note of a sub-customer that stands for a job."""
        self._parents[customer_id] = parent_id

    def is_job(self, customer_id: str) -> bool:
        """Whether a customer stands for a job of ours."""
        return customer_id in self._parents

    def client_of(self, customer_id: str) -> str:
        """Return the customer whose documents these are: a job's client, or the customer itself."""
        return self._parents.get(customer_id, customer_id)


class Book:
    """Reads and writes the lists of one company."""

    def __init__(
        self, client: Client, *, items: Items, jobs: Jobs, tracks: Mapping[ListName, bool] | None = None
    ) -> None:
        """`tracks` says of classes and locations whether the company uses them; None asks the company."""
        self._client = client
        self._items = items
        self._jobs = jobs
        self._tracks = tracks
        self._bodies: dict[tuple[ListName, str], dict[str, Any]] = {}

    def listing(self, place: Place) -> Listing:
        """Read a list with its inactive entries."""
        problem = self._problem(place.list)
        if problem is not None:
            return Listing(problem=problem)
        found = []
        for page in rows_of(self._client, ENTITIES[place.list], is_list=True):
            for body in page:
                if place.list == "sub_customer" and not body.get("ParentRef"):
                    continue
                if place.list == "item":
                    self._items.remember(body)
                found.append(self._listed(place.list, body))
        return Listing(options=found)

    def open_list(self, place: Place, *, request_id: str) -> Listing:
        """Raise: QuickBooks has one list of each kind, and they are all there."""
        raise AssertionError(f"{place.list} is no list that could be made")

    def create(self, place: Place, new: NewOption, *, request_id: str) -> Listed:
        """Make an entry."""
        body: dict[str, Any] = {"Name": new.name}
        if place.list == "sub_customer":
            body = {"DisplayName": new.name, "Job": True, "ParentRef": {"value": new.parent_id}}
        elif place.list == "item":
            body["Type"] = "Service"
            body |= {_SIDES[side]: {"value": account} for side, account in new.accounts.items()}
        return self._send(place.list, body, request_id=request_id, label=f"the {place.words} {new.name}")

    def change(
        self, place: Place, present: Listed, change: OptionChange, *, list_id: str | None, request_id: str
    ) -> Listed:
        """Rename, make inactive, restore or move an entry."""
        before = self._bodies[place.list, present.remote_id]
        body = {**without_computed(before), "Id": present.remote_id, "SyncToken": present.version}
        name = "DisplayName" if place.list == "sub_customer" else "Name"
        body[name] = change.name if change.name is not None else _plain_name(before, name)
        if change.is_active is not None:
            body["Active"] = change.is_active
        if change.parent_id is not None:
            body["ParentRef"] = {"value": change.parent_id}
        body |= {_SIDES[side]: {"value": account} for side, account in change.accounts.items()}
        return self._send(place.list, body, request_id=request_id, label=f"the {place.words} {present.name}")

    def know(self, options: Iterable[Option]) -> None:
        """Hear which sub-customers are jobs of ours."""
        for option in options:
            if option.place.list == "sub_customer" and option.remote_id and option.parent_id:
                self._jobs.remember(option.remote_id, option.parent_id)

    # ------------------------------------------------------------------ parts

    def _send(self, list_name: ListName, body: dict[str, Any], *, request_id: str, label: str) -> Listed:
        entity = ENTITIES[list_name]
        answer = self._client.send(entity.lower(), body, params={"requestid": request_id}, label=label)
        made = answer.get(entity)
        if not isinstance(made, dict):
            raise RejectedByProvider(
                f"QuickBooks answered to {label} with something else; it is tried again by the next sync.",
                provider=TITLE,
                label=label,
            )
        if list_name == "item":
            self._items.remember(made)
        return self._listed(list_name, made)

    def _listed(self, list_name: ListName, body: dict[str, Any]) -> Listed:
        remote_id = str(body["Id"])
        self._bodies[list_name, remote_id] = body
        is_active = bool(body.get("Active", True))
        name = body.get("DisplayName") if list_name == "sub_customer" else body.get("FullyQualifiedName")
        accounts = {
            side: str(body[field]["value"])
            for side, field in _SIDES.items()
            if list_name == "item" and (body.get(field) or {}).get("value")
        }
        parent = (body.get("ParentRef") or {}).get("value") if list_name == "sub_customer" else None
        return Listed(
            remote_id=remote_id,
            name=name_in_use(str(name or body.get("Name") or ""), is_active=is_active),
            is_active=is_active,
            parent_id=str(parent) if parent else None,
            version=str(body.get("SyncToken")),
            accounts=accounts,
        )

    def _problem(self, list_name: ListName) -> str | None:
        if list_name not in ("class", "location"):
            return None
        if self._tracks is None:
            told = self._client.read("preferences", label="the company's preferences")["Preferences"]
            prefs = told.get("AccountingInfoPrefs") or {}
            self._tracks = {
                "class": bool(prefs.get("ClassTrackingPerTxnLine")),
                "location": bool(prefs.get("TrackDepartments")),
            }
        if self._tracks[list_name]:
            return None
        if list_name == "class":
            return (
                "QuickBooks does not track classes on each row of a document; switch it on there under Account and"
                " settings > Advanced > Categories (Plus or Advanced plan), or choose another list"
            )
        return (
            "QuickBooks does not track locations; switch it on there under Account and settings > Advanced >"
            " Categories (Plus or Advanced plan), or choose another list"
        )


def _plain_name(body: Json, field: str) -> str:
    return name_in_use(str(body.get(field) or ""), is_active=bool(body.get("Active", True)))
