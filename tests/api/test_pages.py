"""The builders' pages: who gets in, by what, for how long, and that a form is ours."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from resources.settings import Settings, load_settings
from resources.store.database import Database
from resources.store.sessions import end_sessions, make_link
from tests.api.test_who_may import APP_ROUTES, ISSUER, OPEN_PAGES, SECRET, all_routes, claims, token
from tests.api.world import NOW, House, World, exact, problem

PLATFORM = "https://platform.example"
COOKIE = "tieout_session"
OURS = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """A browser that says where its requests come from, as browsers do."""

    def __init__(self, world: World) -> None:
        self._runner = world.runner
        transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")

    def get(self, path: str) -> httpx.Response:
        return self._runner.run(self.http.get(path))

    def post(self, path: str, form: dict[str, str], headers: dict[str, str] = OURS) -> httpx.Response:
        return self._runner.run(self.http.post(path, data=form, headers=headers))

    def sign_in(
        self, house: House, *, role: Any = "owner", person: str = "ann@example.com"
    ) -> httpx.Response:
        now = house.world.clock.now()
        link = make_link(house.world.database, house.id, person=person, role=role, now=now)
        return self.post("/signin", {"link": link})

    @property
    def cookie(self) -> str | None:
        return self.http.cookies.get(COOKIE)


@pytest.fixture(scope="module")
def shared_world(settings: Settings, database: Database) -> Iterator[World]:
    told = load_settings(_env_file=None, token_secret=SECRET, token_issuer=ISSUER, platform_url=PLATFORM)
    names = ("token_secret", "token_issuer", "platform_url")
    given = settings.model_copy(update={name: getattr(told, name) for name in names})
    with asyncio.Runner() as runner:
        yield World(given.model_copy(update={"api_port": 8000}), database, runner)


@pytest.fixture
def visitor(world: World) -> Browser:
    return Browser(world)


@pytest.fixture
def back_to_now(world: World) -> Iterator[None]:
    yield
    world.clock._now = NOW


def signs_in(answer: httpx.Response) -> bool:
    return answer.status_code == 303 and COOKIE in answer.headers.get("set-cookie", "")


# ---------------------------------------------------------------- pages


def test_the_first_page_shows_how_the_connections_stand(visitor: Browser, house: House) -> None:
    house.a_waiting_record("held")
    visitor.sign_in(house)
    shown = visitor.get("/integrations")
    assert shown.status_code == 200
    for text in ("QuickBooks Online: Cedar Ridge Homes LLC", "1 held", "Needs attention", "ann@example.com"):
        assert text in shown.text


def test_a_page_runs_and_loads_nothing_that_is_not_ours(visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    shown = visitor.get("/integrations")
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", shown.text) == []
    loaded = re.findall(r"(?:href|src)=\"([^\"]+\.(?:css|js|svg)[^\"]*)\"", shown.text)
    assert loaded
    for address in loaded:
        found = visitor.get(address)
        assert (found.status_code, "immutable" in found.headers["cache-control"]) == (200, True)


@pytest.mark.parametrize("name", ["nothing.css", "..%2Frender.py", "%2e%2e/render.py"])
def test_no_other_file_is_served(visitor: Browser, name: str) -> None:
    assert visitor.get(f"/static/{name}").status_code == 404


def test_what_a_builder_is_called_is_never_markup(world: World, visitor: Browser) -> None:
    house = world.a_house("<script>alert(1)</script>", provider_company_name="<b onclick=x>")
    visitor.sign_in(house, person="<i>eve</i>")
    shown = visitor.get("/integrations").text
    assert "<script>alert" not in shown
    assert "<b onclick" not in shown
    assert "<i>eve" not in shown


def test_a_refusal_on_a_page_is_a_page_with_the_same_sentence(visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    shown = visitor.get("/integrations/nothing-here")
    assert (shown.status_code, shown.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "request.not_found" in shown.text


# ---------------------------------------------------------------- the ways in


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(visitor: Browser, house: House) -> None:
    sent = visitor.get("/integrations?tab=errors")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        "/signin?next=%2Fintegrations%3Ftab%3Derrors",
    )
    shown = visitor.get(sent.headers["location"])
    assert PLATFORM in shown.text


def test_a_link_signs_in_once(world: World, visitor: Browser, house: House) -> None:
    link = make_link(world.database, house.id, person="ann", role="viewer", now=NOW)
    shown = visitor.get(f"/signin?link={link}")
    assert visitor.cookie is None, "opening the address is no use of it: mail programs do that"
    assert link in shown.text
    assert signs_in(visitor.post("/signin", {"link": link, "next": "/integrations"}))
    refused = Browser(world).post("/signin", {"link": link})
    assert refused.status_code == 403
    assert "used before" in refused.text
    assert house.audit("session.opened")[-1]["actor"] == "user ann"


def test_a_link_ends_after_ten_minutes(
    world: World, visitor: Browser, house: House, back_to_now: None
) -> None:
    link = make_link(world.database, house.id, person="ann", role="viewer", now=NOW)
    world.clock.move(timedelta(minutes=10))
    assert visitor.post("/signin", {"link": link}).status_code == 403


def test_the_platform_hands_a_person_over_with_its_signed_token_once(world: World, house: House) -> None:
    signed = token(claims(house, role="bookkeeper", scope="connections:read sync:read"))
    from_platform = {"Origin": PLATFORM, "Sec-Fetch-Site": "cross-site"}
    visitor = Browser(world)
    answer = visitor.post("/signin", {"token": signed, "next": "/integrations"}, from_platform)
    assert signs_in(answer)
    assert visitor.get("/integrations").status_code == 200
    again = Browser(world).post("/signin", {"token": signed}, from_platform)
    assert (again.status_code, "signed somebody in before" in again.text) == (403, True)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://platform.example.evil.example", None]
)
def test_nobody_but_the_platform_hands_people_over(world: World, house: House, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    for site in ({}, {"Sec-Fetch-Site": "cross-site"}, OURS):
        visitor = Browser(world)
        answer = visitor.post("/signin", {"token": token(claims(house))}, {**headers, **site})
        assert (answer.status_code, visitor.cookie) == (403, None)


@pytest.mark.parametrize("wrong", ["", "a.b.c", "tieoutl_" + "a" * 49, "x" * 9000])
def test_a_token_or_link_of_nobody_s_opens_no_session(world: World, wrong: str) -> None:
    from_platform = {"Origin": PLATFORM}
    for form in ({"token": wrong}, {"link": wrong}):
        visitor = Browser(world)
        assert visitor.post("/signin", form, from_platform).status_code in (403, 422)
        assert visitor.cookie is None


@pytest.mark.parametrize(
    "wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "", "/a\nb"]
)
def test_signing_in_leads_to_our_own_pages_only(world: World, house: House, wanted: str) -> None:
    visitor = Browser(world)
    link = make_link(world.database, house.id, person="ann", role="viewer", now=NOW)
    answer = visitor.post("/signin", {"link": link, "next": wanted})
    assert answer.headers["location"] == "/integrations"


# ---------------------------------------------------------------- the cookie and the session


def test_the_cookie_is_for_this_host_and_no_script(
    world: World, settings: Settings, database: Database
) -> None:
    house = world.a_house()
    plain = Browser(world).sign_in(house).headers["set-cookie"].lower()
    assert all(part in plain for part in ("httponly", "samesite=lax", "path=/"))
    given = settings.model_copy(update={"public_url": "https://books.example.com"})
    with asyncio.Runner() as runner:
        secure = World(given, database, runner)
        link = make_link(database, house.id, person="ann", role="viewer", now=NOW)
        visitor = Browser(secure)
        visitor.http.base_url = httpx.URL("https://books.example.com")
        cookie = visitor.post("/signin", {"link": link}).headers["set-cookie"]
    assert cookie.startswith("__Host-tieout_session=")
    assert "secure" in cookie.lower()
    assert "domain" not in cookie.lower()


def test_signing_out_ends_the_session_everywhere(world: World, visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    kept = visitor.cookie
    assert visitor.post("/signout", {}).status_code == 303
    assert visitor.cookie is None
    thief = Browser(world)
    thief.http.cookies.set(COOKIE, str(kept), domain="127.0.0.1")
    assert thief.get("/integrations").status_code == 303


def test_a_session_never_changes_hands(world: World, visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    first = visitor.cookie
    other = world.a_house("Stranger")
    visitor.sign_in(other, person="eve")
    assert visitor.cookie != first
    assert "eve" in visitor.get("/integrations").text
    ended = house.one("select count(*) from browser_sessions where ended_at is not null")
    assert ended == 1


def test_a_session_ends_when_it_is_not_used(
    world: World, visitor: Browser, house: House, back_to_now: None
) -> None:
    visitor.sign_in(house)
    for _ in range(3):
        world.clock.move(timedelta(minutes=59))
        assert visitor.get("/integrations").status_code == 200
    world.clock.move(timedelta(minutes=60))
    assert visitor.get("/integrations").status_code == 303


def test_a_session_ends_after_half_a_day_however_busy(
    world: World, visitor: Browser, house: House, back_to_now: None
) -> None:
    visitor.sign_in(house)
    for _ in range(14):
        world.clock.move(timedelta(minutes=50))
        assert visitor.get("/integrations").status_code == 200
    world.clock.move(timedelta(minutes=20))
    assert visitor.get("/integrations").status_code == 303


def test_an_owner_ends_a_person_s_session(world: World, visitor: Browser, house: House) -> None:
    visitor.sign_in(house, person="leaver")
    owner = house.client()
    (found,) = exact(owner.get("/sessions"))["items"]
    assert (found["person"], found["came_by"]) == ("leaver", "link")
    stranger = world.a_house("Stranger").client()
    problem(stranger.delete(f"/sessions/{found['id']}"), 404, "access.not_found")
    exact(owner.delete(f"/sessions/{found['id']}"))
    assert visitor.get("/integrations").status_code == 303
    problem(owner.delete(f"/sessions/{found['id']}"), 404, "access.not_found")
    assert exact(owner.get("/sessions"))["items"] == []


def test_the_operator_ends_everybody_s_sessions(world: World, visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    assert end_sessions(world.database, house.id, person="nobody", ended_by="the operator", now=NOW) == 0
    assert end_sessions(world.database, house.id, person=None, ended_by="the operator", now=NOW) == 1
    assert visitor.get("/integrations").status_code == 303


def test_the_value_of_the_cookie_is_stored_nowhere(visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    stored = str(house.sql("select * from browser_sessions") + house.sql("select * from audit_log"))
    assert str(visitor.cookie) not in stored


# ---------------------------------------------------------------- forms of other websites


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
    ids=str,
)
def test_a_form_of_another_website_changes_nothing(
    visitor: Browser, house: House, headers: dict[str, str]
) -> None:
    visitor.sign_in(house)
    refused = visitor.post("/signout", {}, headers)
    assert (refused.status_code, "access.cross_site" in refused.text) == (403, True)
    assert visitor.get("/integrations").status_code == 200


def test_a_browser_that_only_names_its_origin_is_believed(visitor: Browser, house: House) -> None:
    visitor.sign_in(house)
    assert visitor.post("/signout", {}, {"Origin": "http://127.0.0.1:8000"}).status_code == 303


# ---------------------------------------------------------------- sessions and keys are two things


def test_a_session_opens_nothing_of_the_api_and_a_key_no_page(
    world: World, visitor: Browser, house: House
) -> None:
    visitor.sign_in(house)
    assert visitor.get("/api/v1/integrations/connections").status_code == 401
    head = house.client().http.headers["authorization"]
    stranger = Browser(world)
    answer = world.runner.run(stranger.http.get("/integrations", headers={"Authorization": head}))
    assert answer.status_code == 303


def test_pages_keep_to_the_role_and_to_the_scopes(world: World, house: House) -> None:
    visitor = Browser(world)
    signed = token(claims(house, scope="mappings:read"))
    visitor.post("/signin", {"token": signed}, {"Origin": PLATFORM})
    refused = visitor.get("/integrations")
    assert (refused.status_code, "access.scope_missing" in refused.text) == (403, True)


PAGES = [route for route in all_routes() if not route.include_in_schema and "GET" in route.methods]


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_every_page_but_a_few_needs_a_session(visitor: Browser, route: APIRoute) -> None:
    if route.path in OPEN_PAGES | APP_ROUTES or not route.tags or route.path.startswith("/api"):
        return
    sent = visitor.get(re.sub(r"\{[\w:]+\}", "00000000-0000-4000-8000-000000000000", route.path))
    assert (sent.status_code, sent.headers["location"].startswith("/signin")) == (303, True)
