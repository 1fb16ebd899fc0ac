"""Where QuickBooks Online shows a record to its own users."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from resources.settings import Settings

_APPS = {
    "quickbooks.api.intuit.com": "https://app.qbo.intuit.com",
    "sandbox-quickbooks.api.intuit.com": "https://app.sandbox.qbo.intuit.com",
}
# entity -> page and the name of its parameter
_PAGES = {
    "account": ("register", "accountId"),
    "customer": ("customerdetail", "nameId"),
    "vendor": ("vendordetail", "nameId"),
    "invoice": ("invoice", "txnId"),
    "bill": ("bill", "txnId"),
    "journal_entry": ("journal", "txnId"),
    "payment": ("recvpayment", "txnId"),
    "bill_payment": ("billpayment", "txnId"),
    "deposit": ("deposit", "txnId"),
}


def page_of(settings: Settings, entity: str, remote_id: str) -> str | None:
    """Return the address of a record; None where it has no page, or this is not QuickBooks but a stand-in."""
    app = settings.quickbooks_app_url or _app_beside(settings.quickbooks_base_url)
    page = _PAGES.get(entity)
    # An id is a number; what is put together here of several records has no page of its own.
    if app is None or page is None or not (remote_id.isascii() and remote_id.isdigit()):
        return None
    name, parameter = page
    return f"{app}/app/{name}?{parameter}={remote_id}"


# Asked for each record of a list.
@lru_cache(maxsize=8)
def _app_beside(base_url: str) -> str | None:
    return _APPS.get(urlsplit(base_url).hostname or "")
