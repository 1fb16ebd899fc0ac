"""Every way this Xero says no, with the body each one carries.

`ElementRefused` belongs to one element of a call; everything else ends the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROBLEM_TITLES = {401: "Unauthorized", 403: "Forbidden"}


class Refusal(Exception):
    """Base of all refusals; carries the HTTP status."""

    status = 400


class ElementRefused(Refusal):
    """One document breaks one or more rules; the messages are Xero's."""

    def __init__(self, *messages: str, echo: Mapping[str, Any] | None = None) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)
        self.echo: Mapping[str, Any] = echo or {}


class CallRefused(Refusal):
    """The whole call is refused with Xero's numbered exception body."""

    def __init__(self, number: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.kind = kind
        self.message = message

    def body(self) -> dict[str, Any]:
        """The JSON body of this refusal."""
        return {"ErrorNumber": self.number, "Type": self.kind, "Message": self.message}


def validation(message: str) -> CallRefused:
    """ErrorNumber 10 without elements."""
    return CallRefused(10, "ValidationException", message)


def post_data_invalid(message: str) -> CallRefused:
    """ErrorNumber 14: JSON, an enum or a type is wrong."""
    return CallRefused(14, "PostDataInvalidException", message)


def query_invalid(message: str) -> CallRefused:
    """ErrorNumber 16: `where`, `order` or another query value cannot be understood."""
    return CallRefused(16, "QueryParseException", message)


def no_data() -> CallRefused:
    """ErrorNumber 17: nothing to work on in the body."""
    return CallRefused(
        17,
        "NoDataProcessedException",
        "No data has been processed for this endpoint. This endpoint is expecting "
        "data to be specified in the request body.",
    )


class NotFound(Refusal):
    """The id is not in this organisation; the answer is HTML, as recorded."""

    status = 404
    text = "The resource you're looking for cannot be found"


class NotAllowed(Refusal):
    """The verb does not exist on this path."""

    status = 405


class NotImplementedHere(Refusal):
    """The endpoint exists at Xero and not in this sandbox."""

    status = 501


class TooLarge(Refusal):
    """The request body is larger than Xero takes."""

    status = 413


class WrongMediaType(Refusal):
    """The body's Content-Type cannot be read here."""

    status = 415


class AccessRefused(Refusal):
    """401 or 403 in Xero's problem shape."""

    def __init__(self, status: int, detail: str, *, challenge: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.challenge = challenge

    def body(self, instance: str) -> dict[str, Any]:
        """The problem-like body, with a fresh instance id."""
        title = PROBLEM_TITLES[self.status]
        return {
            "Type": None,
            "Title": title,
            "Status": self.status,
            "Detail": self.detail,
            "Instance": instance,
            "Extensions": {},
        }
