"""Which accounting systems there are: one line each."""

from __future__ import annotations

from collections.abc import Mapping

from resources.quickbooks.spec import SPEC as QUICKBOOKS
from resources.spec import ProviderSpec
from resources.xero.spec import SPEC as XERO
from sync.errors import InvalidInput

PROVIDERS: Mapping[str, ProviderSpec] = {
    QUICKBOOKS.key: QUICKBOOKS,
    XERO.key: XERO,
}


def spec_of(provider: str, *, providers: Mapping[str, ProviderSpec] = PROVIDERS) -> ProviderSpec:
    """Return a provider's spec, or refuse a word that names none."""
    spec = providers.get(provider)
    if spec is None:
        known = " or ".join(providers)
        raise InvalidInput(
            what=f"The provider '{provider}'", reason=f"there is none of that name; use {known}"
        )
    return spec
