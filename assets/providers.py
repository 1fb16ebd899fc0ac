"""Which providers have assets, and what each is called on a page: whatever the registry has."""

from __future__ import annotations

from collections.abc import Mapping

from resources.registry import PROVIDERS

PROVIDER_TITLES: Mapping[str, str] = {key: spec.title for key, spec in PROVIDERS.items()}
