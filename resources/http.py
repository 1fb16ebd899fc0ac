"""The one place that builds HTTP clients, so that time limits, size of pools and headers are decided once.

Retrying is not decided here: reads and token calls are repeated by whoever makes them, writes never.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

USER_AGENT = "Tieout"
CONNECT_SECONDS = 10.0
# Longer than the providers' own limit (QuickBooks cuts a call at 120 s): giving up first would turn their clear
# answer into an outcome nobody knows.
API_READ_SECONDS = 125.0
# A token call happens under a row lock, so it must end soon.
TOKEN_READ_SECONDS = 10.0
CONNECTIONS_MAX = 10


def api_client(
    base_url: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    read_seconds: float = API_READ_SECONDS,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Build the client for a provider's accounting API; answers are unpacked from gzip by httpx."""
    return httpx.Client(
        base_url=base_url,
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", **(headers or {})},
        timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
        limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
        follow_redirects=False,
        transport=transport,
    )


def token_client(*, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Build the client for token and revocation calls."""
    return api_client(
        headers={"Cache-Control": "no-store"}, read_seconds=TOKEN_READ_SECONDS, transport=transport
    )
