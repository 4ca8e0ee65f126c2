"""Many small tasks on this machine: the whole command, beside tools that run commands in parallel.

It must not know how they are measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.contest import OURS, TIMES, Absent, Contest, Contestant, Target
from tests.benchmarks.data import check_copies, make_texts
from tests.benchmarks.machine import ROOT
from tests.benchmarks.measuring import Finished
from tests.benchmarks.peers import (
    CWLTOOL,
    DASK,
    HYPERQUEUE,
    PARALLEL,
    SNAKEMAKE,
    XARGS,
    Peer,
)
from tests.benchmarks.samples import Sample
from tests.benchmarks.setting import JOBS, Setting

TASKS = 1_000
SPEC = """\
version: 1
name: speed
containers:
  input: {upload: [{from: data, include: ["*.txt"]}]}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  task_slots_per_node: 2
task:
  for_each: input
  command: cat {{ file.path }} > {{ file.stem }}.out
  outputs: [{pattern: "{{ file.stem }}.out", to: output}]
"""
_PROGRAMS = ROOT / "tests" / "benchmarks" / "peer_programs"
_SNAKEFILE = """\
NAMES, = glob_wildcards("{data}/{{name}}.txt")
rule all:
    input: expand("{{name}}.out", name=NAMES)
rule copy:
    input: "{data}/{{name}}.txt"
    output: "{{name}}.out"
    shell: "cat {{input}} > {{output}}"
"""
_CWL = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "requirements": {"ScatterFeatureRequirement": {}},
    "inputs": {"files": "File[]"},
    "outputs": {"copies": {"type": "File[]", "outputSource": "copy/copy"}},
    "steps": {
        "copy": {
            "scatter": "file",
            "in": {"file": "files"},
            "out": ["copy"],
            "run": {
                "class": "CommandLineTool",
                "baseCommand": "cat",
                "inputs": {"file": {"type": "File", "inputBinding": {}}},
                "stdout": "$(inputs.file.nameroot).out",
                "outputs": {"copy": {"type": "stdout"}},
            },
        }
    },
}


@contextmanager
def open_cat(setting: Setting) -> Iterator[Contest]:
    """Everybody copies the same files, two at a time."""
    count = setting.size(TASKS, least=2)
    folder = setting.place("cat")
    make_texts(folder / "data", count, seed=setting.seed)
    yield Contest(
        title=f"{count:,} {TIMES} `cat` of 10 KB, whole command",
        contestants=(our_cat(setting, folder), *_peers(setting, folder)),
        targets=(
            *(
                Target(what="wall", beside=peer, factor=factor)
                for peer, factor in (
                    (PARALLEL, 0.8),
                    (HYPERQUEUE, 1.0),
                    (SNAKEMAKE, 0.08),
                    (DASK, None),
                    (CWLTOOL, None),
                    (XARGS, None),
                )
            ),
            *(
                Target(what="processor time", figure="cpu_seconds", beside=peer)
                for peer in (PARALLEL, XARGS)
            ),
        ),
    )


def our_cat(setting: Setting, folder: Path, name: str = OURS) -> Contestant:
    """The whole command on the files in `data` of a folder."""
    (folder / "speed.yaml").write_text(SPEC)

    def once(place: Path) -> Sample:
        finished = setting.run(folder / "speed.yaml", folder=place)
        check_copies(folder / "data", place / "results" / "speed" / "output")
        return finished.sample

    return Contestant(name=name, command="batch-run speed.yaml", once=once)


def _peers(setting: Setting, folder: Path) -> Iterator[Contestant | Absent]:
    data = folder / "data"
    lines = {
        PARALLEL: f"find {data} -name '*.txt' | PROGRAM -j{JOBS} 'cat {{}} > {{/.}}.out'",
        XARGS: (
            f"find {data} -name '*.txt' | PROGRAM -P{JOBS} -n1"
            ' bash -c \'f=${0##*/}; cat "$0" > "${f%.txt}.out"\''
        ),
        HYPERQUEUE: f"PROGRAM {_PROGRAMS / 'hyperqueue_cat.py'} {data} . {JOBS}",
        DASK: f"PROGRAM {_PROGRAMS / 'dask_cat.py'} {data} . {JOBS}",
        SNAKEMAKE: f"PROGRAM -q all -c{JOBS}",
        CWLTOOL: "PROGRAM --quiet --parallel --no-container copy.cwl files.json",
    }
    prepare: dict[str, Callable[[Path], None]] = {
        SNAKEMAKE: lambda place: _write_snakefile(place, data),
        CWLTOOL: lambda place: _write_cwl(place, data),
    }
    for name, line in lines.items():
        peer = setting.peers.find(name)
        match peer:
            case Absent():
                yield peer
            case Peer():
                yield _contestant(setting, peer, line, data, prepare.get(name, _nothing))


def _contestant(
    setting: Setting, peer: Peer, line: str, data: Path, prepare: Callable[[Path], None]
) -> Contestant:
    def once(place: Path) -> Sample:
        prepare(place)
        finished: Finished = setting.run_peer(
            ["bash", "-c", line.replace("PROGRAM", str(peer.program))], place
        )
        check_copies(data, place)
        return finished.sample

    shown = line.replace("PROGRAM", peer.program.name)
    shown = shown.replace(f"{_PROGRAMS}/", "").replace(str(data), "data")
    return Contestant(name=peer.name, command=shown, once=once)


def _nothing(place: Path) -> None:
    """Most need nothing but a folder."""


def _write_snakefile(place: Path, data: Path) -> None:
    (place / "Snakefile").write_text(_SNAKEFILE.format(data=data))


def _write_cwl(place: Path, data: Path) -> None:
    (place / "copy.cwl").write_text(json.dumps(_CWL))
    files = [{"class": "File", "path": str(path)} for path in sorted(data.iterdir())]
    (place / "files.json").write_text(json.dumps({"files": files}))
