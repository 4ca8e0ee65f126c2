"""The plan of very many files: how soon it is there, and how much memory it takes.

It must not know how it is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.contest import OURS, Contest, Contestant, Target
from tests.benchmarks.data import make_empty_files
from tests.benchmarks.measuring import FailedError
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import Setting

_FILES = 1_000_000
FILES_SPEC = """\
version: 1
name: scaling
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  command: ffmpeg -nostdin -y -i file:{{ file.path }} -b:a 192k {{ file.stem }}.mp3
  outputs: [{pattern: "{{ file.stem }}.mp3", to: output}]
"""


@contextmanager
def open_plan(setting: Setting) -> Iterator[Contest]:
    """`batch-run plan` where there is a task for each of the files."""
    count = setting.size(_FILES, least=10)
    folder = setting.place("plan")
    make_empty_files(folder / "data", count)
    (folder / "scaling.yaml").write_text(FILES_SPEC)

    def once(place: Path) -> Sample:
        finished = setting.run("plan", folder / "scaling.yaml", folder=place)
        if f"{count:,} tasks" not in finished.stdout:
            raise FailedError(f"the plan does not have {count:,} tasks: {finished.stdout[:500]}")
        return finished.sample

    yield Contest(
        title=f"`batch-run plan` of {count:,} files",
        contestants=(Contestant(name=OURS, command="batch-run plan scaling.yaml", once=once),),
        targets=(
            Target(what="wall", plus=60.0),
            Target(what="memory", figure="client_peak_bytes", plus=400e6),
        ),
    )
