"""Who may, beyond a role: every route's declaration, scopes, keys that end, and the platform's signed tokens."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import pkgutil
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.routing import compile_path

import api.routes
from api.auth import access_of
from resources.platform_tokens import PlatformTokens
from resources.settings import Settings, SettingsError, load_settings
from resources.store.api_keys import SCOPES, create_api_key
from resources.store.database import Database
from tests.api.test_access import OPEN_ROUTES
from tests.api.world import NOW, ROOT, House, World, exact, problem

# Where one signs in, how the pages look, and the address without a path.
OPEN_PAGES = {"/", "/signin", "/signout", "/static/{name}"}
# What apps call; each asks for the app's own secret, code or token (apps/).
APP_ROUTES = {f"/oauth/{name}" for name in ("token", "revoke", "introspect")}
APP_ROUTES |= {"/.well-known/oauth-authorization-server"}
SECRET = "a shared secret of the platform, long enough"
ISSUER = "https://platform.example"


def all_routes() -> list[APIRoute]:
    modules = [
        import_module(f"api.routes.{found.name}") for found in pkgutil.iter_modules(api.routes.__path__)
    ]
    return [route for module in modules for route in module.router.routes if isinstance(route, APIRoute)]


# ---------------------------------------------------------------- declarations


def test_no_route_is_open_by_accident() -> None:
    opened = {route.path for route in all_routes() if access_of(route) is None}
    known = {path.removeprefix(ROOT) for path in OPEN_ROUTES}
    assert opened - {"/api/v1/webhooks/{provider}"} - OPEN_PAGES - APP_ROUTES <= known
    assert len(all_routes()) > 20


def test_the_application_answers_at_no_address_that_the_walks_do_not_know(world: World) -> None:
    contexts = list(iter_route_contexts(world.app.routes))
    walked = {route.endpoint for route in all_routes()}
    assert {each.path for each in contexts if each.endpoint not in walked} == {
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
    }
    assert walked <= {each.endpoint for each in contexts}, "a module's routes are not part of the API"


def test_no_route_stands_in_front_of_another(world: World) -> None:
    contexts = list(iter_route_contexts(world.app.routes))
    patterns = [compile_path(str(each.path))[0] for each in contexts]
    for context in contexts:
        sample = re.sub(r"{[^}]*}", str(uuid4()), str(context.path))
        first = next(
            each
            for pattern, each in zip(patterns, contexts, strict=True)
            if pattern.match(sample) and (each.methods or set()) & (context.methods or set())
        )
        assert first.path == context.path, sample


def test_every_route_belongs_to_a_group_that_a_scope_names() -> None:
    needs = {f"{route.methods} {route.path}": access_of(route) for route in all_routes()}
    assert [name for name, access in needs.items() if access and access.scope not in {*SCOPES, None}] == []


def test_a_viewer_may_change_nothing_but_its_own_marks() -> None:
    # To let an app in is the person's own choice: the app gets no more than the person has.
    writable = {
        route.path
        for route in all_routes()
        if (access := access_of(route)) and not route.methods <= {"GET"} and access.role == "viewer"
    }
    # Over the API and on the pages.
    own = ("/notifications/", "/integrations/notifications/")
    assert {path for path in writable if not path.startswith(own)} == {"/oauth/authorize"}


# ---------------------------------------------------------------- scopes


def test_a_key_with_scopes_opens_these_and_nothing_else(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="narrow", role="owner", scopes=["sync:read"])
    client = world.client(key)
    exact(client.get("/sync/status"))
    for path in ("/connections", "/conflicts", "/keys"):
        refused = problem(client.get(path), 403, "access.scope_missing")
        assert path.strip("/") in refused["detail"]
    problem(client.post("/sync"), 403, "access.scope_missing")


def test_a_scope_gives_nothing_that_the_role_does_not(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="wide", role="viewer", scopes=SCOPES)
    problem(world.client(key).post("/sync"), 403, "access.not_allowed")


# ---------------------------------------------------------------- keys through the API


def test_a_key_is_made_shown_once_used_and_revoked(world: World, house: House) -> None:
    owner = house.client()
    made = exact(owner.post("/keys", {"name": "Zapier", "role": "viewer", "scopes": ["errors:read"]}))
    assert made["key"].startswith("tieout_")
    listed = next(each for each in exact(owner.get("/keys"))["items"] if each["id"] == made["id"])
    assert (listed["last_four"], listed["scopes"]) == (made["key"][-4:], ["errors:read"])
    assert made["key"] not in owner.get("/keys").text
    zapier = world.client(made["key"])
    exact(zapier.get("/sync/errors"))
    exact(owner.delete(f"/keys/{made['id']}"))
    problem(zapier.get("/sync/errors"), 401, "access.unauthenticated")
    problem(owner.delete(f"/keys/{made['id']}"), 404, "access.not_found")
    assert [entry["action"] for entry in house.audit("key.revoked")] == ["key.revoked"]


def test_a_key_ends_when_it_said_it_would(world: World, house: House) -> None:
    ends = (NOW + timedelta(hours=1)).isoformat()
    key = exact(house.client().post("/keys", {"name": "short", "role": "viewer", "expires_at": ends}))["key"]
    exact(world.client(key).get("/connections"))
    before = world.clock.now()
    world.clock.move(timedelta(hours=1))
    try:
        problem(world.client(key).get("/connections"), 401, "access.unauthenticated")
        passed = {"name": "late", "role": "viewer", "expires_at": before.isoformat()}
        problem(house.client().post("/keys", passed), 422, "input.invalid")
    finally:
        world.clock._now = before


def test_nobody_makes_a_key_that_may_more_than_oneself(world: World, house: House) -> None:
    scopes = ["keys:read", "keys:write", "sync:read"]
    narrow = world.client(
        create_api_key(world.database, house.id, name="narrow", role="owner", scopes=scopes)
    )
    problem(narrow.post("/keys", {"name": "wide", "role": "owner"}), 403, "access.scope_missing")
    more = {"name": "wide", "role": "owner", "scopes": ["sync:read", "sync:write"]}
    problem(narrow.post("/keys", more), 403, "access.scope_missing")
    exact(narrow.post("/keys", {"name": "same", "role": "owner", "scopes": ["sync:read"]}))
    problem(
        house.client("bookkeeper").post("/keys", {"name": "x", "role": "viewer"}), 403, "access.not_allowed"
    )


def test_a_scope_nobody_knows_is_refused_with_the_list(house: House) -> None:
    sent = {"name": "typo", "role": "viewer", "scopes": ["snyc:read"]}
    assert "sync:read" in problem(house.client().post("/keys", sent), 422, "input.invalid")["detail"]


def test_a_key_of_another_builder_cannot_be_revoked(world: World, house: House) -> None:
    made = exact(house.client().post("/keys", {"name": "ours", "role": "viewer"}))
    problem(world.a_house("Stranger").client().delete(f"/keys/{made['id']}"), 404, "access.not_found")
    exact(world.client(made["key"]).get("/connections"))


# ---------------------------------------------------------------- the platform's tokens


@pytest.fixture(scope="module")
def platform(settings: Settings, database: Database) -> Iterator[World]:
    given = settings.model_copy(update=dict(_settings_by_secret()))
    with asyncio.Runner() as runner:
        yield World(given, database, runner)


def _settings_by_secret() -> dict[str, Any]:
    told = load_settings(_env_file=None, token_secret=SECRET, token_issuer=ISSUER)
    return {name: getattr(told, name) for name in ("token_secret", "token_issuer", "token_audience")}


def claims(house: House, **other: Any) -> dict[str, Any]:
    wanted = {
        "iss": ISSUER,
        "aud": "tieout",
        "exp": int(NOW.timestamp()) + 300,
        "sub": "user-7",
        "builder_id": str(house.id),
        "role": "bookkeeper",
    } | other
    return {name: value for name, value in wanted.items() if value is not None}


def token(said: dict[str, Any], *, secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode({"alg": algorithm}, said, OctKey.import_key(secret), algorithms=[algorithm])


def test_a_signed_token_opens_its_builder_in_its_role(platform: World) -> None:
    house = platform.a_house()
    person = platform.client(token(claims(house)))
    listed = exact(person.get("/connections"))["items"]
    assert [each["id"] for each in listed] == [str(house.connection_id)]
    exact(person.post("/sync/errors/retry-all"))
    problem(person.post("/connect/quickbooks_online"), 403, "access.not_allowed")
    assert problem(person.get("/keys"), 403, "access.not_allowed")["details"]["needs"] == "owner"


def test_a_token_s_scopes_narrow_it(platform: World) -> None:
    person = platform.client(token(claims(platform.a_house(), scope="sync:read made:up")))
    exact(person.get("/sync/status"))
    problem(person.get("/connections"), 403, "access.scope_missing")


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": int(NOW.timestamp()) - 31},
        {"exp": None},
        {"nbf": int(NOW.timestamp()) + 60},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another product"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"role": "admin"},
        {"role": None},
        {"builder_id": None},
        {"builder_id": "1 or 1=1"},
        {"builder_id": "0d5c7a0e-5a37-4a7e-9d7e-5f4e6f3f2b11"},
        {"scope": ["sync:read"]},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_opens_nothing(platform: World, wrong: dict[str, Any]) -> None:
    made = token(claims(platform.a_house(), **wrong))
    problem(platform.client(made).get("/connections"), 401, "access.unauthenticated")


def test_the_platform_s_clock_may_be_a_little_off(platform: World) -> None:
    made = token(claims(platform.a_house(), exp=int(NOW.timestamp()) - 20))
    exact(platform.client(made).get("/connections"))


def test_a_token_signed_by_another_secret_or_by_none_opens_nothing(platform: World) -> None:
    house = platform.a_house()
    head, body, signature = token(claims(house)).split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."
    for made in (
        token(claims(house), secret=SECRET + "!"),
        unsigned,
        f"{head}.{body}.",
        f"{head}.{body}.{signature}x",
    ):
        problem(platform.client(made).get("/connections"), 401, "access.unauthenticated")


def test_without_settings_no_token_opens_anything(world: World, house: House) -> None:
    problem(world.client(token(claims(house))).get("/connections"), 401, "access.unauthenticated")


def forged_by(public_key: bytes, said: dict[str, Any]) -> str:
    """Sign as a forger would, with what anybody can read."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    text = f"{part(json.dumps({'alg': 'HS256'}).encode())}.{part(json.dumps(said).encode())}"
    return f"{text}.{part(hmac.digest(public_key, text.encode(), 'sha256'))}"


