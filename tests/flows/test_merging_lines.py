"""Documents that both sides changed: lines are merged by identity, kept from the side that touched them, or asked about."""

from __future__ import annotations

import pytest

from resources.store.database import Database
from sync.compare import Strategy
from sync.records import Canonical, Entity
from tests.fakes.world import World

Line = tuple[str, str, str, str]
COSTS, BANK = "Job Costs", "Checking"


@pytest.fixture
def world(database: Database) -> World:
    made = World(database)
    made.map_code()
    made.strategy = Strategy.MANUAL
    made.sync()
    return made


def _our_entry(world: World, lines: list[Line]) -> str:
    entry = world.add("v2_journal_entries", number="J-1", entry_date="2026-05-20", memo="Rent")
    _add_lines(world, entry, lines)
    world.change("v2_journal_entries", entry, status="posted")
    return entry


def _add_lines(world: World, entry: str, lines: list[Line], *, after: int = 0) -> None:
    accounts = dict(world.rows("select name, id from v2_accounts"))
    for position, (debit, credit, account, text) in enumerate(lines, after + 1):
        world.add(
            "v2_journal_entry_lines",
            journal_entry_id=entry,
            position=position,
            description=text,
            account_id=accounts[account],
            debit=debit,
            credit=credit,
        )


def _their_lines(world: World, lines: list[Line]) -> list[Canonical]:
    accounts = {each.canonical["name"]: each.remote_id for each in world.ledger.all(Entity.ACCOUNT)}
    return [
        {
            "id": f"{text or 'typed'}-{place}",
            "description": text,
            "debit": debit,
            "credit": credit,
            "account": accounts[account],
            "party_kind": None,
            "party": None,
        }
        for place, (debit, credit, account, text) in enumerate(lines)
    ]


def _texts(world: World) -> tuple[list[str], list[str]]:
    ours = world.rows("select description from v2_journal_entry_lines order by position")
    theirs = world.ledger.only(Entity.JOURNAL_ENTRY).canonical["lines"]
    return [text for (text,) in ours], [line["description"] for line in theirs]


ALIKE: list[Line] = [
    ("100.00", "0.00", COSTS, "Yard"),
    ("0.00", "100.00", BANK, "Cheque 1"),
    ("100.00", "0.00", COSTS, "Office"),
    ("0.00", "100.00", BANK, "Cheque 2"),
]


def _entry_of_lines_that_nobody_tells_apart(world: World) -> tuple[str, str]:
    """The same entry was typed on both sides with other words, so that no line is known to be one of the other side."""
    entry = _our_entry(world, ALIKE)
    typed = [(debit, credit, account, "") for debit, credit, account, _ in ALIKE]
    remote = world.ledger.enter(
        Entity.JOURNAL_ENTRY,
        {
            "number": "J-1",
            "date": "2026-05-20",
            "currency": "USD",
            "memo": "Rent",
            "lines": _their_lines(world, typed),
        },
    )
    world.sync()
    assert world.queue("conflict") == []
    return entry, remote


def test_merging_a_memo_with_a_date_doubled_the_lines_of_an_entry_found_on_both_sides(world: World) -> None:
    entry, remote = _entry_of_lines_that_nobody_tells_apart(world)
    world.change("v2_journal_entries", entry, memo="Rent of June")
    world.ledger.edit(Entity.JOURNAL_ENTRY, remote, date="2026-05-22")
    world.sync()
    world.sync()
    ours, theirs = _texts(world)
    assert ours == ["Yard", "Cheque 1", "Office", "Cheque 2"]
    assert len(theirs) == 4
    assert str(world.value("select entry_date from v2_journal_entries")) == "2026-05-22"
    assert world.ledger.only(Entity.JOURNAL_ENTRY).canonical["memo"] == "Rent of June"


