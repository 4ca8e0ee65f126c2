"""Workloads of several shapes, with what each must bring home, worked out without running them.

It must not know what goes wrong, nor how a workload is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

NAME = "demo"
MEBIBYTE = 1024 * 1024
_HOSTILE = (
    *("a b.txt", "it's.txt", 'say "x".txt', "$(exit 9).txt", "`exit 9`.txt", "a;b&c.txt"),
    *("-rf.txt", "#hash.txt", "{{ x }}.txt", "*?[a].txt", "é👩‍🚀.txt", "a.b..c.txt", "sub/a b.txt"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One workload: its spec, its input files, and the undisturbed run's results.

    A task that succeeds adds a line to a file of its id's name below the folder `counts`, which
    the spec names as `@COUNTS@`.
    """

    name: str
    spec: str
    inputs: Mapping[str, bytes]
    outputs: Mapping[str, bytes]
    """By path below the output directory."""
    tasks: int
    failing: frozenset[str] = frozenset()
    """Items of tasks that end with an exit code, or never run since they need such a task."""
    rewound: bool = False
    """Results that stay in the services feed other tasks: gone with a cleanup, they run again."""

    @property
    def exit_code(self) -> int:
        """Of the undisturbed run."""
        return 1 if self.failing else 0

    def write(self, folder: Path, counts: Path) -> None:
        """Puts the spec and its files where a user has them."""
        counts.mkdir()
        for name, content in self.inputs.items():
            path = folder / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (folder / "spec.yaml").write_text(self.spec.replace("@COUNTS@", str(counts)))


_HEAD = """\
version: 1
name: demo
limits: {duration: 1h, wait: 10m}
containers:
  input: {upload: [{from: data}], delete: after-run}
@CONTAINERS@\
  output: {download: true, delete: after-run}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1, spot: 1}
  task_slots_per_node: 2
  start_task: {command: "true"}
"""
_COUNT = 'date +%s%N >> @COUNTS@/"$AZ_BATCH_TASK_ID"'


def _spec(tasks: str, containers: str = "", pause: str = "0.1") -> str:
    head = _HEAD.replace("@CONTAINERS@", containers)
    return (head + tasks).replace("@COUNT@", _COUNT).replace("@PAUSE@", pause)


_MAP = """\
task:
  for_each: input
  command: |
    sleep @PAUSE@
    tr a-z A-Z < {{ file.path }} > up
    @COUNT@
  outputs: [{pattern: up, to: output, path: "{{ file.path }}.up"}]
"""


def _texts(random: Random, names: list[str]) -> dict[str, bytes]:
    """A content of its own for each name."""
    return {
        name: f"content {random.randrange(10**9)} of {i}\n".encode() for i, name in enumerate(names)
    }


def _pause(random: Random) -> str:
    return f"{random.choice((0.0, 0.05, 0.2, 0.5)):g}"


def _plain(random: Random, fewest: int, most: int) -> list[str]:
    return [f"file-{number:02}.txt" for number in range(random.randint(fewest, most))]


def _map(random: Random) -> Shape:
    inputs = _texts(random, _plain(random, 3, 12))
    return Shape(
        name="map",
        spec=_spec(_MAP, pause=_pause(random)),
        inputs=inputs,
        outputs={f"output/{name}.up": content.upper() for name, content in inputs.items()},
        tasks=len(inputs),
    )


def _hostile(random: Random) -> Shape:
    inputs = _texts(random, random.sample(_HOSTILE, random.randint(4, len(_HOSTILE))))
    return Shape(
        name="hostile names",
        spec=_spec(_MAP, pause=_pause(random)),
        inputs=inputs,
        outputs={f"output/{name}.up": content.upper() for name, content in inputs.items()},
        tasks=len(inputs),
    )


def _failing(random: Random) -> Shape:
    good = _plain(random, 2, 8)
    bad = [f"bad-{number}.txt" for number in range(random.randint(1, 3))]
    inputs = _texts(random, good + bad)
    tasks = _MAP.replace("    sleep", "    case {{ file.name }} in bad-*) exit 3;; esac\n    sleep")
    return Shape(
        name="failing tasks",
        spec=_spec(tasks, pause=_pause(random)),
        inputs=inputs,
        outputs={f"output/{name}.up": inputs[name].upper() for name in good},
        tasks=len(inputs),
        failing=frozenset(bad),
    )


