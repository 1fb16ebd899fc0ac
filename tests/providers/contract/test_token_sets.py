"""Xero's token set opens every organisation of one person: builders share it with one lock, and nothing else."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from resources.rotation import add_key
from resources.settings import Settings
from resources.store.database import Database
from resources.vault import Vault
from resources.wiring import Tieout
from sync.errors import AccessExpired, SyncError
from sync.records import Entity
from tests.support.judged_xero import judged_xero, organisation, tieout_without_organisations
from tests.support.office import BROWSER, Office
from tests.support.xero_books import XeroBooks

SEEDS = itertools.count(500)
SETS = "select id, refresh_token_encrypted from token_sets"


@pytest.fixture(scope="module")
def books() -> Iterator[XeroBooks]:
    with judged_xero() as made:
        yield made


@pytest.fixture
def tieout(settings: Settings, database: Database, books: XeroBooks) -> Iterator[Tieout]:
    with tieout_without_organisations(books, settings, database, seed=next(SEEDS)) as opened:
        yield opened


@pytest.fixture
def offices(tieout: Tieout, books: XeroBooks) -> list[Office]:
    """Two builders whose books one bookkeeper keeps, in an organisation each."""
    person = str(uuid4())
    made = []
    for name in ("Larch Homes", "Alder Homes"):
        office = Office(tieout, books)
        connect(office, organisation(books, name), person=person)
        made.append(office)
    return made


def connect(office: Office, consent: str, *, person: str) -> None:
    params = office.books.browse(office.begin(), sandbox_consent=consent, sandbox_user=person)
    connected = office.tieout.connections.complete("xero", params=params, browser=BROWSER)
    office.connection_id = connected.connection_id


def company(office: Office, tieout: Tieout | None = None) -> str:
    """Open the connection and read the company's name there."""
    connections = (tieout or office.tieout).connections
    return connections.open(office.builder_id, office.connection_id).company().name


def status(office: Office) -> tuple[str, int]:
    """The connection's status, and how often that was noted as lost."""
    (found,) = office.rows(
        "select status, (select count(*) from audit_log a where a.connection_id = c.id"
        " and a.action = 'connection.expired') from v2_integration_connections c"
    )
    return found[0], found[1]


def test_two_organisations_of_one_person_live_from_one_token_set(offices: list[Office]) -> None:
    (first,), (second,) = (office.rows(SETS) for office in offices)
    assert first == second
    assert first[1].startswith("v1.")
    own = "select access_token_encrypted, refresh_token_encrypted from v2_integration_connections"
    assert [office.rows(own) for office in offices] == [[(None, None)], [(None, None)]]
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]


def test_two_people_have_a_token_set_each_and_nobody_else_sees_either(
    offices: list[Office], books: XeroBooks
) -> None:
    stranger = Office(offices[0].tieout, books)
    assert stranger.rows(SETS) == []
    connect(stranger, organisation(books, "Birch Homes"), person=str(uuid4()))
    assert stranger.rows(SETS) != offices[0].rows(SETS)
    assert len(stranger.rows(SETS)) == len(offices[0].rows(SETS)) == 1
    shared = offices[0].value("select id from token_sets")
    stranger.run("update token_sets set refresh_token_encrypted = 'x' where id = %s", shared)
    stranger.run("delete from token_sets where id = %s", shared)
    assert company(offices[0]) == "Larch Homes"


def test_two_processes_of_two_builders_refresh_what_they_share_once(
    offices: list[Office], database: Database, books: XeroBooks
) -> None:
    offices[0].later(minutes=90)
    before, names, errors = books.live_refresh_calls(), [], []
    with Tieout(offices[0].tieout.settings, database=database, clock=books.clock) as process:
        barrier = threading.Barrier(4)

        def work(office: Office, tieout: Tieout) -> None:
            barrier.wait()
            try:
                names.append(company(office, tieout))
            except SyncError as error:
                errors.append(error)

        threads = [
            threading.Thread(target=work, args=(office, tieout))
            for office in offices
            for tieout in (office.tieout, process)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert sorted(names) == ["Alder Homes", "Alder Homes", "Larch Homes", "Larch Homes"]
    assert books.live_refresh_calls() - before == 1


def test_disconnecting_one_leaves_the_other_syncing_and_the_last_takes_the_tokens_along(
    offices: list[Office], books: XeroBooks
) -> None:
    one, other = offices
    one.later(hours=2)
    ended = one.tieout.connections.disconnect(one.builder_id, one.connection_id, requested_by="owner")
    assert ended.notice is None
    assert books.control("GET", "/state")["connections"] == 1
    assert one.rows(SETS) == []
    other.later(hours=2)
    assert other.sync().failed == []
    kept = other.value("select id from token_sets")
    other.tieout.connections.disconnect(other.builder_id, other.connection_id, requested_by="owner")
    with other.tieout.database.scheduler_tx() as scheduler:
        left = scheduler.connection.exec_driver_sql("select count(*) from token_sets where id = %s", (kept,))
        assert left.scalar_one() == 0
    assert books.control("GET", "/state")["connections"] == 0


def test_a_consent_that_was_withdrawn_is_told_to_each_builder_once_and_a_new_one_serves_both(
    offices: list[Office], books: XeroBooks
) -> None:
    one, other = offices
    other.vendor()
    other.sync()
    other.refused_for_lost_access(Entity.VENDOR)
    person = str(uuid4())
    tenants = []
    for office in offices:
        tenants.append(office.value("select provider_tenant_id from v2_integration_connections"))
        connect(office, tenants[-1], person=person)
    books.fault("revoked_grant", path="/connect/token")
    one.later(hours=1)
    with pytest.raises(AccessExpired, match="Reconnect"):
        company(one)
    assert [status(office) for office in offices] == [("expired", 1), ("expired", 1)]
    calls = books.live_refresh_calls()
    for office in offices:
        with pytest.raises(AccessExpired, match="Reconnect"):
            company(office)
    assert books.live_refresh_calls() == calls, "what ended is not asked for again"
    assert [status(office) for office in offices] == [("expired", 1), ("expired", 1)]
    # The person chooses both organisations again; one builder's consent is enough for both, and for what they had lost.
    connect(one, ",".join(tenants), person=person)
    assert other.value("select state from links where entity = 'vendor'") == "open"
    assert [status(office)[0] for office in offices] == ["connected", "connected"]
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]


