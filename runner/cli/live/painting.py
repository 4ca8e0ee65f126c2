"""The view on a terminal through rich: painted over itself, gone in the end.

It must not know what is in the view, nor when it is painted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment
from rich.style import Style
from typing_extensions import Self

from runner.cli.live.frame import lay_out, running_shown
from runner.cli.live.signs import ASCII, UNICODE, Signs
from runner.cli.live.spans import Row, row_cells
from runner.cli.live.view import Viewer
from runner.cli.world import World

# They would be believed rather than the terminal, and do not change with its window.
_FROZEN_SIZES = frozenset({"COLUMNS", "LINES"})


class Painting:
    """The foot of one terminal; for one thread alone."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self._world = world
        self._viewer = viewer
        environ = {
            name: value for name, value in world.environ.items() if name not in _FROZEN_SIZES
        }
        self._console = Console(file=world.stderr, force_terminal=True, _environ=environ)
        self._frame = _Frame()
        self._live = Live(
            console=self._console,
            get_renderable=lambda: self._frame,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        can_draw = _can_encode(self._console.encoding)
        self._signs: Signs = UNICODE if can_draw else ASCII

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    @property
    def size(self) -> tuple[int, int]:
        """The window's columns and rows now."""
        with suppress(OSError, ValueError):
            found = os.get_terminal_size(self._world.stderr.fileno())
            if found.columns and found.lines:
                return found.columns, found.lines
        return self._console.size

    def paint(self, lines: Iterable[str]) -> None:
        """Lines that stay, and under them the view as it is now."""
        columns, rows = self.size
        self._console.size = (columns, rows)
        self._heed_width(columns)
        view = self._viewer.look(self._world.clock.now(), running=running_shown(columns, rows))
        self._frame.rows = lay_out(view, width=columns, height=rows, signs=self._signs)
        self._print(lines)
        self._live.refresh()

    def finish(self, lines: Iterable[str]) -> None:
        """The last lines, and no view under them."""
        self._frame.rows = ()
        self._print(lines)

    def _print(self, lines: Iterable[str]) -> None:
        text = "\n".join(map(self._world.redaction.text, lines))
        if text:
            self._console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def _heed_width(self, columns: int) -> None:
        """Where the window has become narrower, terminals break what is there into more lines."""
        more = sum(-(-row_cells(row) // columns) - 1 for row in self._frame.rows if row)
        if more > 0:
            up = ((ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2))
            self._console.control(
                Control((ControlType.ERASE_IN_LINE, 2), *(up * more), ControlType.CARRIAGE_RETURN)
            )


class _Frame:
    """Rows as rich draws them."""

    def __init__(self) -> None:
        self.rows: Sequence[Row] = ()
        self._styles: dict[str, Style] = {}

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows:
            for text, style in row:
                yield Segment(text, self._style(style) if style else None)
            yield Segment.line()

    def _style(self, words: str) -> Style:
        style = self._styles.get(words)
        if style is None:
            style = self._styles[words] = Style.parse(words)
        return style


def _can_encode(encoding: str) -> bool:
    """Whether all signs of the view can be written."""
    signs = (UNICODE.busy, UNICODE.free, *(sign for sign, _ in UNICODE.stands.values()))
    try:
        "".join(signs).encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True
