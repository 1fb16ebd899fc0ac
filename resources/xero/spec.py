"""Xero's entry in the registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from resources.gate import CallLimits, Window
from resources.oauth import OAuthEndpoints
from resources.settings import Settings
from resources.spec import Access, CallbackAnswer, CompanyFacts, Preference, ProviderSpec, Surroundings
from resources.xero.pages import page_of
from resources.xero.provider import Xero
from resources.xero.tenants import organisations, person_of, release
from resources.xero.webhook import WEBHOOK
from resources.xero.words import TITLE

# Apps made since March 2026 can only ask for these narrow ones.
SCOPES = (
    "openid",
    "profile",
    "email",
    "offline_access",
    "accounting.settings",
    "accounting.contacts",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.manualjournals",
    "accounting.reports.trialbalance.read",
)
REFRESH_SECONDS = 60 * 24 * 3600

# 60 a minute and 5 at once per organisation, 10,000 a minute for the app, 1,000 or 5,000 a day. Xero counts in fixed
# minutes by its own clock: 60 in 61.5 seconds of ours never put 61 into one of its minutes, and use 97 % of them.
LIMITS = CallLimits(
    window=Window(60, 61.5),
    at_once=4,
    app=Window(9_500, 60.0),
    # Bulk work leaves a day of hourly syncs; an idle one costs a dozen calls.
    day_reserve=(0, 20, 60, 320),
)


def _endpoints(settings: Settings) -> OAuthEndpoints:
    return OAuthEndpoints(
        authorize_url=settings.xero_authorize_url,
        token_url=settings.xero_token_url,
        revoke_url=settings.xero_revoke_url,
        client_id=settings.xero_client_id,
        client_secret=settings.xero_client_secret.get_secret_value(),
        scopes=SCOPES,
        refresh_seconds=REFRESH_SECONDS,
        person=person_of,
    )


def _read_callback(params: Mapping[str, str]) -> CallbackAnswer:
    return CallbackAnswer(state=params.get("state"), code=params.get("code"), error=params.get("error"))


def _companies(_answer: CallbackAnswer, access_token: str, http: httpx.Client) -> Sequence[CompanyFacts]:
    return organisations(access_token, http)


def _build(access: Access, surroundings: Surroundings) -> Xero:
    return Xero(access, surroundings)


PREFERENCES = (
    Preference(
        "document_status",
        "Whether invoices and bills post at once (authorised) or wait for the bookkeeper's approval (draft).",
        ("authorised", "draft"),
    ),
    Preference(
        "tax",
        "Whether amounts hold no tax (none), or Xero takes each account's tax out of them (inclusive).",
        ("none", "inclusive"),
    ),
    Preference(
        "payment_account",
        "The bank account that payments sent by Tieout are entered on; without a choice the only one there is.",
    ),
)

SPEC = ProviderSpec(
    key="xero",
    title=TITLE,
    company_word="organisation",
    credential_settings=("xero_client_id", "xero_client_secret"),
    terms={
        "account": ("Account", "Chart of accounts"),
        "customer": ("Contact (customer)", "Contacts (customers)"),
        "vendor": ("Contact (supplier)", "Contacts (suppliers)"),
        "invoice": ("Invoice", "Invoices"),
        "bill": ("Bill", "Bills to pay"),
        "journal_entry": ("Manual journal", "Manual journals"),
        "payment": ("Payment", "Payments received"),
        "bill_payment": ("Bill payment", "Payments made"),
        "deposit": ("Money received", "Batch deposits, money received and transfers"),
    },
    base_url=lambda settings: settings.xero_base_url,
    endpoints=_endpoints,
    read_callback=_read_callback,
    companies=_companies,
    build=_build,
    page_of=page_of,
    shares_parties=True,
    preferences=PREFERENCES,
    webhook=WEBHOOK,
    dimension_lists={"job": ("tracking",), "cost_code": ("tracking",), "cost_type": ("tracking",)},
    release=release,
    limits=LIMITS,
)
