"""The demo: two made-up builders, a QuickBooks on this machine, and the whole product between them.

Everything goes the way it goes for real: files through the importer, consent through OAuth, syncs through the API
and Dagster. What is made up is in `assets/demo`; what only this command knows is in here.
"""
