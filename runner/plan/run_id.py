"""The id of a run: everything that a run makes in the services is named after it."""

from __future__ import annotations

import base64
from datetime import datetime, timezone

from runner.plan.model import RunId

UNKNOWN = RunId("<run>")
"""Stands for the id in a plan that is only shown."""


def new_run_id(workload: str, now: datetime, random: bytes) -> RunId:
    """`<name>-<yyyymmddthhmmssz>-<4 base32>`, lower case, at most 45 characters.

    `random` gives the last part: at least 3 bytes.
    """
    stamp = now.astimezone(timezone.utc).strftime("%Y%m%dt%H%M%Sz")
    tail = base64.b32encode(random).decode("ascii")[:4].lower()
    return RunId(f"{workload}-{stamp}-{tail}")