class Platform:
    """A platform that publishes its keys, and can turn them over."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_down = False
        self.turn()

    def turn(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": f"key-{self.asked}"}, private=True)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.is_down:
            return httpx.Response(503)
        return httpx.Response(200, json={"keys": [self.key.as_dict(private=False)]})

    def token(self, said: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, said, self.key)


def test_a_token_is_checked_by_published_keys_and_follows_their_rotation(world: World, house: House) -> None:
    wanted = load_settings(
        _env_file=None, token_jwks_url="https://platform.example/jwks", token_issuer=ISSUER
    )
    platform = Platform()
    clock = type(world.clock)(NOW)
    tokens = PlatformTokens(wanted, clock=clock, transport=httpx.MockTransport(platform))
    first = platform.token(claims(house))
    assert [tokens.caller(first) is not None for _ in range(3)] == [True, True, True]
    assert platform.asked == 1
    platform.turn()
    second = platform.token(claims(house))
    assert tokens.caller(second) is None, (
        "asked again at once, a made-up key id could make us call all the time"
    )
    clock.move(timedelta(seconds=31))
    assert tokens.caller(second) is not None
    assert tokens.caller(first) is None
    platform.is_down = True
    clock.move(timedelta(minutes=4))
    assert tokens.caller(platform.token(claims(house))) is not None, (
        "an outage of the key page locks nobody out"
    )
    # The public key used as a shared secret is the classic forgery.
    assert tokens.caller(forged_by(platform.key.as_pem(private=False), claims(house))) is None
    tokens.close()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"token_secret": "short", "token_issuer": ISSUER}, "too short"),
        ({"token_secret": SECRET}, "TIEOUT_TOKEN_ISSUER"),
        ({"token_secret": SECRET, "token_jwks_url": "https://a.example"}, "keep the one"),
    ],
)
def test_settings_that_cannot_check_a_token_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load_settings(_env_file=None, **given)
