"""Lists of writes: each row of an answer is taken for the record that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from resources.xero.batch import Sender
from resources.xero.client import Client
from resources.xero.write import Element
from sync.ports import Done, Rejected, Unknown, Write, WriteOutcome
from sync.records import Entity, RemoteRecord

Json = dict[str, Any]


class FakeClient:
    """Answers every list by a function of its elements."""

    def __init__(self, answer: Callable[[list[Json]], list[Json]]) -> None:
        self.answer = answer

    def send(self, method: str, path: str, body: Json, **_more: Any) -> Json:
        return {path.partition("/")[0]: self.answer(body[path.partition("/")[0]])}


def changes(*ids: str) -> list[tuple[Write, Element]]:
    return [
        (
            Write(Entity.BILL, "update", {}, f"request {one}", "mark", f"Bill {one}", remote_id=one),
            Element("POST", "Invoices", {"InvoiceID": one}, "InvoiceID"),
        )
        for one in ids
    ]


def sent(
    answer: Callable[[list[Json]], list[Json]], prepared: list[tuple[Write, Element]]
) -> list[WriteOutcome]:
    sender = Sender(
        cast("Client", FakeClient(answer)),
        confirmed=lambda write, _element, row: Done(
            RemoteRecord(write.entity, str(row["InvoiceID"]), "1", "active", {}, write.label, None)
        ),
        failed=lambda _write, error: Rejected(error),
        present=lambda _write: None,
    )
    return sender.send(prepared)


def refused(element: Json) -> Json:
    errors = [{"Message": "The number is taken"}]
    return element | {"StatusAttributeString": "ERROR", "ValidationErrors": errors}


def test_changes_answered_in_another_order_are_unknown_and_not_taken_for_each_other() -> None:
    outcomes = sent(lambda elements: elements[::-1], changes("a", "b", "c"))
    assert [type(one) for one in outcomes] == [Unknown, Done, Unknown]


def test_a_refusal_in_the_place_of_another_change_is_not_blamed_on_it() -> None:
    def answer(elements: list[Json]) -> list[Json]:
        return [elements[1], refused(elements[0])]

    outcomes = sent(answer, changes("a", "b"))
    assert [type(one) for one in outcomes] == [Unknown, Unknown]


def test_a_refusal_that_names_no_record_is_of_the_change_in_its_place() -> None:
    outcomes = sent(lambda elements: [elements[0], refused({})], changes("a", "b"))
    assert [type(one) for one in outcomes] == [Done, Rejected]


def test_an_id_is_the_same_in_small_and_in_large_letters() -> None:
    outcomes = sent(
        lambda elements: [{"InvoiceID": one["InvoiceID"].upper()} for one in elements], changes("a")
    )
    assert [type(one) for one in outcomes] == [Done]
