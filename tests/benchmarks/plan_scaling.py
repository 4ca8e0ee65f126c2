"""What a plan costs for each input file, from a thousand to a million of them.

`python -m tests.benchmarks.plan_scaling` from the root of the repository. The cost of one file and
the memory that it takes are to stay the same.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.scaling import run_benchmark

_FILES_IN_A_FOLDER = 1_000
_SPEC = """\
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


def prepare(folder: Path, files: int) -> None:
    """So many empty files, in folders of a thousand."""
    (folder / "spec.yaml").write_text(_SPEC)
    for start in range(0, files, _FILES_IN_A_FOLDER):
        below = folder / "data" / f"folder-{start // _FILES_IN_A_FOLDER:05}"
        below.mkdir(parents=True)
        for number in range(start, min(start + _FILES_IN_A_FOLDER, files)):
            (below / f"file-{number:07}.mp4").touch()


if __name__ == "__main__":
    run_benchmark(
        "tests.benchmarks.plan_scaling",
        prepare,
        sizes=(1_000, 10_000, 100_000, 1_000_000),
        noun="file",
    )
