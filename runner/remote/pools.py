"""Pools that outlive a job: made or found, brought to a size, and given an end without us.

It must not know which run uses a pool, nor what makes two pools the same but their metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from typing_extensions import assert_never

from runner.errors import ServiceRefusedError
from runner.remote import answers
from runner.remote.account import BatchAccount, segment
from runner.remote.expiry import write_expiry
from runner.remote.faults import service_code, translated
from runner.remote.pool_formula import EVALUATION_INTERVAL, pool_formula
from runner.remote.wire_parts import duration
from runner.remote.wire_places import finder, pool_sections
from runner.remote.wire_pool import pool_body
from runner.run.removal.traces import POOL
from runner.run.services import Expiry, PoolRequest, PoolStatus
from runner.spec.model.pool import Autoscale, FixedNodes

if TYPE_CHECKING:
    from azure.batch import models

SAMENESS = POOL
"""The name of the metadata whose value is the same for pools that can stand for one another."""
RESIZE_LIMIT = timedelta(minutes=20)
"""The service gives up a resize after 15 minutes (REST: Pool - Resize, `resizeTimeout`)."""
EXPIRY_INTERVAL = timedelta(minutes=5)
"""How often the service looks whether a pool's time is over: its shortest interval."""
LONG_ENOUGH = timedelta(minutes=3)
"""A pool whose nodes stay as long is left alone: its run gives it another end meanwhile."""
# REST, Pool - Enable Auto Scale: not more than once every 30 seconds for the same pool.
_AUTOSCALE_PAUSE_SECONDS = 2.0
_TOO_SOON = "TooManyEnableAutoScaleRequests"
# A resize that has ended meanwhile, or a pool that is gone.
_NO_RESIZE = frozenset({"PoolNotBeingResized", "OperationInvalidForCurrentState", "PoolNotFound"})
_TRIES = 5
_NO_PATIENCE: dict[str, Any] = {"retry_status": 0}
_PATIENCE: dict[str, Any] = {}
# What the client takes for reasons to try again.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})


def create_pool(account: BatchAccount, pool_id: str, request: PoolRequest) -> bool:
    """Creates the pool; false where one of this id and the same sameness exists.

    Such a pool gets the number of nodes that the request says, and new nodes its start task: that
    of an earlier run names files that have gone with it. One that is just being deleted is waited
    for. A pool with all of our metadata is ours: an earlier answer was lost.
    """
    sent = {"id": pool_id, **pool_body(request)}
    body = cast("models.BatchPoolCreateOptions", sent)
    place = finder(sent, pool_sections(request))
    with translated(account.origin, f"create pool `{pool_id}`", place):
        for attempt in range(_TRIES):
            try:
                account.client.create_pool(body)
            except ResourceExistsError as error:
                code = service_code(error)
                found = _read(account, pool_id) if code == "PoolExists" else None
                if code not in ("PoolExists", "PoolBeingDeleted") or attempt == _TRIES - 1:
                    raise
                if found is None or answers.read_pool(found).state == "deleting":
                    _wait_until_gone(account, pool_id)
                    continue
                metadata = answers.read_pairs(found)
                if request.metadata.items() <= metadata.items():
                    return True
                if metadata.get(SAMENESS) is None or (
                    metadata[SAMENESS] != request.metadata.get(SAMENESS)
                ):
                    raise _occupied(account, pool_id) from error
                if request.start_task is not None and request.start_task.resources:
                    update = cast("models.BatchPoolUpdateOptions", update_body(request))
                    account.client.update_pool(pool_id, update)
                _fit(account, pool_id, found, request)
                return False
            else:
                return True
        raise AssertionError("the last try returns or raises")


def update_body(request: PoolRequest) -> dict[str, Any]:
    """What a pool of an earlier run is told; nodes that it has do not run the start task again."""
    return {"startTask": pool_body(request)["startTask"]}


def expire_pool(account: BatchAccount, pool_id: str, expiry: Expiry) -> bool:
    """Lets the service itself keep the nodes until a time and give all up then, idle or done.

    An autoscale formula does it, so that no client need be there; an empty pool costs nothing.
    False where the service takes no formula yet.
    """
    with translated(account.origin, f"let pool `{pool_id}` end its nodes by itself"):
        return _takes_formula(account, pool_id, expiry_body(expiry))


def expiry_body(expiry: Expiry) -> dict[str, Any]:
    """The formula that does it."""
    return _autoscale_body(write_expiry(expiry), EXPIRY_INTERVAL)


def give_size(account: BatchAccount, pool_id: str, size: FixedNodes, created: datetime) -> bool:
    """Gives a run's own pool another size, by the formula that also takes its nodes in the end.

    One that has no formula, since it is to be kept, gets none. A resize under way, such as one that
    waits for spot nodes, is stopped first. False where the service does not take it yet.
    """
    path = f"/pools/{segment(pool_id)}"
    with translated(account.origin, f"give pool `{pool_id}` another size"):
        found = _read(account, pool_id)
        if found is None:
            return True
        if answers.read_pool(found).allocation_state == "resizing":
            account.send("POST", f"{path}/stopresize", forgiven=_NO_RESIZE)
            return False
        if found.get("enableAutoScale"):
            formula = pool_formula(size, created=created)
            return _takes_formula(account, pool_id, _autoscale_body(formula, EVALUATION_INTERVAL))
        return _sends(account, f"{path}/resize", resize_body(size))


def remove_nodes(account: BatchAccount, pool_id: str, nodes: Sequence[str]) -> bool:
    """Takes nodes out of a pool; false while it is resized."""
    body = {"nodeList": list(nodes), "nodeDeallocationOption": "requeue"}
    with translated(account.origin, f"remove nodes of pool `{pool_id}`"):
        return _sends(account, f"/pools/{segment(pool_id)}/removenodes", body)


