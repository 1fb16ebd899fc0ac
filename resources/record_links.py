"""Links to one record on both sides: its page on the platform and its page in the accounting system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from resources.registry import PROVIDERS
from resources.settings import Settings


@dataclass(frozen=True, slots=True)
class RecordLinks:
    """Makes links by this installation's settings; a side that has no page for a record gives None."""

    settings: Settings

    def platform(self, entity: str, record_id: object | None) -> str | None:
        """Return our record's page on the platform, by TIEOUT_PLATFORM_RECORD_URL."""
        template = self.settings.platform_record_url
        if template is None or record_id is None:
            return None
        return template.replace("{entity}", quote(entity)).replace("{id}", quote(str(record_id)))

    def provider(self, provider: str, entity: str, remote_id: str | None) -> str | None:
        """Return the ledger's record's page in the accounting system."""
        spec = PROVIDERS.get(provider)
        if spec is None or spec.page_of is None or not remote_id:
            return None
        return spec.page_of(self.settings, entity, remote_id)

    def of_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return both links of a queue's row: provider, platform_entity_type, record_id, provider_entity_id."""
        entity = row["platform_entity_type"]
        return {
            "platform_url": self.platform(entity, row["record_id"]),
            "provider_url": self.provider(row["provider"], entity, row["provider_entity_id"]),
        }

    def onto_event(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return an event's data with both links where it tells of one record."""
        told = dict(data)
        is_here = told.pop("is_here", True)
        if "record_id" not in told:
            return told
        entity = str(told["entity_type"])
        return told | {
            "platform_url": self.platform(entity, told["record_id"] if is_here else None),
            "provider_url": self.provider(str(told["provider"]), entity, told.get("provider_id")),
        }
