"""The routes, one module per group; each exports `router`."""
