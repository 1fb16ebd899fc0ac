"""QuickBooks Online's entry in the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from resources.gate import CallLimits, Rate, Window
from resources.oauth import OAuthEndpoints
from resources.quickbooks.catalogue import TITLE
from resources.quickbooks.pages import page_of
from resources.quickbooks.provider import QuickBooks
from resources.quickbooks.webhook import WEBHOOK
from resources.settings import Settings
from resources.spec import Access, CallbackAnswer, CompanyFacts, ProviderSpec, Surroundings

SCOPES = ("com.intuit.quickbooks.accounting",)
# With it Intuit says when the grant ends for good (five years at most), not only when it lapses unused.
HARD_LIMIT_HEADER = "x-include-refresh-token-hard-expires-in"

# 500 calls a minute, 10 a second or at once, 40 batches a minute, per company: a little below each, because other
# programs call too. 8 a second, two of them at once, are 480 a minute and never 11 in a second.
LIMITS = CallLimits(at_once=9, rate=Rate(calls_a_second=8.0, at_a_time=2), batches=Window(39, 61.0))


def _endpoints(settings: Settings) -> OAuthEndpoints:
    return OAuthEndpoints(
        authorize_url=settings.quickbooks_authorize_url,
        token_url=settings.quickbooks_token_url,
        revoke_url=settings.quickbooks_revoke_url,
        client_id=settings.quickbooks_client_id,
        client_secret=settings.quickbooks_client_secret.get_secret_value(),
        scopes=SCOPES,
        revoke_body="json",
        headers={HARD_LIMIT_HEADER: "true"},
    )


def _read_callback(params: Mapping[str, str]) -> CallbackAnswer:
    realm = params.get("realmId", "")
    return CallbackAnswer(
        state=params.get("state"),
        code=params.get("code"),
        # A realm is digits; anything else in its place would end up in an address.
        company_id=realm if realm.isascii() and realm.isdigit() and len(realm) <= 30 else None,
        error=params.get("error"),
    )


def _companies(answer: CallbackAnswer, _access_token: str, _http: httpx.Client) -> Sequence[CompanyFacts]:
    return [CompanyFacts(answer.company_id)] if answer.company_id else []


def _build(access: Access, surroundings: Surroundings) -> QuickBooks:
    return QuickBooks(access, http=surroundings.http, clock=surroundings.clock, gate=surroundings.gate)


SPEC = ProviderSpec(
    key="quickbooks_online",
    title=TITLE,
    company_word="company",
    credential_settings=("quickbooks_client_id", "quickbooks_client_secret"),
    terms={
        "account": ("Account", "Chart of accounts"),
        "customer": ("Customer", "Customers"),
        "vendor": ("Vendor", "Vendors"),
        "invoice": ("Invoice", "Invoices"),
        "bill": ("Bill", "Bills"),
        "journal_entry": ("Journal entry", "Journal entries"),
        "payment": ("Payment", "Payments received"),
        "bill_payment": ("Bill payment", "Bill payments"),
        "deposit": ("Bank deposit", "Bank deposits"),
    },
    base_url=lambda settings: settings.quickbooks_base_url,
    endpoints=_endpoints,
    read_callback=_read_callback,
    companies=_companies,
    build=_build,
    page_of=page_of,
    webhook=WEBHOOK,
    dimension_lists={
        "job": ("sub_customer", "class", "location"),
        "cost_code": ("item", "class"),
        "cost_type": ("class",),
    },
    limits=LIMITS,
    metered_reads_a_month=lambda settings: settings.quickbooks_metered_reads,
)
