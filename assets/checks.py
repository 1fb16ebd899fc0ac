"""Accounting truths, checked in the run that could break them, for the builder of that run."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets.keys import TIE_OUT, asset_key
from assets.partitions import BUILDERS
from assets.previews import accepted_previews
from assets.report import TABLE_ROWS_MAX
from resources.dagster.desk import Doubt
from sync.money import amount_text
from sync.records import Entity
from sync.summary import TieOut

DEBITS_EQUAL_CREDITS = "debits_equal_credits"
NO_STALE_UNKNOWN = "no_unknown_outcome_older_than_a_day"
TIE_OUT_IS_ZERO = "tie_out_difference_is_zero"


def journal_check_specs(provider: str) -> list[dg.AssetCheckSpec]:
    """Return the checks of the journal entries' asset."""
    return [
        _spec(
            DEBITS_EQUAL_CREDITS,
            provider,
            Entity.JOURNAL_ENTRY,
            "In every posted journal entry the debits equal the credits.",
        )
    ]


def tie_out_check_specs(provider: str) -> list[dg.AssetCheckSpec]:
    """Return the checks of the tie-out's asset."""
    return [
        _spec(
            NO_STALE_UNKNOWN,
            provider,
            TIE_OUT,
            "No record has been waiting for more than a day to learn whether the ledger took it.",
        ),
        _spec(TIE_OUT_IS_ZERO, provider, TIE_OUT, "Platform and ledger agree to the cent, line by line."),
    ]


def debits_equal_credits(provider: str, doubts: Sequence[Doubt]) -> dg.AssetCheckResult:
    """State whether every posted journal entry balances."""
    return _result(
        DEBITS_EQUAL_CREDITS,
        asset_key(provider, Entity.JOURNAL_ENTRY),
        doubts,
        fine="Every posted journal entry balances.",
    )


def no_stale_unknown(provider: str, doubts: Sequence[Doubt]) -> dg.AssetCheckResult:
    """State whether every outcome was found out within a day."""
    return _result(
        NO_STALE_UNKNOWN,
        asset_key(provider, TIE_OUT),
        doubts,
        fine="Every write's outcome is known.",
        severity=dg.AssetCheckSeverity.WARN,
    )


def tie_out_is_zero(provider: str, tie_out: TieOut) -> dg.AssetCheckResult:
    """State whether the tie-out has no difference."""
    doubts = [
        Doubt(
            line.name,
            f"Platform {amount_text(line.ours)}, ledger {amount_text(line.theirs)}, "
            f"difference {amount_text(line.difference)}. {line.explanation}".strip(),
        )
        for line in tie_out.lines
        if line.difference
    ]
    return _result(TIE_OUT_IS_ZERO, asset_key(provider, TIE_OUT), doubts, fine="No line differs.")


def nothing_to_check(specs: Sequence[dg.AssetCheckSpec]) -> list[dg.AssetCheckResult]:
    """Pass checks that have nothing to look at, because the builder has no connection."""
    return [
        dg.AssetCheckResult(
            check_name=spec.name,
            asset_key=spec.asset_key,
            passed=True,
            description="No connection, nothing to check.",
        )
        for spec in specs
    ]


def _spec(name: str, provider: str, step: str, description: str) -> dg.AssetCheckSpec:
    with accepted_previews():
        return dg.AssetCheckSpec(
            name, asset=asset_key(provider, step), description=description, partitions_def=BUILDERS
        )


def _result(
    name: str,
    key: dg.AssetKey,
    doubts: Sequence[Doubt],
    *,
    fine: str,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    if not doubts:
        return dg.AssetCheckResult(check_name=name, asset_key=key, passed=True, description=fine)
    table = [
        dg.TableRecord({"record": doubt.label, "what is wrong": doubt.sentence})
        for doubt in doubts[:TABLE_ROWS_MAX]
    ]
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key,
        passed=False,
        severity=severity,
        description=doubts[0].sentence if len(doubts) == 1 else f"{len(doubts)} records break this truth.",
        metadata={
            "records": dg.MetadataValue.int(len(doubts)),
            "which": dg.MetadataValue.table(table),
        },
    )
