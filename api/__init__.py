"""The online side: routes, inbound webhooks, builder-facing pages, and the command line."""
