"""Sends webhooks as the Standard Webhooks specification says: signed, to public addresses only, tried until they arrive."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import structlog
from standardwebhooks.webhooks import Webhook

from resources.http import api_client
from resources.record_links import RecordLinks
from resources.settings import Settings
from resources.store import webhooks
from resources.store.database import Database, json_text
from resources.targets import Resolve, UnsafeTarget, resolve, safe_target
from resources.vault import Vault
from sync.clock import Clock

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 15.0
AT_ONCE = 8
PER_BUILDER_MAX = 40
# What comes before the second, third, … try; published in docs/api.md, with up to a tenth more by chance.
SCHEDULE = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)


class WebhookSender:
    """Sends what is due of all builders. One object per process."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        vault: Vault,
        clock: Clock,
        resolver: Resolve = resolve,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`resolver` finds the addresses of a name, `jitter` spreads tries over time."""
        self._database = database
        self._vault = vault
        self._clock = clock
        self._resolver = resolver
        self._jitter = jitter
        self._links = RecordLinks(settings)
        self._allow_loopback = settings.webhook_allow_loopback
        self._http = api_client(read_seconds=ANSWER_SECONDS)

    def close(self) -> None:
        """Close the connections to receivers."""
        self._http.close()

    def send_due(self) -> tuple[int, int]:
        """Send everything that is due, once; return how many arrived and how many did not."""
        arrived = failed = 0
        for builder_id in webhooks.builders_with_deliveries(self._database, now=self._clock.now()):
            due = webhooks.claim_deliveries(
                self._database, self._vault, builder_id, now=self._clock.now(), rows_max=PER_BUILDER_MAX
            )
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                outcomes = list(pool.map(self._try, due))
            for each, outcome in zip(due, outcomes, strict=True):
                self._settle(builder_id, each, outcome)
                arrived, failed = (
                    arrived + (outcome.state == "delivered"),
                    failed + (outcome.state != "delivered"),
                )
        return arrived, failed

    def _settle(self, builder_id: UUID, due: webhooks.Due, outcome: webhooks.Outcome) -> None:
        webhooks.settle_delivery(self._database, builder_id, due, outcome, now=self._clock.now())
        log.info(
            "webhook",
            builder=str(builder_id),
            endpoint=str(due.endpoint_id),
            event_id=str(due.event_id),
            tries=due.tries,
            outcome=outcome.state,
            status=outcome.status,
        )

    def _try(self, due: webhooks.Due) -> webhooks.Outcome:
        started = time.perf_counter()
        status: int | None = None
        try:
            status = self._post(due)
            error = None if 200 <= status < 300 else f"it answered {status}"
        except UnsafeTarget as refused:
            error = refused.user_message
        except httpx.HTTPError as trouble:
            error = f"it did not answer ({type(trouble).__name__})"
        took = round(1000 * (time.perf_counter() - started))
        if error is None:
            return webhooks.Outcome("delivered", status, None, took)
        if status == webhooks.GONE:
            return webhooks.Outcome("failed", status, "it answered 410: nobody listens there any more", took)
        next_try_at = self._next_try(due.tries)
        return webhooks.Outcome("pending" if next_try_at else "failed", status, error, took, next_try_at)

    def _post(self, due: webhooks.Due) -> int:
        target = safe_target(due.url, allow_loopback=self._allow_loopback, resolver=self._resolver)
        now = self._clock.now()
        body = json_text(
            {"type": due.type, "timestamp": due.at.isoformat(), "data": self._links.onto_event(due.data)}
        )
        signatures = " ".join(Webhook(each).sign(str(due.event_id), now, body) for each in due.secrets)
        headers = {
            "Host": target.host_header,
            "Content-Type": "application/json",
            "webhook-id": str(due.event_id),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signatures,
        }
        # The certificate is checked for the name, the connection goes to the checked address.
        with self._http.stream(
            "POST",
            target.url,
            content=body.encode(),
            headers=headers,
            extensions={"sni_hostname": target.host},
        ) as response:
            # What the receiver says beyond its status is nobody's business and could be endless.
            return response.status_code

    def _next_try(self, tries: int) -> datetime | None:
        if tries > len(SCHEDULE):
            return None
        return self._clock.now() + SCHEDULE[tries - 1] * (1 + 0.1 * self._jitter())
