"""The tax codes of a company: which there are, read once when a line first carries one."""

from __future__ import annotations

from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.chart import rows_of
from resources.quickbooks.client import Client
from sync.errors import RejectedByProvider

# QuickBooks' own two in the United States; they are in no list.
PSEUDO_CODES = ("TAX", "NON")


class TaxCodes:
    """Finds a chosen code by its id or name."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._codes: list[tuple[str, str, bool]] | None = None

    def find(self, wanted: str, *, is_domestic: bool, label: str) -> str:
        """Return the id of a code; raises RejectedByProvider, before anything is sent, for none or an inactive one."""
        if is_domestic and wanted.upper() in PSEUDO_CODES:
            return wanted.upper()
        if self._codes is None:
            self._codes = [
                (str(body["Id"]), str(body.get("Name") or ""), bool(body.get("Active", True)))
                for page in rows_of(self._client, "TaxCode", is_list=True)
                for body in page
            ]
        key = wanted.strip().casefold()
        found = [each for each in self._codes if key in (each[0].casefold(), each[1].casefold())]
        active = [each for each in found if each[2]]
        if active:
            return active[0][0]
        if found:
            reason = f"the tax code “{wanted}” chosen for its lines is inactive in QuickBooks; make it active there, or choose another"
        else:
            names = ", ".join(sorted(name for _, name, is_active in self._codes if is_active)[:12])
            own = "TAX, NON, " if is_domestic else ""
            reason = f"QuickBooks has no tax code “{wanted}”, which is chosen for its lines; choose one of {own}{names}"
        raise RejectedByProvider(
            f"{label} was not sent: {reason} under the connection's tax codes, then retry.",
            provider=TITLE,
            label=label,
            provider_code="not_sent",
            field="TaxCodeRef",
            text=reason,
        )
