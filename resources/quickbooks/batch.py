"""Sends writes in batches, so that a replay is harmless and one bad record does not stop the others.

QuickBooks recognises a repeated batch item by the batch's request id and the item's own id together. The batch's is
always the same and the item's comes from the write's request id alone: whatever company a write travels in the second
time, it is recognised. For that reason a single write goes as a batch of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.client import Client
from resources.quickbooks.faults import Fault, fault_in
from resources.quickbooks.write import Request
from sync.errors import AccessExpired, NotBegun, OutcomeUnknown, ProviderUnavailable, RateLimited, SyncError
from sync.ports import NotSent, Unknown, Write, WriteOutcome, begin_by

Json = dict[str, Any]

BATCH_ITEMS_MAX = 30
BATCH_REQUEST_ID = "tieout"
ITEM_ID_LENGTH = 10
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

Prepared = tuple[Write, Request]


class Sender:
    """Sends prepared writes and returns one outcome each."""

    def __init__(
        self,
        client: Client,
        *,
        confirmed: Callable[[Write, Json], WriteOutcome],
        refused: Callable[[Write, Fault], WriteOutcome],
        failed: Callable[[Write, SyncError], WriteOutcome],
    ) -> None:
        self._client = client
        self._confirmed = confirmed
        self._refused = refused
        self._failed = failed

    def send(self, prepared: Sequence[Prepared]) -> list[WriteOutcome]:
        """Send all; raises RateLimited, AccessExpired or ProviderUnavailable only while nothing was sent yet.

        Once something was, what is left is reported as not sent, so that no outcome is lost.
        """
        outcomes: list[WriteOutcome] = []
        groups = _groups(prepared)
        for group in groups:
            if any(isinstance(outcome, Unknown) for outcome in outcomes):
                # QuickBooks is in trouble: more of the same would only be more to look up.
                outcomes += [_not_sent() for _ in group]
                continue
            try:
                outcomes += self._single(*group[0]) if group[0][1].is_single else self._batch(group)
            except NotBegun as error:
                outcomes += [NotSent(error) for _ in group]
            except (RateLimited, AccessExpired, ProviderUnavailable) as error:
                if not outcomes:
                    raise
                outcomes += [NotSent(error) for _ in group]
        return outcomes

    def _single(self, write: Write, request: Request) -> list[WriteOutcome]:
        params = {**request.params, "requestid": write.request_id}
        try:
            answer = self._client.send(
                request.name.lower(), request.body, params=params, label=write.label, begin_by=write.begin_by
            )
        except (RateLimited, AccessExpired, ProviderUnavailable):
            raise
        except OutcomeUnknown as error:
            return [Unknown(str(error.details.get("reason") or "no confirmation"))]
        except SyncError as error:
            return [self._failed(write, error)]
        return [self._confirmed(write, answer[request.name])]

    def _batch(self, group: Sequence[Prepared]) -> list[WriteOutcome]:
        label = group[0][0].label if len(group) == 1 else f"{len(group)} records"
        body = {"BatchItemRequest": [_item(write, request) for write, request in group]}
        try:
            answer = self._client.send(
                "batch",
                body,
                params={"requestid": BATCH_REQUEST_ID},
                label=label,
                begin_by=begin_by(write for write, _ in group),
            )
        except (RateLimited, AccessExpired, ProviderUnavailable):
            raise
        except OutcomeUnknown as error:
            reason = str(error.details.get("reason") or "no confirmation")
            return [Unknown(reason) for _ in group]
        except SyncError as error:
            # The whole call was refused because of one record that nobody names: find it by halving.
            if len(group) == 1:
                return [self._failed(group[0][0], error)]
            middle = len(group) // 2
            return self._halves(group[:middle], group[middle:])
        answers = {str(item.get("bId")): item for item in answer.get("BatchItemResponse") or ()}
        return [
            self._outcome(write, request, answers.get(item_id(write.request_id))) for write, request in group
        ]

    def _halves(self, first: Sequence[Prepared], second: Sequence[Prepared]) -> list[WriteOutcome]:
        outcomes = self._batch(first)
        try:
            return outcomes + self._batch(second)
        except (RateLimited, AccessExpired, ProviderUnavailable) as error:
            return outcomes + [NotSent(error) for _ in second]

    def _outcome(self, write: Write, request: Request, item: Json | None) -> WriteOutcome:
        if item is None:
            return Unknown("QuickBooks' answer does not mention it")
        fault = fault_in(item)
        if fault is not None:
            return self._refused(write, fault)
        found = item.get(request.name)
        if not isinstance(found, dict):
            return Unknown("QuickBooks' answer does not hold it")
        return self._confirmed(write, found)


def item_id(request_id: str) -> str:
    """Return the batch item's id of a write: ten letters that depend on its request id only."""
    number = int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:16], "big")
    letters = []
    for _ in range(ITEM_ID_LENGTH):
        number, place = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)


def _item(write: Write, request: Request) -> Json:
    item: Json = {"bId": item_id(write.request_id), "operation": request.verb, request.name: request.body}
    if request.options:
        item["optionsData"] = request.options
    return item


def _groups(prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    """Batches of at most 30 in the order given; what cannot travel in one stands alone."""
    groups: list[list[Prepared]] = []
    for one in prepared:
        is_open = groups and len(groups[-1]) < BATCH_ITEMS_MAX and not groups[-1][0][1].is_single
        if is_open and not one[1].is_single:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _not_sent() -> NotSent:
    return NotSent(NotBegun(provider=TITLE, reason="it did not confirm what was sent before"))