_WILDCARDS = """\
task:
  for_each: input
  command: |
    sleep @PAUSE@
    for n in 1 2 3; do (echo "part $n"; cat {{ file.path }}) > "part-$n.txt"; done
    @COUNT@
  outputs: [{pattern: "part-*.txt", to: output}]
"""


def _wildcards(random: Random) -> Shape:
    inputs = _texts(random, _plain(random, 2, 6))
    return Shape(
        name="wildcards",
        spec=_spec(_WILDCARDS, pause=_pause(random)),
        inputs=inputs,
        outputs={
            f"output/{number:04}/part-{part}.txt": f"part {part}\n".encode() + inputs[name]
            for number, name in enumerate(sorted(inputs), 1)
            for part in (1, 2, 3)
        },
        tasks=len(inputs),
    )


_GATHER = """\
tasks:
  up:
    for_each: input
    command: |
      sleep @PAUSE@
      tr a-z A-Z < {{ file.path }} > {{ file.stem }}.up
      @COUNT@
    outputs: [{pattern: "{{ file.stem }}.up", to: output}]
  all:
    needs: [up]
    resources: [{from: output}]
    command: |
      cat *.up > all.txt
      @COUNT@
    outputs: [{pattern: all.txt, to: output}]
"""


def _gather(random: Random) -> Shape:
    inputs = _texts(random, _plain(random, 3, 8))
    outputs = {f"output/{Path(name).stem}.up": content.upper() for name, content in inputs.items()}
    outputs["output/all.txt"] = b"".join(outputs[name] for name in sorted(outputs))
    return Shape(
        name="gather",
        spec=_spec(_GATHER, pause=_pause(random)),
        inputs=inputs,
        outputs=outputs,
        tasks=len(inputs) + 1,
    )


_CHAIN = """\
tasks:
  count:
    for_each: input
    command: |
      sleep @PAUSE@
      wc -c < {{ file.path }} > {{ file.stem }}.count
      @COUNT@
    outputs: [{pattern: "{{ file.stem }}.count", to: middle}]
  double:
    for_each: {outputs_of: count}
    command: |
      read -r n < {{ file.path }}
      echo $((2 * n)) > {{ file.stem }}.double
      @COUNT@
    outputs: [{pattern: "{{ file.stem }}.double", to: output}]
  sum:
    needs: [double]
    resources: [{from: output}]
    command: |
      cat *.double > sum.txt
      @COUNT@
    outputs: [{pattern: sum.txt, to: output}]
"""


def _chain(random: Random) -> Shape:
    inputs = _texts(random, _plain(random, 2, 6))
    outputs = {
        f"output/{Path(name).stem}.double": f"{2 * len(content)}\n".encode()
        for name, content in inputs.items()
    }
    outputs["output/sum.txt"] = b"".join(outputs[name] for name in sorted(outputs))
    return Shape(
        name="chain",
        spec=_spec(_CHAIN, "  middle: {delete: after-run}\n", pause=_pause(random)),
        inputs=inputs,
        outputs=outputs,
        tasks=2 * len(inputs) + 1,
        rewound=True,
    )


def _big(random: Random) -> Shape:
    inputs = _texts(random, _plain(random, 1, 3))
    inputs["big.bin"] = random.randbytes(17 * MEBIBYTE)
    tasks = _MAP.replace("tr a-z A-Z < {{ file.path }} > up", "cat {{ file.path }} > up")
    return Shape(
        name="big file",
        spec=_spec(tasks, pause="0"),
        inputs=inputs,
        outputs={f"output/{name}.up": content for name, content in inputs.items()},
        tasks=len(inputs),
    )


_SHAPES: Mapping[str, tuple[int, Callable[[Random], Shape]]] = {
    "map": (5, _map),
    "gather": (4, _gather),
    "chain": (4, _chain),
    "wildcards": (2, _wildcards),
    "hostile names": (2, _hostile),
    "failing tasks": (3, _failing),
    "big file": (1, _big),
}


def draw_shape(random: Random) -> Shape:
    """One of them, of a size by chance."""
    names = list(_SHAPES)
    (name,) = random.choices(names, [_SHAPES[each][0] for each in names])
    return make_shape(name, random)


def make_shape(name: str, random: Random) -> Shape:
    """The one of that name."""
    return _SHAPES[name][1](random)
