"""Hears of changes to the platform's tables the moment they are committed. Only a hint: the table says what changed."""

from __future__ import annotations

import threading

import psycopg
import structlog

from resources.postgres.urls import for_psycopg

CHANNEL = "tieout_changes"
LISTEN_SECONDS = 1.0
RECONNECT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class ChangeBell:
    """Listens on a connection of its own and rings; a lost connection is opened again, and rings as well."""

    def __init__(self, url: str) -> None:
        """Take the address to listen at; nothing is opened before `start`."""
        self._url = for_psycopg(url)
        self._rung = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="change-bell", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and let `wait` return."""
        self._stopped.set()
        self._rung.set()
        self._thread.join(timeout=LISTEN_SECONDS * 3)

    def ring(self) -> None:
        """Ring by hand: there may be more to do."""
        self._rung.set()

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, at most so long; say whether it did."""
        was_rung = self._rung.wait(seconds)
        self._rung.clear()
        return was_rung

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    connection.execute(f"listen {CHANNEL}")
                    # What was committed while nobody listened is found by looking.
                    self._rung.set()
                    while not self._stopped.is_set():
                        for _ in connection.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                            self._rung.set()
            except psycopg.Error as error:
                log.warning("listening_interrupted", reason=type(error).__name__)
                self._stopped.wait(RECONNECT_SECONDS)
