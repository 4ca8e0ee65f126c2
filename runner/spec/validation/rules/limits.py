"""The service's limits on what a spec may ask for, with the page that publishes each.

It knows nothing of specs. `docs/limits.md` lists them for people; limits that the JSON Schema
states (lengths of names, priorities, numbers of retries) stand there.
"""

from __future__ import annotations

import re
from datetime import timedelta

# Batch ends a task 180 days after it was added to its job, and nothing of ours outlives that
# (REST: Task - Add).
LONGEST_TASK = timedelta(days=180)
# REST: Job - Add, `jobReleaseTask.maxWallClockTime`.
LONGEST_RELEASE = timedelta(minutes=15)
# REST: Job Schedule - Add, `recurrenceInterval` and `startWindow`.
SHORTEST_RECURRENCE = timedelta(minutes=1)
# REST: Pool - Add, `targetDedicatedNodes` and `targetLowPriorityNodes`: 32-bit integers.
MOST_NODES = 2**31 - 1
# REST: Pool - Enable Auto Scale, `autoScaleEvaluationInterval`.
SHORTEST_AUTOSCALE_INTERVAL = timedelta(minutes=5)
LONGEST_AUTOSCALE_INTERVAL = timedelta(hours=168)
# Microsoft Learn, "Create a formula to automatically scale compute nodes": 8 KB, 100 statements.
LONGEST_FORMULA_BYTES = 8 * 1024
MOST_FORMULA_STATEMENTS = 100
# REST: Pool - Add, `networkConfiguration.publicIPAddressConfiguration.ipAddressIds`.
NODES_OF_A_PUBLIC_ADDRESS = 100
# REST: Pool - Add, `applicationPackageReferences`.
MOST_POOL_APPLICATIONS = 10
# Microsoft Learn, "Naming and referencing containers, blobs, and metadata".
LONGEST_BLOB_NAME_CHARACTERS = 1024
# REST: ids of pools, jobs, tasks and applications.
SERVICE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
# Azure Resource Manager: `/subscriptions/<id>/resourceGroups/<name>/providers/...`.
RESOURCE_ID = re.compile(
    r"/subscriptions/[^/\s]+/resourceGroups/[^/\s]+/providers/[^/\s]+(?:/[^/\s]+)+\Z",
    re.IGNORECASE,
)

# The rest are bounds of our own.
MOST_TASKS = 10_000_000
SHORTEST_FALLBACK_WAIT = timedelta(minutes=1)
SHORTEST_KEEP = timedelta(minutes=5)
LONGEST_KEEP = timedelta(days=7)
