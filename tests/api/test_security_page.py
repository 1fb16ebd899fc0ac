"""docs/security.md names its evidence; what it names is there."""

from __future__ import annotations

import re

from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def test_every_file_that_is_named_as_evidence_exists() -> None:
    named = set(re.findall(r"`((?:api|docs|resources|sql|sync|tests)/[a-z0-9_/.]+\.(?:py|md|lock))`", PAGE))
    assert len(named) > 25
    assert [path for path in sorted(named) if not ROOT.joinpath(path).exists()] == []


def test_every_test_that_is_named_as_evidence_exists() -> None:
    named = set(re.findall(r"\btest_[a-z0-9_]+\b(?!\.py)", PAGE))
    there = {
        name
        for path in ROOT.joinpath("tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_[a-z0-9_]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 12
    assert named - there == set()


def test_every_row_of_the_standard_has_a_state_and_evidence() -> None:
    section = PAGE.split("## OWASP ASVS")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if re.match(r"^\| \d", line)]
    assert len(rows) > 40
    assert [row for row in rows if not row[2].strip().startswith(("yes", "no", "partly", "operator"))] == []
    assert [row[0] for row in rows if row[2].strip() != "operator" and not row[3].strip()] == []
