"""What lines carry besides their account: options by list, tax codes, names, and what keeps as it is."""

from __future__ import annotations

from typing import Any

import pytest

from sync.dimensions import (
    OPTION_NAME_LENGTH_MAX,
    Dimension,
    DimensionTable,
    Option,
    OptionState,
    Place,
    Subject,
    check_dimensions,
    option_name,
    read_dimensions,
    shown_dimensions,
)
from sync.errors import DimensionMissing, InvalidSetting
from sync.records import Entity
from sync.tax_codes import TaxCode, check_tax_codes, tax_code_of

CLASS, ITEM = Place("class"), Place("item")
JOBS, CODES = Place("tracking", "Job"), Place("tracking", "Cost code")


def an_option(place: Place, subject: Subject, subject_id: str, *, state: OptionState = "ready") -> Option:
    return Option(
        place, subject, subject_id, label=f"the {subject_id}", name=subject_id, state=state,
        remote_id=f"r-{subject_id}", list_id=f"list-{place.category}",
    )  # fmt: skip


def table(*pairs: tuple[Subject, Place], state: OptionState = "ready") -> DimensionTable:
    found = [
        an_option(place, subject, "j" if subject == "job" else "c", state=state) for subject, place in pairs
    ]
    return DimensionTable(
        dimensions=[Dimension(subject, place) for subject, place in pairs],
        options={option.key: option for option in found},
        cost_types={"c": "Labor"},
        provider_title="The Ledger",
    )


def carried(found: DimensionTable, line: dict[str, Any], before: dict[str, Any] | None = None) -> Any:
    return found.of_line(line, before=before, label="Bill 1").get("dimensions", {})


LINE = {"job": "j", "code": "c", "role": "work"}


def test_a_new_line_carries_its_job_and_code() -> None:
    assert carried(table(("job", CLASS), ("cost_code", ITEM)), LINE) == {"class": "r-j", "item": "r-c"}
    assert carried(table(("job", JOBS), ("cost_code", CODES)), LINE) == {
        "tracking": [
            {"category": "list-Job", "option": "r-j"},
            {"category": "list-Cost code", "option": "r-c"},
        ]
    }


def test_a_line_without_a_job_or_code_carries_nothing() -> None:
    assert carried(table(("job", CLASS), ("cost_code", ITEM)), {"job": None, "code": None}) == {}


def test_a_line_that_was_sent_is_told_of_what_moved_and_of_nothing_else() -> None:
    both = table(("job", CLASS), ("cost_code", ITEM))
    assert carried(both, LINE, before=LINE) == {}
    assert carried(both, LINE, before=LINE | {"job": "k"}) == {"class": "r-j"}
    assert carried(both, LINE, before=LINE | {"code": "d"}) == {"item": "r-c"}
    assert carried(both, LINE, before={"code": "c", "role": "work"}) == {}, (
        "an old base does not know the job"
    )


def test_retainage_and_stored_materials_are_no_items() -> None:
    for role in ("retainage", "stored_materials"):
        assert carried(table(("cost_code", ITEM), ("job", CLASS)), LINE | {"role": role}) == {"class": "r-j"}


@pytest.mark.parametrize("state", ["making", "archived", "refused"])
def test_an_option_that_is_not_there_holds_the_line_with_its_names(state: OptionState) -> None:
    with pytest.raises(DimensionMissing) as raised:
        carried(table(("job", JOBS), state=state), LINE)
    assert raised.value.user_message == (
        "Bill 1 waits because job the j is no option of the tracking category “Job” in The Ledger yet:"
        " the next sync makes it."
    )
    assert raised.value.cause == "hold.dimension_missing:tracking:Job:job:j"


def test_an_options_name_is_one_that_every_ledger_takes() -> None:
    assert option_name(" 12: Maple\n Street ") == "12 - Maple Street"
    assert len(option_name("x" * 300)) == OPTION_NAME_LENGTH_MAX


def test_choices_are_kept_as_they_are_shown() -> None:
    chosen = (Dimension("job", JOBS), Dimension("cost_code", CODES))
    assert read_dimensions(shown_dimensions(chosen)) == chosen


def test_three_categories_are_one_too_many() -> None:
    wanted = [Dimension("job", Place("tracking", name)) for name in ("A", "B", "C")]
    with pytest.raises(InvalidSetting, match="at most 2 tracking categories"):
        check_dimensions(wanted, offered={"job": ("tracking",)}, provider_title="Xero")
    with pytest.raises(InvalidSetting, match="name the tracking category"):
        check_dimensions(
            [Dimension("job", Place("tracking"))], offered={"job": ("tracking",)}, provider_title="X"
        )


def test_a_tax_code_of_a_role_goes_before_the_one_of_all_lines() -> None:
    choices = [TaxCode(Entity.BILL, "ALL"), TaxCode(Entity.BILL, "HELD", "retainage")]
    assert [tax_code_of(choices, Entity.BILL, role) for role in ("work", "retainage")] == ["ALL", "HELD"]
    assert tax_code_of(choices, Entity.INVOICE, "work") is None
    with pytest.raises(InvalidSetting, match="only invoices, bills and journal entries"):
        check_tax_codes([TaxCode(Entity.PAYMENT, "TAX")])
