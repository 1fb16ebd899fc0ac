"""The XML twin of a JSON answer, for callers that do not ask for JSON."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr


def as_xml(answer: dict[str, Any]) -> bytes:
    """Return an `IntuitResponse` document."""
    time = quoteattr(str(answer.get("time", "")))
    inner = "".join(_element(name, value) for name, value in answer.items() if name != "time")
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f'<IntuitResponse xmlns="http://schema.intuit.com/finance/v3" time={time}>{inner}</IntuitResponse>'
    ).encode()


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    if not isinstance(value, dict):
        return f"<{name}>{escape(str(value))}</{name}>"
    if "value" in value and set(value) <= {"value", "name", "type"}:
        attributes = "".join(
            f" {key}={quoteattr(str(value[key]))}" for key in ("name", "type") if key in value
        )
        return f"<{name}{attributes}>{escape(str(value['value']))}</{name}>"
    attributes = "".join(
        f" {key}={quoteattr(str(value[key]).lower() if isinstance(value[key], bool) else str(value[key]))}"
        for key in ("domain", "sparse", "status", "startPosition", "maxResults", "totalCount")
        if key in value
    )
    skipped = {"domain", "sparse", "status", "startPosition", "maxResults", "totalCount"}
    inner = "".join(
        _element(key, each) for key, each in value.items() if key not in skipped and key.isidentifier()
    )
    return f"<{name}{attributes}>{inner}</{name}>"
