"""Canaries: secrets that are really in use, and then looked for everywhere they must not be."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, get_args
from uuid import UUID

import dagster as dg
import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.app import create_app
from api.models.exports import DatasetName, FormatName
from pipelines.definitions import build_defs
from resources.dagster.wired import WiredDesk
from resources.delivery import Deliverer
from resources.logging import configure_logging
from resources.postgres import DatabaseUrls
from resources.postgres.urls import for_psycopg
from resources.rotation import add_key, rewrap_all
from resources.settings import Settings
from resources.store.api_keys import Caller, create_api_key
from resources.store.app_access import Issued, exchange_code, find_code, give, new_code, new_pair
from resources.store.apps import Wanted, find_app, register_app
from resources.store.database import Database
from resources.store.sessions import make_link, open_session
from resources.vault import Vault
from tests.api.world import PROVIDERS, ROOT, FakeLauncher, WorkersAtOnce
from tests.flows.quickbooks_world import BROWSER, QuickBooksWorld, quickbooks_world
from tests.support.logs import logging_put_back

PLANTED = {
    "quickbooks_client_secret": "canary-client-secret-91c2",
    "token_secret": "canary-platform-token-secret-5f0e-long",
    "smtp_password": "canary-mail-password-77aa",
    "metrics_token": "canary-metrics-token-10fd",
}

# In a cell of a file that is sent in.
IMPORTED = "canary-cell-3f5511"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Everything anybody logs, libraries included, at the most talkative level."""
    stream = io.StringIO()
    with logging_put_back():
        configure_logging(Settings(_env_file=None, log_format="json", log_level="debug"), stream=stream)  # type: ignore[call-arg]  # pydantic-settings' own
        yield stream


@pytest.fixture
def world(settings: Settings, database: Database, logged: io.StringIO) -> Iterator[QuickBooksWorld]:
    planted: dict[str, Any] = {name: SecretStr(value) for name, value in PLANTED.items()}
    told = settings.model_copy(update={**planted, "token_issuer": "https://platform.example"})
    with quickbooks_world(told, database) as made:
        yield made


def stored_text(urls: DatabaseUrls) -> str:
    """Everything readable in the database: each row of each table as a dump would write it."""
    with psycopg.connect(for_psycopg(urls.admin), autocommit=True) as connection:
        tables = [
            row[0]
            for row in connection.execute(
                "select c.oid::regclass::text from pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace"
            )
        ]
        return "\n".join(
            str(row[0])
            for table in tables
            for row in connection.execute(f"select t::text from {table} t").fetchall()
        )


@dataclass(frozen=True)
class Given:
    """What opens the doors of a person and of an app; none of it is ever shown again."""

    session: str
    link: str
    app_id: str
    app_secret: str
    code: str
    access: str
    refresh: str

    @property
    def secrets(self) -> list[str]:
        """All of it but the app's name."""
        return [self.session, self.link, self.app_secret, self.code, self.access, self.refresh]


def give_access(world: QuickBooksWorld) -> Given:
    """Sign a person in, and let the person let an app in."""
    database, now = world.tieout.database, world.tieout.clock.now()
    person = Caller(UUID(world.builder_id), None, "canary person", "owner")
    session = open_session(database, person, came_by="link", lasts=timedelta(hours=1), now=now).token
    link = make_link(database, person.builder_id, person=person.name, role="owner", now=now)
    wanted = Wanted("Canary app", ("https://a.example",), ("sync:read",))
    made = register_app(database, person.builder_id, wanted, registered_by="canary", now=now)
    app, text = find_app(database, str(made.id)), new_code()
    assert app is not None
    assert made.secret is not None
    issued = Issued(text, "https://a.example", "canary-challenge")
    give(database, person, app=app, scopes=("sync:read",), issued=issued, now=now)
    code, pair = find_code(database, text, now=now), new_pair()
    assert code is not None
    assert exchange_code(database, code, pair, now=now)
    return Given(session, link, str(made.id), made.secret, text, pair.access, pair.refresh)


