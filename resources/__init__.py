"""The outside world: settings, store, embedded Postgres, vault, HTTP, OAuth, the providers."""
