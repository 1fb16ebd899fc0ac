"""The settings of the demo: the installation's own, with the providers' addresses pointed to the sandboxes."""

from __future__ import annotations

from pydantic import SecretStr

from resources.settings import PREFIX, Settings

CLIENT_ID = "tieout-demo"
# The sandbox takes any secret; it is no secret, and nothing but the demo uses it.
CLIENT_SECRET = "tieout-demo-secret"  # noqa: S105


def demo_settings(settings: Settings) -> Settings:
    """Return the settings with QuickBooks at the sandbox's address, and every address on this machine."""
    quickbooks = f"http://127.0.0.1:{settings.quickbooks_sandbox_port}"
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
            "quickbooks_client_id": CLIENT_ID,
            "quickbooks_client_secret": SecretStr(CLIENT_SECRET),
        }
    )


def as_environment(settings: Settings) -> dict[str, str]:
    """Return all settings as `TIEOUT_…` variables, so that every child process has the same ones."""
    return {
        f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name in Settings.model_fields
        if (value := getattr(settings, name)) is not None
    }
