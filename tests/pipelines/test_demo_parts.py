from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from rich.console import Console

from pipelines.demo.narrator import Narrator
from pipelines.demo.settings import as_environment, demo_settings
from pipelines.demo.state import DemoState
from pipelines.demo.summary import conflict_lines, sync_table, tie_out_table, waiting_lines
from pipelines.processes import ProcessError
from resources.settings import load_settings


def shown(*renderables: Any, columns: int = 140) -> str:
    console = Console(file=io.StringIO(), width=columns)
    for renderable in renderables:
        console.print(renderable)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def a_run(**more: Any) -> dict[str, Any]:
    summary = {
        "pushed": {"count": 12, "amount": "9131399.30"},
        "held": {"count": 2, "amount": Decimal("950.00")},
    }
    steps = [
        {"entity_type": "invoice", "direction": "push", "summary": summary},
        {"entity_type": "invoice", "direction": "pull", "summary": {}},
    ]
    return {"steps": steps, "provider_calls": 1, "status": "partial", "error_summary": None, **more}


def a_conflict(ours: str, theirs: str) -> dict[str, Any]:
    fields = [
        {"field": "total", "ours": ours, "base": "100.00", "theirs": theirs},
        {"field": "memo", "ours": "Corrected on site", "base": "", "theirs": ""},
        {"field": "lines", "ours": [{"amount": ours}], "base": [], "theirs": [{"amount": theirs}]},
    ]
    for field in fields:
        field.update({f"{side}_shown": field[side] or None for side in ("ours", "base", "theirs")})
    return {"label": "Bill FM-6068", "fields": fields}


def a_proof(ours: str, theirs: str) -> dict[str, Any]:
    lines = [{"name": name, "ours": ours, "theirs": theirs} for name in ("Bills", "Open on bills")]
    is_tied = ours == theirs
    return {"lines": lines, "is_tied": is_tied, "difference": Decimal(ours) - Decimal(theirs)}


def verdict(proof: dict[str, Any], *conflicts: dict[str, Any]) -> str:
    return shown(*tie_out_table("Proof", proof, trial_balance={"A/P": Decimal(0)}, conflicts=conflicts))


def test_the_two_directions_of_an_entity_are_added_up() -> None:
    text = shown(*sync_table("First", a_run(), columns=140))
    assert text.count("12 · 9,131,399.30") == 2, "once for the entity, once in the sum"
    assert "1 call to the provider; partial" in text


def test_a_narrow_terminal_gets_whole_amounts_too() -> None:
    text = shown(*sync_table("First", a_run(), columns=80), columns=80)
    assert "9,131,399.30" in text
    assert "…" not in text


def test_why_a_sync_failed_is_said_below_its_table() -> None:
    run = a_run(status="failed", error_summary="Reconnect it.")
    assert "failed: Reconnect it." in shown(*sync_table("First", run, columns=140))


def test_records_that_wait_for_the_same_thing_are_one_line() -> None:
    records = [
        {
            "id": str(number),
            "cause": "code 1",
            "amount": Decimal("10.50"),
            "status": "held",
            "error_message": "It waits.",
        }
        for number in range(3)
    ]
    assert "· 3 held (31.50): It waits. So do 2 more." in shown(*waiting_lines(records))
    assert "· 2 held (21.00): It waits. So does 1 more." in shown(*waiting_lines(records[:2]))


def test_a_conflict_shows_three_values_and_no_machine_text() -> None:
    text = shown(*conflict_lines([a_conflict("125.00", "90.00")]))
    assert "total: platform 125.00 · last agreed 100.00 · ledger 90.00" in text
    assert "memo: platform Corrected on site · last agreed empty · ledger empty" in text
    assert "{" not in text


def test_a_difference_that_is_the_conflict_is_said_to_be_it() -> None:
    text = verdict(a_proof("225.00", "190.00"), a_conflict("125.00", "90.00"))
    assert "Both sides tie out to the cent, but for the 35.00 of the conflict below." in text


def test_a_difference_that_no_conflict_explains_is_not_talked_away() -> None:
    assert "Both sides differ" in verdict(a_proof("225.00", "190.00"), a_conflict("125.00", "100.00"))
    assert "Both sides differ" in verdict(a_proof("225.00", "190.00"))
    assert "Both sides tie out to the cent." in verdict(a_proof("225.00", "225.00"))


def test_a_step_that_fails_is_marked_and_the_failure_goes_on() -> None:
    console = Console(file=io.StringIO(), width=100)

    def fail() -> None:
        with Narrator(console).step("Consent"):
            raise ProcessError("it was refused")

    with pytest.raises(ProcessError):
        fail()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("✗ Consent")


def test_what_was_done_is_remembered_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    state = DemoState(tmp_path)
    state.of("larkspur").api_key = "tieout_secret"
    state.mark("larkspur", "files imported")
    state.mark("larkspur", "files imported")
    again = DemoState(tmp_path)
    assert again.of("larkspur") == state.of("larkspur")
    assert again.of("larkspur").done == ["files imported"]
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0
    assert again.of("another").builder_id != again.of("larkspur").builder_id


def test_every_child_of_the_demo_gets_the_demos_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = load_settings(_env_file=None, home=tmp_path, api_port=8999, quickbooks_sandbox_port=8101)
    settings = demo_settings(chosen)
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    again = load_settings(_env_file=None)
    assert again == settings
    assert again.public_base_url == "http://127.0.0.1:8999"
    assert again.quickbooks_token_url == "http://127.0.0.1:8101/oauth2/v1/tokens/bearer"
    assert isinstance(again.quickbooks_client_secret, SecretStr)


def test_no_setting_of_the_demo_points_outside_this_machine(tmp_path: Path) -> None:
    settings = demo_settings(load_settings(_env_file=None, home=tmp_path))
    addresses = [
        value
        for name, value in settings.model_dump().items()
        if name.endswith("_url") and isinstance(value, str)
    ]
    assert len(addresses) >= 10
    assert [address for address in addresses if not address.startswith("http://127.0.0.1:")] == []
