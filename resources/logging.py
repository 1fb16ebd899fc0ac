"""What the program says about itself: structlog for our own words, and the same path for the libraries' words.

Promises that no secret gets out: values under telling names and tokens inside texts are blanked before anything is
written. Use `structlog.get_logger()`; bind what a unit of work is about with `structlog.contextvars`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TextIO

import structlog
from pydantic import SecretStr

from resources.settings import Settings

BLANK = "[secret]"
SECRET_NAMES = re.compile(
    r"(?i)(authorization|cookie|password|passwd|secret|token|api_?key|keyring|verifier|signature|database_url"
    r"|^code$|^state$|^dsn$)"
)
# Names that only look secret: counts and times about tokens help a support case.
PLAIN_NAMES = re.compile(r"(?i)(_at|_seconds|_count|_id|_name|_url)$")
SECRETS_IN_TEXT = (
    re.compile(r"(?i)(?P<kept>\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)(?P<kept>\b(?:access_token|refresh_token|id_token|client_secret|code|code_verifier|state|token"
        r"|password|api_key)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+"
    ),
    re.compile(r"(?P<kept>://[^\s:/@]+:)[^\s@/]+(?=@)"),
)
# Without one of these no text fits any of the patterns; most words and ids of a line have none.
_MAY_HOLD_SECRETS = re.compile(r"[\s:=]")
QUIET_LIBRARIES = ("httpx", "httpcore", "alembic", "urllib3", "asyncio")


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send our own and the libraries' log lines to one stream, as text or JSON, with secrets blanked."""
    target = stream or sys.stderr
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not target.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        blank_secrets,
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str)
                if as_json
                else structlog.dev.ConsoleRenderer(colors=target.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def blank_secrets(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The log event without its secrets."""
    return {name: _blanked(name, value) for name, value in event.items()}


def blank_text(text: str) -> str:
    """A text without the tokens, codes and passwords inside it."""
    if not _MAY_HOLD_SECRETS.search(text):
        return text
    for pattern in SECRETS_IN_TEXT:
        text = pattern.sub(rf"\g<kept>{BLANK}", text)
    return text


@lru_cache(maxsize=1000)
def _is_secret_name(name: str) -> bool:
    return SECRET_NAMES.search(name) is not None and PLAIN_NAMES.search(name) is None


def _blanked(name: str, value: Any) -> Any:
    if isinstance(value, SecretStr) or (value and _is_secret_name(name)):
        return BLANK
    match value:
        case _ if name.startswith("_"):
            return value  # structlog's own bookkeeping, removed before anything is written
        case str():
            return blank_text(value)
        case bytes():
            return blank_text(value.decode(errors="replace"))
        case Mapping():
            return {key: _blanked(str(key), each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_blanked("", each) for each in value]
        case _:
            return value
