"""intuit-oauth, unmodified, as the judge of the token endpoint."""

from __future__ import annotations

import httpx
import pytest
from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.exceptions import AuthorizationException
from quickbooks.objects.customer import Customer


def test_the_official_client_exchanges_refreshes_and_revokes(auth: AuthClient) -> None:
    first = auth.access_token
    auth.refresh()
    assert auth.access_token != first
    assert (auth.expires_in, auth.x_refresh_token_expires_in) == (3600, 8_726_400)
    assert auth.revoke() is True
    with pytest.raises(AuthClientError) as refused:
        auth.refresh()
    assert (refused.value.status_code, "invalid_grant" in str(refused.value.content)) == (400, True)


def test_the_official_client_learns_of_a_rotation(auth: AuthClient, fresh_process: str) -> None:
    before = auth.refresh_token
    httpx.post(f"{fresh_process}/_sandbox/clock", json={"shift_seconds": 90_000})
    auth.refresh()
    assert auth.refresh_token != before


def test_an_expired_access_token_is_refreshed_and_works_again(
    auth: AuthClient, qb: QuickBooks, fresh_process: str
) -> None:
    httpx.post(f"{fresh_process}/_sandbox/clock", json={"shift_seconds": 3700})
    with pytest.raises(AuthorizationException):
        Customer.get(1, qb=qb)
    auth.refresh()
    qb._start_session()
    assert Customer.get(1, qb=qb).Id == "1"
