"""Batches: one outcome per write whatever happens on the way, and none of them lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import pytest

from resources.quickbooks.batch import BATCH_ITEMS_MAX, BATCH_REQUEST_ID, Sender, item_id
from resources.quickbooks.client import Client
from resources.quickbooks.faults import Fault, error_of
from resources.quickbooks.write import Request
from sync.errors import AccessExpired, OutcomeUnknown, ProviderUnavailable, RateLimited, SyncError
from sync.ports import Done, Moved, NotSent, Rejected, Unknown, Write, WriteOutcome
from sync.records import Entity, RemoteRecord
from tests.providers.quickbooks.writes import a_name, create

Json = dict[str, Any]


class FakeClient:
    """Answers every call by a function of its number and body."""

    def __init__(self, answer: Callable[[int, Json], Json]) -> None:
        self.answer = answer
        self.sent: list[tuple[str, Json, dict[str, str]]] = []

    def send(
        self, path: str, body: Json, *, params: dict[str, str], label: str, begin_by: datetime | None = None
    ) -> Json:
        del label, begin_by
        self.sent.append((path, body, params))
        return self.answer(len(self.sent), body)


def confirm(_call: int, body: Json) -> Json:
    return {
        "BatchItemResponse": [
            {"bId": item["bId"], "Vendor": item["Vendor"]} for item in body["BatchItemRequest"]
        ]
    }


def sent(
    answer: Callable[[int, Json], Json], writes: list[Write], **request: Any
) -> tuple[list[WriteOutcome], FakeClient]:
    client = FakeClient(answer)

    def failed(write: Write, error: SyncError) -> WriteOutcome:
        return Moved(write.label) if error.code == "provider.version_moved" else Rejected(error)

    sender = Sender(
        cast("Client", client),
        confirmed=lambda write, body: Done(a_record(body["DisplayName"])),
        refused=lambda write, fault: failed(write, error_of(fault, label=write.label, is_write=True)),
        failed=failed,
    )
    prepared = [
        (write, Request("Vendor", "create", {"DisplayName": write.label}, **request)) for write in writes
    ]
    return sender.send(prepared), client


def a_record(name: str) -> RemoteRecord:
    return RemoteRecord("vendor", name, "0", "active", {}, name, None)


def some_writes(count: int) -> list[Write]:
    return [create(Entity.VENDOR, a_name(f"V{number}"), label=f"V{number}") for number in range(count)]


def names(outcomes: list[WriteOutcome]) -> list[str]:
    return [
        outcome.record.label if isinstance(outcome, Done) else type(outcome).__name__ for outcome in outcomes
    ]


def test_an_items_id_depends_on_the_write_alone() -> None:
    writes = some_writes(3)
    _, first = sent(confirm, writes)
    _, second = sent(confirm, writes[::-1])
    ids = {item["bId"]: item["Vendor"]["DisplayName"] for item in first.sent[0][1]["BatchItemRequest"]}
    assert ids == {
        item["bId"]: item["Vendor"]["DisplayName"] for item in second.sent[0][1]["BatchItemRequest"]
    }
    assert first.sent[0][2] == {"requestid": BATCH_REQUEST_ID}
    assert all(len(one) == 10 and one.isalnum() for one in ids)


def test_ids_of_many_writes_differ() -> None:
    assert len({item_id(f"{number:032x}") for number in range(20_000)}) == 20_000


def test_answers_are_told_apart_by_id_and_not_by_order() -> None:
    def shuffled(call: int, body: Json) -> Json:
        return {"BatchItemResponse": confirm(call, body)["BatchItemResponse"][::-1]}

    outcomes, _ = sent(shuffled, some_writes(5))
    assert names(outcomes) == ["V0", "V1", "V2", "V3", "V4"]


def test_no_batch_holds_more_than_quickbooks_takes() -> None:
    _, client = sent(confirm, some_writes(65))
    assert [len(body["BatchItemRequest"]) for _, body, _ in client.sent] == [
        BATCH_ITEMS_MAX,
        BATCH_ITEMS_MAX,
        5,
    ]


def test_an_item_the_answer_does_not_mention_is_unknown() -> None:
    def forgetful(call: int, body: Json) -> Json:
        return {"BatchItemResponse": confirm(call, body)["BatchItemResponse"][1:]}

    outcomes, _ = sent(forgetful, some_writes(3))
    assert names(outcomes) == ["Unknown", "V1", "V2"]


@pytest.mark.parametrize(
    "answer", [{}, {"BatchItemResponse": None}, {"BatchItemResponse": [{"bId": "other"}]}]
)
def test_an_answer_that_makes_no_sense_leaves_all_unknown(answer: Json) -> None:
    outcomes, _ = sent(lambda _call, _body: answer, some_writes(2))
    assert names(outcomes) == ["Unknown", "Unknown"]


@pytest.mark.parametrize(
    "error",
    [
        RateLimited(provider="QuickBooks Online", wait_seconds=60),
        AccessExpired(provider="QuickBooks Online", reason="x"),
        ProviderUnavailable(provider="QuickBooks Online", reason="x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_trouble_before_anything_was_sent_is_raised_and_later_only_told(error: SyncError) -> None:
    def fails_at(call: int) -> Callable[[int, Json], Json]:
        def answer(number: int, body: Json) -> Json:
            if number == call:
                raise error
            return confirm(number, body)

        return answer

    with pytest.raises(type(error)):
        sent(fails_at(1), some_writes(40))
    outcomes, _ = sent(fails_at(2), some_writes(40))
    assert names(outcomes)[29:31] == ["V29", "NotSent"]
    last = outcomes[-1]
    assert isinstance(last, NotSent)
    assert last.error is error


def test_trouble_while_a_batch_is_halved_loses_no_outcome() -> None:
    def answer(call: int, body: Json) -> Json:
        if call == 1:
            raise error_of(Fault("2010", 400), label="40 records", is_write=True)
        if call == 2:
            return confirm(call, body)
        raise RateLimited(provider="QuickBooks Online", wait_seconds=60)

    outcomes, _ = sent(answer, some_writes(4))
    assert names(outcomes) == ["V0", "V1", "NotSent", "NotSent"]


def test_a_throttle_of_one_item_is_that_items_only() -> None:
    def answer(call: int, body: Json) -> Json:
        items = confirm(call, body)["BatchItemResponse"]
        fault = {"Error": [{"Message": "m", "Detail": "d", "code": "3001"}]}
        return {"BatchItemResponse": [{"bId": items[0]["bId"], "Fault": fault}, *items[1:]]}

    outcomes, _ = sent(answer, some_writes(3))
    assert names(outcomes) == ["Rejected", "V1", "V2"]
    first = outcomes[0]
    assert isinstance(first, Rejected)
    assert isinstance(first.error, RateLimited)


def test_a_call_of_its_own_carries_the_writes_own_request_id() -> None:
    [write] = some_writes(1)
    outcomes, client = sent(
        lambda _call, body: {"Vendor": body}, [write], is_single=True, params={"operation": "void"}
    )
    assert names(outcomes) == ["V0"]
    assert client.sent[0][0] == "vendor"
    assert client.sent[0][2] == {"operation": "void", "requestid": write.request_id}


def test_an_unconfirmed_call_of_its_own_is_unknown_and_stops_the_rest() -> None:
    def cut(_call: int, _body: Json) -> Json:
        raise OutcomeUnknown(provider="QuickBooks Online", label="x", reason="the connection was cut")

    outcomes, client = sent(cut, some_writes(2), is_single=True)
    assert isinstance(outcomes[0], Unknown)
    assert isinstance(outcomes[1], NotSent)
    assert len(client.sent) == 1
