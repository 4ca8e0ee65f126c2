"""Writes `docs/terminal.svg` and `docs/terminal-live.svg`: what a terminal shows of a run, as text.

    python docs/generate_screen.py

The run is a real one, in a folder of its own; what it takes is different each time, and so nothing
checks whether the picture is current. It must not know what a run prints.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

AT_ITS_END = Path(__file__).resolve().parent / "terminal.svg"
WHILE_IT_GOES = Path(__file__).resolve().parent / "terminal-live.svg"
COLUMNS, ROWS = 96, 30
_SHARE_SEEN = 0.6
"""Of what is printed, so much is on the picture of the run as it goes."""
_LINE = "batch-run mine.yaml"
_SPEC = """\
version: 1
name: mine
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 8}, task_slots_per_node: 2}
task:
  for_each: input
  command: |
    sleep 0.$((RANDOM % 9))5
    test -s {{ file.path }} || { echo 'nothing to pack' >&2; exit 3; }
    gzip -c {{ file.path }} > {{ file.name }}.gz
  outputs: [{pattern: "{{ file.name }}.gz", to: output}]
"""
_WIDTH, _HEIGHT, _MARGIN = 8.4, 18, 14
_COLOURS = {
    "default": "#d8dee9",
    "red": "#e58a74",
    "green": "#8fcf9f",
    "yellow": "#e6c07b",
    "brown": "#e6c07b",
    "blue": "#7aa7e0",
    "magenta": "#c49ad8",
    "cyan": "#7fc8c8",
    "white": "#ffffff",
    "black": "#7b8794",
}


def record(folder: Path) -> tuple[bytes, ...]:
    """What a run in a folder prints on a terminal, piece by piece."""
    pieces = [f"$ {_LINE}\r\n".encode()]
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    program = Path(sys.executable).parent / "batch-run"
    environ = {"PATH": os.defpath, "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    with subprocess.Popen(
        [program, *_LINE.split()[1:], "--isolation", "none"],
        cwd=folder,
        env=environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:  # the other end is closed: the run has ended
            pass
    os.close(ours)
    return tuple(pieces)


def show(pieces: Sequence[bytes]) -> pyte.Screen:
    """The screen once all that was printed."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    for piece in pieces:
        stream.feed(piece)
    return screen


def draw(screen: pyte.Screen) -> str:
    """The screen as SVG: text of one width, lines of one height, no font of anybody's."""
    used = 1 + max(row for row in range(ROWS) if screen.display[row].strip())
    width = COLUMNS * _WIDTH + 2 * _MARGIN
    height = used * _HEIGHT + 2 * _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img">',
        "<title>A terminal in which batch-run has run a workload</title>",
        "<style>text { font: 14px ui-monospace, Consolas, Menlo, monospace; white-space: pre; }",
        "</style>",
        f'<rect width="{width:g}" height="{height:g}" rx="8" fill="#1c232b"/>',
    ]
    for row in range(used):
        lines.extend(_spans(screen, row))
    return "\n".join([*lines, "</svg>", ""])


def _spans(screen: pyte.Screen, row: int) -> list[str]:
    """The pieces of a line that look alike, each at its place."""
    cells = [(column, screen.buffer[row][column]) for column in range(COLUMNS)]
    spans = []
    for (colour, bold), group in groupby(cells, key=lambda each: (each[1].fg, each[1].bold)):
        piece = [*group]
        text = "".join(cell.data for _, cell in piece)
        if not text.strip():
            continue
        fill = _COLOURS.get(colour) or (f"#{colour}" if len(colour) == 6 else _COLOURS["default"])
        x = _MARGIN + piece[0][0] * _WIDTH
        y = _MARGIN + row * _HEIGHT + 14
        weight = ' font-weight="bold"' if bold else ""
        length = len(text.rstrip()) * _WIDTH
        spans.append(
            f'<text x="{x:g}" y="{y:g}" fill="{fill}"{weight} textLength="{length:g}">'
            f"{escape(text.rstrip())}</text>"
        )
    return spans


def main() -> None:
    """Makes a folder, runs the workload there, and writes the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "mine.yaml").write_text(_SPEC, encoding="utf-8")
        (folder / "data").mkdir()
        for number in range(1, 121):
            content = "" if number == 17 else f"text {number}\n" * 2000
            (folder / "data" / f"{number:03}.txt").write_text(content, encoding="utf-8")
        pieces = record(folder)
    seen = pieces[: round(len(pieces) * _SHARE_SEEN)]
    WHILE_IT_GOES.write_text(draw(show(seen)), encoding="utf-8")
    AT_ITS_END.write_text(draw(show(pieces)), encoding="utf-8")


if __name__ == "__main__":
    main()
