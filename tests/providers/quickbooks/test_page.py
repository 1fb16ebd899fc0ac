"""The page about QuickBooks keeps up with the code."""

from __future__ import annotations

import re

from resources.quickbooks.catalogue import CATALOGUE
from tests.support.repository import ROOT


def test_the_page_explains_every_code_of_the_catalogue_and_no_other() -> None:
    text = ROOT.joinpath("docs", "quickbooks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([0-9][0-9a-z, ]*) \|", text.split("## How refusals are worded")[1], re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r"\d{3,5}\b", row)]
    assert sorted(codes, key=int) == sorted(CATALOGUE, key=int)
