"""Every operation of the service (api-version 2025-06-01) and what answers it here.

It must not know how an operation works.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.emulator.batch.operations import (
    account,
    applications,
    extensions,
    files,
    jobs,
    nodelogs,
    nodes,
    nodeusers,
    older,
    pools,
    scaling,
    schedules,
    tasks,
    usage,
)
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.replies import Reply
from runner.emulator.storage.record import record


@record(frozen=True, slots=True)
class Operation:
    """One row; without a handler the operation is answered with 501."""

    name: str
    method: str
    path: str
    handler: Callable[[Call], Reply] | None = None


_POOL = "/pools/{poolId}"
_NODE = "/pools/{poolId}/nodes/{nodeId}"
_NODE_USER = f"{_NODE}/users/{{userName}}"
_JOB = "/jobs/{jobId}"
_TASK = "/jobs/{jobId}/tasks/{taskId}"
_SCHEDULE = "/jobschedules/{jobScheduleId}"

OPERATIONS = (
    Operation("list_applications", "GET", "/applications", applications.list_applications),
    Operation(
        "get_application", "GET", "/applications/{applicationId}", applications.get_application
    ),
    Operation("list_pool_usage_metrics", "GET", "/poolusagemetrics", usage.list_pool_usage_metrics),
    Operation("list_supported_images", "GET", "/supportedimages", account.list_supported_images),
    Operation("list_pool_node_counts", "GET", "/nodecounts", pools.list_pool_node_counts),
    Operation("create_pool", "POST", "/pools", pools.create_pool),
    Operation("list_pools", "GET", "/pools", pools.list_pools),
    Operation("delete_pool", "DELETE", _POOL, pools.delete_pool),
    Operation("pool_exists", "HEAD", _POOL, pools.pool_exists),
    Operation("get_pool", "GET", _POOL, pools.get_pool),
    Operation("update_pool", "PATCH", _POOL, pools.update_pool),
    Operation(
        "disable_pool_auto_scale",
        "POST",
        f"{_POOL}/disableautoscale",
        scaling.disable_pool_auto_scale,
    ),
    Operation(
        "enable_pool_auto_scale", "POST", f"{_POOL}/enableautoscale", scaling.enable_pool_auto_scale
    ),
    Operation(
        "evaluate_pool_auto_scale",
        "POST",
        f"{_POOL}/evaluateautoscale",
        scaling.evaluate_pool_auto_scale,
    ),
    Operation("resize_pool", "POST", f"{_POOL}/resize", pools.resize_pool),
    Operation("stop_pool_resize", "POST", f"{_POOL}/stopresize", pools.stop_pool_resize),
    Operation(
        "replace_pool_properties",
        "POST",
        f"{_POOL}/updateproperties",
        pools.replace_pool_properties,
    ),
    Operation("remove_nodes", "POST", f"{_POOL}/removenodes", pools.remove_nodes),
    Operation("list_nodes", "GET", f"{_POOL}/nodes", nodes.list_nodes),
    Operation("get_node", "GET", _NODE, nodes.get_node),
    Operation("create_node_user", "POST", f"{_NODE}/users", nodeusers.create_node_user),
    Operation("delete_node_user", "DELETE", _NODE_USER, nodeusers.delete_node_user),
    Operation("replace_node_user", "PUT", _NODE_USER, nodeusers.replace_node_user),
    Operation("reboot_node", "POST", f"{_NODE}/reboot", nodes.reboot_node),
    Operation("start_node", "POST", f"{_NODE}/start", nodes.start_node),
    Operation("reimage_node", "POST", f"{_NODE}/reimage", nodes.reimage_node),
    Operation("deallocate_node", "POST", f"{_NODE}/deallocate", nodes.deallocate_node),
    Operation(
        "disable_node_scheduling",
        "POST",
        f"{_NODE}/disablescheduling",
        nodes.disable_node_scheduling,
    ),
    Operation(
        "enable_node_scheduling", "POST", f"{_NODE}/enablescheduling", nodes.enable_node_scheduling
    ),
    Operation(
        "get_node_remote_login_settings",
        "GET",
        f"{_NODE}/remoteloginsettings",
        nodeusers.get_node_remote_login_settings,
    ),
    Operation(
        "upload_node_logs", "POST", f"{_NODE}/uploadbatchservicelogs", nodelogs.upload_node_logs
    ),
    Operation(
        "get_node_extension",
        "GET",
        f"{_NODE}/extensions/{{extensionName}}",
        extensions.get_node_extension,
    ),
    Operation(
        "list_node_extensions", "GET", f"{_NODE}/extensions", extensions.list_node_extensions
    ),
    Operation("delete_node_file", "DELETE", f"{_NODE}/files/{{filePath}}", files.delete_node_file),
    Operation("download_node_file", "GET", f"{_NODE}/files/{{filePath}}", files.download_node_file),
    Operation(
        "get_node_file_properties",
        "HEAD",
        f"{_NODE}/files/{{filePath}}",
        files.get_node_file_properties,
    ),
    Operation("list_node_files", "GET", f"{_NODE}/files", files.list_node_files),
    Operation("create_job", "POST", "/jobs", jobs.create_job),
    Operation("list_jobs", "GET", "/jobs", jobs.list_jobs),
    Operation("delete_job", "DELETE", _JOB, jobs.delete_job),
    Operation("get_job", "GET", _JOB, jobs.get_job),
    Operation("update_job", "PATCH", _JOB, jobs.update_job),
    Operation("replace_job", "PUT", _JOB, jobs.replace_job),
    Operation("disable_job", "POST", f"{_JOB}/disable", jobs.disable_job),
    Operation("enable_job", "POST", f"{_JOB}/enable", jobs.enable_job),
    Operation("terminate_job", "POST", f"{_JOB}/terminate", jobs.terminate_job),
    Operation("get_job_task_counts", "GET", f"{_JOB}/taskcounts", jobs.get_job_task_counts),
    Operation(
        "list_job_preparation_and_release_task_status",
        "GET",
        f"{_JOB}/jobpreparationandreleasetaskstatus",
        jobs.list_job_preparation_and_release_task_status,
    ),
    Operation("create_task", "POST", f"{_JOB}/tasks", tasks.create_task),
    Operation("list_tasks", "GET", f"{_JOB}/tasks", tasks.list_tasks),
    Operation(
        "create_task_collection", "POST", f"{_JOB}/addtaskcollection", tasks.create_task_collection
    ),
    Operation("delete_task", "DELETE", _TASK, tasks.delete_task),
    Operation("get_task", "GET", _TASK, tasks.get_task),
    Operation("replace_task", "PUT", _TASK, tasks.replace_task),
    Operation("list_subtasks", "GET", f"{_TASK}/subtasksinfo", tasks.list_subtasks),
    Operation("terminate_task", "POST", f"{_TASK}/terminate", tasks.terminate_task),
    Operation("reactivate_task", "POST", f"{_TASK}/reactivate", tasks.reactivate_task),
    Operation("delete_task_file", "DELETE", f"{_TASK}/files/{{filePath}}", files.delete_task_file),
    Operation("download_task_file", "GET", f"{_TASK}/files/{{filePath}}", files.download_task_file),
    Operation(
        "get_task_file_properties",
        "HEAD",
        f"{_TASK}/files/{{filePath}}",
        files.get_task_file_properties,
    ),
    Operation("list_task_files", "GET", f"{_TASK}/files", files.list_task_files),
    Operation("create_job_schedule", "POST", "/jobschedules", schedules.create_job_schedule),
    Operation("list_job_schedules", "GET", "/jobschedules", schedules.list_job_schedules),
    Operation("job_schedule_exists", "HEAD", _SCHEDULE, schedules.job_schedule_exists),
    Operation("delete_job_schedule", "DELETE", _SCHEDULE, schedules.delete_job_schedule),
    Operation("get_job_schedule", "GET", _SCHEDULE, schedules.get_job_schedule),
    Operation("update_job_schedule", "PATCH", _SCHEDULE, schedules.update_job_schedule),
    Operation("replace_job_schedule", "PUT", _SCHEDULE, schedules.replace_job_schedule),
    Operation(
        "disable_job_schedule", "POST", f"{_SCHEDULE}/disable", schedules.disable_job_schedule
    ),
    Operation("enable_job_schedule", "POST", f"{_SCHEDULE}/enable", schedules.enable_job_schedule),
    Operation(
        "terminate_job_schedule", "POST", f"{_SCHEDULE}/terminate", schedules.terminate_job_schedule
    ),
    Operation(
        "list_jobs_from_schedule", "GET", f"{_SCHEDULE}/jobs", schedules.list_jobs_from_schedule
    ),
)

_CERTIFICATE = "/certificates({certificate})"
OLDER_OPERATIONS = (
    Operation(
        "get_lifetime_pool_statistics",
        "GET",
        "/lifetimepoolstats",
        older.get_lifetime_pool_statistics,
    ),
    Operation(
        "get_lifetime_job_statistics", "GET", "/lifetimejobstats", older.get_lifetime_job_statistics
    ),
    Operation("get_remote_desktop_file", "GET", f"{_NODE}/rdp"),
    Operation("create_certificate", "POST", "/certificates"),
    Operation("list_certificates", "GET", "/certificates"),
    Operation("get_certificate", "GET", _CERTIFICATE),
    Operation("delete_certificate", "DELETE", _CERTIFICATE),
    Operation("cancel_certificate_deletion", "POST", f"{_CERTIFICATE}/canceldelete"),
)
"""What versions before 2025-06-01 have besides (`versions` knows which)."""
