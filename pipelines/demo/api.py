"""The product's API, as the demo calls it with a builder's own key."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx

from pipelines.processes import ProcessError

ROOT = "/api/v1/integrations"
POLL_SECONDS = 0.3
SYNC_SECONDS_MAX = 300.0
PAGE_ROWS = 100
BROWSER_HEADER = "X-Tieout-Browser"

Json = dict[str, Any]


class TieoutApi:
    """One builder's way into the product."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._client = httpx.Client(
            base_url=f"{base_url}{ROOT}", headers={"Authorization": f"Bearer {api_key}"}, timeout=60
        )

    def connect(self, provider: str, *, company: str, clicks: Mapping[str, str]) -> Json:
        """Go through the OAuth consent as a browser would; `clicks` are what a person does on the sandbox's page.

        Where the consent opens several companies, the product asks which one is meant, and `company` is chosen.
        """
        start = self._ask("POST", f"/connect/{provider}")
        # The one thing a script does differently: it says beforehand what a person would click.
        consent = f"{start['redirect_url']}&{urlencode(clicks)}"
        with httpx.Client(timeout=60) as browser:
            answer = browser.get(consent)
            callback = answer.headers.get("location", "")
            if not answer.is_redirect or not callback:
                raise ProcessError(
                    f"The sandbox's consent page did not send the browser back: {answer.text[:300]}"
                )
            headers = {BROWSER_HEADER: start["browser"]}
            completed = browser.get(callback, headers=headers)
            choice = _choice(completed)
            if choice is not None:
                chosen = {"state": choice["state"], "company": company}
                completed = browser.get(
                    httpx.URL(callback).copy_with(query=None), params=chosen, headers=headers
                )
            return _answer(completed)

    def mapping(self, connection_id: str) -> Json:
        """Return the mapping as it stands."""
        return self._ask("GET", "/mappings", params={"connection_id": connection_id})

    def save_mapping(self, connection_id: str, *, version: int, rows: list[Json], note: str) -> Json:
        """Save a full mapping."""
        body = {"connection_id": connection_id, "version": version, "rows": rows, "note": note}
        return self._ask("PUT", "/mappings", json=body)

    def accounts(self, connection_id: str) -> list[Json]:
        """Return the provider's chart of accounts."""
        return list(self._pages(f"/connections/{connection_id}/accounts"))

    def start_sync(self, connection_id: str) -> str:
        """Ask for a sync of everything and return its id."""
        run: str = self._ask("POST", "/sync", json={"connection_id": connection_id})["run"]["id"]
        return run

    def wait_for_sync(self, run_id: str, *, tell: Callable[[str], None], watch: Callable[[], None]) -> Json:
        """Wait until a sync has ended; `tell` hears how far it is, `watch` raises when something has died."""
        deadline = time.monotonic() + SYNC_SECONDS_MAX
        while True:
            run = self.run(run_id)
            if run["status"] not in ("queued", "started"):
                return run
            tell(self._waits(run) or _progress(run))
            watch()
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"The sync {run_id} has not ended for {SYNC_SECONDS_MAX:.0f} seconds; open Dagster to see why."
                )
            time.sleep(POLL_SECONDS)

    def _waits(self, run: Json) -> str | None:
        """Return for whom a sync waits, if its next call is not its turn yet."""
        quota = self._ask("GET", f"/connections/{run['connection_id']}/quota")
        return (
            "waiting, because the provider takes only so many calls a minute" if quota["is_waiting"] else None
        )

    def run(self, run_id: str) -> Json:
        """Return a run and its steps."""
        return self._ask("GET", f"/sync/runs/{run_id}")

    def records(self, run_id: str, entity: str) -> list[Json]:
        """Return what a run did with each record of an entity."""
        rows = self._pages("/sync/log", run_id=run_id, entity=entity)
        return [record for row in rows for record in self._pages(f"/sync/log/{row['id']}/records")]

    def waiting(self) -> list[Json]:
        """Return records that are held or failed."""
        return list(self._pages("/sync/errors"))

    def conflicts(self) -> list[Json]:
        """Return records that wait for somebody's choice."""
        return list(self._pages("/conflicts"))

    def status(self) -> Json:
        """Return how the builder's connection stands."""
        found: Json = self._ask("GET", "/sync/status")["connections"][0]
        return found

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _pages(self, path: str, **wanted: str) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self._ask("GET", path, params={"limit": PAGE_ROWS, **wanted, **more})
            yield from page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return

    def _ask(self, method: str, path: str, **content: Any) -> Json:
        return _answer(self._client.request(method, path, **content))


def _choice(response: httpx.Response) -> Json | None:
    """Return what there is to choose from, where the product asks for a choice."""
    if not response.is_error or "json" not in response.headers.get("content-type", ""):
        return None
    problem = response.json()
    return problem["details"] if problem.get("code") == "connect.choice_needed" else None


def _answer(response: httpx.Response) -> Json:
    try:
        body = response.json(parse_float=Decimal)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ProcessError(
            f"{response.request.method} {response.request.url.path} answered with status {response.status_code} and"
            f" no JSON: {response.text[:200]}"
        )
    if response.is_error:
        raise ProcessError(str(body.get("detail") or body.get("title") or body))
    return body


def _progress(run: Json) -> str:
    steps = run["steps"]
    if run["status"] == "queued" or not steps:
        return "waiting for Dagster" if run["status"] == "queued" else "reading the ledger's changes"
    newest = max(steps, key=lambda step: step["started_at"])
    return f"{newest['entity_type'].replace('_', ' ')}, {sum(step['records_processed'] for step in steps)} records"
