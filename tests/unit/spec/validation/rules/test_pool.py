"""How many nodes a pool has, for how long, and what fits on them."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2, spot: 1}
  task_slots_per_node: 1
  inter_node_communication: true
  keep: 30m
  start_task: {command: echo}
task:
  command: echo
  slots: 1
  instances: {count: 3, coordination: echo}
"""


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("keep: 30m", "keep: 7d"),
    ("count: 3", "count: 1"),
    (
        "  keep: 30m\n  start_task: {command: echo}",
        "  start_task: {command: echo, resources: [{from: input}]}",
    ),
    ("command: echo}\n", 'command: echo, resources: [{url: "https://x.org/a", to: a}]}\n'),
    ("  keep: 30m\n", "  network: {public_addresses: none}\n"),
    (
        "  keep: 30m\n",
        (
            "  network: {public_addresses: "
            "[/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/publicIPAddress"
            "es/c], subnet: "
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/"
            "c/subnets/d}\n"
        ),
    ),
    (
        "  keep: 30m\n",
        (
            '  applications: [{id: ffmpeg, version: "7.1"}, {id: '
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Batch/batchAccounts/c/ap"
            "plications/d}]\n"
        ),
    ),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "vm_size: Standard_D2s_v5",
        "vm_size: Standard D2s v5",
        [
            (
                "7:12 vm-size",
                "`Standard D2s v5` cannot be the name of a VM size",
                "a name has letters, digits, `_` and `-`, such as `Standard_D2s_v5`",
            ),
        ],
    ),
    (
        "dedicated: 2, spot: 1",
        "dedicated: 0, spot: 0",
        [
            (
                "8:3 no-nodes",
                "the pool has no nodes: `dedicated` and `spot` are both 0",
                "for example `nodes: {dedicated: 1}`",
            ),
        ],
    ),
    (
        "dedicated: 2, spot: 1",
        "dedicated: 2, spot: 2147483648",
        [
            (
                "8:31 out-of-range",
                "`pool.nodes.spot` is more than the service can count",
                "ask for the nodes that the account's quota of cores gives room for",
            ),
        ],
    ),
    (
        "keep: 30m",
        "keep: 4m",
        [
            (
                "11:9 out-of-range",
                "`pool.keep` must be from 5m to 7d",
                (
                    "a pool for longer is one of your own: make it once and name it by `pool: "
                    "{existing: ...}`"
                ),
            ),
        ],
    ),
    (
        "keep: 30m",
        "keep: 8d",
        [
            (
                "11:9 out-of-range",
                "`pool.keep` must be from 5m to 7d",
                (
                    "a pool for longer is one of your own: make it once and name it by `pool: "
                    "{existing: ...}`"
                ),
            ),
        ],
    ),
    (
        "nodes: {dedicated: 2, spot: 1}",
        "autoscale: {scenario: tasks, max: 3}",
        [
            (
                "11:3 keep-pool",
                (
                    "`keep` needs a fixed number of nodes: a formula of its own would end the kept "
                    "nodes"
                ),
                "use `nodes:` in place of `autoscale:`, or take `keep` away",
            ),
        ],
    ),
    (
        "task:\n",
        "job: {schedule: {every: 1h, end: 2030-01-01T00:00:00Z}}\ntask:\n",
        [
            (
                "4:3 schedule",
                "`input` would be deleted while the schedule still needs it",
                "add `delete: never`",
            ),
            (
                "11:3 keep-pool",
                "`keep` has no use with `job.schedule`, which makes its pools itself",
                "take one of the two away",
            ),
            (
                "17:3 schedule",
                "`instances` has no use with `job.schedule`: a scheduled task runs on one node",
                "take one of the two away",
            ),
        ],
    ),
    (
        "command: echo}\n",
        "command: echo, resources: [{from: input}]}\n",
        [
            (
                "12:50 keep-pool",
                (
                    "a kept pool outlives the access to this container: a node that starts later "
                    "could not read it"
                ),
                (
                    "bring the files by a `url`, by `packages` or by the tasks' own `resources`, "
                    "or take `keep` away"
                ),
            ),
        ],
    ),
    (
        "slots: 1\n  instances: {count: 3, coordination: echo}\n",
        "slots: 2\n",
        [
            (
                "15:10 too-many-slots",
                "a task takes 2 slots, but a node has 1",
                "set `task_slots_per_node: 2` in `pool`, or lower `slots`",
            ),
        ],
    ),
    (
        "slots: 1\n",
        "slots: 2\n",
        [
            (
                "15:3 instances",
                "a task of several nodes cannot say how many slots it takes",
                "take `slots` away: its nodes have one slot each",
            ),
        ],
    ),
    (
        "task_slots_per_node: 1",
        "task_slots_per_node: 2",
        [
            (
                "16:3 instances",
                "a task of several nodes needs nodes with one slot, and the pool's have 2",
                "take `task_slots_per_node` away",
            ),
        ],
    ),
    (
        "inter_node_communication: true",
        "inter_node_communication: false",
        [
            (
                "16:3 instances",
                "a task of several nodes needs nodes that can reach each other",
                "add `inter_node_communication: true` to `pool`",
            ),
        ],
    ),
    (
        "count: 3",
        "count: 4",
        [
            (
                "16:22 instances",
                "a task takes 4 nodes, but the pool has 3",
                "ask for more nodes in `pool.nodes`, or lower `count`",
            ),
        ],
    ),
    (
        "  keep: 30m\n",
        (
            "  network: {public_addresses: "
            "[/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/publicIPAddress"
            "es/c]}\n"
        ),
        [
            (
                "11:13 no-subnet",
                "public addresses of your own need a network of your own",
                "add `subnet:`, the id of a subnet in the addresses' region",
            ),
        ],
    ),
    (
        "dedicated: 2, spot: 1}\n",
        (
            "dedicated: 101, spot: 101}\n  network: {public_addresses: "
            "[/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/publicIPAddress"
            "es/c], subnet: "
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Network/virtualNetworks/"
            "c/subnets/d}\n"
        ),
        [
            (
                "9:13 too-few-addresses",
                (
                    "these addresses serve 100 dedicated and 100 spot nodes, fewer than "
                    "`pool.nodes` has"
                ),
                "the service gives 100 nodes one address: add addresses, or ask for fewer nodes",
            ),
        ],
    ),
    (
        "  keep: 30m\n",
        '  applications: [{id: "f f"}]\n',
        [
            (
                "11:23 application-id",
                "`f f` cannot be the id of an application",
                (
                    "an id has at most 64 letters, digits, `-` and `_`, or it is the application's "
                    "full resource id, `/subscriptions/...`"
                ),
            ),
        ],
    ),
    (
        "  keep: 30m\n",
        (
            "  applications: [{id: a0}, {id: a1}, {id: a2}, {id: a3}, {id: a4}, {id: a5}, "
            "{id: a6}, {id: a7}, {id: a8}, {id: a9}, {id: a10}]\n"
        ),
        [
            (
                "11:119 too-many",
                "a pool can have 10 applications",
                "give the others to the steps that use them",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


AUTOSCALE = """\
version: 1
name: topics
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  autoscale: {formula: "$TargetDedicatedNodes = 3;", interval: 5m}
task: {command: echo}
"""
FORMULA = 'formula: "$TargetDedicatedNodes = 3;"'
NONE_SET = (
    "6:24 no-nodes",
    "the formula sets no number of nodes",
    "assign to `$TargetDedicatedNodes` or `$TargetLowPriorityNodes`",
)


@pytest.mark.parametrize(
    ("old", "new", "facts"),
    [
        ("interval: 5m", "interval: 168h", []),
        (FORMULA, 'formula: "$TargetLowPriorityNodes=1"', []),
        (FORMULA, "scenario: working-hours, min: 1, max: 1", []),
        (
            "interval: 5m",
            "interval: 4m59s",
            [
                (
                    "6:64 out-of-range",
                    "`pool.autoscale.interval` must be from 5m to 168h",
                    "the service evaluates a formula no more and no less often",
                )
            ],
        ),
        (
            "interval: 5m",
            "interval: 168h1s",
            [
                (
                    "6:64 out-of-range",
                    "`pool.autoscale.interval` must be from 5m to 168h",
                    "the service evaluates a formula no more and no less often",
                )
            ],
        ),
        (FORMULA, 'formula: "x = 3;"', [NONE_SET]),
        (FORMULA, 'formula: "// $TargetDedicatedNodes = 3"', [NONE_SET]),
        (FORMULA, 'formula: "x = $TargetDedicatedNodes == 3"', [NONE_SET]),
        (
            FORMULA,
            "formula: $TargetDedicatedNodes = 3;" + " " * 8200 + "x = 1",
            [
                (
                    "6:24 too-long",
                    "the formula is longer than the 8,192 bytes that the service takes",
                    "shorten it",
                )
            ],
        ),
        (FORMULA, "formula: $TargetDedicatedNodes = 3;" + " x = 1;" * 99, []),
        (
            FORMULA,
            "formula: $TargetDedicatedNodes = 3;" + " x = 1;" * 100,
            [
                (
                    "6:24 too-long",
                    "the formula has more than the 100 statements that the service takes",
                    "put several into one expression",
                )
            ],
        ),
        (
            FORMULA,
            "scenario: tasks, min: 2, max: 1",
            [("6:45 out-of-range", "`max`, 1, is less than `min`, 2", "swap the two")],
        ),
    ],
)
def test_autoscale(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(AUTOSCALE, old, new)) == facts


EXISTING = """\
version: 1
name: topics
pool: {existing: my_pool-1}
tasks:
  one: {command: echo, slots: 9}
  two: {command: echo, instances: {count: 3, coordination: echo}}
"""


def test_what_an_existing_pool_has_is_not_known() -> None:
    assert facts_of(EXISTING) == []


@pytest.mark.parametrize("name", ["my pool", "x" * 65, "a/b", "\u00e9"])
def test_ids_of_pools(name: str) -> None:
    shown = name if len(name) <= 60 else f"{name[:57]}..."
    assert facts_of(edited(EXISTING, "my_pool-1", f'"{name}"')) == [
        (
            "3:18 pool-id",
            f"`{shown}` cannot be the id of a pool",
            "an id has at most 64 letters, digits, `-` and `_`",
        )
    ]


SPOT = """\
version: 1
name: topics
pool:
  image: debian 12
  vm_size: Standard_D2s_v5
  nodes: {spot: 1, fallback: {wait: 15m}}
job: {priority: 1}
task: {command: echo}
"""


@pytest.mark.parametrize(
    ("old", "new", "fact"),
    [
        (
            "spot: 1",
            "dedicated: 1",
            (
                "6:25 fallback",
                "there are no spot nodes to take the place of",
                "add `spot:`, or take `fallback` away",
            ),
        ),
        (
            "job:",
            "  keep: 30m\njob:",
            (
                "6:20 fallback",
                "a kept pool has the nodes that it was made with",
                "take one of `keep` and `fallback` away",
            ),
        ),
        (
            "{priority: 1}",
            '{schedule: {every: 1h, end: "2031-01-01T00:00:00Z"}}',
            (
                "6:20 fallback",
                "nobody watches the spot nodes of a `job.schedule`",
                "ask for `dedicated` nodes, or take `fallback` away",
            ),
        ),
        (
            "15m",
            "30s",
            (
                "6:37 out-of-range",
                "`pool.nodes.fallback.wait` must be at least 1m",
                "the service needs some minutes for any node: for example `wait: 15m`",
            ),
        ),
    ],
)
def test_what_cannot_take_the_place_of_spot_nodes(
    old: str, new: str, fact: tuple[str, str, str]
) -> None:
    assert facts_of(SPOT) == []
    assert facts_of(edited(SPOT, old, new)) == [fact]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("job:", "  keep: 30m\njob:", "a kept pool has the nodes that it was made with"),
        (
            "{priority: 1}",
            '{schedule: {every: 1h, end: "2031-01-01T00:00:00Z"}}',
            "nobody watches the nodes of a `job.schedule`",
        ),
        (
            "node_retries: 1",
            "node_retries: 1, wait_for_success: false",
            "with `wait_for_success: false` a node takes tasks whatever its start task did",
        ),
    ],
)
def test_nodes_that_cannot_be_replaced(old: str, new: str, message: str) -> None:
    text = edited(
        SPOT, "{spot: 1, fallback: {wait: 15m}}", "{spot: 1}\n  start_task: {NEW}"
    ).replace("NEW", "command: a, node_retries: 1")
    assert facts_of(text) == []
    assert facts_of(edited(text, old, new)) == [
        (
            "7:28 node-retries",
            message,
            "take `node_retries` away; `retries` runs a start task again on its node",
        )
    ]
