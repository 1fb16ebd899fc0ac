"""What Intuit tells when something changed in a company: which company, and nothing that is believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resources.spec import Hint, WebhookSpec

SIGNATURE_HEADER = "intuit-signature"


def _hints(body: Any) -> Iterator[Hint]:
    # CloudEvents come as a list, the older form as an object; both are still sent.
    if isinstance(body, list):
        for event in body:
            if isinstance(event, dict) and event.get("intuitaccountid"):
                yield Hint(str(event["intuitaccountid"]), event)
    elif isinstance(body, dict):
        notices = body.get("eventNotifications")
        for notice in notices if isinstance(notices, list) else ():
            if isinstance(notice, dict) and notice.get("realmId"):
                yield Hint(str(notice["realmId"]), notice)


WEBHOOK = WebhookSpec(
    signature_header=SIGNATURE_HEADER,
    key=lambda settings: settings.quickbooks_webhook_token.get_secret_value(),
    hints=_hints,
)
