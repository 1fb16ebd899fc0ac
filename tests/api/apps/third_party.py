"""An app of somebody else, and a person who may let it in: authlib's own client over real HTTP."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx
from authlib.oauth2.client import OAuth2Client

from resources.store.api_keys import Caller
from resources.store.apps import Wanted, register_app
from resources.store.sessions import open_session
from tests.api.world import NOW, ROOT, House, World

BACK = "https://app.example.com/callback?kind=tieout"
SCOPE = "connections:read sync:read"
FORM = {"Sec-Fetch-Site": "same-origin"}
# Closed at the end: a connection that nobody closes is a warning, and a warning is an error.
OPEN_CLIENTS: list[httpx.Client] = []


def opened(**options: Any) -> httpx.Client:
    OPEN_CLIENTS.append(httpx.Client(**options))
    return OPEN_CLIENTS[-1]


def close_clients() -> None:
    while OPEN_CLIENTS:
        OPEN_CLIENTS.pop().close()


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


def refuses(answer: httpx.Response, error: str, status: int = 400) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
