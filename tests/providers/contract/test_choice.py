"""Xero's consent may open several organisations: none, one, a choice of several, a practice, and a second consent."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from resources.settings import Settings
from resources.store.database import Database
from resources.wiring import Tieout
from sync.errors import (
    ChoiceNeeded,
    CompanyTaken,
    ConnectError,
    InvalidInput,
    NoCompany,
    StateExpired,
    StateMismatch,
)
from tests.support.judged_xero import judged_xero, organisation, tieout_without_organisations
from tests.support.office import BROWSER, Office
from tests.support.xero_books import XeroBooks

# Each test's organisations have ids of their own.
SEEDS = itertools.count(1)


@pytest.fixture(scope="module")
def books() -> Iterator[XeroBooks]:
    with judged_xero() as made:
        yield made


@pytest.fixture
def tieout(settings: Settings, database: Database, books: XeroBooks) -> Iterator[Tieout]:
    with tieout_without_organisations(books, settings, database, seed=next(SEEDS)) as opened:
        yield opened


@pytest.fixture
def office(tieout: Tieout, books: XeroBooks) -> Office:
    return Office(tieout, books)


def answer(office: Office, *, consent: str = "all", browser: str = BROWSER) -> str:
    """Go through a consent and complete it; the name of the connected organisation."""
    params = office.books.browse(office.begin(), sandbox_consent=consent)
    return complete(office, params, browser=browser)


def complete(office: Office, params: dict[str, str], *, browser: str = BROWSER) -> str:
    connected = office.tieout.connections.complete("xero", params=params, browser=browser)
    office.connection_id = connected.connection_id
    return connected.company_name


def asked(office: Office, *, consent: str = "all") -> dict[str, str]:
    """Go through a consent that needs a choice; what to send back, without the company."""
    params = office.books.browse(office.begin(), sandbox_consent=consent)
    with pytest.raises(ChoiceNeeded) as found:
        complete(office, params)
    assert found.value.details["state"] == params["state"]
    assert all(each.keys() == {"id", "name"} for each in found.value.details["choices"])
    return {"state": params["state"]}


def test_the_only_organisation_is_taken(office: Office, books: XeroBooks) -> None:
    organisation(books, "Larch Homes")
    assert answer(office) == "Larch Homes"


def test_no_organisation_is_a_clear_error_and_leaves_nothing(office: Office, books: XeroBooks) -> None:
    organisation(books, "Larch Homes")
    with pytest.raises(NoCompany, match="Xero"):
        answer(office, consent="none")
    assert office.value("select count(*) from v2_integration_connections") == 0


def test_of_several_the_chosen_one_is_connected_and_its_tokens_wait_sealed(
    office: Office, books: XeroBooks
) -> None:
    organisation(books, "Larch Homes")
    wanted = organisation(books, "Alder Homes")
    params = asked(office)
    ((sealed,),) = office.rows("select choice_tokens_encrypted from oauth_attempts")
    assert sealed
    assert "ey" not in sealed[:4]
    assert complete(office, params | {"company": wanted}) == "Alder Homes"
    assert office.rows("select provider_tenant_id, status from v2_integration_connections") == [
        (wanted, "connected")
    ]
    assert office.rows("select choice_tokens_encrypted from oauth_attempts") == [(None,)]
    assert (
        office.tieout.connections.open(office.builder_id, office.connection_id).company().name
        == "Alder Homes"
    )


def test_a_choice_is_made_once_by_the_browser_that_began_and_of_what_was_offered(
    office: Office, books: XeroBooks
) -> None:
    wanted, other = organisation(books, "Larch Homes"), organisation(books, "Alder Homes")
    params = asked(office)
    with pytest.raises(StateMismatch):
        complete(office, params | {"company": wanted}, browser="another-browser")
    with pytest.raises(InvalidInput, match="organisation"):
        complete(office, params | {"company": "11111111-1111-4111-8111-111111111111"})
    assert complete(office, params | {"company": wanted}) == "Larch Homes"
    with pytest.raises(StateMismatch):
        complete(office, params | {"company": other})


def test_a_choice_that_comes_too_late_is_refused(office: Office, books: XeroBooks) -> None:
    wanted = organisation(books, "Larch Homes")
    organisation(books, "Alder Homes")
    params = asked(office)
    office.later(minutes=11)
    with pytest.raises(StateExpired):
        complete(office, params | {"company": wanted})


def test_a_practice_is_no_organisation(office: Office, books: XeroBooks) -> None:
    organisation(books, "Larch Homes")
    practice = str(books.control("POST", "/practices", {"name": "Ledger & Partners"})["id"])
    with pytest.raises(ConnectError, match="practice"):
        answer(office, consent=practice)
    assert answer(office) == "Larch Homes"


def test_a_second_consent_finds_the_organisation_that_kept_its_first_consent_s_name(
    office: Office, books: XeroBooks
) -> None:
    first = organisation(books, "Larch Homes")
    organisation(books, "Alder Homes")
    answer(office, consent=first)
    office.tieout.connections.disconnect(office.builder_id, office.connection_id, requested_by="owner")
    # Connected again, and then consented to once more: the list of the new consent alone is empty.
    answer(office, consent=first)
    assert answer(office, consent=first) == "Larch Homes"


def test_two_builders_of_one_bookkeeper_end_apart(tieout: Tieout, books: XeroBooks) -> None:
    first, second = organisation(books, "Larch Homes"), organisation(books, "Alder Homes")
    one, other = Office(tieout, books), Office(tieout, books)
    answer(one, consent=first)
    params = books.browse(other.begin(), sandbox_consent=second)
    assert complete(other, params) == "Alder Homes"
    one.later(hours=2)
    ended = tieout.connections.disconnect(one.builder_id, one.connection_id, requested_by="owner")
    assert ended.notice is None
    assert books.control("GET", "/state")["connections"] == 1
    assert tieout.connections.open(other.builder_id, other.connection_id).company().name == "Alder Homes"


def test_an_organisation_of_another_builder_is_refused_and_stays_theirs(
    tieout: Tieout, books: XeroBooks
) -> None:
    held = organisation(books, "Larch Homes")
    one, other = Office(tieout, books), Office(tieout, books)
    answer(one, consent=held)
    with pytest.raises(CompanyTaken, match="Larch Homes"):
        answer(other, consent=held)
    assert tieout.connections.open(one.builder_id, one.connection_id).company().name == "Larch Homes"


def test_an_organisation_disconnected_at_xero_asks_to_reconnect(office: Office, books: XeroBooks) -> None:
    organisation(books, "Larch Homes")
    answer(office)
    books.control("POST", "/disconnect", {})
    with pytest.raises(Exception, match="Reconnect it in Settings"):
        office.tieout.connections.open(office.builder_id, office.connection_id).company()
    assert office.value("select status from v2_integration_connections") == "expired"


def test_an_installation_without_xero_credentials_names_the_setting(
    settings: Settings, database: Database, books: XeroBooks
) -> None:
    bare = books.settings(settings).model_copy(update={"xero_client_secret": SecretStr("")})
    with (
        Tieout(bare, database=database) as opened,
        pytest.raises(Exception, match="TIEOUT_XERO_CLIENT_SECRET"),
    ):
        Office(opened, books).begin()
