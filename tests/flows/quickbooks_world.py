"""A builder connected to the real QuickBooks sandbox over HTTP, through the real consent and the real wiring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
from pydantic import SecretStr

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import OpenSync, Tieout
from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app
from sync.records import Entity
from sync.summary import EntitySummary, PullSummary, TieOut
from tests.fakes.world import Platform

BROWSER = "a browser's own secret"


class QuickBooksWorld(Platform):
    """The platform's hands (inherited), the bookkeeper's hands over HTTP, and the product between."""

    def __init__(self, tieout: Tieout, sandbox_url: str, *, realm: str) -> None:
        """Make a builder and connect it to a company of the sandbox."""
        super().__init__(tieout.database)
        self.tieout = tieout
        self.sandbox_url = sandbox_url
        self.realm = realm
        start = tieout.connections.begin(
            self.builder_id, "quickbooks_online", browser=BROWSER, requested_by="test"
        )
        consent = f"{start.url}&{urlencode({'sandbox_consent': 'auto', 'sandbox_realm': realm})}"
        location = httpx.get(consent).headers["location"]
        params = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        connected = tieout.connections.complete("quickbooks_online", params=params, browser=BROWSER)
        assert connected.notice is None, connected.notice
        self.connection_id = connected.connection_id
        self.company_name = connected.company_name

    # ------------------------------------------------------------------ the bookkeeper's hands

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Ask the company's books with a token of the bookkeeper's own."""
        answer = self._books("GET", "query", params={"query": statement})["QueryResponse"]
        return next((rows for rows in answer.values() if isinstance(rows, list)), [])

    def post(self, entity: str, body: dict[str, Any], **params: str) -> dict[str, Any]:
        """Write to the company's books as the bookkeeper does."""
        found: dict[str, Any] = next(
            value
            for value in self._books("POST", entity, params=params, json=body).values()
            if isinstance(value, dict)
        )
        return found

    def merge(self, entity: str, *, keep: str, lose: str) -> None:
        """Merge one name of the company into another."""
        body = {"realm": self.realm, "entity": entity, "keep": keep, "lose": lose}
        answer = httpx.post(f"{self.sandbox_url}/_sandbox/merge", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text

    def _books(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        url = f"{self.sandbox_url}/v3/company/{self.realm}/{path}"
        headers = {"Authorization": f"Bearer {self.token()}", "Accept": "application/json"}
        answer = httpx.request(method, url, headers=headers, **more)
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def token(self) -> str:
        """The access token that the product holds now."""
        row = self.rows(
            "select access_token_encrypted from v2_integration_connections where id = %s", self.connection_id
        )
        return self.tieout.vault.open(
            row[0][0], builder_id=self.builder_id, connection_id=self.connection_id, field="access_token"
        )

    # ------------------------------------------------------------------ sync

    @contextmanager
    def opened(self) -> Iterator[OpenSync]:
        """Open a sync through the product's own wiring."""
        run_id = self.add(
            "sync_runs",
            connection_id=self.connection_id,
            trigger="manual",
            requested_by="test",
            status="queued",
        )
        with self.tieout.sync(self.builder_id, self.connection_id, run_id) as sync:
            yield sync

    def sync(self) -> tuple[PullSummary, dict[Entity, EntitySummary], TieOut, int]:
        """Do one whole sync."""
        with self.opened() as sync:
            pulled, summaries, proof = sync.sync_all()
            sync.finish()
            return pulled, {each.entity: each for each in summaries}, proof, sync.provider_calls


@contextmanager
def quickbooks_world(settings: Settings, database: Database) -> Iterator[QuickBooksWorld]:
    """Serve a sandbox with one fresh company, and open the product over it."""
    with ServerThread(create_app()) as server, world_at(server.url, settings, database) as world:
        yield world


@contextmanager
def world_at(
    sandbox_url: str, settings: Settings, database: Database, *, documents: int = 0
) -> Iterator[QuickBooksWorld]:
    """Make a fresh company with so many documents in a sandbox that is up already, and open the product over it."""
    realm = str(uuid4().int)[:16]
    with httpx.Client(base_url=sandbox_url, timeout=600) as control:
        made = control.post("/_sandbox/companies", json={"realm": realm, "name": "Larch Books"})
        assert made.is_success, made.text
        if documents:
            seeded = control.post("/_sandbox/seed", json={"realm": realm, "size": documents})
            assert seeded.is_success, seeded.text
    with Tieout(pointed_to(sandbox_url, settings), database=database) as tieout:
        yield QuickBooksWorld(tieout, sandbox_url, realm=realm)


def pointed_to(sandbox_url: str, settings: Settings) -> Settings:
    """Settings that take this sandbox for QuickBooks."""
    return settings.model_copy(
        update={
            "quickbooks_base_url": sandbox_url,
            "quickbooks_authorize_url": f"{sandbox_url}/connect/oauth2",
            "quickbooks_token_url": f"{sandbox_url}/oauth2/v1/tokens/bearer",
            "quickbooks_revoke_url": f"{sandbox_url}/v2/oauth2/tokens/revoke",
            "quickbooks_client_id": "tieout",
            "quickbooks_client_secret": SecretStr("the sandbox takes any"),
        }
    )
