"""Who shows a run while it goes, and which of them suits the terminal, if there is one.

It must not know how a run is shown; modules that only a terminal needs are imported for one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Protocol

from runner.cli.world import World
from runner.frozen import dataclass
from runner.plan.model import Plan
from runner.report.fold import Report
from runner.run.doing import Doing
from runner.run.events import Event
from runner.run.transfers.under_way import UnderWay
from runner.spec.model.pool import NewPool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """What events do not tell, read whenever something is drawn; of a run of others nothing is."""

    doing: Doing = field(default_factory=Doing)
    under_way: UnderWay = field(default_factory=UnderWay)
    troubles: Callable[[], Mapping[str, str]] = dict
    """By service, what is waited for."""


class Display(Protocol):
    """Is shown each event with the report that includes it, in order, from any thread."""

    def show(self, event: Event, at: datetime, report: Report) -> None:
        """One more event, and when it was written down."""
        ...

    def say(self, line: str) -> None:
        """Something out of turn, as soon as it is known."""
        ...

    def watch(self, gauges: Gauges) -> None:
        """From here on these say more."""
        ...

    def close(self) -> None:
        """Nothing more will come, and what is out is to be seen; may be called again."""
        ...


class Silence:
    """`-q`: nothing but the end."""

    def __init__(self, world: World) -> None:
        self._world = world

    def say(self, line: str) -> None:
        """Said all the same: somebody has asked for it."""
        self._world.say(line)

    def show(self, event: Event, at: datetime, report: Report) -> None:
        """Nothing."""

    def watch(self, gauges: Gauges) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


# Terminals whose cursor nobody can move.
_CANNOT_MOVE = frozenset({"dumb", "unknown"})


def choose_display(world: World, plan: Plan, *, quiet: bool) -> Display:
    """A view on a terminal that can show it, lines elsewhere (`NO_COLOR` and `TERM=dumb` too).

    Where the plan's tasks are printed, data goes to standard output meanwhile: on one terminal, it
    would run into the view.
    """
    if quiet:
        return Silence(world)
    plain = (
        bool(world.environ.get("NO_COLOR")) or world.environ.get("TERM", "").lower() in _CANNOT_MOVE
    )
    mixed = plan.workload.prints and world.stdout.isatty()
    if plain or mixed or not world.stderr.isatty():
        from runner.cli.live.lines import Lines

        return Lines(world, slots=_slots(plan))
    from runner.cli.live.screen import Screen
    from runner.cli.live.view import Viewer

    def item(task: str) -> str:
        return world.redaction.text(plan.tasks[int(task) - 1].item)

    return Screen(world, Viewer(plan.run_id, slots=_slots(plan), item=item))


def _slots(plan: Plan) -> int | None:
    """How many tasks a node of the pool runs at a time; None where only the service knows."""
    pool = plan.workload.pool
    return pool.task_slots_per_node if isinstance(pool, NewPool) else None
