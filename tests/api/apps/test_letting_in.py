"""Third-party apps are let in by a person, for what the page says and no more, and sent back to their own address."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest
from authlib.oauth2 import OAuth2Error

from resources.store.apps import revoke_app
from resources.store.sessions import make_link
from tests.api.apps.third_party import BACK, FORM, SCOPE, Person, ThirdParty, an_app, opened
from tests.api.world import NOW, ROOT, House, World, exact, problem

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
