"""What a plan costs for each row of a file of rows.

`python -m tests.benchmarks.rows_scaling` from the root of the repository. The cost of reading and
checking one row is to stay the same.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.scaling import run_benchmark

_SPEC = """\
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


def prepare(folder: Path, rows: int) -> None:
    """A CSV with quoted cells of one and of two lines."""
    (folder / "spec.yaml").write_text(_SPEC)
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write("frame,name,note\r\n")
        for number in range(rows):
            stream.write(f'{number},frame-{number:07},"a ""note"",\r\nof two lines"\r\n')


if __name__ == "__main__":
    run_benchmark(
        "tests.benchmarks.rows_scaling", prepare, sizes=(5_000, 20_000, 80_000), noun="row"
    )
