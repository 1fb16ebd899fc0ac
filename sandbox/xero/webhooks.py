"""Webhooks: events of committed calls, signed over the raw bytes, retried on sandbox time, with mischief.

On saving an address Xero asks for its intent to receive: several empty bodies, some rightly and some wrongly signed,
to be answered 200 and 401 within five seconds and with an empty body. Failing deliveries are tried again at once,
then every 15 minutes, for 24 hours; then the webhook is switched off.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from sandbox.kernel.clock import MovableClock
from sandbox.xero.wire import dump

ANSWER_SECONDS_MAX = 5.0
RETRY_SECONDS = 900
SHUFFLE_SECONDS = 2.0
GIVE_UP_SECONDS = 86_400
DELIVERIES_KEPT = 500
CATEGORIES = ("CONTACT", "INVOICE", "CREDITNOTE", "PREPAYMENT", "OVERPAYMENT", "PAYMENT")
_PATHS = {
    "CONTACT": "Contacts",
    "INVOICE": "Invoices",
    "CREDITNOTE": "CreditNotes",
    "PREPAYMENT": "Prepayments",
    "OVERPAYMENT": "Overpayments",
    "PAYMENT": "Payments",
}


@dataclass(slots=True)
class Delivery:
    """One body on its way."""

    body: bytes
    signature: str
    first_at: float
    due_at: float
    tries: int = 0
    state: str = "waiting"
    status: int = 0


@dataclass(slots=True)
class Subscription:
    """One app's webhook."""

    client_id: str
    url: str
    key: str
    categories: tuple[str, ...] = CATEGORIES
    status: str = "intent to receive required"
    sequence: int = 0
    duplicate: bool = False
    shuffle: bool = False
    delay_seconds: float = 0.0
    drop: bool = False
    deliveries: list[Delivery] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """What the control route shows."""
        return {
            "client_id": self.client_id,
            "url": self.url,
            "categories": list(self.categories),
            "status": self.status,
            "waiting": sum(one.state == "waiting" for one in self.deliveries),
            "delivered": sum(one.state == "delivered" for one in self.deliveries),
            "failed": sum(one.state == "failed" for one in self.deliveries),
            "duplicate": self.duplicate,
            "shuffle": self.shuffle,
            "delay_seconds": self.delay_seconds,
            "drop": self.drop,
        }


def sign(body: bytes, key: str) -> str:
    """`x-xero-signature`: base64 of HMAC-SHA256 over the raw bytes."""
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()


class Webhooks:
    """All subscriptions of a sandbox."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock
        self.subscriptions: dict[str, Subscription] = {}
        self.dice = random.Random(0)
        self._task: asyncio.Task[None] | None = None

    def notice(
        self, tenant: str, events: list[tuple[str, str, str, dict[str, str]]], *, connected: set[str]
    ) -> None:
        """Queue what a committed call changed, for each app connected with the organisation."""
        for subscription in self.subscriptions.values():
            wanted = [event for event in events if event[0] in subscription.categories]
            if not wanted or subscription.client_id not in connected or subscription.status != "OK":
                continue
            bodies = [self._body(subscription, tenant, [event]) for event in wanted]
            if subscription.drop:
                continue
            if subscription.duplicate:
                bodies += bodies
            now = self._clock.timestamp()
            for body in bodies:
                due = now + subscription.delay_seconds
                if subscription.shuffle:
                    # Each body takes its own time, so that a later one can overtake an earlier.
                    due += self.dice.uniform(0, max(subscription.delay_seconds, SHUFFLE_SECONDS))
                subscription.deliveries.append(Delivery(body, sign(body, subscription.key), now, due))
            del subscription.deliveries[:-DELIVERIES_KEPT]
            self._start()

    def _body(
        self, subscription: Subscription, tenant: str, events: list[tuple[str, str, str, dict[str, str]]]
    ) -> bytes:
        shown = []
        moment: datetime = self._clock.now()
        for category, key, kind, data in events:
            event: dict[str, Any] = {
                "resourceUrl": f"https://api.xero.com/api.xro/2.0/{_PATHS[category]}/{key}",
                "resourceId": key,
                "tenantId": tenant,
                "tenantType": "ORGANISATION",
                "eventCategory": category,
                "eventType": kind,
                "eventDateUtc": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}",
            }
            if category == "CREDITNOTE":
                event["data"] = data
            shown.append(event)
        first = subscription.sequence + 1
        subscription.sequence += len(events)
        return _unusual(
            dump(
                {
                    "events": shown,
                    "firstEventSequence": first,
                    "lastEventSequence": subscription.sequence,
                    "entropy": secrets.token_hex(10).upper(),
                }
            )
        )

    async def ask_intent(self, subscription: Subscription) -> bool:
        """The handshake: two right and two wrong signatures; all four answers must fit."""
        is_fit = True
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX) as client:
            for is_right in (True, False, False, True):
                body = _unusual(
                    dump(
                        {
                            "events": [],
                            "firstEventSequence": 0,
                            "lastEventSequence": 0,
                            "entropy": secrets.token_hex(10).upper(),
                        }
                    )
                )
                signature = sign(body, subscription.key if is_right else secrets.token_hex(16))
                status, is_clean = await _post(client, subscription.url, body, signature)
                is_fit = is_fit and is_clean and status == (200 if is_right else 401)
        subscription.status = "OK" if is_fit else "intent to receive failed"
        return is_fit

    async def flush(self, *, everything: bool = False) -> int:
        """Deliver what is due (or everything that waits); returns how many bodies were sent."""
        sent = 0
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX) as client:
            for subscription in list(self.subscriptions.values()):
                now = self._clock.timestamp()
                for delivery in sorted(subscription.deliveries, key=lambda one: one.due_at):
                    if delivery.state == "waiting" and (everything or delivery.due_at <= now):
                        await self._deliver(client, subscription, delivery)
                        sent += 1
        return sent

    async def _deliver(
        self, client: httpx.AsyncClient, subscription: Subscription, delivery: Delivery
    ) -> None:
        delivery.state = "sending"
        status, is_clean = await _post(client, subscription.url, delivery.body, delivery.signature)
        delivery.tries += 1
        delivery.status = status
        now = self._clock.timestamp()
        if status == 200 and is_clean:
            delivery.state = "delivered"
        elif now - delivery.first_at >= GIVE_UP_SECONDS:
            delivery.state = "failed"
            subscription.status = "disabled after 24 hours of failure"
        else:
            delivery.state = "waiting"
            delivery.due_at = now if delivery.tries == 1 else now + RETRY_SECONDS

    def _start(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # Called outside the server (a test in process): `flush` delivers.
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        while any(one.state == "waiting" for sub in self.subscriptions.values() for one in sub.deliveries):
            await self.flush()
            await asyncio.sleep(0.05)

    def clear(self) -> None:
        """Forget subscriptions and deliveries."""
        self.subscriptions.clear()

    async def close(self) -> None:
        """Stop delivering."""
        if self._task is not None:
            self._task.cancel()


def _unusual(text: str) -> bytes:
    """Xero's spacing is its own, so a receiver that parses and prints again gets another signature."""
    return text.replace('","', '", "').replace("{", "{ ", 1).encode()


async def _post(client: httpx.AsyncClient, url: str, body: bytes, signature: str) -> tuple[int, bool]:
    headers = {"content-type": "application/json; charset=utf-8", "x-xero-signature": signature}
    try:
        answer = await client.post(url, content=body, headers=headers)
    except httpx.HTTPError:
        return 0, False
    return answer.status_code, not answer.content and "set-cookie" not in answer.headers
