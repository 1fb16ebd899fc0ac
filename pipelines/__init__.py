"""When it runs: Dagster definitions, partitions, jobs, schedules, sensors, the real-time worker."""