def _sends(account: BatchAccount, path: str, body: object) -> bool:
    """Asks for what a pool does not do while it is resized; false where it is."""
    try:
        account.send("POST", path, body=body)
    except HttpResponseError as error:
        if service_code(error) != "PoolBeingResized":
            raise
        return False
    return True


def resize_body(size: FixedNodes) -> dict[str, Any]:
    """So many nodes from now on; one that has to go ends its tasks first."""
    return {
        "targetDedicatedNodes": size.dedicated,
        "targetLowPriorityNodes": size.spot,
        "nodeDeallocationOption": "taskcompletion",
    }


def delete_pool(account: BatchAccount, pool_id: str) -> None:
    """Deletes it if it is there, and returns once it is gone."""
    with translated(account.origin, f"delete pool `{pool_id}`"):
        refused = account.send(
            "DELETE",
            f"/pools/{segment(pool_id)}",
            forgiven={"PoolNotFound", "PoolBeingDeleted"},
        )
        if refused != "PoolNotFound":
            _wait_until_gone(account, pool_id)


def _occupied(account: BatchAccount, pool_id: str) -> ServiceRefusedError:
    return ServiceRefusedError(
        f"{account.origin.service} has a pool `{pool_id}` already, which was not made as this one"
        " would be",
        code="PoolExists",
        hint="delete it, or give the workload another name",
    )


def _fit(
    account: BatchAccount, pool_id: str, found: Mapping[str, Any], request: PoolRequest
) -> None:
    """Gives a pool that was found the size that is wanted, whatever an earlier run left it with."""
    size = request.pool.size
    match size:
        case Autoscale():
            _enable_autoscale(account, pool_id, size)
        case FixedNodes():
            # A formula that is let be is one that need not be given again when the run ends.
            if request.may_expire and _stays(answers.read_pool(found), size, account):
                return
            if found.get("enableAutoScale"):
                _disable_autoscale(account, pool_id)
            _resize(account, pool_id, size)
        case _:
            assert_never(size)


def _stays(pool: PoolStatus, size: FixedNodes, account: BatchAccount) -> bool:
    """Whether its own expiry gives the pool just these nodes, and for some time yet."""
    expiry = pool.expiry
    return (
        expiry is not None
        and expiry.size == size
        and expiry.at >= account.clock() + LONG_ENOUGH
        and _suits(pool, size)
    )


def _resize(account: BatchAccount, pool_id: str, size: FixedNodes) -> None:
    """Starts a resize, once an earlier one has ended; none where it has, or will have, the size."""

    def resize() -> None:
        found = _read(account, pool_id)
        if found is None or _suits(answers.read_pool(found), size):
            return
        account.send("POST", f"/pools/{segment(pool_id)}/resize", body=resize_body(size))

    _between_resizes(account, pool_id, resize)


def _suits(pool: PoolStatus, size: FixedNodes) -> bool:
    """Whether the nodes are there or under way; an earlier resize may have ended without them."""
    wanted = (size.dedicated, size.spot)
    if (pool.target_dedicated_nodes, pool.target_spot_nodes) != wanted:
        return False
    return pool.allocation_state != "steady" or (pool.dedicated_nodes, pool.spot_nodes) == wanted


def _autoscale_body(formula: str, interval: timedelta) -> dict[str, Any]:
    return {"autoScaleFormula": formula, "autoScaleEvaluationInterval": duration(interval)}


def _enable_autoscale(account: BatchAccount, pool_id: str, size: Autoscale) -> None:
    """Gives the pool the user's formula, in the place of another or of a fixed size."""
    body = _autoscale_body(size.formula, size.interval)

    def has_formula() -> bool:
        if _takes_formula(account, pool_id, body):
            return True
        account.pause(_AUTOSCALE_PAUSE_SECONDS)
        return False

    account.wait_until(has_formula, f"pool `{pool_id}` takes no formula", RESIZE_LIMIT)


def _takes_formula(account: BatchAccount, pool_id: str, body: dict[str, Any]) -> bool:
    """Gives the pool a formula; false where the service says that it is too soon for that."""
    options = cast("models.BatchPoolEnableAutoScaleOptions", body)
    # The client would try again for half a minute, and nobody would know what it waits for.
    for patience in (_NO_PATIENCE, _PATIENCE):
        try:
            account.client.enable_pool_auto_scale(pool_id, options, **patience)
        except HttpResponseError as error:
            if service_code(error) in (_TOO_SOON, "PoolBeingResized"):
                return False
            if patience is _PATIENCE or error.status_code not in _PASSING:
                raise
        else:
            return True
    raise AssertionError("the last try returns or raises")


def _disable_autoscale(account: BatchAccount, pool_id: str) -> None:
    _between_resizes(account, pool_id, lambda: account.client.disable_pool_auto_scale(pool_id))


def _between_resizes(account: BatchAccount, pool_id: str, act: Callable[[], None]) -> None:
    """Does what the service refuses while a pool is resized."""

    def has_acted() -> bool:
        try:
            act()
        except HttpResponseError as error:
            if service_code(error) == "PoolBeingResized":
                return False
            raise
        return True

    account.wait_until(has_acted, f"pool `{pool_id}` is still being resized", RESIZE_LIMIT)


def _read(account: BatchAccount, pool_id: str) -> Mapping[str, Any] | None:
    try:
        return account.read(f"/pools/{segment(pool_id)}", select=answers.KEPT_POOL_PROPERTIES)
    except ResourceNotFoundError:
        return None


def _wait_until_gone(account: BatchAccount, pool_id: str) -> None:
    account.wait_until_gone(
        lambda: account.read(f"/pools/{segment(pool_id)}", select=["id"]), f"pool `{pool_id}`"
    )
