"""What a task of a collection is answered that is not added on purpose.

It must not know why.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runner.emulator.batch.operations.wire import format_full_moment
from runner.emulator.faults.rules import TaskError

_USUAL = {
    "ServerError": ("ServerBusy", "The server is currently unable to receive requests."),
    "ClientError": (
        "InvalidPropertyValue",
        "The value provided for one of the properties in the request body is invalid.",
    ),
}


def refuse_task(
    struck: TaskError, identifier: str, request_id: str, now: datetime
) -> dict[str, Any]:
    """The task's result, as the service writes those of tasks that it did not add."""
    code, text = _USUAL[struck.blame]
    if struck.code is not None and struck.code != code:
        code, text = struck.code, f"The task could not be added: {struck.code}."
    message = f"{text}\nRequestId:{request_id}\nTime:{format_full_moment(now)}"
    return {
        "status": struck.blame,
        "taskId": identifier,
        "error": {"code": code, "message": {"lang": "en-US", "value": message}},
    }
