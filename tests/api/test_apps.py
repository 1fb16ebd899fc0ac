"""Third-party apps, through authlib's own client over real HTTP: let in, renewed, taken back, and misused."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from api.authorization import scope_in_words
from resources.settings import Settings
from resources.store.api_keys import Caller
from resources.store.apps import APP_SCOPES, Wanted, register_app, revoke_app
from resources.store.database import Database
from resources.store.sessions import make_link, open_session
from sandbox.kernel.server import ServerThread
from tests.api.world import NOW, ROOT, House, World, exact, problem

BACK = "https://app.example.com/callback?kind=tieout"
SCOPE = "connections:read sync:read"
FORM = {"Sec-Fetch-Site": "same-origin"}
# Closed at the end: a connection that nobody closes is a warning, and a warning is an error.
OPEN_CLIENTS: list[httpx.Client] = []


def opened(**options: Any) -> httpx.Client:
    OPEN_CLIENTS.append(httpx.Client(**options))
    return OPEN_CLIENTS[-1]


@pytest.fixture(scope="module")
def shared_world(settings: Settings, database: Database) -> Iterator[World]:
    with asyncio.Runner() as runner:
        yield World(settings, database, runner)


@pytest.fixture(scope="module")
def base(shared_world: World) -> Iterator[str]:
    with ServerThread(shared_world.app) as server:
        yield server.url
        while OPEN_CLIENTS:
            OPEN_CLIENTS.pop().close()


@pytest.fixture
def back_to_now(world: World) -> Iterator[None]:
    yield
    world.clock._now = NOW


@dataclass
class ThirdParty:
    """An app of somebody else, which knows OAuth by authlib and us by our metadata."""

    base: str
    client_id: str
    client_secret: str | None

    def __post_init__(self) -> None:
        self.http = opened(base_url=self.base)
        self.auth = httpx.BasicAuth(self.client_id, self.client_secret) if self.client_secret else None
        self.client = OAuth2Client(
            session=self.http,
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method="client_secret_basic" if self.client_secret else "none",
            scope=SCOPE,
            redirect_uri=BACK,
            code_challenge_method="S256",
        )
        self.verifier = secrets.token_urlsafe(48)
        served = self.http.get("/.well-known/oauth-authorization-server").json()
        # The settings of the test name another port than the server found.
        self.places = {
            name: urlsplit(served[f"{name}_endpoint"]).path
            for name in ("authorization", "token", "revocation", "introspection")
        }

    def asks(self, **other: str) -> str:
        url, self.state = self.client.create_authorization_url(
            f"{self.base}{self.places['authorization']}", code_verifier=self.verifier
        )
        parts = urlsplit(url)
        query = {**dict(parse_qsl(parts.query)), **other}
        return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value})}"

    def fetches(self, came_back: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.fetch_token(
            f"{self.base}{self.places['token']}",
            authorization_response=came_back,
            state=self.state,
            code_verifier=self.verifier,
            **self._auth(),
        )
        return found

    def renews(self, refresh_token: str, **other: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.refresh_token(
            f"{self.base}{self.places['token']}", refresh_token=refresh_token, **self._auth(), **other
        )
        return found

    def posts(self, place: str, form: dict[str, str]) -> httpx.Response:
        public = {} if self.client_secret else {"client_id": self.client_id}
        auth = {"auth": self.auth} if self.auth else {}
        return self.http.post(self.places[place], data={**public, **form}, **auth)

    def reads(self, token: str, path: str = "/connections") -> httpx.Response:
        return self.http.get(f"{ROOT}{path}", headers={"Authorization": f"Bearer {token}"})

    def _auth(self) -> dict[str, Any]:
        # Without a secret, the client names itself in the form; httpx takes no auth of authlib's.
        return {"auth": self.auth} if self.auth else {"auth": lambda sent: sent, "client_id": self.client_id}


class Person:
    """Somebody in a browser who is signed in."""

    def __init__(
        self, world: World, house: House, base: str, *, role: Any = "owner", scopes: Any = None
    ) -> None:
        caller = Caller(house.id, None, "ann@example.com", role, scopes)
        lasts = timedelta(hours=12)
        session = open_session(world.database, caller, came_by="link", lasts=lasts, now=world.clock.now())
        self.http = opened(base_url=base, cookies={"tieout_session": session.token})

    def sees(self, asked: str) -> httpx.Response:
        return self.http.get(asked)

    def decides(self, asked: str, decision: str) -> httpx.Response:
        shown = self.sees(asked)
        assert shown.status_code == 200, shown.text
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', shown.text))
        form = {name: value.replace("&amp;", "&") for name, value in form.items()}
        return self.http.post("/oauth/authorize", data={**form, "decision": decision}, headers=FORM)

    def lets_in(self, asked: str) -> str:
        answer = self.decides(asked, "allow")
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


def an_app(
    world: World, base: str, builder_id: UUID | None, *, is_public: bool = False, scopes: str = SCOPE
) -> ThirdParty:
    wanted = Wanted(
        "Job costing", (BACK, "http://127.0.0.1:7777/cb"), tuple(scopes.split()), is_public=is_public
    )
    made = register_app(world.database, builder_id, wanted, registered_by="test", now=NOW)
    return ThirdParty(base, str(made.id), made.secret)


@pytest.fixture(params=["with a secret", "public"])
def app(world: World, base: str, house: House, request: pytest.FixtureRequest) -> ThirdParty:
    return an_app(world, base, house.id, is_public=request.param == "public")


@pytest.fixture
def ann(world: World, base: str, house: House) -> Person:
    return Person(world, house, base)


def refuses(answer: httpx.Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"


# ---------------------------------------------------------------- the whole way


def test_an_app_is_let_in_reads_renews_and_goes(house: House, app: ThirdParty, ann: Person) -> None:
    came_back = ann.lets_in(app.asks())
    assert came_back.startswith(BACK)
    assert parse_qs(urlsplit(came_back).query)["iss"] == ["http://127.0.0.1:8000"]
    tokens = app.fetches(came_back)
    assert (tokens["token_type"], tokens["scope"], tokens["expires_in"]) == ("Bearer", SCOPE, 3600)
    assert [each["id"] for each in exact(app.reads(tokens["access_token"]))["items"]] == [
        str(house.connection_id)
    ]
    newer = app.renews(tokens["refresh_token"])
    assert newer["refresh_token"] != tokens["refresh_token"]
    exact(app.reads(newer["access_token"]))
    assert app.posts("revocation", {"token": newer["refresh_token"]}).status_code == 200
    for token in (tokens["access_token"], newer["access_token"]):
        problem(app.reads(token), 401, "access.unauthenticated")
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        app.renews(newer["refresh_token"])


def test_an_app_may_what_it_asked_for_and_no_more(house: House, app: ThirdParty, ann: Person) -> None:
    token = app.fetches(ann.lets_in(app.asks()))["access_token"]
    for path in ("/sync/errors", "/keys", "/apps", "/webhooks"):
        assert app.reads(token, path).json()["code"] in {"access.scope_missing", "access.not_allowed"}


def test_an_app_may_no_more_than_its_person(world: World, base: str, house: House) -> None:
    app = an_app(world, base, house.id, scopes="sync:read sync:write connections:read connections:write")
    viewer = Person(world, house, base, role="viewer")
    token = app.fetches(viewer.lets_in(app.asks(scope="sync:read sync:write")))["access_token"]
    exact(app.reads(token, "/sync/status"))
    answer = app.http.post(f"{ROOT}/sync", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 403, "access.not_allowed")


def test_a_narrowed_session_gives_no_more_than_it_has(world: World, base: str, house: House) -> None:
    app = an_app(world, base, house.id)
    narrow = Person(world, house, base, scopes=frozenset({"sync:read"}))
    shown = narrow.sees(app.asks())
    assert ("sync:read</code>" in shown.text, "connections:read</code>" in shown.text) == (True, False)
    assert app.fetches(narrow.lets_in(app.asks()))["scope"] == "sync:read"
    nothing = Person(world, house, base, scopes=frozenset({"mappings:read"}))
    assert nothing.sees(app.asks()).status_code == 403


def test_the_page_says_who_asks_for_what(house: House, app: ThirdParty, ann: Person) -> None:
    shown = ann.sees(app.asks())
    for text in (
        "Job costing",
        "Cedar Ridge Homes",
        "See syncs and their history",
        "https://app.example.com",
    ):
        assert text in shown.text
    policy = shown.headers["content-security-policy"]
    assert "form-action 'self' https://app.example.com;" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_person_who_says_no_gives_nothing(house: House, app: ThirdParty, ann: Person) -> None:
    came_back = ann.decides(app.asks(), "deny").headers["location"]
    told = parse_qs(urlsplit(came_back).query)
    assert (told["error"], told["state"], "code" in told) == (["access_denied"], [app.state], False)
    assert house.one("select count(*) from oauth_grants") == 0


def test_who_is_not_signed_in_signs_in_first_and_comes_back_to_the_question(
    world: World, base: str, house: House, app: ThirdParty
) -> None:
    browser = opened(base_url=base)
    sent = browser.get(app.asks())
    assert sent.status_code == 303
    link = make_link(world.database, house.id, person="ann", role="owner", now=NOW)
    wanted = parse_qs(urlsplit(sent.headers["location"]).query)["next"][0]
    back = browser.post("/signin", data={"link": link, "next": wanted}, headers=FORM)
    assert "Let Job costing in?" in browser.get(back.headers["location"]).text


def test_another_website_cannot_answer_for_the_person(app: ThirdParty, ann: Person) -> None:
    query = dict(parse_qsl(urlsplit(app.asks()).query))
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://app.example.com"}, {}):
        answer = ann.http.post("/oauth/authorize", data={**query, "decision": "allow"}, headers=headers)
        assert (answer.status_code, "access.cross_site" in answer.text) == (403, True)


# ---------------------------------------------------------------- what is asked for wrongly


@pytest.mark.parametrize(
    "wrong",
    [
        "https://app.example.com/callback",
        "https://app.example.com/callback?kind=tieout&more=1",
        "https://app.example.com/callback/../evil?kind=tieout",
        "https://APP.example.com/callback?kind=tieout",
        "https://evil.example/callback",
        "http://127.0.0.1:7778/cb",
        "javascript:alert(1)",
        'https://app.example.com/"quoted"',
        "",
    ],
)
def test_people_are_sent_to_the_registered_address_alone(app: ThirdParty, ann: Person, wrong: str) -> None:
    answer = ann.sees(app.asks(redirect_uri=wrong))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert "No app was let in" in answer.text


@pytest.mark.parametrize(
    "wrong", [{"client_id": str(uuid4())}, {"client_id": "1' or 1=1"}, {"client_id": ""}]
)
def test_an_unknown_app_is_told_to_the_person_only(
    app: ThirdParty, ann: Person, wrong: dict[str, str]
) -> None:
    answer = ann.sees(app.asks(**wrong))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "sync:read errors:read"}, "invalid_scope"),
        ({"scope": "keys:write"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
    ],
)
def test_a_wrong_question_is_told_to_the_app(
    app: ThirdParty, ann: Person, wrong: dict[str, str], error: str
) -> None:
    answer = ann.sees(app.asks(**wrong))
    told = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (answer.status_code, told["error"], told["state"]) == (303, [error], [app.state])
    assert answer.headers["location"].startswith(BACK)


def test_another_builder_s_app_is_unknown_and_the_operator_s_is_everybody_s(
    world: World, base: str, ann: Person, house: House
) -> None:
    theirs = an_app(world, base, world.a_house("Stranger").id)
    assert ann.sees(theirs.asks()).status_code == 400
    everybodys = an_app(world, base, None)
    other = Person(world, world.a_house("Other"), base)
    tokens = everybodys.fetches(ann.lets_in(everybodys.asks()))
    theirs_too = everybodys.fetches(other.lets_in(everybodys.asks()))
    shown = [exact(everybodys.reads(each["access_token"]))["items"][0]["id"] for each in (tokens, theirs_too)]
    assert shown[0] == str(house.connection_id)
    assert shown[1] != shown[0]
    assert not revoke_app(
        world.database, house.id, app_id=UUID(everybodys.client_id), revoked_by="x", now=NOW
    )
    assert revoke_app(world.database, None, app_id=UUID(everybodys.client_id), revoked_by="x", now=NOW)
    for each in (tokens, theirs_too):
        problem(everybodys.reads(each["access_token"]), 401, "access.unauthenticated")


# ---------------------------------------------------------------- codes


def code_form(app: ThirdParty, came_back: str, **other: str) -> dict[str, str]:
    code = parse_qs(urlsplit(came_back).query)["code"][0]
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": app.verifier,
    } | other


def test_a_code_used_twice_ends_what_it_gave(house: House, app: ThirdParty, ann: Person) -> None:
    came_back = ann.lets_in(app.asks())
    token = app.fetches(came_back)["access_token"]
    refuses(app.posts("token", code_form(app, came_back)), "invalid_grant")
    problem(app.reads(token), 401, "access.unauthenticated")
    assert "used twice" in house.audit("app.grant_ended")[0]["reason"]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:7777/cb"}, "invalid_grant"),
        ({"code": "tieoutc_" + "0" * 49}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
    ids=str,
)
def test_a_code_is_good_for_who_asked_for_it(
    app: ThirdParty, ann: Person, wrong: dict[str, str], error: str
) -> None:
    form = code_form(app, ann.lets_in(app.asks()), **wrong)
    refuses(app.posts("token", {name: value for name, value in form.items() if value}), error)


def test_a_code_of_one_app_is_nothing_to_another(
    world: World, base: str, house: House, app: ThirdParty, ann: Person
) -> None:
    came_back = ann.lets_in(app.asks())
    other = an_app(world, base, house.id)
    refuses(other.posts("token", code_form(app, came_back)), "invalid_grant")
    assert app.fetches(came_back)["access_token"]


def test_a_code_lives_a_minute(world: World, app: ThirdParty, ann: Person, back_to_now: None) -> None:
    came_back = ann.lets_in(app.asks())
    world.clock.move(timedelta(minutes=1))
    refuses(app.posts("token", code_form(app, came_back)), "invalid_grant")


def test_an_app_with_a_secret_has_to_show_it(world: World, base: str, house: House, ann: Person) -> None:
    app = an_app(world, base, house.id)
    came_back = ann.lets_in(app.asks())
    wrong = [None, httpx.BasicAuth(app.client_id, "tieoutx_wrong"), httpx.BasicAuth(str(uuid4()), "x")]
    for auth in wrong:
        form = {**code_form(app, came_back), "client_id": app.client_id}
        answer = app.http.post(app.places["token"], data=form, **({"auth": auth} if auth else {}))
        refuses(answer, "invalid_client", 401)
    posted = {
        **code_form(app, came_back),
        "client_id": app.client_id,
        "client_secret": str(app.client_secret),
    }
    assert app.http.post(app.places["token"], data=posted).status_code == 200


def test_guessing_is_slowed_down(world: World, base: str, house: House) -> None:
    app = an_app(world, base, house.id)
    for _ in range(60):
        app.http.post(
            app.places["token"], data={"grant_type": "x"}, auth=httpx.BasicAuth(app.client_id, "guess")
        )
    answer = app.posts("token", {"grant_type": "refresh_token", "refresh_token": "x"})
    problem(answer, 429, "request.rate_limited")
    world.app.state.services.refusals._buckets.clear()


# ---------------------------------------------------------------- refresh tokens


def test_a_refresh_token_used_twice_ends_everything_it_gave(
    house: House, app: ThirdParty, ann: Person
) -> None:
    first = app.fetches(ann.lets_in(app.asks()))
    second = app.renews(first["refresh_token"])
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        app.renews(first["refresh_token"])
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        app.renews(second["refresh_token"])
    for each in (first, second):
        problem(app.reads(each["access_token"]), 401, "access.unauthenticated")
    assert exact(house.client().get("/app-grants"))["items"] == []


def test_a_renewed_token_may_ask_for_less_and_never_for_more(app: ThirdParty, ann: Person) -> None:
    first = app.fetches(ann.lets_in(app.asks()))
    refuses(
        app.posts(
            "token",
            {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "scope": "errors:read"},
        ),
        "invalid_scope",
    )
    less = app.renews(first["refresh_token"], scope="sync:read")
    assert less["scope"] == "sync:read"
    problem(app.reads(less["access_token"]), 403, "access.scope_missing")
    assert app.renews(less["refresh_token"])["scope"] == SCOPE


def test_tokens_end_by_themselves(world: World, app: ThirdParty, ann: Person, back_to_now: None) -> None:
    tokens = app.fetches(ann.lets_in(app.asks()))
    world.clock.move(timedelta(hours=1))
    problem(app.reads(tokens["access_token"]), 401, "access.unauthenticated")
    newer = app.renews(tokens["refresh_token"])
    world.clock.move(timedelta(days=30))
    with pytest.raises(OAuth2Error, match="invalid_grant"):
        app.renews(newer["refresh_token"])


def test_a_refresh_token_opens_no_route_and_an_access_token_renews_nothing(
    app: ThirdParty, ann: Person
) -> None:
    tokens = app.fetches(ann.lets_in(app.asks()))
    problem(app.reads(tokens["refresh_token"]), 401, "access.unauthenticated")
    refuses(
        app.posts("token", {"grant_type": "refresh_token", "refresh_token": tokens["access_token"]}),
        "invalid_grant",
    )


# ---------------------------------------------------------------- taking back, asking about


def test_a_token_is_taken_back_by_its_own_app_alone(
    world: World, base: str, house: House, app: ThirdParty, ann: Person
) -> None:
    tokens = app.fetches(ann.lets_in(app.asks()))
    other = an_app(world, base, house.id)
    refuses(other.posts("revocation", {"token": tokens["refresh_token"]}), "invalid_grant")
    assert (
        app.posts("revocation", {"token": "nobody's", "token_type_hint": "access_token"}).status_code == 200
    )
    exact(app.reads(tokens["access_token"]))
    assert app.posts("revocation", {"token": tokens["access_token"]}).status_code == 200
    problem(app.reads(tokens["access_token"]), 401, "access.unauthenticated")
    assert app.renews(tokens["refresh_token"])["access_token"]


def test_an_app_with_a_secret_may_ask_how_its_tokens_stand(
    world: World, base: str, house: House, ann: Person
) -> None:
    app, other = an_app(world, base, house.id), an_app(world, base, house.id)
    token = app.fetches(ann.lets_in(app.asks()))["access_token"]
    told = app.posts("introspection", {"token": token}).json()
    assert (told["active"], told["scope"], told["sub"]) == (True, SCOPE, "ann@example.com")
    assert other.posts("introspection", {"token": token}).json() == {"active": False}
    app.posts("revocation", {"token": token})
    assert app.posts("introspection", {"token": token}).json() == {"active": False}


def test_an_owner_sees_what_apps_were_given_and_ends_it(
    world: World, house: House, app: ThirdParty, ann: Person
) -> None:
    token = app.fetches(ann.lets_in(app.asks()))["access_token"]
    owner = house.client()
    (grant,) = exact(owner.get("/app-grants"))["items"]
    assert (grant["app_name"], grant["person"], grant["scopes"]) == (
        "Job costing",
        "ann@example.com",
        SCOPE.split(),
    )
    problem(world.a_house("S").client().delete(f"/app-grants/{grant['id']}"), 404, "access.not_found")
    exact(owner.delete(f"/app-grants/{grant['id']}"))
    problem(app.reads(token), 401, "access.unauthenticated")


def test_what_an_app_did_is_in_the_audit_log_under_its_name(
    world: World, base: str, house: House, ann: Person
) -> None:
    app = an_app(world, base, house.id, scopes="errors:write")
    record, _ = house.a_waiting_record()
    token = app.fetches(ann.lets_in(app.asks(scope="errors:write")))["access_token"]
    exact(app.http.post(f"{ROOT}/sync/errors/{record}/retry", headers={"Authorization": f"Bearer {token}"}))
    actors = {row["actor"] for row in house.sql("select actor from audit_log")}
    assert "app Job costing for ann@example.com" in actors


def test_neither_codes_nor_tokens_nor_secrets_are_stored(house: House, app: ThirdParty, ann: Person) -> None:
    came_back = ann.lets_in(app.asks())
    tokens = app.fetches(came_back)
    stored = "".join(
        str(house.sql(f"select * from {table}"))
        for table in ("oauth_apps", "oauth_grants", "oauth_codes", "oauth_tokens", "audit_log")
    )
    code = parse_qs(urlsplit(came_back).query)["code"][0]
    secret = [app.client_secret] if app.client_secret else []
    found = [
        each for each in (code, tokens["access_token"], tokens["refresh_token"], *secret) if each in stored
    ]
    assert found == []


# ---------------------------------------------------------------- registration


def test_an_owner_registers_an_app_and_ends_it(world: World, base: str, house: House, ann: Person) -> None:
    owner = house.client()
    sent = {"name": "Mine", "redirect_uris": [BACK], "scopes": SCOPE.split()}
    made = exact(owner.post("/apps", sent))
    app = ThirdParty(base, made["client_id"], made["client_secret"])
    token = app.fetches(ann.lets_in(app.asks()))["access_token"]
    assert made["client_secret"] not in owner.get("/apps").text
    problem(world.a_house("S").client().delete(f"/apps/{made['client_id']}"), 404, "access.not_found")
    problem(house.client("bookkeeper").post("/apps", sent), 403, "access.not_allowed")
    exact(owner.delete(f"/apps/{made['client_id']}"))
    problem(app.reads(token), 401, "access.unauthenticated")
    assert ann.sees(app.asks()).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": ["http://app.example.com/cb"]},
        {"redirect_uris": ["https://app.example.com/cb#part"]},
        {"redirect_uris": ["https://user@app.example.com/cb"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": ["https://app.example.com/; script-src *"]},
        {"redirect_uris": ["https://[bad"]},
        {"scopes": ["keys:write"]},
        {"scopes": ["made:up"]},
    ],
    ids=str,
)
def test_an_app_that_could_do_harm_is_not_registered(house: House, wrong: dict[str, Any]) -> None:
    sent = {"name": "Mine", "redirect_uris": [BACK], "scopes": ["sync:read"], **wrong}
    problem(house.client().post("/apps", sent), 422, "input.invalid")


def test_the_metadata_is_what_the_standard_has(base: str) -> None:
    served = httpx.get(f"{base}/.well-known/oauth-authorization-server").json()
    issuer = served["issuer"]
    # The standard wants https; this server runs on this machine only.
    described = {
        name: str(value).replace("http://", "https://") if isinstance(value, str) else value
        for name, value in served.items()
    }
    AuthorizationServerMetadata(described).validate()
    assert (issuer, served["code_challenge_methods_supported"]) == ("http://127.0.0.1:8000", ["S256"])


def test_every_scope_an_app_may_have_is_put_into_words() -> None:
    assert len({scope_in_words(scope) for scope in APP_SCOPES}) == len(APP_SCOPES)


FORMS = st.dictionaries(
    st.sampled_from(
        [
            "grant_type",
            "code",
            "client_id",
            "client_secret",
            "redirect_uri",
            "refresh_token",
            "token",
            "scope",
            "token_type_hint",
            "code_verifier",
            "x",
        ]
    ),
    st.text(max_size=40)
    | st.sampled_from(["authorization_code", "refresh_token", "access_token", BACK, str(uuid4())]),
)


@given(
    form=FORMS,
    place=st.sampled_from(["/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/authorize"]),
    raw=st.binary(max_size=60) | st.none(),
)
@run_settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_an_app_sends_is_answered(
    shared_world: World, form: dict[str, str], place: str, raw: bytes | None
) -> None:
    shared_world.app.state.services.refusals._buckets.clear()
    client = shared_world.client().http
    encoded = raw if raw is not None else urlencode(form, errors="surrogatepass").encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **FORM}
    answer = shared_world.runner.run(client.post(place, content=encoded, headers=headers))
    assert answer.status_code < 500, answer.text
    answer = shared_world.runner.run(client.get("/oauth/authorize", params=form))
    assert answer.status_code < 500, answer.text
