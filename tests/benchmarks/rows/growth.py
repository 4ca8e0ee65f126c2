"""Ten times the tasks: what the whole command takes, and whether memory stays flat.

It must not know how it is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.contest import TIMES, Contest, Target
from tests.benchmarks.data import make_texts
from tests.benchmarks.rows.cat import TASKS, our_cat
from tests.benchmarks.setting import Setting

_MEMORY_LIMIT = 150e6


@contextmanager
def open_growth(setting: Setting) -> Iterator[Contest]:
    """The same command on few and on many files."""
    few = setting.size(TASKS, least=2)
    many = few * 10
    folder = setting.place("growth")
    contestants = []
    for count in (few, many):
        inner = folder / str(count)
        inner.mkdir()
        make_texts(inner / "data", count, seed=setting.seed)
        contestants.append(our_cat(setting, inner, name=f"{count:,} tasks"))
    small, large = (each.name for each in contestants)
    yield Contest(
        title=f"{many:,} {TIMES} `cat` of 10 KB, whole command",
        contestants=contestants,
        targets=(
            Target(what="wall", of=large, beside=small, factor=10.5),
            Target(what="processor time", figure="cpu_seconds", of=large, beside=small),
            *(
                Target(what=f"memory of the {role}", figure=figure, of=large, plus=_MEMORY_LIMIT)
                for role, figure in _PEAKS
            ),
            *(
                Target(what=f"memory of the {role}", figure=figure, of=large, beside=small)
                for role, figure in _PEAKS
            ),
        ),
    )


_PEAKS = (("client", "client_peak_bytes"), ("emulator", "emulator_peak_bytes"))
