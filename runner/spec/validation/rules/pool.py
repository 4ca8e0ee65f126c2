"""Rules on the pool as a whole: how many nodes it has, for how long, and what fits on them.

What is on the nodes is for `nodes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.spec.document import Document
from runner.spec.model.pool import Autoscale, ExistingPool, FixedNodes, NewPool
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem
from runner.spec.suggestion import shorten
from runner.spec.validation.rules.limits import (
    LONGEST_AUTOSCALE_INTERVAL,
    LONGEST_FORMULA_BYTES,
    LONGEST_KEEP,
    MOST_FORMULA_STATEMENTS,
    MOST_NODES,
    MOST_POOL_APPLICATIONS,
    NODES_OF_A_PUBLIC_ADDRESS,
    RESOURCE_ID,
    SERVICE_ID,
    SHORTEST_AUTOSCALE_INTERVAL,
    SHORTEST_FALLBACK_WAIT,
    SHORTEST_KEEP,
)
from runner.spec.validation.rules.uses import Rule, command_resources

_TARGET = re.compile(r"\$Target(?:Dedicated|LowPriority)(?:Nodes)?\s*=(?!=)")
_VM_SIZE = re.compile(r"[A-Za-z0-9_-]+\Z")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def _pool_has_nodes(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or not isinstance(pool.size, FixedNodes):
        return
    if pool.size.dedicated + pool.size.spot < 1:
        yield document.key_problem(
            (*pool.pointer, "nodes"),
            code="no-nodes",
            message="the pool has no nodes: `dedicated` and `spot` are both 0",
            hint="for example `nodes: {dedicated: 1}`",
        )
    for key, count in (("dedicated", pool.size.dedicated), ("spot", pool.size.spot)):
        if count > MOST_NODES:
            yield document.problem(
                (*pool.pointer, "nodes", key),
                code="out-of-range",
                message=f"`pool.nodes.{key}` is more than the service can count",
                hint="ask for the nodes that the account's quota of cores gives room for",
            )


def _vm_size_is_a_name(workload: Workload, document: Document) -> Iterator[Problem]:
    """Which sizes there are, only Azure knows; `doctor` says what is close to one."""
    pool = workload.pool
    if isinstance(pool, NewPool) and not _VM_SIZE.match(pool.vm_size):
        yield document.problem(
            (*pool.pointer, "vm_size"),
            code="vm-size",
            message=f"`{shorten(pool.vm_size)}` cannot be the name of a VM size",
            hint="a name has letters, digits, `_` and `-`, such as `Standard_D2s_v5`",
        )


def _formula_is_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    autoscale = _autoscale(workload)
    if autoscale is None or autoscale.scenario is not None:
        return
    pointer = (*autoscale.pointer, "formula")
    if len(autoscale.formula.encode()) > LONGEST_FORMULA_BYTES:
        yield document.problem(
            pointer,
            code="too-long",
            message=f"the formula is longer than the {LONGEST_FORMULA_BYTES:,} bytes that the"
            " service takes",
            hint="shorten it",
        )
    code = _COMMENT.sub("", autoscale.formula)
    if code.rstrip().rstrip(";").count(";") + 1 > MOST_FORMULA_STATEMENTS:
        yield document.problem(
            pointer,
            code="too-long",
            message=f"the formula has more than the {MOST_FORMULA_STATEMENTS} statements that the"
            " service takes",
            hint="put several into one expression",
        )
    if _TARGET.search(code) is None:
        yield document.problem(
            pointer,
            code="no-nodes",
            message="the formula sets no number of nodes",
            hint="assign to `$TargetDedicatedNodes` or `$TargetLowPriorityNodes`",
        )


def _interval_is_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    autoscale = _autoscale(workload)
    if autoscale is None:
        return
    if not SHORTEST_AUTOSCALE_INTERVAL <= autoscale.interval <= LONGEST_AUTOSCALE_INTERVAL:
        yield document.problem(
            (*autoscale.pointer, "interval"),
            code="out-of-range",
            message="`pool.autoscale.interval` must be from 5m to 168h",
            hint="the service evaluates a formula no more and no less often",
        )


def _slots_are_enough(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    for step in workload.steps:
        if step.instances is None and step.slots > pool.task_slots_per_node:
            yield document.problem(
                (*step.pointer, "slots"),
                code="too-many-slots",
                message=f"a task takes {step.slots} slots, but a node has"
                f" {pool.task_slots_per_node}",
                hint=f"set `task_slots_per_node: {step.slots}` in `pool`, or lower `slots`",
            )


def _pool_can_be_kept(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or pool.keep is None:
        return
    pointer = (*pool.pointer, "keep")
    if not SHORTEST_KEEP <= pool.keep <= LONGEST_KEEP:
        yield document.problem(
            pointer,
            code="out-of-range",
            message="`pool.keep` must be from 5m to 7d",
            hint="a pool for longer is one of your own: make it once and name it by"
            " `pool: {existing: ...}`",
        )
    if isinstance(pool.size, Autoscale):
        yield document.key_problem(
            pointer,
            code="keep-pool",
            message="`keep` needs a fixed number of nodes: a formula of its own would end the kept"
            " nodes",
            hint="use `nodes:` in place of `autoscale:`, or take `keep` away",
        )
    if workload.job.schedule is not None:
        yield document.key_problem(
            pointer,
            code="keep-pool",
            message="`keep` has no use with `job.schedule`, which makes its pools itself",
            hint="take one of the two away",
        )
    resources = list(command_resources(pool.start_task)) if pool.start_task else []
    for resource in resources[:1]:
        yield document.problem(
            (*resource.pointer, "from"),
            code="keep-pool",
            message="a kept pool outlives the access to this container: a node that starts later"
            " could not read it",
            hint="bring the files by a `url`, by `packages` or by the tasks' own `resources`, or"
            " take `keep` away",
        )


def _nodes_can_be_replaced(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or not pool.node_retries:
        return
    reason = None
    if pool.keep is not None:
        reason = "a kept pool has the nodes that it was made with"
    elif workload.job.schedule is not None:
        reason = "nobody watches the nodes of a `job.schedule`"
    elif pool.start_task is not None and not pool.start_task.wait_for_success:
        reason = "with `wait_for_success: false` a node takes tasks whatever its start task did"
    if reason is not None:
        yield document.key_problem(
            (*pool.pointer, "start_task", "node_retries"),
            code="node-retries",
            message=reason,
            hint="take `node_retries` away; `retries` runs a start task again on its node",
        )


def _spot_can_be_replaced(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or not isinstance(pool.size, FixedNodes):
        return
    fallback = pool.size.fallback
    if fallback is None:
        return

    def problem(message: str, hint: str) -> Problem:
        return document.key_problem(fallback.pointer, code="fallback", message=message, hint=hint)

    if not pool.size.spot:
        yield problem(
            "there are no spot nodes to take the place of",
            "add `spot:`, or take `fallback` away",
        )
    if pool.keep is not None:
        yield problem(
            "a kept pool has the nodes that it was made with",
            "take one of `keep` and `fallback` away",
        )
    if workload.job.schedule is not None:
        yield problem(
            "nobody watches the spot nodes of a `job.schedule`",
            "ask for `dedicated` nodes, or take `fallback` away",
        )
    if fallback.wait is not None and fallback.wait < SHORTEST_FALLBACK_WAIT:
        yield document.problem(
            (*fallback.pointer, "wait"),
            code="out-of-range",
            message="`pool.nodes.fallback.wait` must be at least 1m",
            hint="the service needs some minutes for any node: for example `wait: 15m`",
        )


def _network_is_whole(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    network = pool.network if isinstance(pool, NewPool) else None
    if network is None or not isinstance(network.public_addresses, tuple):
        return
    assert isinstance(pool, NewPool)
    pointer = (*network.pointer, "public_addresses")
    if network.subnet is None:
        yield document.key_problem(
            pointer,
            code="no-subnet",
            message="public addresses of your own need a network of your own",
            hint="add `subnet:`, the id of a subnet in the addresses' region",
        )
    most = len(network.public_addresses) * NODES_OF_A_PUBLIC_ADDRESS
    if isinstance(pool.size, FixedNodes) and max(pool.size.dedicated, pool.size.spot) > most:
        yield document.key_problem(
            pointer,
            code="too-few-addresses",
            message=f"these addresses serve {most:,} dedicated and {most:,} spot nodes, fewer than"
            " `pool.nodes` has",
            hint=f"the service gives {NODES_OF_A_PUBLIC_ADDRESS} nodes one address: add"
            " addresses, or ask for fewer nodes",
        )


def _instances_find_nodes(workload: Workload, document: Document) -> Iterator[Problem]:
    """Otherwise such a task waits for ever (Microsoft Learn, "Use multi-instance tasks")."""
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    for step in workload.steps:
        if step.instances is None:
            continue
        if not pool.inter_node_communication:
            yield document.key_problem(
                step.instances.pointer,
                code="instances",
                message="a task of several nodes needs nodes that can reach each other",
                hint="add `inter_node_communication: true` to `pool`",
            )
        if pool.task_slots_per_node != 1:
            yield document.key_problem(
                step.instances.pointer,
                code="instances",
                message="a task of several nodes needs nodes with one slot, and the pool's have"
                f" {pool.task_slots_per_node}",
                hint="take `task_slots_per_node` away",
            )
        if isinstance(pool.size, FixedNodes):
            nodes = pool.size.dedicated + pool.size.spot
            if 0 < nodes < step.instances.count:
                yield document.problem(
                    (*step.instances.pointer, "count"),
                    code="instances",
                    message=f"a task takes {step.instances.count} nodes, but the pool has {nodes}",
                    hint="ask for more nodes in `pool.nodes`, or lower `count`",
                )


def _instances_take_no_slots(workload: Workload, document: Document) -> Iterator[Problem]:
    """REST: Task - Add, `requiredSlots`: tasks of several nodes must not specify it."""
    for step in workload.steps:
        if step.instances is not None and step.slots != 1:
            yield document.key_problem(
                (*step.pointer, "slots"),
                code="instances",
                message="a task of several nodes cannot say how many slots it takes",
                hint="take `slots` away: its nodes have one slot each",
            )


def _ids_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    if isinstance(workload.pool, ExistingPool) and not SERVICE_ID.match(workload.pool.id):
        yield document.problem(
            (*workload.pool.pointer, "existing"),
            code="pool-id",
            message=f"`{shorten(workload.pool.id)}` cannot be the id of a pool",
            hint="an id has at most 64 letters, digits, `-` and `_`",
        )
    lists = [(step.pointer, step.applications) for step in workload.steps]
    if isinstance(workload.pool, NewPool):
        lists.append((workload.pool.pointer, workload.pool.applications))
    for owner, applications in lists:
        for index, application in enumerate(applications):
            if not (SERVICE_ID.match(application.id) or RESOURCE_ID.match(application.id)):
                yield document.problem(
                    (*owner, "applications", index, "id"),
                    code="application-id",
                    message=f"`{shorten(application.id)}` cannot be the id of an application",
                    hint="an id has at most 64 letters, digits, `-` and `_`, or it is the"
                    " application's full resource id, `/subscriptions/...`",
                )
        if len(applications) > MOST_POOL_APPLICATIONS and owner == workload.pool.pointer:
            yield document.key_problem(
                (*owner, "applications", MOST_POOL_APPLICATIONS),
                code="too-many",
                message=f"a pool can have {MOST_POOL_APPLICATIONS} applications",
                hint="give the others to the steps that use them",
            )


def _autoscale(workload: Workload) -> Autoscale | None:
    pool = workload.pool
    if isinstance(pool, NewPool) and isinstance(pool.size, Autoscale):
        return pool.size
    return None


POOL: tuple[Rule, ...] = (
    _pool_has_nodes,
    _vm_size_is_a_name,
    _formula_is_possible,
    _interval_is_possible,
    _slots_are_enough,
    _pool_can_be_kept,
    _nodes_can_be_replaced,
    _spot_can_be_replaced,
    _network_is_whole,
    _instances_find_nodes,
    _instances_take_no_slots,
    _ids_are_possible,
)
