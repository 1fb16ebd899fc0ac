"""Labelled charts of accounts and code lists (tests/bench/charts): which account a bookkeeper would choose."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from sync.mapping import CostCode, ProviderAccount
from tests.support.repository import ROOT

CHARTS = ROOT / "tests" / "bench" / "charts"
# Never looked at while the weights and words were chosen.
HELD_OUT = ("remodeler", "xero_uk_contractor")


@dataclass(frozen=True)
class LabelledChart:
    """One chart and one code list, with every account that would be right; none where the code should be held."""

    name: str
    accounts: tuple[ProviderAccount, ...]
    codes: tuple[CostCode, ...]
    right: dict[str, frozenset[str]]

    @property
    def is_held_out(self) -> bool:
        """Whether it only judges."""
        return self.name in HELD_OUT


def labelled_charts() -> list[LabelledChart]:
    """Return every labelled chart, by name."""
    return [_read(file) for file in sorted(CHARTS.glob("*.accounts.csv"))]


def _read(file: Path) -> LabelledChart:
    accounts = tuple(
        ProviderAccount(row["name"], row["name"], row["type"], row["number"] or None) for row in _rows(file)
    )
    rows = _rows(file.with_name(file.name.replace(".accounts.", ".codes.")))
    codes = tuple(
        CostCode(
            row["code"], row["code"], row["name"], row["division"] or None, cost_type=row["cost_type"] or None
        )
        for row in rows
    )
    right = {row["code"]: frozenset(filter(None, row["right"].split("; "))) for row in rows}
    return LabelledChart(file.name.removesuffix(".accounts.csv"), accounts, codes, right)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))
