"""What the API takes and shows, one module per group of routes."""