async def as_person_and_app(client: httpx.AsyncClient, given: Given) -> list[httpx.Response]:
    """Use all of it, rightly and wrongly; a file is sent in besides."""
    about = {"client_id": given.app_id, "client_secret": given.app_secret}
    bearer = {"Authorization": f"Bearer {given.access}"}
    session = {"Cookie": f"tieout_session={given.session}", "Authorization": ""}
    # Its page gives the link back to whoever has it, in the form that uses it up; nobody else may have it.
    assert given.link in (await client.get("/signin", params={"link": given.link})).text
    answers = [
        await client.get("/integrations", headers=session),
        await client.get("/integrations", headers=session | {"Cookie": f"tieout_session={given.session}x"}),
        await client.get(f"{ROOT}/sync/status", headers=bearer),
        await client.get(f"{ROOT}/mappings", headers=bearer),
        await client.post("/oauth/introspect", data={**about, "token": given.access}),
        await client.post(
            "/oauth/token", data={**about, "grant_type": "authorization_code", "code": "wrong"}
        ),
        await client.post(
            "/oauth/token", data={**about, "grant_type": "refresh_token", "refresh_token": "wrong"}
        ),
        await client.get("/metrics", headers={"Authorization": f"Bearer {PLANTED['metrics_token']}"}),
        await client.get("/metrics", headers=bearer),
        await client.post(
            f"{ROOT}/imports",
            files={"file": ("v.csv", f"name,phone\nCanary Vendor,{IMPORTED}\n".encode())},
            data={"entity": "vendors"},
        ),
    ]
    assert [each.status_code for each in answers[:1] + answers[2:3] + answers[7:8]] == [200] * 3
    return answers


def app_of(world: QuickBooksWorld) -> FastAPI:
    """The API over the world."""
    return create_app(world.tieout, launcher=FakeLauncher(), providers=PROVIDERS, workers=WorkersAtOnce)


def calling(app: FastAPI, key: str) -> httpx.AsyncClient:
    """Whoever has this key, calling the API in this process."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://testserver",
        headers={"Authorization": f"Bearer {key}"},
    )


def call_everything(world: QuickBooksWorld, key: str, given: Given) -> tuple[str, list[str]]:
    """Make secrets through the API, ask every reading route, provoke refusals; return all answers and what was shown once."""
    app = app_of(world)
    shown_once: list[str] = []
    seen: list[str] = []

    async def talk() -> None:
        async with calling(app, key) as client:
            for path, body in (
                ("/keys", {"name": "canary", "role": "viewer"}),
                ("/webhooks", {"url": "https://hook.example/"}),
            ):
                answer = await client.post(
                    f"{ROOT}{path}", json=body, headers={"Idempotency-Key": path.strip("/")}
                )
                made = answer.json()
                shown_once.append(made.get("key") or made["secret"])
            # Asked for before anything is the matter: what was told already is not mailed.
            asked = await client.put(f"{ROOT}/notifications/preferences", json={"email": "office@a.example"})
            assert asked.status_code == 200, asked.text
            seen.extend(f"{each.headers} {each.text}" for each in await as_person_and_app(client, given))
            for path, item in app.openapi()["paths"].items():
                if "get" in item:
                    place = path.replace("{id}", world.connection_id).replace(
                        "{provider}", "quickbooks_online"
                    )
                    for query in ({}, {"code": "canary-code-4d", "state": "canary-state-8e"}):
                        answer = await client.get(place, params=query)
                        seen.append(f"{answer.headers} {answer.text}")
            for wrong in (f"{key}x", PLANTED["token_secret"], f"a.{PLANTED['token_secret']}.b"):
                answer = await client.get(f"{ROOT}/connections", headers={"Authorization": f"Bearer {wrong}"})
                seen.append(answer.text)
            answer = await client.post(
                f"{ROOT}/sync", content=key.encode(), headers={"Content-Type": "application/json"}
            )
            seen.append(answer.text)

    asyncio.run(talk())
    return "\n".join(seen), shown_once


def text_of(file: httpx.Response) -> str:
    """A file that was sent, as whoever opens it reads it; of a workbook every part."""
    if not file.content.startswith(b"PK"):
        return file.text
    with zipfile.ZipFile(io.BytesIO(file.content)) as parts:
        return "\n".join(html.unescape(parts.read(name).decode()) for name in parts.namelist())


def file_texts(world: QuickBooksWorld, key: str, *, vendor_id: str) -> dict[str, str]:
    """Every export by format, as it is read, and a vendor's evidence pack."""
    files: dict[str, str] = {}

    async def talk() -> None:
        async with calling(app_of(world), key) as client:
            for kind in get_args(FormatName.__value__):
                place = f"{ROOT}/exports"
                datasets = get_args(DatasetName.__value__)
                sent = [await client.get(f"{place}/{each}", params={"format": kind}) for each in datasets]
                assert {each.status_code for each in sent} == {200}
                files[f"{kind} exports"] = "\n".join(f"{each.headers} {text_of(each)}" for each in sent)
            pack = await client.get(f"{ROOT}/evidence/vendor/{vendor_id}")
            assert pack.status_code == 200, pack.text
            assert pack.json()["attempts"], "what was sent is in it"
            files["evidence"] = f"{pack.headers} {pack.text}"

    asyncio.run(talk())
    return files


