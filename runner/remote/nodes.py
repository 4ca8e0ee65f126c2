"""A pool and its nodes as they are now: read, and never changed.

It must not know who looks, nor what for.
"""

from __future__ import annotations

from dataclasses import replace

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from runner.remote import answers
from runner.remote.account import BatchAccount, segment
from runner.remote.faults import service_code, translated
from runner.run.services import NodeCommandStatus, NodeStatus, PoolStatus

# A recording of the service has the first; its documentation names the second.
_NO_NODE_COMMANDS = frozenset(
    {
        "JobPreparationTaskOrReleaseTaskNotSpecified",
        "JobPreparationTaskNotSpecified",
        "JobNotFound",
    }
)


def pool_status(account: BatchAccount, pool_id: str) -> PoolStatus | None:
    """The pool now, or None where the service no longer has it."""
    with translated(account.origin, f"show pool `{pool_id}`"):
        try:
            pool = account.read(f"/pools/{segment(pool_id)}", select=answers.POOL_PROPERTIES)
        except ResourceNotFoundError:
            return None
    status = answers.read_pool(pool)
    conceal, formula_error = account.origin.conceal, status.formula_error
    return replace(
        status,
        resize_errors=tuple(map(conceal, status.resize_errors)),
        formula_error=None if formula_error is None else conceal(formula_error),
    )


def node_statuses(account: BatchAccount, pool_id: str) -> tuple[NodeStatus, ...]:
    """The pool's nodes now; none where the pool is gone."""
    with translated(account.origin, f"list the nodes of pool `{pool_id}`"):
        try:
            path = f"/pools/{segment(pool_id)}/nodes"
            nodes = list(account.list_all(path, select=answers.NODE_PROPERTIES))
        except ResourceNotFoundError:
            return ()
    return tuple(answers.read_node(node) for node in nodes)


def node_commands(account: BatchAccount, job_id: str) -> tuple[NodeCommandStatus, ...]:
    """The job's preparation and release on each node that ran them; none if it has neither."""
    with translated(account.origin, f"list the preparations and releases of job `{job_id}`"):
        try:
            found = list(account.client.list_job_preparation_and_release_task_status(job_id))
        except HttpResponseError as error:
            if service_code(error) in _NO_NODE_COMMANDS:
                return ()
            raise
    return tuple(status for answer in found for status in answers.read_node_commands(answer))
