"""The parts of the documentation that are made from the code: `python -m tests.support.docs` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from resources.settings import PREFIX, Settings
from tests.support.repository import ROOT

SETTINGS_PAGE = ROOT / "docs" / "settings.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def settings_table() -> str:
    """Every setting with its default and what it is for."""
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description} |")
    return "\n".join(rows)


def table_in(page: Path) -> str:
    """The table as the page has it now."""
    return page.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()


def write_settings_page() -> None:
    """Put the present table between the page's two marks."""
    text = SETTINGS_PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    made = f"{BEGIN}\n{settings_table()}\n{END}"
    SETTINGS_PAGE.write_text(pattern.sub(lambda _: made, text), encoding="utf-8")


def _default(field: FieldInfo) -> str:
    value = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    if value is None or value == "":
        return "(empty)"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    write_settings_page()
