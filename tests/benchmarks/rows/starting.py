"""Commands that do little: how soon they are done.

It must not know how they are measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.contest import OURS, Contest, Contestant, Target
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.rows.cat import SPEC
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import Setting


@contextmanager
def open_version(setting: Setting) -> Iterator[Contest]:
    """`batch-run --version`."""

    def once(place: Path) -> Sample:
        finished = setting.run("--version", folder=place)
        if not finished.stdout.startswith("batch-run "):
            raise FailedError(f"`--version` printed {finished.stdout!r}")
        return finished.sample

    yield Contest(
        title="`batch-run --version`",
        contestants=(Contestant(name=OURS, command="batch-run --version", once=once),),
        targets=(Target(what="wall", plus=0.15),),
    )


@contextmanager
def open_validate(setting: Setting) -> Iterator[Contest]:
    """`batch-run validate` of a spec of a screen."""
    folder = setting.place("validate")
    (folder / "data").mkdir()
    (folder / "speed.yaml").write_text(SPEC)

    def once(place: Path) -> Sample:
        return setting.run("validate", folder / "speed.yaml", folder=place).sample

    yield Contest(
        title="`batch-run validate` of a small spec",
        contestants=(Contestant(name=OURS, command="batch-run validate speed.yaml", once=once),),
        targets=(Target(what="wall", plus=0.4),),
    )
