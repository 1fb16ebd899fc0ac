"""The kernel's parts: ledger, clock, store, faults, limits, JSON, launch."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sandbox
from sandbox.kernel import wire
from sandbox.kernel.clock import MovableClock
from sandbox.kernel.faults import FaultBook, RequestFacts
from sandbox.kernel.ledger import Ledger, LedgerBugError, Posting
from sandbox.kernel.limits import LimitRule, Limits, TokenBucket
from sandbox.kernel.requestlog import RequestEntry, RequestLog
from sandbox.kernel.store import Store

D = Decimal
DAY = date(2026, 3, 1)


def post(ledger: Ledger, document: str, amount: str, *, on: date = DAY, party: str | None = None) -> None:
    ledger.post(document, on=on, postings=(Posting("ar", D(amount), party), Posting("income", -D(amount))))


# --- ledger -------------------------------------------------------------------------------------------------


def test_an_entry_that_does_not_balance_is_a_bug() -> None:
    ledger = Ledger()
    with pytest.raises(LedgerBugError, match="invoice:1 does not balance"):
        ledger.post("invoice:1", on=DAY, postings=[Posting("ar", D(10)), Posting("income", D(-9))])
    assert ledger.trial_balance() == {}


def test_posting_again_replaces_and_unposting_removes() -> None:
    ledger = Ledger()
    post(ledger, "invoice:1", "10.10", party="c1")
    post(ledger, "invoice:1", "7.05", party="c1")
    assert (ledger.balance("ar"), ledger.party_balance("ar", "c1")) == (D("7.05"), D("7.05"))
    ledger.unpost("invoice:1")
    assert ledger.trial_balance() == {}
    assert ledger.check().is_balanced


def test_balances_can_be_asked_for_a_date_or_a_period() -> None:
    ledger = Ledger()
    post(ledger, "a", "10", on=date(2026, 1, 31))
    post(ledger, "b", "5", on=date(2026, 2, 1))
    assert ledger.balance("ar", as_of=date(2026, 1, 31)) == 10
    assert ledger.trial_balance(start=date(2026, 2, 1)) == {"ar": D(5), "income": D(-5)}


@given(
    st.lists(st.tuples(st.dates(date(2025, 1, 1), date(2026, 12, 31)), st.integers(1, 10_000)), max_size=40),
    st.data(),
)
def test_a_period_is_the_sum_of_its_entries_wherever_it_begins_and_ends(
    entries: list[tuple[date, int]], data: st.DataObject
) -> None:
    ledger = Ledger()
    for place, (on, amount) in enumerate(entries):
        post(ledger, f"d{place % 30}", str(amount), on=on)
    edge = st.none() | st.dates(date(2024, 12, 1), date(2027, 1, 31))
    start, end = data.draw(edge), data.draw(edge)
    expected = sum(
        (
            p.amount
            for e in ledger.entries("ar", start=start, end=end)
            for p in e.postings
            if p.account == "ar"
        ),
        D(0),
    )
    assert ledger.trial_balance(start=start, end=end).get("ar", D(0)) == expected
    assert ledger.check().is_balanced


def test_the_check_notices_a_balance_that_is_not_the_sum_of_its_postings() -> None:
    ledger = Ledger()
    post(ledger, "a", "10")
    ledger._accounts["ar"] = D(11)
    assert ledger.check().problems == ("account ar shows 11 but its postings sum to 10",)


# --- clock --------------------------------------------------------------------------------------------------


def test_the_clock_moves_freezes_and_runs_faster() -> None:
    real = [1000.0]
    clock = MovableClock(source=lambda: real[0])
    clock.move_to(datetime(2026, 5, 1, tzinfo=UTC))
    real[0] += 10
    assert clock.now() == datetime(2026, 5, 1, 0, 0, 10, tzinfo=UTC)
    clock.set_scale(60)
    real[0] += 10
    assert clock.now() == datetime(2026, 5, 1, 0, 10, 10, tzinfo=UTC)
    clock.freeze()
    real[0] += 10
    clock.shift(-10)
    assert clock.now() == datetime(2026, 5, 1, 0, 10, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match="offset"):
        clock.move_to(datetime(2026, 5, 1))  # noqa: DTZ001 - the mistake under test


# --- store --------------------------------------------------------------------------------------------------


def test_a_failed_transaction_leaves_nothing_and_a_nested_one_fails_alone() -> None:
    seen: list[tuple[str, Any]] = []
    store = Store(listener=lambda _table, key, _old, new: seen.append((key, new)))
    with store.transaction():
        store.put("t", "a", 1)
        with pytest.raises(KeyError), store.transaction():
            store.put("t", "a", 2)
            store.put("t", "b", 3)
            raise KeyError
    assert dict(store.rows("t")) == {"a": 1}
    assert seen == [("a", 1), ("a", 2), ("b", 3), ("b", None), ("a", 1)]
    with pytest.raises(AssertionError, match="outside a transaction"):
        store.put("t", "c", 1)


def test_what_was_committed_is_there_after_reopening_in_order_of_first_entry(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    with store.transaction():
        store.put("t", "b", {"amount": D("0.10")})
        store.put("t", "a", {"amount": D(2)})
    with store.transaction():
        store.put("t", "b", {"amount": D("0.30")})
        store.remove("t", "a")
        store.put("t", "c", {"amount": D(1)})
    store.close()
    again = Store(folder=tmp_path)
    assert again.load() == 2
    assert [(key, value["amount"]) for key, value in again.rows("t").items()] == [
        ("b", D("0.3")),
        ("c", D(1)),
    ]
    again.close()


def test_a_snapshot_outlives_the_process_when_there_is_a_folder(tmp_path: Path) -> None:
    store = Store(folder=tmp_path)
    with store.transaction():
        store.put("t", "a", 1)
    store.take_snapshot("one")
    with store.transaction():
        store.put("t", "a", 2)
    store.close()
    again = Store(folder=tmp_path)
    again.load()
    assert again.snapshot_names() == ["one"]
    assert again.restore_snapshot("one") == 1
    assert again.get("t", "a") == 1
    again.close()
    third = Store(folder=tmp_path)
    third.load()
    assert third.get("t", "a") == 1
    third.close()


# --- faults and limits ------------------------------------------------------------------------------------------


def test_a_rule_fires_from_its_nth_match_as_often_as_it_says() -> None:
    book = FaultBook()
    rule = book.add(
        {"kind": "slow", "method": "post", "path": "/v3/*/bill", "nth": 2, "count": 1, "seconds": 0}
    )
    facts = RequestFacts("POST", "/v3/company/1/bill")
    assert [book.choose(facts) for _ in range(3)] == [None, rule, None]
    assert book.choose(RequestFacts("GET", "/v3/company/1/bill")) is None


@pytest.mark.parametrize("wrong", [{"kind": "x"}, {"kind": "slow", "count": 0}, {"kind": "slow", "seconds": -1},
                                   {"kind": "slow", "colour": 1}, {"kind": "slow", "path": 5}])  # fmt: skip
def test_a_wrong_rule_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w+.*\."):
        FaultBook().add(wrong)


def test_a_moving_window_refuses_the_call_too_many_until_the_first_one_is_old() -> None:
    clock = MovableClock(source=lambda: 0.0)
    limits = Limits(clock, [LimitRule("calls", 2, 60)], is_enabled=True)
    assert [limits.take("calls", "a") for _ in range(2)] == [0, 0]
    assert limits.take("calls", "a") == 60
    assert limits.take("calls", "b") == 0
    clock.shift(60)
    assert limits.take("calls", "a") == 0
    assert limits.describe()["limits"]["calls"]["used"]["a"] == 1


def test_a_token_bucket_allows_a_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3)
    assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.5) == 0


def test_the_request_log_forgets_the_oldest_but_keeps_counting() -> None:
    log = RequestLog(entries_max=2)
    for n in range(3):
        log.add(RequestEntry("now", "GET", f"/{n}", ""))
    assert ([entry.path for entry in log.recent()], log.total) == (["/2", "/1"], 3)


# --- json and launch ------------------------------------------------------------------------------------------


def test_amounts_pass_through_json_exactly() -> None:
    assert wire.loads(b'{"a": 0.10}') == {"a": D("0.10")}
    assert wire.dumps({"a": D("1200.00"), "b": wire.money(D("1200.00"))}) == b'{"a":1200.00,"b":1200}'
    assert str(wire.money(D("1E+3"))) == "1000"


@pytest.mark.parametrize("text", [b"{", b"nan", b"\xff", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"])
def test_bad_json_is_told_not_thrown(text: bytes) -> None:
    with pytest.raises(wire.BadJsonError):
        wire.loads(text)


def test_an_unknown_sandbox_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Choose one of: quickbooks, xero"):
        sandbox.build("sage")
