"""A builder and a bookkeeper who work while everything around them is killed: the simulator's people, over real servers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import sqlalchemy as sa

from resources.store.database import Database
from sync.clock import SystemClock
from tests.fakes.world import Platform

Json = dict[str, Any]
# How long the office goes on trying to save something while Postgres comes back.
PATIENCE_SECONDS = 90.0
GONE = (psycopg.OperationalError, sa.exc.OperationalError, sa.exc.TimeoutError, psycopg.InterfaceError)


class Books:
    """The company in the QuickBooks sandbox, as the bookkeeper sees it in its window."""

    def __init__(self, url: str) -> None:
        self.realm = str(uuid4().int)[:16]
        self.window = httpx.Client(base_url=url, timeout=20)
        self.emulator = SimpleNamespace(check_books=self._checks)

    def open(self, name: str) -> None:
        """Found the company."""
        made = self.window.post("/_sandbox/companies", json={"realm": self.realm, "name": name})
        assert made.is_success, made.text

    def act(self, operation: str, entity: str, body: Json, *, number: str = "") -> Json | None:
        """Do something; None where QuickBooks does not allow it, or died before it answered."""
        wanted = {"realm": self.realm, "entity": entity, "operation": operation, "id": number, "body": body}
        try:
            answer = self.window.post("/_sandbox/act", json=wanted)
        except httpx.HTTPError:
            return None
        found: Json = answer.json() if answer.is_success else {}
        return found or None

    def all(self, entity: str) -> list[Json]:
        """Every object of an entity as it stands."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self.window.get(f"/_sandbox/objects/{self.realm}/{entity}")
                answer.raise_for_status()
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)
            else:
                rows: list[Json] = json.loads(answer.content)
                return rows

    def _checks(self) -> Mapping[str, Any]:
        companies = self.window.get("/_sandbox/ledger").json()["companies"]
        return {name: SimpleNamespace(problems=found["problems"]) for name, found in companies.items()}


class _Clock(SystemClock):
    """The time of this machine; people who let time pass only breathe."""

    def move(self, _by: object) -> None:
        """Nothing: real time passes by itself."""


class PatientOffice(Platform):
    """The office, whose every click is repeated until it is saved."""

    def __init__(self, database: Database) -> None:
        self.clock = _Clock()
        self._one_at_a_time = threading.RLock()
        super().__init__(database, clock=self.clock)

    def run(self, statement: str, *parameters: Any) -> None:
        """Save something, again until Postgres is back; what was saved before its answer was lost is saved."""
        is_again = False
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with self._one_at_a_time:
                    super().run(statement, *parameters)
            except GONE:
                if time.monotonic() > deadline:
                    raise
                is_again = True
                time.sleep(0.2)
            except psycopg.errors.UniqueViolation:
                if not is_again:
                    raise
                return
            else:
                return

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Read, again until Postgres is back."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with suppress(*GONE), self._one_at_a_time:
                return super().rows(statement, *parameters)
            if time.monotonic() > deadline:
                raise TimeoutError("Postgres does not come back")
            time.sleep(0.2)


class ChaosWorld(PatientOffice):
    """The office, and the books it is connected to, as the simulator's people and questions know them."""

    def __init__(self, database: Database, books: Books, random: Random) -> None:
        self.random = random
        self.ledger = books
        self.actions = 0
        super().__init__(database)
        self.accounts: dict[str, str] = {}

    def tell(self, _sentence: str) -> None:
        """Count what people do."""
        self.actions += 1
