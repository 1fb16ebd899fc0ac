"""The Xero provider: its words stop in this folder."""
