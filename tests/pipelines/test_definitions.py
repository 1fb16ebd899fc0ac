from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.keys import STEP_ORDER, WAITS_FOR, chosen_entities, last_step
from assets.providers import PROVIDER_TITLES
from pipelines.definitions import build_defs
from resources.launcher import LOCATION, PARTITIONS
from resources.registry import PROVIDERS
from sync.records import Entity

ROOT = Path(__file__).resolve().parents[2]
PROVIDER = "quickbooks_online"


def specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    """The assets of providers; those of imports have tests of their own."""
    return [spec for spec in defs.resolve_all_asset_specs() if spec.key.path[0] != "imports"]


def test_definitions_load_and_agree_with_each_other() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_every_registered_provider_has_the_same_assets(defs: dg.Definitions) -> None:
    keys = {tuple(spec.key.path) for spec in specs(defs)}
    assert set(PROVIDER_TITLES) == set(PROVIDERS)
    assert keys == {(provider, str(step)) for provider in PROVIDERS for step in STEP_ORDER}


def test_every_asset_says_what_it_is_whose_it_is_and_of_what_kind(defs: dg.Definitions) -> None:
    for spec in specs(defs):
        provider = spec.key.path[0]
        assert spec.description is not None
        assert PROVIDER_TITLES[provider] in spec.description, spec.key
        assert spec.owners == ["team:bookkeeping"]
        assert spec.group_name == provider
        assert "postgres" in spec.kinds
        assert spec.partitions_def is not None
        assert spec.partitions_def.name == PARTITIONS  # type: ignore[attr-defined]


def test_assets_wait_for_what_their_records_name(defs: dg.Definitions) -> None:
    for spec in specs(defs):
        provider, step = spec.key.path
        assert {dep.asset_key.path[1] for dep in spec.deps} == {str(name) for name in WAITS_FOR[step]}
        assert all(dep.asset_key.path[0] == provider for dep in spec.deps)


def test_everything_leads_from_the_ledgers_changes_to_the_tie_out() -> None:
    reached = {"tie_out"}
    for step in reversed(STEP_ORDER):
        assert step in reached, f"{step} is not waited for by anything"
        reached.update(str(name) for name in WAITS_FOR[step])


def test_accounting_truths_are_checked_per_builder(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    checks = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    assert set(checks) == {
        "debits_equal_credits",
        "no_unknown_outcome_older_than_a_day",
        "tie_out_difference_is_zero",
        "every_file_went_in",
        "imported_entries_balance",
    }
    assert all(spec.partitions_def is not None for spec in checks.values())


def test_a_backfill_is_one_run_per_builder(defs: dg.Definitions) -> None:
    for asset in defs.resolve_asset_graph().assets_defs:
        assert asset.backfill_policy == dg.BackfillPolicy.multi_run(max_partitions_per_run=1)


def test_the_job_of_a_provider_runs_in_one_process(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("quickbooks_online_sync")
    assert job.executor_def.name == "in_process"
    assert job.run_tags["dagster/retry_on_asset_or_op_failure"] == "false"


@pytest.mark.parametrize(
    ("chosen", "last"),
    [
        (None, "tie_out"),
        ([[PROVIDER, "ledger_changes"], [PROVIDER, "bill"], [PROVIDER, "customer"]], "bill"),
        ([[PROVIDER, "invoice"], ["xero", "tie_out"]], "invoice"),
    ],
)
def test_the_last_chosen_step_of_a_provider_is_known(chosen: list[list[str]] | None, last: str) -> None:
    keys = None if chosen is None else [dg.AssetKey(path) for path in chosen]
    assert last_step(keys, provider=PROVIDER) == last


def test_the_entities_of_a_run_leave_out_the_steps_around_them() -> None:
    keys = [dg.AssetKey([PROVIDER, step]) for step in ("tie_out", "vendor", "ledger_changes", "customer")]
    assert chosen_entities(keys, provider=PROVIDER) == (Entity.CUSTOMER, Entity.VENDOR)


def test_the_workspace_of_the_repository_names_the_location_the_launcher_asks_for() -> None:
    workspace = yaml.safe_load(ROOT.joinpath("workspace.yaml").read_text())
    module = workspace["load_from"][0]["python_module"]
    assert module == {"module_name": "pipelines.definitions", "location_name": LOCATION}
