"""The operations on automatic scaling: decode, ask the core, encode.

It must not know how requests reach it (`table`).
"""

from __future__ import annotations

from runner.emulator.batch.core import scaling as core
from runner.emulator.batch.operations.bodies.autoscale import (
    auto_scale_rule,
    decode_enabling,
    decode_evaluation,
    without_auto_scale,
)
from runner.emulator.batch.operations.call import Call
from runner.emulator.batch.operations.conditions import check_write
from runner.emulator.batch.operations.replies import Reply, changed, metadata
from runner.emulator.batch.operations.views.scaling import show_auto_scale_run


def enable_pool_auto_scale(call: Call) -> Reply:
    """`POST /pools/{poolId}/enableautoscale`."""
    pool = call.state.store.pool(call.pool)
    check_write(call.headers, pool.modified)
    document = decode_enabling(call.body, pool.document)
    rule = auto_scale_rule(document)
    assert rule is not None
    pool = core.enable_auto_scale(call.state, call.now, pool.id, document, rule)
    return changed(call.url, 200, pool.modified)


def disable_pool_auto_scale(call: Call) -> Reply:
    """`POST /pools/{poolId}/disableautoscale`."""
    pool = call.state.store.pool(call.pool)
    document = without_auto_scale(pool.document)
    pool = core.disable_auto_scale(call.state, call.now, pool.id, document)
    return changed(call.url, 200, pool.modified)


def evaluate_pool_auto_scale(call: Call) -> Reply:
    """`POST /pools/{poolId}/evaluateautoscale`: a formula with a fault is answered with 200."""
    run = core.try_formula(call.state, call.now, call.pool, decode_evaluation(call.body))
    head = metadata(call.endpoint, "Microsoft.Azure.Batch.Protocol.Entities.AutoScaleRun")
    return Reply(status=200, json={**head, **show_auto_scale_run(run)}, service_id=call.url)
