"""Tracking categories and their options: two active categories, a hundred options each."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.xero.books import Books
from sandbox.xero.fields import GUID, Fields, Spec, Text, choice
from sandbox.xero.refusals import ElementRefused, NotFound
from sandbox.xero.resource import Call, Resource, columns_of
from sandbox.xero.table import Document
from sandbox.xero.where import Column

ACTIVE_MAX = 2
ALL_MAX = 4
OPTIONS_MAX = 100
CATEGORY_SPEC: Spec = {
    "TrackingCategoryID": GUID,
    "Name": Text(100),
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
}
OPTION_SPEC: Spec = {
    "TrackingOptionID": GUID,
    "Name": Text(100),
    "Status": choice("ACTIVE", "ARCHIVED", "DELETED"),
}
_USERS = ("Invoices", "CreditNotes", "BankTransactions", "ManualJournals")


def _is_used(books: Books, key: str) -> bool:
    return any(books[table].count("tracking", key) for table in _USERS)


class TrackingCategories(Resource):
    """`/TrackingCategories`."""

    name = "TrackingCategories"
    type_name = "TrackingCategory"
    id_field = "TrackingCategoryID"
    spec = CATEGORY_SPEC
    scope = "settings"
    takes_ims = False
    verbs = frozenset({"GET", "PUT", "POST", "DELETE"})

    def columns(self, books: Books) -> Mapping[str, Column]:
        """What queries may name."""
        return columns_of(TrackingCategoryID="guid", Name="text", Status="text")

    def create(self, call: Call, fields: Fields) -> Document:
        """A new category."""
        held = [doc for doc in call.books["TrackingCategories"].rows.values() if doc["Status"] != "DELETED"]
        if sum(doc["Status"] == "ACTIVE" for doc in held) >= ACTIVE_MAX:
            raise ElementRefused("You can only have 2 active tracking categories.", echo=fields)
        if len(held) >= ALL_MAX:
            raise ElementRefused(
                "You can only have 4 tracking categories, archived ones included.", echo=fields
            )
        category: Document = {"TrackingCategoryID": call.new_id(), "Status": "ACTIVE", "Options": []}
        return self._keep(call, category, fields)

    def update(self, call: Call, document: Document, fields: Fields) -> Document:
        """Rename or archive."""
        category = dict(document)
        status = fields.get("Status")
        if status == "DELETED":
            raise ElementRefused("Use DELETE to remove a tracking category.", echo=fields)
        if status == "ACTIVE" and document["Status"] != "ACTIVE":
            rows = call.books["TrackingCategories"].rows.values()
            if sum(doc["Status"] == "ACTIVE" for doc in rows) >= ACTIVE_MAX:
                raise ElementRefused("You can only have 2 active tracking categories.", echo=fields)
        if status:
            category["Status"] = status
        return self._keep(call, category, fields)

    def _keep(self, call: Call, category: Document, fields: Fields) -> Document:
        messages = self.check_lengths(fields)
        name = fields.get("Name") or category.get("Name")
        if not name:
            messages.append("Name must be specified.")
        elif any(
            other["Name"].casefold() == name.casefold() and other["Status"] != "DELETED"
            for other in call.books["TrackingCategories"].rows.values()
            if other["TrackingCategoryID"] != category["TrackingCategoryID"]
        ):
            messages.append("Please enter a unique Name.")
        if messages:
            raise ElementRefused(*messages, echo=fields)
        category["Name"] = name
        call.books["TrackingCategories"].put(category["TrackingCategoryID"], category)
        return category

    def delete(self, call: Call, document: Document) -> Document | None:
        """Only when no line uses it."""
        if document["Status"] == "DELETED":
            raise NotFound
        if _is_used(call.books, document["TrackingCategoryID"]):
            raise ElementRefused(
                "This tracking category has been used and cannot be deleted; archive it instead."
            )
        removed = document | {"Status": "DELETED"}
        call.books["TrackingCategories"].put(document["TrackingCategoryID"], removed)
        return removed

    def find(self, books: Books, key: str) -> Document | None:
        """By id; deleted ones are gone."""
        found = books["TrackingCategories"].get(key.lower())
        return None if found is None or found["Status"] == "DELETED" else found

    def is_listed(self, call: Call, document: Document) -> bool:
        """Archived ones only with includeArchived=true."""
        return document["Status"] == "ACTIVE" or (
            document["Status"] == "ARCHIVED" and call.flag("includeArchived")
        )

    def view(self, books: Books, document: Document, mode: str) -> Document:
        """The category with its living options."""
        options = [option_view(option) for option in document["Options"] if option["Status"] != "DELETED"]
        return document | {"Options": options}

    def create_option(self, call: Call, category: Document, fields: Fields) -> Document:
        """A new option."""
        _check_room(category, fields)
        option: Document = {"TrackingOptionID": call.new_id(), "Status": "ACTIVE"}
        return self._keep_option(call, category, option, fields)

    def update_option(self, call: Call, category: Document, option_id: str, fields: Fields) -> Document:
        """Rename or archive an option."""
        option = self._option(category, option_id)
        if fields.get("Status") == "DELETED":
            raise ElementRefused("Use DELETE to remove a tracking option.", echo=fields)
        if fields.get("Status") == "ACTIVE" and option["Status"] != "ACTIVE":
            _check_room(category, fields)
        changed = option | ({"Status": fields["Status"]} if fields.get("Status") else {})
        return self._keep_option(call, category, changed, fields)

    def delete_option(self, call: Call, category: Document, option_id: str) -> Document:
        """Only when no line uses it."""
        option = self._option(category, option_id)
        if _is_used(call.books, option["TrackingOptionID"]):
            raise ElementRefused(
                "This tracking option has been used and cannot be deleted; archive it instead."
            )
        removed = option | {"Status": "DELETED"}
        self._store(call, category, removed)
        return removed

    def _option(self, category: Document, option_id: str) -> Document:
        for option in category["Options"]:
            if option["TrackingOptionID"] == option_id.lower() and option["Status"] != "DELETED":
                found: Document = option
                return found
        raise NotFound

    def _keep_option(self, call: Call, category: Document, option: Document, fields: Fields) -> Document:
        name = fields.get("Name") or option.get("Name")
        if not name or len(name) > 100:
            raise ElementRefused("Name must be specified, with at most 100 characters.", echo=fields)
        for other in category["Options"]:
            is_other = (
                other["TrackingOptionID"] != option["TrackingOptionID"] and other["Status"] != "DELETED"
            )
            if is_other and other["Name"].casefold() == name.casefold():
                raise ElementRefused("Please enter a unique Name.", echo=fields)
        option = option | {"Name": name}
        self._store(call, category, option)
        return option

    def _store(self, call: Call, category: Document, option: Document) -> None:
        key = option["TrackingOptionID"]
        options = [option if other["TrackingOptionID"] == key else other for other in category["Options"]]
        if option not in options:
            options.append(option)
        call.books["TrackingCategories"].put(category["TrackingCategoryID"], category | {"Options": options})


def _check_room(category: Document, fields: Fields) -> None:
    """Refuse one more active option than there may be; archived ones do not count."""
    if sum(option["Status"] == "ACTIVE" for option in category["Options"]) >= OPTIONS_MAX:
        raise ElementRefused("A tracking category can have at most 100 options.", echo=fields)


def option_view(option: Document) -> Document:
    """An option as the wire shows it."""
    return {name: option[name] for name in ("TrackingOptionID", "Name", "Status")}


TRACKING_CATEGORIES = TrackingCategories()
