"""No secret reaches a log, whoever writes it and wherever in the line it stands."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretStr

from resources.logging import blank_text, configure_logging
from resources.settings import load_settings
from tests.support.logs import logging_put_back


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as JSON lines; the process's own logging is put back afterwards."""
    stream = io.StringIO()
    with logging_put_back():
        configure_logging(load_settings(_env_file=None, log_format="json"), stream=stream)
        yield stream


def test_values_under_telling_names_are_blanked_at_any_depth(lines: io.StringIO) -> None:
    structlog.get_logger().info(
        "refreshed",
        access_token="abc123",
        answer={"client_secret": "abc123", "expires_in": 3600},
        key=SecretStr("abc123"),
    )
    assert "abc123" not in lines.getvalue()
    assert json.loads(lines.getvalue())["answer"]["expires_in"] == 3600


def test_tokens_inside_a_library_s_text_are_blanked(lines: io.StringIO) -> None:
    logging.getLogger("a_library").warning("GET /callback?code=%s&state=%s&realmId=9", "abc123", "abc123")
    assert "abc123" not in lines.getvalue()
    assert "realmId=9" in lines.getvalue()


def test_tokens_inside_a_traceback_are_blanked(lines: io.StringIO) -> None:
    try:
        raise ValueError("Authorization: Bearer abc12345678 at postgresql://me:hunter2@db/books")
    except ValueError:
        structlog.get_logger().exception("call failed")
    assert "abc12345678" not in lines.getvalue()
    assert "hunter2" not in lines.getvalue()
    assert "call failed" in lines.getvalue()


def test_what_a_unit_of_work_is_about_stands_in_every_line(lines: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(builder="b1", connection="c1")
    structlog.get_logger().info("one")
    logging.getLogger("some.library").info("two")
    assert [json.loads(line)["builder"] for line in lines.getvalue().splitlines()] == ["b1", "b1"]


@pytest.mark.parametrize(
    "text",
    [
        "refresh_token=abc123",
        '{"access_token": "abc123"}',
        "client_secret: abc123",
        "password='abc123'",
        "https://me:abc123@example.com",
        "Basic abc123abc123==",
    ],
)
def test_a_secret_in_a_text_is_blanked(text: str) -> None:
    assert "abc123" not in blank_text(text)


@pytest.mark.parametrize(
    "text", ["The mapping of 03-100 is missing.", "http://127.0.0.1:8000/health", "3 tokens due"]
)
def test_ordinary_words_stay(text: str) -> None:
    assert blank_text(text) == text


def test_a_test_that_logged_in_its_own_way_left_errors_painted_with_the_variables_of_running_threads() -> (
    None
):
    before = structlog.get_config()
    with logging_put_back():
        configure_logging(load_settings(_env_file=None), stream=io.StringIO())
        assert structlog.get_config() != before
    assert structlog.get_config() == before
    shown = before["processors"][-1]
    assert shown._exception_formatter is structlog.dev.plain_traceback
