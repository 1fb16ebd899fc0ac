"""The tax rates of an organisation: which there are, read once when a line first carries one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.xero.client import Client
from resources.xero.words import TITLE
from sync.errors import RejectedByProvider

# Every organisation has it, and it takes no tax out of an amount.
NO_TAX = "NONE"


class TaxRates:
    """Finds a chosen rate by its type or name."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._rates: list[Mapping[str, Any]] | None = None

    def find(self, wanted: str, *, label: str) -> str:
        """Return the TaxType of a rate; raises RejectedByProvider, before anything is sent, for none or an inactive one."""
        key = wanted.strip().casefold()
        if key == NO_TAX.casefold():
            return NO_TAX
        if self._rates is None:
            self._rates = list(self._client.rows("TaxRates"))
        found = [
            one
            for one in self._rates
            if key in (str(one.get("TaxType")).casefold(), str(one.get("Name")).casefold())
        ]
        active = [one for one in found if one.get("Status") == "ACTIVE"]
        if active:
            return str(active[0]["TaxType"])
        if found:
            reason = f"the tax rate “{wanted}” chosen for its lines is not active in Xero; make it active there, or choose another"
        else:
            names = ", ".join(
                sorted(str(one.get("TaxType")) for one in self._rates if one.get("Status") == "ACTIVE")[:12]
            )
            reason = f"Xero has no tax rate “{wanted}”, which is chosen for its lines; choose one of {names}"
        raise RejectedByProvider(
            f"{label} was not sent: {reason} under the connection's tax codes, then retry.",
            provider=TITLE,
            label=label,
            provider_code="not_sent",
            field="TaxType",
            text=reason,
        )
