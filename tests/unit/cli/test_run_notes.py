"""What is said before a run begins."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from runner.cli.notes import asks_for_admin, cost_notes, detach_notes, notes, plan_notes
from runner.connect import LocalNodes
from runner.plan.prices.bounds import bound_by_cost
from runner.plan.prices.node_price import NodePrice
from tests.fakes.plans import RUN, SPEC, make_plan, make_workload, spec_of

EXISTING = SPEC[: SPEC.index("pool:")] + "pool: {existing: shared}\n" + SPEC[SPEC.index("task:") :]
KEPT = SPEC.replace("{dedicated: 1}", "{dedicated: 1}\n  keep: 1h30m")
ADMIN = SPEC.replace(
    "{dedicated: 1}", "{dedicated: 1}\n  start_task: {command: apt-get update, run_as: admin}"
)
LOST = SPEC.replace("output: {download: true}", "output: {}")
FOREVER = SPEC.replace("output: {download: true}", "output: {delete: never}")
NAMED = SPEC.replace("output: {download: true}", "output: {name: my-results, download: true}")
NOTHING_KEPT = "note: nothing is kept on the local target: its services end with the run"
KEPT_FOR_EVER = (
    "note: `--keep pool` leaves the pool until you delete it, though `pool.keep` says 1h30m"
)
NOT_RUN = (
    "note: the start task asks for admin and is not run on this machine; what it installs must be"
    " here already (--allow-admin runs it)"
)
ENDS_EARLY = (
    "note: without the storage account's key tasks reach their containers for 6d only, and"
    " `limits.duration` is 6d1s"
)
LOSS = (
    "note: outputs go to `output`, which is deleted after the run and not downloaded"
    " (`download: true` brings them home, `delete: never` keeps them)"
)


PLAIN = LocalNodes(isolation="none", words="nodes are folders", take_admin=False)
VIEWS = LocalNodes(isolation="copy-on-write", words="nodes are views", take_admin=True)


def said(
    folder: Path,
    text: str,
    *keep: str,
    local: bool = False,
    nodes: LocalNodes | None = None,
    allow_admin: bool = False,
) -> list[str]:
    workload = make_workload(folder, text)
    return list(
        notes(workload, run_id=RUN, keep=keep, allow_admin=allow_admin, local=local, nodes=nodes)
    )


@pytest.mark.parametrize("local", [True, False])
def test_a_plain_run_needs_no_word(tmp_path: Path, local: bool) -> None:
    assert said(tmp_path, SPEC, local=local) == []


@pytest.mark.parametrize(
    ("text", "keep", "local", "lines"),
    [
        (LOST, (), False, [LOSS]),
        (LOST, ("storage",), False, []),
        (LOST, ("storage",), True, [LOSS, NOTHING_KEPT]),
        (FOREVER, (), False, []),
        (FOREVER, (), True, [LOSS, NOTHING_KEPT]),
        (NAMED, (), False, []),
        (NAMED, (), True, [NOTHING_KEPT]),
        (KEPT, (), False, []),
        (KEPT, (), True, [NOTHING_KEPT]),
        (SPEC, ("job",), True, [NOTHING_KEPT]),
        (
            KEPT,
            ("pool",),
            False,
            [KEPT_FOR_EVER],
        ),
        (
            EXISTING,
            ("pool",),
            False,
            ["note: `--keep pool` changes nothing: pool `shared` is yours and stays"],
        ),
        (EXISTING, ("job",), False, []),
        (
            ADMIN,
            (),
            True,
            [NOT_RUN],
        ),
        (ADMIN, (), False, []),
    ],
)
def test_what_is_lost_or_stays_is_said(
    tmp_path: Path, text: str, keep: tuple[str, ...], local: bool, lines: list[str]
) -> None:
    assert said(tmp_path, text, *keep, local=local) == lines


@pytest.mark.parametrize(
    ("duration", "lines"),
    [
        ("6d", []),
        (
            "6d1s",
            [ENDS_EARLY],
        ),
    ],
)
def test_a_job_that_may_outlive_its_access_is_said(
    tmp_path: Path, duration: str, lines: list[str]
) -> None:
    text = SPEC.replace("containers:", f"limits: {{duration: {duration}}}\ncontainers:", 1)
    workload = make_workload(tmp_path, text)

    def said_with(signed_for: timedelta | None) -> list[str]:
        return list(
            notes(
                workload,
                run_id=RUN,
                keep=(),
                allow_admin=False,
                local=False,
                signed_for=signed_for,
            )
        )

    assert said_with(timedelta(days=6)) == lines
    assert said_with(None) == []


def test_admin_on_this_machine_is_said(tmp_path: Path) -> None:
    assert said(tmp_path, ADMIN, local=True, allow_admin=True) == [
        "note: the start task runs as admin on this machine (--allow-admin)"
    ]


def test_what_nodes_are_is_said(tmp_path: Path) -> None:
    packages = SPEC.replace("  vm_size:", "  packages: {apt: [jq]}\n  vm_size:", 1)

    for text in (SPEC, ADMIN, packages):
        assert said(tmp_path, text, local=True, nodes=VIEWS) == ["note: nodes are views"]
        # Where they take admins, there is nothing to allow.
        assert said(tmp_path, text, local=True, nodes=VIEWS, allow_admin=True) == [
            "note: nodes are views"
        ]
    assert said(tmp_path, ADMIN, local=True, nodes=PLAIN) == ["note: nodes are folders", NOT_RUN]


def test_who_asks_for_admin(tmp_path: Path) -> None:
    packages = SPEC.replace("  vm_size:", "  packages: {apt: [jq]}\n  vm_size:", 1)
    asked = [
        asks_for_admin(make_workload(tmp_path, text)) for text in (SPEC, ADMIN, packages, EXISTING)
    ]
    assert asked == [False, True, True, False]


def test_packages_on_this_machine_are_said(tmp_path: Path) -> None:
    text = SPEC.replace("  vm_size:", "  packages: {apt: [jq]}\n  vm_size:", 1)
    assert "\n".join(said(tmp_path, text, local=True)) == (
        "note: `packages` are not installed on this machine; what the tasks need of them must be"
        " here already (--allow-admin installs them)"
    )
    assert said(tmp_path, text, local=True, allow_admin=True) == [
        "note: missing packages are installed on this machine (--allow-admin)"
    ]
    assert said(tmp_path, text) == []


def test_where_a_schedule_goes_is_said(tmp_path: Path) -> None:
    pool = SPEC[SPEC.index("pool:") : SPEC.index("task:")]
    schedule = "job:\n  schedule: {every: 24h, end: 2026-01-31T23:00:00Z}\n"
    text = f"version: 1\nname: demo\n{pool}{schedule}task:\n  command: date\n"

    assert "\n".join(said(tmp_path, text)) == (
        f"note: this run makes the job schedule `{RUN}` and ends; the service then runs a job every"
        " 1d until 2026-01-31T23:00:00Z"
        f" (az batch job-schedule delete --job-schedule-id {RUN} ends it sooner)"
    )


@pytest.mark.parametrize(
    ("links", "line"),
    [
        (1, "note: 1 file to bring up is a link out of the folder of the spec: data/0 → {target}"),
        (
            5,
            (
                "note: 5 files to bring up are links out of the folder of the spec:"
                " data/0 → {target}, data/1 → {target}, data/2 → {target} and 2 more"
            ),
        ),
    ],
)
def test_files_from_elsewhere_are_said(tmp_path: Path, links: int, line: str) -> None:
    secret = tmp_path / "key"
    secret.write_text("s3cret")
    make_workload(tmp_path / "here")
    for number in range(links):
        (tmp_path / "here" / "data" / f"{number}").symlink_to(secret)
    plan = make_plan(tmp_path / "here")
    for local in (True, False):
        assert list(plan_notes(plan, local=local)) == [line.format(target=secret.resolve())]


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (1, "data/0 (named pipe)"),
        (5, "data/0 (named pipe), data/1 (named pipe), data/2 (named pipe) and 2 more"),
    ],
)
def test_what_is_not_brought_up_is_said(tmp_path: Path, count: int, line: str) -> None:
    make_workload(tmp_path)
    for number in range(count):
        os.mkfifo(tmp_path / "data" / f"{number}")
    plan = make_plan(tmp_path)
    for local in (True, False):
        assert list(plan_notes(plan, local=local)) == [
            f"note: not brought up, as links to folders and what is no file are passed over: {line}"
        ]


def test_where_secrets_go_is_said(tmp_path: Path) -> None:
    pool = (
        "  registries: [{server: evil.example, user: me, password_secret: GHCR}]\n"
        "  mounts:\n"
        "    - {path: c, cifs: {source: //server/share, user: me, password_secret: GHCR}}\n"
        "  users: [{name: worker, password_secret: WORKER}]\n"
    )
    text = spec_of("task: {command: echo, container: {image: evil.example/a}}\n", pool=pool)
    text = text.replace("canonical", "microsoft-dsvm").replace("ubuntu-24_04-lts", "ubuntu-hpc")
    plan = make_plan(tmp_path, text.replace("sku: server", "sku: '2204'"))
    assert list(plan_notes(plan, local=False)) == [
        "note: secret GHCR goes to registry evil.example and to CIFS //server/share as user me",
        "note: secret WORKER goes to user worker of the nodes",
    ]
    assert list(plan_notes(plan, local=True)) == []


def test_what_a_step_leaves_for_another_is_not_lost(tmp_path: Path) -> None:
    head = SPEC[: SPEC.index("task:")].replace("download: true", "download: false")
    first = (
        "tasks:\n  first:\n    for_each: input\n    command: echo\n"
        '    outputs: [{pattern: "{{ file.name }}.out", to: output}]\n'
    )
    (note,) = said(tmp_path, head + first)
    assert note.startswith("note: outputs go to `output`, which is deleted after the run")
    for second in (
        "  second: {needs: first, command: ls}\n",
        "  second: {for_each: {outputs_of: first}, command: ls}\n",
    ):
        assert said(tmp_path, head + first + second) == []


def test_what_nobody_waits_for_is_said(tmp_path: Path) -> None:
    again = SPEC + "  timeout: 1h\n  retries: {timeout: 1}\n"
    assert list(detach_notes(make_workload(tmp_path, SPEC))) == []
    assert list(detach_notes(make_workload(tmp_path, again))) == [
        (
            "note: with `--detach` the service alone runs tasks again: of `retries` only exit codes"
            " count"
        )
    ]
    steps = spec_of(
        """\
