"""Azure Batch: pools, jobs and tasks on one machine."""
