"""What apps hold: codes, access and refresh tokens; used once, renewed, ended by themselves or by somebody."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from authlib.oauth2 import OAuth2Error

from tests.api.apps.third_party import BACK, SCOPE, Person, ThirdParty, an_app, refuses
from tests.api.world import ROOT, House, World, exact, problem

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
