"""The settings of the demo: the installation's own, with the providers' addresses pointed to the sandboxes."""

from __future__ import annotations

from pydantic import SecretStr

from resources.settings import PREFIX, Settings

# The QuickBooks sandbox takes any app, the Xero sandbox has one of its own; nothing but the demo uses these secrets.
QUICKBOOKS_APP = ("tieout-demo", "tieout-demo-secret")
XERO_APP = ("TIEOUTSANDBOXCLIENT0000000000000", "tieout-sandbox-secret")


def demo_settings(settings: Settings) -> Settings:
    """Return the settings with both providers at their sandboxes' addresses, and every address on this machine."""
    quickbooks = f"http://127.0.0.1:{settings.quickbooks_sandbox_port}"
    xero = f"http://127.0.0.1:{settings.xero_sandbox_port}"
    return settings.model_copy(
        update={
            "api_host": "127.0.0.1",
            "dagster_host": "127.0.0.1",
            "dagster_url": f"http://127.0.0.1:{settings.dagster_port}",
            "public_url": f"http://127.0.0.1:{settings.api_port}",
            "quickbooks_base_url": quickbooks,
            "quickbooks_authorize_url": f"{quickbooks}/connect/oauth2",
            "quickbooks_token_url": f"{quickbooks}/oauth2/v1/tokens/bearer",
            "quickbooks_revoke_url": f"{quickbooks}/v2/oauth2/tokens/revoke",
            "quickbooks_client_id": QUICKBOOKS_APP[0],
            "quickbooks_client_secret": SecretStr(QUICKBOOKS_APP[1]),
            "xero_base_url": xero,
            "xero_authorize_url": f"{xero}/identity/connect/authorize",
            "xero_token_url": f"{xero}/connect/token",
            "xero_revoke_url": f"{xero}/connect/revocation",
            "xero_client_id": XERO_APP[0],
            "xero_client_secret": SecretStr(XERO_APP[1]),
        }
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """Return all settings as `TIEOUT_…` variables, so that every child process has the same ones."""
    return {
        f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name in Settings.model_fields
        if (value := getattr(settings, name)) is not None
    }
