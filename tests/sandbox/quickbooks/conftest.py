from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.enums import Scopes
from quickbooks import QuickBooks

from sandbox.kernel.server import ServerThread
from sandbox.quickbooks import create_app
from tests.sandbox.quickbooks.driver import Books

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    with ServerThread(create_app()) as server:
        httpx.post(f"{server.url}/_sandbox/snapshots/fresh").raise_for_status()
        yield server.url


@pytest.fixture
def books(sandbox_url: str) -> Iterator[Books]:
    httpx.post(f"{sandbox_url}/_sandbox/reset", json={"snapshot": "fresh"}, timeout=30).raise_for_status()
    driver = Books(sandbox_url)
    yield driver
    driver.close()


class Process:
    """The sandbox as anyone starts it: a new process on a free port."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "api.cli", "sandbox", "quickbooks", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http"))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"{self.url}/_sandbox/state")
                return
            except httpx.TransportError:
                time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process(*arguments))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def fresh_process() -> Iterator[str]:
    process = Process()
    yield process.url
    process.kill()


@pytest.fixture
def auth(fresh_process: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthClient]:
    monkeypatch.setitem(os.environ, "OAUTHLIB_INSECURE_TRANSPORT", "1")
    httpx.post(f"{fresh_process}/_sandbox/reset", timeout=30).raise_for_status()
    client = AuthClient(
        "judge",
        "secret",
        "http://127.0.0.1:9/cb",
        f"{fresh_process}/.well-known/openid_sandbox_configuration/",
    )
    consent = client.get_authorization_url([Scopes.ACCOUNTING], state_token="s")
    answer = httpx.get(f"{consent}&sandbox_consent=auto")
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    client.get_bearer_token(query["code"][0], realm_id=query["realmId"][0])
    yield client
    client.close()


@pytest.fixture
def qb(auth: AuthClient, fresh_process: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[QuickBooks]:
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{fresh_process}/v3")
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", f"{fresh_process}/v3")
    client = QuickBooks(
        auth_client=auth,
        refresh_token=auth.refresh_token,
        company_id=auth.realm_id,
        minorversion=75,
        use_decimal=True,
    )
    yield client
    client.session.close()
    assert httpx.get(f"{fresh_process}/_sandbox/ledger").json()["balanced"]
