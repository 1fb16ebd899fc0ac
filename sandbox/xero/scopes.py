"""Which scopes exist, and which one a call needs."""

from __future__ import annotations

_PAIRED = (
    "accounting.settings",
    "accounting.contacts",
    "accounting.attachments",
    "accounting.invoices",
    "accounting.payments",
    "accounting.banktransactions",
    "accounting.manualjournals",
)
_REPORTS = (
    "aged",
    "balancesheet",
    "banksummary",
    "budgetsummary",
    "executivesummary",
    "profitandloss",
    "trialbalance",
    "taxreports",
)
IDENTITY = frozenset({"openid", "profile", "email", "offline_access"})
GRANULAR = (
    IDENTITY
    | {name for pair in _PAIRED for name in (pair, f"{pair}.read")}
    | {f"accounting.reports.{name}.read" for name in _REPORTS}
    | {"accounting.budgets.read"}
)
BROAD = frozenset(
    {
        "accounting.transactions",
        "accounting.transactions.read",
        "accounting.reports.read",
        "accounting.reports.tenninetynine.read",
        "accounting.journals.read",
        "paymentservices",
    }
)
_BROAD_AREAS = frozenset({"invoices", "payments", "banktransactions", "manualjournals"})


def is_allowed_for(granted: frozenset[str], *, area: str, is_write: bool) -> bool:
    """Whether granted scopes cover an area such as `invoices` or `reports.aged`."""
    if area.startswith("reports."):
        return f"accounting.{area}.read" in granted or "accounting.reports.read" in granted
    names = {f"accounting.{area}"} | (set() if is_write else {f"accounting.{area}.read"})
    if area in _BROAD_AREAS:
        names |= {"accounting.transactions"} | (set() if is_write else {"accounting.transactions.read"})
    return bool(names & granted)


def unknown_scopes(wanted: list[str], *, takes_broad: bool) -> list[str]:
    """Scopes that an app may not ask for."""
    known = GRANULAR | BROAD if takes_broad else GRANULAR
    return [name for name in wanted if name not in known]
