"""The real servers under load, killed with -9 again and again: `python -m tests.chaos --kills 200`."""