def mail_text(world: QuickBooksWorld) -> str:
    """Every part of every mail about what is the matter, as whoever gets it reads it."""
    letters: list[EmailMessage] = []
    told = {"smtp_host": "mail.example", "smtp_from": "books@tieout.example"}
    settings = world.tieout.settings.model_copy(update=told)
    post = Deliverer(
        world.tieout.database, settings, clock=world.tieout.clock, post=lambda mail, _: letters.append(mail)
    )
    assert post.deliver_once().mails == len(letters) > 0
    parts = [part for letter in letters for part in letter.walk() if not part.is_multipart()]
    return "\n".join([str(letter.items()) for letter in letters] + [part.get_content() for part in parts])


def dagster_text(world: QuickBooksWorld) -> str:
    """Everything Dagster stored about a run that works, and about one that fails."""
    kept: list[str] = []
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("builders", [world.builder_id])
        desk = WiredDesk(world.tieout)
        job = build_defs(resource_overrides={"tieout": desk}).resolve_job_def("quickbooks_online_sync")
        for _ in range(2):
            result = job.execute_in_process(
                partition_key=world.builder_id, instance=instance, raise_on_error=False
            )
            run = instance.get_run_by_id(result.run_id)
            assert run is not None
            kept += [str(each) for each in instance.all_logs(result.run_id)]
            kept += [str(run.tags), str(run.run_config)]
            # The second run meets a consent that was taken back.
            httpx.post(f"{world.sandbox_url}/_sandbox/reset", json={})
    return "\n".join(kept)


@pytest.mark.slow
def test_no_secret_in_use_is_found_where_it_must_not_be(
    world: QuickBooksWorld, logged: io.StringIO, urls: DatabaseUrls
) -> None:
    vendor_id = world.vendor("Ridge Concrete")
    world.bill(world.vendor("Summit Electric"))
    world.sync()
    key = create_api_key(world.tieout.database, UUID(world.builder_id), name="canary", role="owner")
    row = world.rows(
        "select access_token_encrypted, refresh_token_encrypted from v2_integration_connections where id = %s",
        world.connection_id,
    )[0]
    place = {"builder_id": world.builder_id, "connection_id": world.connection_id}
    tokens = [
        world.tieout.vault.open(sealed, field=field, **place)
        for sealed, field in zip(row, ("access_token", "refresh_token"), strict=True)
    ]
    given = give_access(world)
    answers, shown_once = call_everything(world, key, given)
    places = {"answers": answers, "dagster": dagster_text(world), "mails": mail_text(world)}
    places |= file_texts(world, key, vendor_id=vendor_id)
    # Last, so that they are searched for what the others left in them.
    places |= {"logs": logged.getvalue(), "database": stored_text(urls)}
    secrets = [*PLANTED.values(), *tokens, key, *shown_once, *given.secrets, BROWSER]
    secrets += [
        key.removeprefix("tieout_")[:43],
        base64.b64encode(PLANTED["quickbooks_client_secret"].encode()).decode(),
    ]
    assert all(len(text) > 1000 for text in places.values()), {
        name: len(text) for name, text in places.items()
    }
    # What is quoted for a page or a workbook is looked for as it reads.
    read = {name: f"{text}\n{html.unescape(text)}" for name, text in places.items()}
    found = [(name, secret[:12]) for name, text in read.items() for secret in secrets if secret in text]
    assert found == []
    assert "canary-code-4d" not in places["logs"]
    # A person's file is not ours to repeat anywhere but to its builder.
    assert [name for name in ("logs", "dagster", "mails") if IMPORTED in places[name]] == []
    with_vendors = ("database", "csv exports", "xlsx exports", "jsonl exports", "evidence")
    there = {"mails": f"{world.company_name} is no longer connected"}
    there |= dict.fromkeys(with_vendors, "Ridge Concrete")
    missed = [name for name, known in there.items() if known not in read[name]]
    assert missed == [], "the search would find something that is there"


def test_turning_the_keyring_over_leaves_every_secret_open_and_no_row_under_the_old_key(
    world: QuickBooksWorld, urls: DatabaseUrls
) -> None:
    key = create_api_key(world.tieout.database, UUID(world.builder_id), name="rotation", role="owner")
    call_everything(world, key, give_access(world))
    token, home = world.token(), world.tieout.settings.home
    added = add_key(home)
    assert (home / "keyring").stat().st_mode & 0o777 == 0o600
    fresh = Vault.from_settings(world.tieout.settings)
    world.tieout.vault = fresh
    world.tieout.connections._keeper.stored.vault = fresh
    done = rewrap_all(world.tieout.database, world.tieout.settings, world.tieout.connections)
    assert (done.connections >= 1, done.webhooks >= 1) == (True, True)
    with psycopg.connect(for_psycopg(urls.admin)) as connection:
        sealed = connection.execute(
            "select refresh_token_encrypted from v2_integration_connections where refresh_token_encrypted is not null"
            " union all select refresh_token_encrypted from token_sets"
            " union all select secret_encrypted from webhook_endpoints"
        ).fetchall()
    assert {row[0].split(".")[1] for row in sealed} == {added}
    assert world.token() == token
