"""What Xero tells when something changed in an organisation: which one, and nothing that is believed.

Xero checks an address by sending it rightly and wrongly signed bodies without events; answering each by its signature
alone is all there is to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resources.spec import Hint, WebhookSpec

SIGNATURE_HEADER = "x-xero-signature"


def _hints(body: Any) -> Iterator[Hint]:
    events = body.get("events") if isinstance(body, dict) else None
    for event in events if isinstance(events, list) else ():
        # Events of another kind of tenant name no organisation's books.
        if (
            isinstance(event, dict)
            and str(event.get("tenantType")).upper() == "ORGANISATION"
            and event.get("tenantId")
        ):
            yield Hint(str(event["tenantId"]), event)


WEBHOOK = WebhookSpec(
    signature_header=SIGNATURE_HEADER,
    key=lambda settings: settings.xero_webhook_key.get_secret_value(),
    hints=_hints,
)
