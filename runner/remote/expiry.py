"""The formula by which a pool gives up its nodes by itself: written, and read where it is found.

It must not know who gives it to a pool, nor when.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from runner.run.events import format_moment
from runner.run.statuses import Expiry
from runner.spec.model.pool import FixedNodes

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_OURS = re.compile(
    r'keeps = time\(\) < time\("(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"\);\n'
    r"\$TargetDedicatedNodes = keeps \? (?P<dedicated>\d+) : 0;\n"
    r"\$TargetLowPriorityNodes = keeps \? (?P<spot>\d+) : 0;\n"
    r"\$NodeDeallocationOption = taskcompletion;",
    re.ASCII,
)


def write_expiry(expiry: Expiry) -> str:
    """The nodes until a time and none afterwards; one that still works ends its tasks first."""
    return (
        f'keeps = time() < time("{format_moment(expiry.at)}");\n'
        f"$TargetDedicatedNodes = keeps ? {expiry.size.dedicated} : 0;\n"
        f"$TargetLowPriorityNodes = keeps ? {expiry.size.spot} : 0;\n"
        "$NodeDeallocationOption = taskcompletion;"
    )


def read_expiry(formula: str) -> Expiry | None:
    """What a formula of ours says; None for one that is another's."""
    found = _OURS.fullmatch(formula)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found["at"], _MOMENT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    return Expiry(
        size=FixedNodes(dedicated=int(found["dedicated"]), spot=int(found["spot"])),
        at=moment,
    )
