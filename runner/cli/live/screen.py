"""Draws the view at the foot of a terminal, some times a second, and lines above it that stay.

It must not know what the view shows. Nobody but its own thread waits for the terminal, so that one
that is stopped (Ctrl-S) does not stop the run.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING

from runner.cli.live.display import Gauges
from runner.cli.live.wording import describe_event
from runner.cli.world import World
from runner.report.fold import Report
from runner.run.events import Event, RunStarted

if TYPE_CHECKING:
    from runner.cli.live.view import Viewer

DRAWN_A_SECOND = 5
_PAUSE_SECONDS = 1 / DRAWN_A_SECOND
_IDLE_PAUSES = DRAWN_A_SECOND
"""Where nothing has changed but the time, the view is drawn once a second."""
_MOST_SHARE = 0.015
"""Of the client's processor time; where the view takes more, it is drawn once a second as well."""
_DEAR_PAUSE_SECONDS = 1.0


class Screen:
    """One terminal, from the first event of a run to its end."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self._world = world
        self._viewer = viewer
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_drawn = False
        """Whether the thread takes lines; without it they are said plainly."""
        self.draws = 0
        """How often the view was drawn."""

    def show(self, event: Event, at: datetime, report: Report) -> None:
        """Takes the event in; failures become lines above the view."""
        self._viewer.add(event, at, report)
        if isinstance(event, RunStarted):
            self._start()
        for each in describe_event(event, report):
            self.say(each)

    def say(self, line: str) -> None:
        """A line above the view."""
        with self._lock:
            if self._is_drawn:
                self._lines.put(line)
                return
        self._world.say(line)

    def watch(self, gauges: Gauges) -> None:
        """From here on these are shown too."""
        self._viewer.watch(gauges)

    def close(self) -> None:
        """Takes the view away and shows the cursor, once all lines are out."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._is_drawn = True
                self._thread = threading.Thread(target=self._run, name="view", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        try:
            self._draw_on()
        except OSError:
            pass  # the terminal has gone away, which stops no run
        except Exception as bug:  # noqa: BLE001 - told, and the run goes on without its view
            self._world.say(f"batch-run: no view from here on: {type(bug).__name__}: {bug}")
        finally:
            with self._lock:
                self._is_drawn = False
            for line in self._take_lines():
                self._world.say(line)

    def _draw_on(self) -> None:
        # Beside the work, which mostly waits for services now.
        from runner.cli.live.painting import Painting

        with Painting(self._world, self._viewer) as painting:
            seen: object = None
            idle = 0
            is_dear = False
            begun = time.thread_time()
            while True:
                lines = self._take_lines()
                state = (self._viewer.state, painting.size)
                idle = 0 if lines or state != seen else idle + 1
                seen = state
                if is_dear or idle % _IDLE_PAUSES == 0:
                    painting.paint(lines)
                    self.draws += 1
                is_dear = time.thread_time() - begun > _MOST_SHARE * time.process_time()
                if self._closed.wait(_DEAR_PAUSE_SECONDS if is_dear else _PAUSE_SECONDS):
                    break
            painting.finish(self._take_lines())

    def _take_lines(self) -> list[str]:
        return [self._lines.get() for _ in range(self._lines.qsize())]
