"""The run tags by which Dagster, the product and the launcher speak about one sync."""

from __future__ import annotations

SYNC_RUN_TAG = "sync/run"
CONNECTION_TAG = "sync/connection"
TRIGGER_TAG = "sync/trigger"
DIRECTION_TAG = "sync/direction"
REHEARSAL_TAG = "sync/rehearsal"

# The product has its own back-off per record and per connection: Dagster re-runs crashes, never answers.
NO_RETRY = {"dagster/retry_on_asset_or_op_failure": "false"}
