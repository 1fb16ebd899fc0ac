"""The documentation keeps up with the code: settings, commands, decisions, the two commands of the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from api.cli import app, db
from resources.settings import PREFIX, Settings
from tests.support.docs import SETTINGS_PAGE, settings_table, table_in
from tests.support.repository import ROOT, run

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.joinpath("docs").rglob("*.md")],
)
DECISION_HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "How it is enforced"]


def commands(group: typer.Typer) -> set[str]:
    return {
        command.name or str(getattr(command.callback, "__name__", ""))
        for command in group.registered_commands
    }


def test_the_page_of_settings_lists_every_setting_as_it_is() -> None:
    assert table_in(SETTINGS_PAGE) == settings_table(), "run .venv/bin/python -m tests.support.docs"


def test_documents_name_no_setting_that_does_not_exist() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    named = {
        word.rstrip("_") for page in PAGES for word in re.findall(rf"{PREFIX}[A-Z0-9_]+", page.read_text())
    }
    assert named - known == set()


def test_every_command_is_in_a_document() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    missing = [name for name in commands(app) if f"tieout {name}" not in text and f"`{name}`" not in text]
    assert missing + [name for name in commands(db) if f"db {name}" not in text] == []


def test_every_command_says_what_it_does() -> None:
    assert [
        command
        for group in (app, db)
        for command in group.registered_commands
        if not command.callback.__doc__
    ] == []


def test_the_readme_opens_with_its_two_commands() -> None:
    first = ROOT.joinpath("README.md").read_text().split("```sh\n")[1].split("```")[0].split("\n")
    assert first[:2] == ["make demo", "make test"]
    ci = ROOT.joinpath(".ci", "run")
    assert ci.read_text().rstrip().endswith("make test")
    assert ci.stat().st_mode & 0o100


def test_make_help_lists_every_verb() -> None:
    makefile = ROOT.joinpath("Makefile").read_text()
    verbs = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    shown = {
        line.split()[1] for line in run(["make", "help"]).stdout.splitlines() if line.startswith("  make ")
    }
    assert shown == verbs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert [link for link in links if not page.parent.joinpath(link).exists()] == []


def test_decisions_are_numbered_and_have_five_headings() -> None:
    pages = sorted(ROOT.joinpath("docs", "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) == DECISION_HEADINGS, page.name
