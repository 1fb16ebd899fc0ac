"""The page for outsiders names everything there is to set and to call."""

from __future__ import annotations

from pathlib import Path

from sandbox.kernel.faults import KERNEL_KINDS
from sandbox.xero.mischief import KINDS
from sandbox.xero.resources import LEFT_OUT
from sandbox.xero.seed import SCENARIOS
from sandbox.xero.switches import SWITCHES
from sandbox.xero.world import LIMITS
from tests.sandbox.xero.client import Xero

PAGE = (Path(__file__).parents[3] / "docs" / "sandbox-xero.md").read_text(encoding="utf-8")


def test_every_switch_is_documented_with_its_values_default_first() -> None:
    for switch in SWITCHES:
        values = ", ".join(f"`{value}`" for value in switch.values)
        assert f"| `{switch.name}` | {values} |" in PAGE


def test_every_fault_kind_limit_scenario_and_left_out_endpoint_is_documented() -> None:
    for name in [*KERNEL_KINDS, *KINDS, *(rule.name for rule in LIMITS), *SCENARIOS]:
        assert f"`{name}`" in PAGE, name
    for name in LEFT_OUT:
        assert name in PAGE.lower(), name


def test_every_control_route_is_documented(xero: Xero) -> None:
    for route in xero.http.get("/_sandbox/").json()["routes"]:
        path = route.split()[1].removeprefix("/_sandbox") or "/"
        assert f"{path}`" in PAGE or f"{path}," in PAGE or f" {path} " in PAGE or f"{path}\n" in PAGE, route
