"""Carries out what is to be told: mails and webhooks, with every try outside a transaction.

Independent of syncs: any process may call `deliver_once`, several may at the same time, and what one takes no other sends.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import sqlalchemy as sa
import structlog

from resources.mail import MailRefused, MailUnknown, compose, send
from resources.notice_pages import NAMED, RECORDS_NAMED_MAX, Told, told
from resources.settings import Settings
from resources.store import notices
from resources.store.database import Database, Transaction
from resources.store.views import Row
from resources.store.webhooks import forget_events, write_events
from resources.webhooks import WebhookSender
from sync.clock import Clock

log = structlog.get_logger(__name__)

# After the first try: a mail server that is down for a day still gets it.
MAIL_WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440))
SWEEP_EVERY = timedelta(hours=1)
MAILS_PER_BUILDER_MAX = 100
POLL_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did."""

    mails: int = 0
    failures: int = 0
    webhooks: int = 0
    webhook_failures: int = 0


class Deliverer:
    """Sends what is due. One object per process."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Clock,
        webhooks: WebhookSender | None = None,
        post: Callable[[EmailMessage, Settings], None] = send,
    ) -> None:
        """`webhooks` sends webhooks, `post` hands a mail to the mail server."""
        self._webhooks = webhooks
        self._database = database
        self._settings = settings
        self._clock = clock
        self._post = post
        self._swept_at: datetime | None = None

    def deliver_once(self) -> Delivered:
        """Look at everything that is due, once; also raise notices hourly, for what no sync comes by to notice."""
        now = self._clock.now()
        if self._swept_at is None or now - self._swept_at >= SWEEP_EVERY:
            self._swept_at = now
            self.sweep()
        mails = failures = 0
        if self._settings.smtp_host:
            for builder_id in notices.builders_with_mail(self._database, now=now):
                sent, failed = self._mails_of(builder_id)
                mails, failures = mails + sent, failures + failed
        arrived, lost = self._webhooks.send_due() if self._webhooks else (0, 0)
        return Delivered(mails, failures, arrived, lost)

    def sweep(self) -> None:
        """Raise the notices and write the events of every builder, and forget events that are old."""
        for builder_id in notices.all_builders(self._database):
            now = self._clock.now()
            notices.raise_notifications(self._database, builder_id, now=now)
            write_events(self._database, builder_id, now=now)
            forget_events(self._database, builder_id, now=now)

    def _mails_of(self, builder_id: UUID) -> tuple[int, int]:
        sent = failed = 0
        for _ in range(MAILS_PER_BUILDER_MAX):
            mail = notices.claim_mail(self._database, builder_id, now=self._clock.now())
            if mail is False:
                break
            if isinstance(mail, notices.Grouped):
                is_sent = self._send(builder_id, mail)
                sent, failed = sent + is_sent, failed + (not is_sent)
        return sent, failed

    def _send(self, builder_id: UUID, mail: notices.Grouped) -> bool:
        said = self._told(builder_id, mail)
        letter = compose(said, builder_name=mail.builder_name, to=mail.email, settings=self._settings)
        state, wait = "sent", None
        try:
            self._post(letter, self._settings)
        except MailUnknown as error:
            state = "unknown"
            log.warning("mail_unknown", builder=str(builder_id), reason=str(error))
        except MailRefused as error:
            may_wait = not error.is_final and mail.tries <= len(MAIL_WAITS)
            state, wait = ("pending", MAIL_WAITS[mail.tries - 1]) if may_wait else ("failed", None)
            log.warning("mail_refused", builder=str(builder_id), reason=str(error), next_state=state)
        now = self._clock.now()
        notices.settle_mail(
            self._database,
            builder_id,
            mail,
            state=state,
            now=now,
            next_try_at=now + wait if wait else None,
        )
        return state == "sent"

    def _told(self, builder_id: UUID, mail: notices.Grouped) -> list[Told]:
        with self._database.builder_tx(builder_id) as tx:
            now = self._clock.now()
            return [told(row, _records(tx, row, now=now), settings=self._settings) for row in mail.notices]


def _records(tx: Transaction, row: Row, *, now: datetime) -> list[Row]:
    if row["kind"] not in NAMED or row["connection_id"] is None:
        return []
    return notices.records_behind(
        tx, connection_id=row["connection_id"], kind=row["kind"], now=now, rows_max=RECORDS_NAMED_MAX
    )


def deliver_until_stopped(deliverer: Deliverer, *, poll_seconds: int = POLL_SECONDS) -> None:
    """Deliver in rounds until the process is asked to end; a round under way is finished first."""
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    while not stop.is_set():
        try:
            deliverer.deliver_once()
        except sa.exc.OperationalError as error:
            # The database restarts now and then; what is due is still due after it.
            log.warning("database_trouble", kind=type(error).__name__)
        stop.wait(poll_seconds)
