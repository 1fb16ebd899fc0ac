"""The change order behind If-Modified-Since, and the codec behind the file, against simple models."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.kernel.store import Store
from sandbox.xero.codec import DocumentCodec
from sandbox.xero.table import Table

START = datetime(2026, 1, 1, tzinfo=UTC)


class Failed(Exception):
    """Makes a transaction roll back."""


def build() -> tuple[Store, Table]:
    tables: list[Table] = []
    store = Store(listener=lambda table, key, old, new: tables[0].heard(key, old, new))
    tables.append(Table(store, prefix="org/", name="Things", indexes={"color": lambda doc: [doc["Color"]]}))
    return store, tables[0]


MOVES = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 20), st.sampled_from(["keep", "fail", "remove"])), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(moves=MOVES, since=st.integers(-1, 21), is_inclusive=st.booleans())
def test_a_page_cut_from_the_change_order_is_what_sorting_would_give(
    *, moves: list[tuple[int, int, str]], since: int, is_inclusive: bool
) -> None:
    store, table = build()
    model: dict[str, datetime] = {}
    for key, minute, what in moves:
        name, moment = f"k{key}", START + timedelta(minutes=minute)
        try:
            with store.transaction():
                if what == "remove":
                    table.remove(name)
                    model.pop(name, None)
                else:
                    table.put(name, {"UpdatedDateUTC": moment, "Color": f"c{minute % 3}", "Key": name})
                    if what == "fail":
                        raise Failed
                    model[name] = moment
        except Failed:
            pass
    cut = START + timedelta(minutes=since)
    wanted = sorted(
        (moment, name) for name, moment in model.items() if moment > cut or (is_inclusive and moment == cut)
    )
    listed = [doc["Key"] for doc in table.changed(since=cut, is_inclusive=is_inclusive)]
    part, count = table.window(since=cut, is_inclusive=is_inclusive, offset=1, size=3)
    assert listed == [name for _, name in wanted]
    assert ([doc["Key"] for doc in part], count) == ([name for _, name in wanted][1:4], len(wanted))
    for color in ("c0", "c1", "c2"):
        held = {doc["Key"] for doc in table.find("color", color)}
        assert held == {name for name, doc in table.rows.items() if doc["Color"] == color}


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.dates()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
    | st.datetimes(timezones=st.just(UTC)).map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_document_comes_back_from_the_file_as_it_was_put(value: Any) -> None:
    codec = DocumentCodec()
    assert codec.decode("t", codec.encode("t", {"v": value})) == {"v": value}


def test_kinds_survive_the_file() -> None:
    codec = DocumentCodec()
    document = {"a": Decimal("10.0"), "b": date(2026, 1, 1), "c": START, "d": [Decimal("0.10")]}
    back = codec.decode("t", codec.encode("t", document))
    assert [type(back[name]) for name in "abc"] == [Decimal, date, datetime]
    assert str(back["a"]) == "10.0"
