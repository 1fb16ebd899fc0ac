"""Sends writes in lists of one kind, and tells each element's outcome apart.

A list travels under one Idempotency-Key made of all its request ids and its body, a single write under its own request
id: inside Xero's memory of some minutes the same list is answered again and not carried out again. Beyond that a write
is found again by number, reference or mark before anything is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import simplejson

from resources.xero.client import Client, rows_in
from resources.xero.faults import element_messages, is_refused, refusal
from resources.xero.words import TITLE
from resources.xero.write import Element
from sync.errors import AccessExpired, NotBegun, OutcomeUnknown, ProviderUnavailable, RateLimited, SyncError
from sync.ports import NotSent, Rejected, Unknown, Write, WriteOutcome, begin_by

Json = dict[str, Any]

ELEMENTS_MAX = 50
UNSEEN = "Xero did not let us look what it kept"
_ACCOUNTS = "Accounts"
# What has prices; Xero's description knows the parameter `unitdp` nowhere else.
_PRICED = frozenset({"Invoices"})

Prepared = tuple[Write, Element]


class Sender:
    """Sends prepared writes and returns one outcome each."""

    def __init__(
        self,
        client: Client,
        *,
        confirmed: Callable[[Write, Element, Json], WriteOutcome],
        failed: Callable[[Write, SyncError], WriteOutcome],
        present: Callable[[Write], WriteOutcome | None],
    ) -> None:
        """`present` looks whether a create that was part of a refused list is in the ledger all the same."""
        self._client = client
        self._confirmed = confirmed
        self._failed = failed
        self._present = present

    def send(self, prepared: Sequence[Prepared]) -> list[WriteOutcome]:
        """Send all; raises RateLimited, AccessExpired or ProviderUnavailable only while nothing was sent yet.

        Once something was, what is left is reported as not sent, so that no outcome is lost.
        """
        outcomes: dict[int, WriteOutcome] = {}
        for group in _groups(prepared):
            writes = [prepared[place] for place in group]
            if any(isinstance(outcome, Unknown) for outcome in outcomes.values()):
                # Xero is in trouble: more of the same would only be more to look up.
                outcomes |= {place: _not_sent() for place in group}
                continue
            try:
                outcomes |= dict(zip(group, self._list(writes), strict=True))
            except NotBegun as error:
                outcomes |= {place: NotSent(error) for place in group}
            except (RateLimited, AccessExpired, ProviderUnavailable) as error:
                if not outcomes:
                    raise
                outcomes |= {place: NotSent(error) for place in group}
        return [outcomes[place] for place in range(len(prepared))]

    def _list(self, group: Sequence[Prepared]) -> list[WriteOutcome]:
        first = group[0][1]
        label = group[0][0].label if len(group) == 1 else f"{len(group)} records"
        body = _body([element for _, element in group])
        try:
            answer = self._client.send(
                first.method,
                first.path,
                body,
                key=_key(group, body),
                params=_params(first),
                label=label,
                begin_by=begin_by(write for write, _ in group),
            )
        except (RateLimited, AccessExpired, ProviderUnavailable):
            raise
        except OutcomeUnknown as error:
            reason = str(error.details.get("reason") or "no confirmation")
            return [Unknown(reason) for _ in group]
        except SyncError as error:
            # The whole call was refused because of one element that nobody names: find it by halving.
            return [self._failed(group[0][0], error)] if len(group) == 1 else self._halves(group)
        rows = rows_in(answer, first.resource)
        if len(rows) != len(group):
            return [Unknown("its answer does not mention every record") for _ in group]
        return [self._told(write, element, row) for (write, element), row in zip(group, rows, strict=True)]

    def _told(self, write: Write, element: Element, row: Json) -> WriteOutcome:
        """Return the outcome of an element that Xero answered, also where a further call for it cannot be made."""
        try:
            return self._outcome(write, element, row)
        except (RateLimited, AccessExpired, ProviderUnavailable) as error:
            # What was refused may be tried again; what was kept must never count as not sent.
            return Rejected(error) if is_refused(row) else Unknown(UNSEEN)

    def _halves(self, group: Sequence[Prepared]) -> list[WriteOutcome]:
        """Send a refused list again in parts; what Xero kept of it in spite of the refusal is found first."""
        outcomes: dict[int, WriteOutcome] = {}
        for place, (write, element) in enumerate(group):
            try:
                found = self._present(write) if element.method == "PUT" else None
            except SyncError:
                # Xero may have kept any of those it was not asked about, and they may not be sent again before.
                return [outcomes.get(one) or Unknown(UNSEEN) for one in range(len(group))]
            if found is not None:
                outcomes[place] = found
        rest = [place for place in range(len(group)) if place not in outcomes]
        middle = (len(rest) + 1) // 2
        for part in (rest[:middle], rest[middle:]):
            if not part:
                continue
            try:
                outcomes |= dict(zip(part, self._list([group[place] for place in part]), strict=True))
            except (RateLimited, AccessExpired, ProviderUnavailable) as error:
                outcomes |= {place: NotSent(error) for place in part}
        return [outcomes[place] for place in range(len(group))]

    def _outcome(self, write: Write, element: Element, row: Json) -> WriteOutcome:
        if not element.is_about(row):
            return Unknown("its answer tells of another record in this place")
        if is_refused(row):
            messages = element_messages(row) or ["no reason was given"]
            return self._failed(write, refusal(messages, label=write.label, date=write.canonical.get("date")))
        return self._confirmed(write, element, row)


def _body(elements: Sequence[Element]) -> Json:
    """One object where Xero wants one, else a list under its resource's name."""
    first = elements[0]
    is_one = first.resource == _ACCOUNTS if "/" not in first.path else first.resource != _ACCOUNTS
    return dict(first.body) if is_one else {first.resource: [element.body for element in elements]}


def _params(first: Element) -> dict[str, str]:
    """A list says of each element whether it was kept; a call about one account or one id has no such choice."""
    if "/" in first.path or first.path == _ACCOUNTS:
        return {}
    prices = {"unitdp": "4"} if first.resource in _PRICED else {}
    return {"summarizeErrors": "false", **prices}


def _key(group: Sequence[Prepared], body: Json) -> str:
    if len(group) == 1:
        return group[0][0].request_id
    text = "|".join(write.request_id for write, _ in group) + simplejson.dumps(
        body, use_decimal=True, sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _groups(prepared: Sequence[Prepared]) -> list[list[int]]:
    """Lists of at most 50 of one kind, in the order given; what Xero takes singly stands alone."""
    groups: list[list[int]] = []
    open_groups: dict[tuple[str, str], list[int]] = {}
    for place, (_, element) in enumerate(prepared):
        kind = (element.method, element.path)
        found = open_groups.get(kind)
        if element.is_single or found is None or len(found) >= ELEMENTS_MAX:
            found = []
            groups.append(found)
            if not element.is_single:
                open_groups[kind] = found
        found.append(place)
    return groups


def _not_sent() -> NotSent:
    return NotSent(NotBegun(provider=TITLE, reason="it did not confirm what was sent before"))
