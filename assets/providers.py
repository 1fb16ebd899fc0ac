"""Which providers have assets, and what each is called on a page."""

from __future__ import annotations

from collections.abc import Mapping

PROVIDER_TITLES: Mapping[str, str] = {"quickbooks_online": "QuickBooks Online"}