def test_a_refresh_that_got_no_answer_is_noted_with_each_and_forgotten_once_it_works(
    offices: list[Office], books: XeroBooks
) -> None:
    failures = "select refresh_failures from v2_integration_connections"
    books.fault("status", path="/connect/token", status=503, count=None)
    offices[0].later(minutes=27)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]
    assert [office.value(failures) for office in offices] == [1, 1]
    books.control("DELETE", "/faults")
    before = books.live_refresh_calls()
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]
    assert [office.value(failures) for office in offices] == [0, 0]
    assert books.live_refresh_calls() - before == 1


def test_a_builder_that_goes_over_to_another_person_leaves_the_first_s_token_set_to_the_others(
    offices: list[Office],
) -> None:
    one, other = offices
    tenant = one.value("select provider_tenant_id from v2_integration_connections")
    before = other.rows(SETS)
    connect(one, tenant, person=str(uuid4()))
    assert one.rows(SETS) != before == other.rows(SETS)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]


def test_tokens_from_before_token_sets_move_into_their_person_s_at_the_next_refresh(
    offices: list[Office],
) -> None:
    for office in offices:
        _as_before(office)
        assert office.rows(SETS) == []
    offices[0].later(minutes=40)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]
    assert offices[0].rows(SETS) == offices[1].rows(SETS) != []
    assert offices[0].value("select refresh_token_encrypted from v2_integration_connections") is None
    offices[0].later(hours=2)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]


def _as_before(office: Office) -> None:
    """Store the tokens as version 0.1 did: in the connection's row, sealed for it."""
    ((set_id, sealed, access, ends),) = office.rows(
        "select id, refresh_token_encrypted, access_token_encrypted, token_expires_at from token_sets"
    )
    vault = office.tieout.vault
    shared = {"builder_id": "token-set", "connection_id": str(set_id)}
    own = {"builder_id": office.builder_id, "connection_id": office.connection_id}
    office.run(
        "update v2_integration_connections set token_set_id = null, token_expires_at = %s,"
        " refresh_token_encrypted = %s, access_token_encrypted = %s",
        ends,
        vault.seal(vault.open(sealed, field="refresh_token", **shared), field="refresh_token", **own),
        vault.seal(vault.open(access, field="access_token", **shared), field="access_token", **own),
    )


def test_turning_the_keyring_over_wraps_a_token_set_once_and_both_go_on(offices: list[Office]) -> None:
    settings = offices[0].tieout.settings
    added = add_key(settings.home)
    offices[0].tieout.connections._keeper.stored.vault = Vault.from_settings(settings)
    assert offices[0].tieout.connections.rewrap() >= 2
    sealed = offices[0].value("select refresh_token_encrypted from token_sets")
    assert sealed.split(".")[1] == added
    offices[0].later(hours=2)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]


def test_a_token_set_does_not_open_in_another_s_place(offices: list[Office], books: XeroBooks) -> None:
    thief = Office(offices[0].tieout, books)
    connect(thief, organisation(books, "Thief Homes"), person=str(uuid4()))
    ((access, refresh),) = offices[0].rows(
        "select access_token_encrypted, refresh_token_encrypted from token_sets"
    )
    thief.run(
        "update token_sets set access_token_encrypted = %s, refresh_token_encrypted = %s", access, refresh
    )
    with pytest.raises(AccessExpired, match="cannot be opened any more"):
        company(thief)
    assert [company(office) for office in offices] == ["Larch Homes", "Alder Homes"]
