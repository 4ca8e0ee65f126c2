"""How an evaluation of a formula is shown.

It must not know in which answer it stands.
"""

from __future__ import annotations

from typing import Any

from runner.emulator.batch.autoscale.faults import Fault, FaultKind
from runner.emulator.batch.core.pool import AutoScaleRun
from runner.emulator.batch.operations.wire import format_moment


def show_auto_scale_run(run: AutoScaleRun) -> dict[str, Any]:
    """`autoScaleRun`; also with an error it says what the variables were."""
    evaluation = run.evaluation
    shown: dict[str, Any] = {
        "timestamp": format_moment(run.moment),
        "results": evaluation.results,
    }
    if evaluation.fault is not None:
        shown["error"] = _show_fault(evaluation.fault)
    return shown


def _show_fault(fault: Fault) -> dict[str, Any]:
    if fault.kind is FaultKind.DATA:
        code = "InsufficientSampleData"
        message = "Autoscale evaluation failed due to insufficient sample data"
    else:
        code = "AutoScalingFormulaEvaluationError"
        message = "An error occurred during the evaluation of the autoscale formula"
    return {
        "code": code,
        "message": message,
        "values": [{"name": "Message", "value": str(fault)}],
    }
