"""The one partition dimension: builders. Entities are assets, not a dimension; windows of time are run settings."""

from __future__ import annotations

import dagster as dg

# Keys are builder ids, never names: Dagster orders keys by insertion and must never see one used twice.
BUILDERS = dg.DynamicPartitionsDefinition(name="builders")

# One run per builder, so that a builder's trouble is its own red cell with its own sentence.
ONE_BUILDER_PER_RUN = dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
