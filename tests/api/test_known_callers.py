"""Who was let in a moment ago is not looked up again, and is forgotten when the database tells that access changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from resources.known_callers import KNOWN_SECONDS, KnownCallers
from resources.postgres import DatabaseUrls
from resources.store.api_keys import Caller, create_api_key, find_caller
from tests.api.world import House, World, problem

SECONDS_MAX = 10.0


@dataclass
class Watch:
    """A clock that goes on, and can be put forward."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def callers(urls: DatabaseUrls, watch: Watch) -> Iterator[KnownCallers]:
    known = KnownCallers(urls.app, seconds=watch)
    known.start()
    yield known
    known.stop()


@pytest.fixture
def caller() -> Caller:
    return Caller(uuid4(), uuid4(), "office", "viewer")


def soon(is_so: Callable[[], bool]) -> bool:
    """Say whether it becomes so before anybody would call it late."""
    ends = time.monotonic() + SECONDS_MAX
    while not is_so() and time.monotonic() < ends:
        time.sleep(0.005)
    return is_so()


def known(callers: KnownCallers, caller: Caller, token: str = "tieout_x") -> bool:
    """Look a caller up until the listening has begun; say whether it is known then."""

    def looked_up() -> bool:
        callers.look_up(token, lambda: caller)
        return callers.find(token) == caller

    return soon(looked_up)


def test_who_was_looked_up_is_known(callers: KnownCallers, caller: Caller) -> None:
    assert known(callers, caller)
    assert callers.find("tieout_y") is None


def test_nobody_is_known_who_opens_nothing(callers: KnownCallers, caller: Caller) -> None:
    assert known(callers, caller)
    assert callers.look_up("wrong", lambda: None) is None
    assert callers.find("wrong") is None


def test_nobody_is_known_for_long(callers: KnownCallers, caller: Caller, watch: Watch) -> None:
    assert known(callers, caller)
    watch.ahead = KNOWN_SECONDS
    assert callers.find("tieout_x") is None


def test_nobody_is_known_while_the_database_is_not_heard(callers: KnownCallers, caller: Caller) -> None:
    assert known(callers, caller)
    callers.stop()
    assert callers.find("tieout_x") is None
    assert callers.look_up("tieout_x", lambda: caller) == caller
    assert callers.find("tieout_x") is None


def test_a_process_that_does_not_listen_knows_nobody(urls: DatabaseUrls, caller: Caller) -> None:
    deaf = KnownCallers(urls.app)
    assert deaf.look_up("tieout_x", lambda: caller) == caller
    assert deaf.find("tieout_x") is None


def test_what_is_told_while_the_database_is_asked_counts(callers: KnownCallers, caller: Caller) -> None:
    assert known(callers, caller)

    def told_meanwhile() -> Caller:
        callers.forget()
        return caller

    assert callers.look_up("tieout_x", told_meanwhile) == caller
    assert callers.find("tieout_x") is None


APP = (
    "insert into oauth_apps (id, builder_id, name, redirect_uris, scopes, created_by, created_at)"
    " values (%(id)s, %(builder)s, 'App', array['https://a.example'], array['sync:read'], 'x', now())"
)
GRANT = (
    "insert into oauth_grants (builder_id, id, app_id, person, role, scopes, created_at)"
    " values (%(builder)s, %(id)s, %(id)s, 'eve', 'viewer', array['sync:read'], now())"
)
TOKEN = (
    "insert into oauth_tokens (builder_id, id, grant_id, kind, token_hash, scopes, created_at, expires_at)"
    " values (%(builder)s, %(id)s, %(id)s, 'access', %(id)s::text, array['sync:read'], now(), now())"
)
ENDINGS = {
    "a key is revoked": "update api_keys set revoked_at = now() where builder_id = %(builder)s",
    "an app is revoked": "update oauth_apps set revoked_at = now() where id = %(id)s",
    "a grant is ended": "update oauth_grants set revoked_at = now() where id = %(id)s",
    "a token is given back": "update oauth_tokens set revoked_at = now() where id = %(id)s",
    "a role is narrowed": "update api_keys set role = 'viewer' where builder_id = %(builder)s",
    "a key is deleted": "delete from api_keys where builder_id = %(builder)s",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_everybody_is_forgotten_when(
    ending: str, callers: KnownCallers, caller: Caller, house: House, watch: Watch
) -> None:
    one = uuid4()
    create_api_key(house.world.database, house.id, name="office")
    for made in (APP, GRANT, TOKEN):
        house.sql(made, id=one)
    assert known(callers, caller)
    house.sql(ENDINGS[ending], id=one)
    assert soon(lambda: callers.find("tieout_x") is None)
    assert watch.ahead == 0.0, "it was told, not outlived"


def test_a_revoked_key_opens_nothing_from_the_answer_on(world: World, house: House) -> None:
    owner, key = house.client(), create_api_key(world.database, house.id, name="script", role="viewer")
    services = world.app.state.services
    services.callers.start()
    try:
        script = world.client(key)
        assert soon(lambda: script.get("/connections").is_success and services.callers.find(key) is not None)
        key_id = services.callers.find(key).key_id
        assert owner.delete(f"/keys/{key_id}").is_success
        problem(script.get("/connections"), 401, "access.unauthenticated")
    finally:
        services.callers.stop()


def test_a_key_that_is_known_is_counted_like_any_other(world: World, house: House) -> None:
    key = create_api_key(world.database, house.id, name="script", role="viewer")
    services = world.app.state.services
    found = find_caller(world.database, key)
    assert found is not None
    services.callers.start()
    try:
        script = world.client(key)
        assert soon(lambda: script.get("/connections").is_success and services.callers.find(key) is not None)
        before = int(script.get("/connections").headers["RateLimit"].split("r=")[1].split(";")[0])
        after = int(script.get("/connections").headers["RateLimit"].split("r=")[1].split(";")[0])
        assert after == before - 1
        assert services.callers.find(key) == found
    finally:
        services.callers.stop()
