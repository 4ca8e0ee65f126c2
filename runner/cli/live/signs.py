"""The signs of the view, each with its colour: of phases, of parts of a bar, of nodes by state.

It must not know what is shown, nor where. No meaning hangs on a colour alone.
"""

from __future__ import annotations

from runner.frozen import dataclass
from runner.report.activity import Stand

Sign = tuple[str, str]
"""A character one cell wide, and its style."""

STATES: dict[str, tuple[str, str, str, str]] = {
    "starttaskfailed": ("✗", "x", "bold red", "start task failed"),
    "unusable": ("!", "!", "bold red", "unusable"),
    "unknown": ("?", "?", "red", "unknown"),
    "offline": ("–", "-", "magenta", "offline"),  # noqa: RUF001 - a sign of its own
    "preempted": ("↓", "p", "magenta", "preempted"),
    "rebooting": ("↻", "r", "yellow", "rebooting"),
    "reimaging": ("↺", "R", "yellow", "reimaging"),
    "upgradingos": ("↑", "u", "yellow", "upgrading its system"),
    "waitingforstarttask": ("◔", "s", "yellow", "start task running"),
    "creating": ("+", "+", "cyan", "creating"),
    "starting": ("◌", "~", "cyan", "starting"),
    "leavingpool": ("←", "<", "dim", "leaving"),
    "deallocating": ("v", "v", "dim", "deallocating"),
    "deallocated": ("_", "_", "dim", "deallocated"),
    "running": ("█", "#", "green", "running"),
    "idle": ("○", "o", "blue", "idle"),
}
"""Each state of a node (REST: BatchNodeState, in lower case), the worst first: its sign, the same
in ASCII, its style, and its words."""
_OTHER = ("*", "*", "magenta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """Those that a terminal can show; `busy` are a node's from few of its slots to all."""

    stands: dict[Stand, Sign]
    succeeded: Sign
    failed: Sign
    running: Sign
    coming_home: Sign
    waiting: Sign
    busy: str
    free: str
    alarm: Sign
    unknown: str
    dot: str
    cut: str
    is_ascii: bool

    def state(self, state: str) -> Sign:
        """The sign of a node's state; a state that this version does not know has one too."""
        known = STATES.get(state)
        if known is None:
            return _OTHER[0], _OTHER[2]
        return known[1 if self.is_ascii else 0], known[2]


UNICODE = Signs(
    stands={
        Stand.TO_COME: ("·", "dim"),
        Stand.NOW: ("▸", "bold cyan"),
        Stand.DONE: ("✓", "green"),
        Stand.BROKEN_OFF: ("✗", "red"),
    },
    succeeded=("█", "green"),
    failed=("╳", "red"),  # noqa: RUF001 - a sign of its own
    running=("▒", "cyan"),
    coming_home=("▓", "green"),
    waiting=("░", "dim"),
    busy="▁▂▃▄▅▆▇█",
    free="░",
    alarm=("!", "bold red"),
    unknown="–",  # noqa: RUF001 - a dash
    dot="·",
    cut="…",
    is_ascii=False,
)
ASCII = Signs(
    stands={
        Stand.TO_COME: (".", "dim"),
        Stand.NOW: (">", "bold cyan"),
        Stand.DONE: ("+", "green"),
        Stand.BROKEN_OFF: ("x", "red"),
    },
    succeeded=("#", "green"),
    failed=("x", "red"),
    running=("=", "cyan"),
    coming_home=("%", "green"),
    waiting=(".", "dim"),
    busy="12345678#",
    free=".",
    alarm=("!", "bold red"),
    unknown="-",
    dot="-",
    cut="~",
    is_ascii=True,
)


def describe_state(state: str) -> str:
    """A node's state in words."""
    known = STATES.get(state)
    return state if known is None else known[3]


def severity(state: str) -> int:
    """The less, the worse; a state that nobody knows may be bad."""
    return _ORDER.get(state, 0)


_ORDER = {state: number for number, state in enumerate(STATES)}
