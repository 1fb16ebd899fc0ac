"""Settings: read once, checked, and each mistake answered by a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from resources.settings import Settings, SettingsError, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def _away_from_any_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_with_nothing_set_the_database_is_embedded_under_the_working_folder(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.is_embedded
    assert settings.home == tmp_path / ".tieout"
    assert settings.public_base_url == "http://127.0.0.1:8000"
    assert settings.dagster_base_url == "http://127.0.0.1:3000"


def test_a_relative_home_becomes_absolute_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_HOME", "var/books")
    assert load_settings().home == tmp_path / "var" / "books"


def test_an_env_file_counts_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath(".env").write_text("TIEOUT_API_PORT=8100\nTIEOUT_DAGSTER_PORT=3100\n")
    monkeypatch.setenv("TIEOUT_API_PORT", "8200")
    settings = load_settings()
    assert (settings.api_port, settings.dagster_port) == (8200, 3100)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_API_PORT", "")
    monkeypatch.setenv("TIEOUT_DATABASE_URL", "")
    settings = load_settings()
    assert settings.api_port == 8000
    assert settings.is_embedded


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_address_always_names_its_driver(scheme: str) -> None:
    settings = load_settings(database_url=f"{scheme}://me:pw@db:5432/books")
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://me:pw@db:5432/books"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://me:hunter2@db/books", "begins with mysql://"),
        ("postgresql+asyncpg://me:hunter2@db/books", "begins with postgresql+asyncpg://"),
        ("db.example.com", "not a database address"),
        ("postgresql://me:hunter2@db", "names no database"),
        ("postgresql://db/books", "names no user"),
    ],
)
def test_a_database_address_that_cannot_work_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    said = refusal(monkeypatch, DATABASE_URL=url)
    assert said.startswith("TIEOUT_DATABASE_URL is wrong: ")
    assert sentence in said
    assert "hunter2" not in said


def test_every_wrong_setting_has_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, API_PORT="eighty", DAGSTER_PORT="99999", LOG_LEVEL="loud").splitlines()
    assert [line.split(" ")[0] for line in said] == [
        "TIEOUT_API_PORT",
        "TIEOUT_DAGSTER_PORT",
        "TIEOUT_LOG_LEVEL",
    ]
    assert all(line.endswith("See docs/settings.md.") for line in said)


def test_two_servers_cannot_share_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "TIEOUT_DAGSTER_PORT and TIEOUT_API_PORT are both 3000" in refusal(monkeypatch, API_PORT="3000")


def test_secrets_do_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(monkeypatch, QUICKBOOKS_BASE_URL="http://books.example.com")
    assert "use https" in said


def test_a_sandbox_on_this_machine_may_be_plain_http() -> None:
    assert load_settings(xero_base_url="http://127.0.0.1:8102/").xero_base_url == "http://127.0.0.1:8102"


def test_settings_do_not_change_once_read() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.api_port = 1  # type: ignore[misc]  # that is the test


def test_secrets_are_not_shown() -> None:
    settings = load_settings(keyring="k:c2VjcmV0", database_url="postgresql://me:hunter2@db/books")
    assert "hunter2" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)


def test_a_misspelt_variable_is_pointed_out() -> None:
    assert unknown_variables({"TIEOUT_API_PROT": "1", "TIEOUT_API_PORT": "1", "OTHER": "1"}) == [
        "TIEOUT_API_PROT is set, but there is no such setting; did you mean TIEOUT_API_PORT?"
    ]


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
