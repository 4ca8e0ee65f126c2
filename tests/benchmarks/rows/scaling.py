"""What a plan, or a run that finds nothing to do, costs for each item: the same for few and many.

It must not know how a plan is made.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.benchmarks.contest import Contest, Contestant, Target
from tests.benchmarks.data import make_empty_files
from tests.benchmarks.measuring import FailedError, measure
from tests.benchmarks.rows.planning import FILES_SPEC
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import Setting

_MOST_GROWTH = 1.5
"""Of the cost of one item, from the fewest to the most."""
_ROWS_SPEC = """\
version: 1
name: scaling
containers:
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: {rows: rows.csv}
  command: render --frame {{ row.frame }} --name {{ row.name }} --note {{ row.note }}
  outputs: [{pattern: "{{ row.name }}.png", to: output}]
"""


def open_plan_scaling(setting: Setting) -> AbstractContextManager[Contest]:
    """Plans of files."""
    return _open(
        setting,
        name="plan-scaling",
        title="a plan, for each of its files",
        sizes=(1_000, 10_000, 100_000, 1_000_000),
        noun="files",
        prepare=_make_files,
        program="plan",
        whats=_PLAN,
    )


def open_rows_scaling(setting: Setting) -> AbstractContextManager[Contest]:
    """Plans of rows."""
    return _open(
        setting,
        name="rows-scaling",
        title="a plan, for each row of a file of rows",
        sizes=(5_000, 20_000, 80_000),
        noun="rows",
        prepare=_make_rows,
        program="plan",
        whats=_PLAN,
    )


def open_rerun_scaling(setting: Setting) -> AbstractContextManager[Contest]:
    """Runs of which nothing has changed."""
    return _open(
        setting,
        name="rerun-scaling",
        title="to keep what a task was made of, and to find that it need not run again",
        sizes=(1_000, 10_000, 100_000),
        noun="tasks",
        prepare=_make_files,
        program="rerun",
        whats={"keep": "kept", "compare": "compared"},
    )


_PLAN = {"plan": "planned", "json": "as JSON"}


@contextmanager
def _open(
    setting: Setting,
    *,
    name: str,
    title: str,
    sizes: Sequence[int],
    noun: str,
    prepare: Callable[[Path, int], None],
    program: str,
    whats: Mapping[str, str],
) -> Iterator[Contest]:
    folder = setting.place(name)
    contestants = []
    for count in (setting.size(each, least=10) for each in sizes):
        inner = folder / str(count)
        inner.mkdir()
        prepare(inner, count)
        contestants.append(_contestant(setting, inner, f"{count:,} {noun}", program, count))
    fewest = contestants[0].name
    yield Contest(
        title=title,
        contestants=contestants,
        targets=[
            Target(
                what=what, figure=f"{figure}_each_seconds", of=each.name, beside=fewest, factor=most
            )
            for figure, what in whats.items()
            for each, most in ((each, _MOST_GROWTH) for each in contestants[1:])
        ],
    )


def _contestant(setting: Setting, folder: Path, name: str, program: str, count: int) -> Contestant:
    module = f"tests.benchmarks.inner.{program}"
    environ = setting.with_modules()

    def once(place: Path) -> Sample:
        finished = measure([sys.executable, "-m", module, folder], folder=place, environ=environ)
        figures = json.loads(finished.stdout)
        if figures.get("skipped", count) != count:
            raise FailedError(f"{figures['skipped']} of {count} tasks were to be skipped")
        each = {
            f"{figure.removesuffix('_seconds')}_each_seconds": seconds / count
            for figure, seconds in figures.items()
            if figure.endswith("_seconds")
        }
        return Sample(
            wall_seconds=finished.sample.wall_seconds,
            costs=finished.sample.costs,
            figures={**figures, **each},
        )

    return Contestant(name=name, command=f"python -m {module} FOLDER", once=once)


def _make_files(folder: Path, count: int) -> None:
    (folder / "spec.yaml").write_text(FILES_SPEC)
    make_empty_files(folder / "data", count)


def _make_rows(folder: Path, count: int) -> None:
    """A CSV with quoted cells of one and of two lines."""
    (folder / "spec.yaml").write_text(_ROWS_SPEC)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write("frame,name,note\r\n")
        for number in range(count):
            stream.write(f'{number},frame-{number:07},"a ""note"",\r\nof two lines"\r\n')
