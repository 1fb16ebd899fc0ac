"""Who registers apps and which; what the metadata says; and whatever an app sends is answered."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from api.authorization import scope_in_words
from resources.store.apps import APP_SCOPES
from tests.api.apps.third_party import BACK, FORM, SCOPE, Person, ThirdParty
from tests.api.world import House, World, exact, problem

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
