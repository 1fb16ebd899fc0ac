"""Where Xero shows a record to its own users.

The pages open in the organisation that the person last worked in: without its short code nothing chooses another.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit
from uuid import UUID

from resources.settings import Settings
from resources.xero.receipts import BATCH, RECEIPT

_APPS = {"api.xero.com": "https://go.xero.com"}
_PAGES = {
    "customer": "/Contacts/View/{id}",
    "vendor": "/Contacts/View/{id}",
    "invoice": "/AccountsReceivable/View.aspx?InvoiceID={id}",
    "bill": "/AccountsPayable/View.aspx?InvoiceID={id}",
    "journal_entry": "/Journal/View.aspx?invoiceID={id}",
    "payment": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "bill_payment": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
    "deposit": "/Bank/ViewTransaction.aspx?bankTransactionID={id}",
}
_CHART = "/GeneralLedger/ChartOfAccounts.aspx"


def page_of(settings: Settings, entity: str, remote_id: str) -> str | None:
    """Return the address of a record; None where it has no page, or this is not Xero but a stand-in."""
    app = settings.xero_app_url or _app_beside(settings.xero_base_url)
    if app is None:
        return None
    if entity == "account":
        # An account has no page of its own; the chart lists it.
        return f"{app}{_CHART}"
    page = _PAGES.get(entity)
    found = _own_id(remote_id)
    return None if page is None or found is None else f"{app}{page.format(id=found)}"


# Asked for each record of a list.
@lru_cache(maxsize=8)
def _app_beside(base_url: str) -> str | None:
    return _APPS.get(urlsplit(base_url).hostname or "")


def _own_id(remote_id: str) -> str | None:
    """Return the id of the one record of Xero that this is; a receipt of several payments is none."""
    if remote_id.startswith((f"{BATCH}/", f"{RECEIPT}/")):
        return None
    try:
        return str(UUID(remote_id.rpartition("/")[2]))
    except ValueError:
        return None
