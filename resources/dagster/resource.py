"""The Dagster resource that opens the product for as long as one run or one sensor tick lasts."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from resources.dagster.desk import Desk


@dg.resource(description="The product, as its settings say: one set of database connections per run or tick.")
def tieout_resource(_context: dg.InitResourceContext) -> Iterator[Desk]:
    """Open the product, hand out its desk, and close it again."""
    # Loaded when a run needs it: Dagster's web server and daemon read definitions without a database.
    from resources.dagster.wired import open_desk

    with open_desk() as desk:
        yield desk
