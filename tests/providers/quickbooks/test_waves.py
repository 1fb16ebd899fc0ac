"""Accounts that lie below others of the same call."""

from __future__ import annotations

import pytest

from resources.quickbooks.waves import waiting_in, waves
from sync.errors import ProviderUnavailable, RejectedByProvider
from sync.ports import Rejected, Unknown, WriteOutcome
from sync.records import Entity
from tests.providers.quickbooks.writes import a_name, an_account, create


def test_an_account_waits_for_the_one_it_lies_below_and_for_nothing_else() -> None:
    writes = [
        create(Entity.ACCOUNT, an_account("Yard:Crane:Fuel")),
        create(Entity.ACCOUNT, an_account("yard : crane")),
        create(Entity.ACCOUNT, an_account("Office:Rent")),
        create(Entity.ACCOUNT, an_account("Yard")),
        create(Entity.VENDOR, a_name("Yard")),
    ]
    assert waves(writes) == [{2: None, 3: None, 4: None}, {1: 3}, {0: 1}]
    assert waves([]) == []


@pytest.mark.parametrize(
    ("above", "waits"),
    [
        (Unknown("no answer in time"), True),
        (Rejected(ProviderUnavailable(provider="QuickBooks Online", reason="it is down")), True),
        (Rejected(RejectedByProvider("No.", provider="QuickBooks Online", label="Yard")), False),
    ],
    ids=["unknown", "not-sent", "refused"],
)
def test_what_lies_below_an_account_in_doubt_is_tried_again_by_itself(
    above: WriteOutcome, waits: bool
) -> None:
    assert bool(waiting_in({1: 0, 2: None}, {0: above})) is waits
    for outcome in waiting_in({1: 0}, {0: above}).values():
        assert isinstance(outcome, Rejected)
        assert isinstance(outcome.error, ProviderUnavailable)
