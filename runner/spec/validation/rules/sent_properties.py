"""The properties of the service that the spec language sets itself, and the key that sets each.

It knows nothing of specs. The names are those of the REST reference (2025-06-01: Pool - Add,
Job - Add, Task - Add); what stands below one of them is set with it.
"""

from __future__ import annotations

from collections.abc import Mapping

Properties = Mapping[str, str | None]
"""Keys of the language by dotted path, those of a step bare; None for what a run sets by itself."""

POOL_PROPERTIES: Properties = {
    "id": None,
    "vmSize": "pool.vm_size",
    "virtualMachineConfiguration.imageReference": "pool.image",
    "virtualMachineConfiguration.nodeAgentSKUId": "pool.image.node_agent",
    "virtualMachineConfiguration.containerConfiguration": "pool.container_images",
    "targetDedicatedNodes": "pool.nodes.dedicated",
    "targetLowPriorityNodes": "pool.nodes.spot",
    "enableAutoScale": "pool.autoscale",
    "autoScaleFormula": "pool.autoscale.formula",
    "autoScaleEvaluationInterval": "pool.autoscale.interval",
    "taskSlotsPerNode": "pool.task_slots_per_node",
    "taskSchedulingPolicy.nodeFillType": "pool.node_fill",
    "startTask": "pool.start_task",
    "mountConfiguration": "pool.mounts",
    "networkConfiguration.subnetId": "pool.network.subnet",
    "networkConfiguration.publicIPAddressConfiguration.provision": "pool.network.public_addresses",
    "networkConfiguration.publicIPAddressConfiguration.ipAddressIds": (
        "pool.network.public_addresses"
    ),
    "networkConfiguration.enableAcceleratedNetworking": "pool.network.accelerated",
    "userAccounts": "pool.users",
    "enableInterNodeCommunication": "pool.inter_node_communication",
    "applicationPackageReferences": "pool.applications",
}
JOB_PROPERTIES: Properties = {
    "id": None,
    "priority": "job.priority",
    "maxParallelTasks": "job.max_parallel_tasks",
    "constraints.maxWallClockTime": "limits.duration",
    "constraints.maxTaskRetryCount": "retries",
    "poolInfo": "pool",
    "onAllTasksComplete": None,
    "onTaskFailure": "job.on_failure",
    "usesTaskDependencies": "needs",
    "commonEnvironmentSettings": "job.environment",
    "jobPreparationTask": "job.preparation",
    "jobReleaseTask": "job.release",
    "jobManagerTask": "command",
    "metadata": "job.metadata",
}
TASK_PROPERTIES: Properties = {
    "id": None,
    "displayName": None,
    "commandLine": "command",
    "environmentSettings": "environment",
    "constraints.maxTaskRetryCount": "retries",
    "constraints.maxWallClockTime": "timeout",
    "constraints.retentionTime": "retention",
    "userIdentity.username": "run_as",
    "userIdentity.autoUser.elevationLevel": "run_as",
    "resourceFiles": "resources",
    "outputFiles": "outputs",
    "dependsOn": "needs",
    "requiredSlots": "slots",
    "exitConditions": "exit_rules",
    "containerSettings.imageName": "container.image",
    "containerSettings.containerRunOptions": "container.options",
    "containerSettings.workingDirectory": "container.working_directory",
    "multiInstanceSettings": "instances",
    "applicationPackageReferences": "applications",
    # A schedule's one task is the service's job manager task (REST: Job Schedule - Add).
    "killJobOnCompletion": None,
}
RUN_METADATA = frozenset({"batch-run", "batch-run-keep", "workload"})
"""The metadata by which a run's jobs and pools are found again, and why they are to stay."""
POOL_METADATA = RUN_METADATA | {"pool"}
"""The same of a pool, with what tells which kept pools can stand for one another."""
