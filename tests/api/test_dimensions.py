"""GET and PUT /connections/{id}/dimensions and its options."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import Client, House, World, exact, problem


@pytest.fixture
def path(house: House) -> str:
    return f"/connections/{house.connection_id}/dimensions"


def choice(subject: str, list_name: str, category: str | None = None) -> dict[str, Any]:
    return {"subject": subject, "list": list_name, "category": category}


def test_nothing_is_chosen_at_first_and_the_offer_is_the_providers(client: Client, path: str) -> None:
    shown = exact(client.get(path))
    assert (shown["dimensions"], shown["tax_codes"]) == ([], [])
    assert {each["subject"]: each["lists"] for each in shown["offered"]} == {
        "job": ["sub_customer", "class"],
        "cost_code": ["item", "class"],
    }


def test_choices_are_saved_shown_and_written_down(client: Client, house: House, path: str) -> None:
    body = {
        "dimensions": [choice("job", "sub_customer"), choice("cost_code", "class")],
        "tax_codes": [{"entity": "invoice", "role": None, "code": "NON"}],
    }
    assert exact(client.put(path, body))["dimensions"] == body["dimensions"]
    assert exact(client.get(path))["tax_codes"] == body["tax_codes"]
    entry = house.audit("dimensions.saved")[-1]
    assert (entry["before"]["dimensions"], entry["after"]["dimensions"]) == ([], body["dimensions"])


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        (
            [choice("job", "tracking", "Job")],
            "a job cannot become a tracking option; choose sub-customer or class",
        ),
        ([choice("job", "class", "Job")], "a class belongs to no category; leave it out"),
        (
            [choice("job", "class"), choice("cost_code", "class")],
            "a line has one class, and jobs already become one",
        ),
        ([choice("cost_type", "class")], "a cost type cannot become a class; choose nothing"),
    ],
)
def test_a_choice_that_cannot_stand_is_refused_with_its_reason(
    client: Client, path: str, choices: list[dict[str, Any]], reason: str
) -> None:
    found = problem(client.put(path, {"dimensions": choices}), 422, "input.setting")
    assert reason in found["detail"]
    assert exact(client.get(path))["dimensions"] == []


def test_the_same_lines_have_one_tax_code(client: Client, path: str) -> None:
    codes = [{"entity": "bill", "role": "work", "code": code} for code in ("TAX", "NON")]
    found = problem(client.put(path, {"dimensions": [], "tax_codes": codes}), 422, "input.setting")
    assert "keep one of the two" in found["detail"]


def test_an_option_gets_the_name_it_has_in_the_ledger(client: Client, house: House, path: str) -> None:
    exact(client.put(path, {"dimensions": [choice("job", "class")]}))
    job = house.a_job("1204", "Maple Street")
    named = exact(
        client.put(f"{path}/options", choice("job", "class") | {"subject_id": job, "name": "Maple"})
    )
    assert (named["label"], named["name"], named["state"]) == ("1204 Maple Street", "Maple", "refused")
    assert exact(client.get(f"{path}/options", subject="job"))["items"] == [named]
    assert exact(client.get(f"{path}/options", state="ready"))["items"] == []
    assert house.audit("dimension.named")[-1]["after"]["named"] == "Maple"
    unknown = choice("job", "class") | {"subject_id": str(uuid4()), "name": "Oak"}
    problem(client.put(f"{path}/options", unknown), 404, "access.not_found")
    other_list = choice("job", "sub_customer") | {"subject_id": job, "name": "Oak"}
    found = problem(client.put(f"{path}/options", other_list), 422, "input.invalid")
    assert "on this connection a job becomes no sub-customer" in found["detail"]


def test_another_builders_dimensions_are_not_there(client: Client, world: World) -> None:
    other = world.a_house("Birch Homes")
    path = f"/connections/{other.connection_id}/dimensions"
    problem(client.get(path), 404, "access.not_found")
    problem(client.put(path, {"dimensions": []}), 404, "access.not_found")
    problem(client.get(f"{path}/options"), 404, "access.not_found")
