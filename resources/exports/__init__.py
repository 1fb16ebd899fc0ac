"""Writes exports: CSV, Excel and JSON Lines."""