def test_lines_that_nobody_tells_apart_come_whole_from_the_side_that_touched_them(world: World) -> None:
    entry, remote = _entry_of_lines_that_nobody_tells_apart(world)
    world.change("v2_journal_entries", entry, memo="Rent of June")
    first, *others = world.ledger.only(Entity.JOURNAL_ENTRY).canonical["lines"]
    world.ledger.edit(Entity.JOURNAL_ENTRY, remote, lines=[{**first, "description": "Yard, 2nd"}, *others])
    world.sync()
    world.sync()
    assert _texts(world) == (["Yard, 2nd", "", "", ""], ["Yard, 2nd", "", "", ""])
    assert world.ledger.only(Entity.JOURNAL_ENTRY).canonical["memo"] == "Rent of June"


def test_lines_that_nobody_tells_apart_and_both_sides_touched_are_a_conflict(world: World) -> None:
    entry, remote = _entry_of_lines_that_nobody_tells_apart(world)
    world.run("update v2_journal_entry_lines set description = 'Shed' where position = 1")
    world.change("v2_journal_entries", entry, memo="Rent of June")
    first, *others = world.ledger.only(Entity.JOURNAL_ENTRY).canonical["lines"]
    world.ledger.edit(Entity.JOURNAL_ENTRY, remote, lines=[*others, {**first, "description": "Yard, 2nd"}])
    assert world.sync().count(Entity.JOURNAL_ENTRY, "conflict") == 1
    ours, theirs = _texts(world)
    assert (len(ours), len(theirs)) == (4, 4)


def test_the_same_accrual_added_on_both_sides_in_other_words_was_booked_twice(world: World) -> None:
    entry = _our_entry(world, ALIKE[:2])
    world.sync()
    remote = world.ledger.only(Entity.JOURNAL_ENTRY)
    _add_lines(
        world, entry, [("50.00", "0.00", COSTS, "Accrual"), ("0.00", "50.00", BANK, "Accrual")], after=2
    )
    world.change("v2_journal_entries", entry, memo="With accrual")
    added = _their_lines(world, [("50.00", "0.00", COSTS, "May"), ("0.00", "50.00", BANK, "May")])
    world.ledger.edit(Entity.JOURNAL_ENTRY, remote.remote_id, lines=[*remote.canonical["lines"], *added])
    assert world.sync().count(Entity.JOURNAL_ENTRY, "conflict") == 1
    ours, theirs = _texts(world)
    assert (len(ours), len(theirs)) == (4, 4)


def test_a_quantity_that_the_bookkeeper_gave_a_line_was_lost_when_a_memo_was_merged(world: World) -> None:
    bill = world.bill(world.vendor(), amounts=("100.00",))
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    line = {**remote.canonical["lines"][0], "quantity": "4", "unit_price": "25.00"}
    world.ledger.edit(Entity.BILL, remote.remote_id, lines=[line])
    world.change("v2_bills", bill, memo="Second floor")
    world.sync()
    world.sync()
    kept = world.ledger.only(Entity.BILL).canonical
    assert (kept["memo"], kept["lines"][0]["quantity"], kept["lines"][0]["unit_price"]) == (
        "Second floor",
        "4.00",
        "25.00",
    )
    ((quantity, price),) = world.rows(
        "select quantity, unit_price from v2_bill_lines where bill_id = %s", bill
    )
    assert (f"{quantity:.0f}", f"{price:.2f}") == ("4", "25.00")


def test_the_same_new_due_date_on_both_sides_was_a_reason_to_ask_about_something_else(world: World) -> None:
    bill = world.bill(world.vendor())
    world.sync()
    remote = world.ledger.only(Entity.BILL)
    world.ledger.edit(Entity.BILL, remote.remote_id, due_date="2026-06-30")
    world.change("v2_bills", bill, due_date="2026-06-30", memo="Second floor")
    assert world.sync().count(Entity.BILL, "conflict") == 0
    kept = world.ledger.only(Entity.BILL).canonical
    assert (kept["due_date"], kept["memo"]) == ("2026-06-30", "Second floor")
