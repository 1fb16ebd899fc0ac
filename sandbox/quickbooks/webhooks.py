"""Webhooks: signed, in both shapes, retried; late, doubled or out of order when asked for."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import random
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.kernel import wire
from sandbox.kernel.emulator import ControlError
from sandbox.quickbooks.registry import WEBHOOK_EXCLUDED

if TYPE_CHECKING:
    from sandbox.quickbooks.emulator import QuickBooks

RETRY_SECONDS = (10, 20, 30, 300, 1200, 7200, 14_400, 21_600)
ANSWER_SECONDS = 3.0
EVENTS_MAX = 100
PAST = {
    "Create": "created", "Update": "updated", "Delete": "deleted", "Void": "voided", "Merge": "merged",
    "Emailed": "emailed",
}  # fmt: skip
OPTIONS = frozenset(
    {"url", "verifier", "shape", "delay_seconds", "hold", "duplicate", "shuffle", "retry_seconds"}
)


@dataclass(frozen=True, slots=True)
class Event:
    """One change, as subscribers hear of it."""

    realm: str
    entity: str
    id: str
    operation: str
    at: str
    number: str
    lost: str = ""


class Webhooks:
    """One subscriber, its queue, and what was delivered."""

    def __init__(self, emulator: QuickBooks) -> None:
        self._emulator = emulator
        self._options: dict[str, Any] = {}
        self._queue: list[Event] = []
        self._log: deque[dict[str, Any]] = deque(maxlen=500)
        self._tasks: set[asyncio.Task[None]] = set()

    def subscribe(self, options: dict[str, Any]) -> dict[str, Any]:
        """Set the target and how deliveries behave."""
        unknown = set(options) - OPTIONS
        if unknown:
            raise ControlError(
                f"Webhooks take {', '.join(sorted(OPTIONS))}, not {', '.join(sorted(unknown))}."
            )
        merged = {**self._options, **options}
        if not str(merged.get("url", "")).startswith(("http://", "https://")):
            raise ControlError("url must be the http address that receives the webhooks.")
        if merged.setdefault("shape", self._emulator.switches["webhook_shape"]) not in (
            "legacy",
            "cloudevents",
        ):
            raise ControlError("shape is legacy or cloudevents.")
        merged.setdefault("verifier", uuid.uuid4().hex)
        self._options = merged
        return self.describe()

    def announce(self, realm: str, events: Sequence[tuple[str, str, str]]) -> None:
        """Queue events, and deliver them unless they are held."""
        if not self._options:
            return
        at = self._emulator.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for entity, number, operation in dict.fromkeys(events):
            if entity in WEBHOOK_EXCLUDED:
                continue
            name, _, lost = operation.partition(":")
            self._queue.append(Event(realm, entity, number, name, at, str(uuid.uuid4()), lost))
        if not self._options.get("hold") and self._queue:
            self._spawn(self._flush(float(self._options.get("delay_seconds", 0))))

    def deliver(self, options: dict[str, Any]) -> dict[str, Any]:
        """Deliver what is held: `order` as_is, reverse or shuffle; `duplicate` sends everything twice."""
        order = options.get("order", "as_is")
        if order not in ("as_is", "reverse", "shuffle"):
            raise ControlError("order is as_is, reverse or shuffle.")
        events = self._take(order=order)
        count = 2 if options.get("duplicate") else 1
        for _ in range(count):
            self._spawn(self._send(events))
        return {"delivering": len(events) * count}

    def describe(self) -> dict[str, Any]:
        """Return target, queue and deliveries."""
        return {"options": self._options, "queued": len(self._queue), "deliveries": list(self._log)}

    def reset(self) -> None:
        """Forget subscriber, queue and log."""
        self.close()
        self._options = {}
        self._queue.clear()
        self._log.clear()

    def close(self) -> None:
        """Stop deliveries under way."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    def _take(self, *, order: str) -> list[Event]:
        events, self._queue = self._queue, []
        if order == "reverse":
            events.reverse()
        elif order == "shuffle":
            random.Random(len(events)).shuffle(events)
        return events

    def _spawn(self, work: Any) -> None:
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            # Used without a server (a scenario being built): there is nobody to tell.
            work.close()
            return
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush(self, delay: float) -> None:
        if delay:
            await asyncio.sleep(delay / self._emulator.clock.scale)
        events = self._take(order="shuffle" if self._options.get("shuffle") else "as_is")
        if events:
            await self._send(events)
            if self._options.get("duplicate"):
                await self._send(events)

    async def _send(self, events: list[Event]) -> None:
        options = self._options
        if not options:
            return
        for first in range(0, len(events), EVENTS_MAX):
            for body in _bodies(events[first : first + EVENTS_MAX], options["shape"]):
                await self._post(body, options)

    async def _post(self, body: bytes, options: dict[str, Any]) -> None:
        kind = "application/json" if options["shape"] == "legacy" else "application/cloudevents+json"
        headers = {
            "content-type": kind,
            "intuit-signature": signature(body, str(options["verifier"])),
            "intuit-created-time": self._emulator.clock.now().isoformat(),
            "intuit-t-id": str(uuid.uuid4()),
            "intuit-notification-schema-version": "0.1",
            "user-agent": "intuit_notification_server/0.1",
        }
        waits = (0, *options.get("retry_seconds", RETRY_SECONDS))
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            for attempt, wait in enumerate(waits, start=1):
                if wait:
                    await asyncio.sleep(wait / self._emulator.clock.scale)
                try:
                    status = (await client.post(options["url"], content=body, headers=headers)).status_code
                except httpx.HTTPError as error:
                    status = 0
                    problem = type(error).__name__
                else:
                    problem = ""
                self._log.append({"attempt": attempt, "status": status, "error": problem, "bytes": len(body)})
                if status == 200:
                    return


def signature(body: bytes, verifier: str) -> str:
    """Return base64 of HMAC-SHA256 over the raw body."""
    return base64.b64encode(hmac.new(verifier.encode(), body, hashlib.sha256).digest()).decode()


def _bodies(events: list[Event], shape: str) -> list[bytes]:
    if shape == "cloudevents":
        return [wire.dumps([_cloud_event(event) for event in events])]
    realms = dict.fromkeys(event.realm for event in events)
    return [_legacy(realm, [event for event in events if event.realm == realm]) for realm in realms]


def _cloud_event(event: Event) -> dict[str, Any]:
    verb = PAST.get(event.operation, "updated")
    return {
        "specversion": "1.0",
        "id": event.number,
        "source": "intuit." + base64.b64encode(b"sandbox").decode(),
        "type": f"qbo.{event.entity.lower()}.{verb}.v1",
        "datacontenttype": "application/json",
        "time": event.at.replace("Z", "000000Z"),
        "intuitentityid": event.id,
        "intuitaccountid": event.realm,
        "data": {"deletedId": event.lost} if event.lost else {},
    }


def _legacy(realm: str, events: list[Event]) -> bytes:
    entities = [
        {"name": e.entity, "id": e.id, "operation": e.operation, "lastUpdated": e.at}
        | ({"deletedId": e.lost} if e.lost else {})
        for e in events
    ]
    return wire.dumps({"eventNotifications": [{"realmId": realm, "dataChangeEvent": {"entities": entities}}]})
