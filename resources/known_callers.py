"""Who was let in a moment ago, so that not every request of the API asks the database whose key it carries.

What is known is forgotten the moment the database tells that anybody's access changed, after a few seconds in any case,
and whenever the database was not heard of for longer than a heartbeat. A process that does not listen knows nobody.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import structlog

from resources.postgres.urls import for_psycopg
from resources.store.api_keys import Caller

CHANNEL = "tieout_access"
# The longest that a key which passed its time, or of whose end nothing was told, still opens.
KNOWN_SECONDS = 5.0
HEARTBEAT_SECONDS = 1.0
HEARD_SECONDS_MAX = 2.5
RECONNECT_SECONDS = 1.0
CALLERS_MAX = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    # what had been told when the database was asked
    told: object
    until: float


class KnownCallers:
    """Whom this process knows; one object serves all threads."""

    def __init__(self, url: str, *, seconds: Callable[[], float] = time.monotonic) -> None:
        """Take the address of the database to listen at; nothing is opened, and nobody known, before `start`."""
        self._url = for_psycopg(url)
        self._seconds = seconds
        self._known: dict[bytes, _Known] = {}
        # Another object whenever something was told: compared by identity, exchanged in one step.
        self._told = object()
        self._heard_at: float | None = None
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._listen, name="known-callers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and know nobody."""
        self._stopped.set()
        self._heard_at = None
        if self._thread is not None:
            self._thread.join(timeout=HEARTBEAT_SECONDS * 3)

    def find(self, token: str) -> Caller | None:
        """Return whom a token lets in, if that is known without asking."""
        found = self._known.get(_digest(token))
        if found is None or found.told is not self._told:
            return None
        now, heard_at = self._seconds(), self._heard_at
        is_heard = heard_at is not None and now - heard_at <= HEARD_SECONDS_MAX
        return found.caller if is_heard and now < found.until else None

    def look_up(self, token: str, ask: Callable[[], Caller | None]) -> Caller | None:
        """Ask whom a token lets in, and know it for a while."""
        told = self._told
        caller = ask()
        if caller is not None and self._heard_at is not None:
            if len(self._known) >= CALLERS_MAX:
                self._known = {}
            # What was told while the database was asked may be about this caller: then it is not taken as known.
            self._known[_digest(token)] = _Known(caller, told, self._seconds() + KNOWN_SECONDS)
        return caller

    def forget(self) -> None:
        """Know nobody any more: somebody's access changed."""
        self._told = object()
        self._known = {}

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    connection.execute(f"listen {CHANNEL}")
                    self.forget()
                    while not self._stopped.is_set():
                        # Only a server that answers can have told everything.
                        connection.execute("")
                        self._heard_at = self._seconds()
                        for _ in connection.notifies(timeout=HEARTBEAT_SECONDS, stop_after=1):
                            self.forget()
            except psycopg.Error as error:
                self._heard_at = None
                log.warning("listening_interrupted", reason=type(error).__name__)
                self._stopped.wait(RECONNECT_SECONDS)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
