"""How documents are kept on disk: JSON with exact decimals, and tags for dates and instants."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import simplejson

from sandbox.xero.wire import EPOCH

_DAY, _INSTANT = "~day", "~ms"


def _tag(value: Any) -> Any:
    if isinstance(value, datetime):
        return {_INSTANT: round((value - EPOCH) / timedelta(milliseconds=1))}
    if isinstance(value, date):
        return {_DAY: value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _untag(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if _DAY in value:
            return date.fromisoformat(value[_DAY])
        if _INSTANT in value:
            return EPOCH + timedelta(milliseconds=value[_INSTANT])
    return value


class DocumentCodec:
    """Encodes documents for the store's file."""

    def encode(self, table: str, value: Any) -> bytes:
        """Compact JSON."""
        text: str = simplejson.dumps(
            value, use_decimal=True, default=_tag, separators=(",", ":"), ensure_ascii=False
        )
        return text.encode()

    def decode(self, table: str, data: bytes) -> Any:
        """The document as it was put."""
        return simplejson.loads(data, use_decimal=True, object_hook=_untag)
