"""The QuickBooks Online provider: its words stop in this folder."""