tasks:
  first: {for_each: input, command: cat {{ file.path }}}
  second: {needs: first, command: echo done}
""".replace("{{ file.path }}", "a")
    )
    assert list(detach_notes(make_workload(tmp_path, steps))) == [
        (
            "note: with `--detach`, where tasks wait for one that has failed, the job ends only by"
            " `limits.duration` (1d) or `attach`"
        )
    ]


PRICE = NodePrice(vm_size="v", currency="EUR", dedicated=1.0, spot=None, source="prices.yaml")
NODES = "  nodes: {dedicated: 1}\n"
BY_FORMULA = "  autoscale: {formula: $TargetDedicatedNodes = 1;}\n"


@pytest.mark.parametrize(
    ("limits", "nodes", "detach", "lines"),
    [
        ("duration: 2h", NODES, True, []),
        ("cost: 1", NODES, False, []),
        (
            "cost: 1",
            NODES,
            True,
            [
                (
                    "note: with `--detach` nobody adds up what nodes cost: for `limits.cost` the"
                    " service ends the job after 58m"
                )
            ],
        ),
        (
            "cost: 1, duration: 2h",
            BY_FORMULA,
            True,
            [
                (
                    "note: with `--detach` nobody adds up what nodes cost: the service ends the job"
                    " by `limits.duration` alone (2h)"
                )
            ],
        ),
        (
            "cost: 1",
            BY_FORMULA,
            False,
            [
                (
                    "note: nobody can tell how many nodes there will be: `limits.cost` holds as"
                    " long as this machine drives the run"
                )
            ],
        ),
    ],
)
def test_who_keeps_to_what_a_run_may_cost(
    tmp_path: Path, limits: str, nodes: str, detach: bool, lines: list[str]
) -> None:
    spec = SPEC.replace(NODES, nodes).replace("pool:\n", f"limits: {{{limits}}}\npool:\n")
    workload = bound_by_cost(make_workload(tmp_path, spec), PRICE)
    assert list(cost_notes(workload, detach=detach)) == lines
