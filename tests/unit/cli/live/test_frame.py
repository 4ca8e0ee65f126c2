"""What the view of a run looks like in windows of all sizes."""

# ruff: noqa: RUF001 - its signs are meant

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from runner.cli.live.display import Gauges
from runner.cli.live.signs import ASCII, STATES
from runner.plan.prices.node_price import NodePrice
from runner.run.doing import Doing
from runner.run.events import Event, TaskRetried, UploadFinished
from runner.run.transfers.under_way import UnderWay
from tests.unit.cli.live.events import (
    added,
    begun,
    finished,
    job,
    node,
    pool,
    shown,
    started,
)

PRICE = NodePrice(
    vm_size="Standard_D2s_v5", currency="EUR", dedicated=0.6, spot=None, source="prices.yaml"
)


def at_work() -> list[Event]:
    """Ten tasks on two nodes with two slots each: five have ended, one of them badly."""
    return [
        started(tasks=10, files=10, size=10_000_000),
        *(UploadFinished(role="input", blob=f"{each}.txt", bytes=1_000_000) for each in range(10)),
        job(),
        pool(2),
        node("node-1", "running"),
        node("node-2", "idle"),
        *map(added, range(1, 11)),
        *(begun(each, "node-1" if each % 2 else "node-2") for each in range(1, 9)),
        finished(1),
        finished(2),
        finished(3, succeeded=False),
        finished(4),
        finished(5),
    ]


def test_a_run_at_work_in_a_small_window() -> None:
    assert shown(at_work(), slots=2, seconds=75) == [
        "",
        "demo-20260102t030405z-abcd · local                                        1m 15s",
        "✓ inputs up   ✓ pool   ▸ tasks   · outputs down   · clean-up",
        "",
        "up     ███████████████████████  10/10 files    10.0 MB",
        "tasks  █████████╳╳▒▒▒▒▒▒▒░░░░░  5/10 tasks                       –             –",
        "       █ 4 succeeded   ╳ 1 failed   ▒ 3 running   ░ 2 waiting",
        "",
        "pool   2 nodes, 3 of 4 slots busy",
        "       ▄ node-1  █░  1/2  running",
        "       █ node-2  ██  2/2  running",
    ]


@pytest.mark.parametrize("width", [1, 2, 5, 20, 39, 40, 79, 80, 119, 120, 200, 500])
@pytest.mark.parametrize("height", [1, 2, 5, 10, 24, 29, 30, 50])
def test_it_never_is_larger_than_its_window(width: int, height: int) -> None:
    states = [node(f"node-{each}", state) for each, state in enumerate(STATES)]
    errors = ("AllocationFailed: no room " + "x" * 300, "AccountCoreQuotaReached: none left")
    events = [*at_work(), *states, pool(2, target=40, errors=errors)]
    lines = shown(events, width=width, height=height, slots=2)
    assert 1 <= len(lines) <= max(1, height - 1)
    assert max(map(cell_len, lines)) <= width


def test_the_smallest_window_has_what_matters_most() -> None:
    assert shown(at_work(), width=20, height=5, slots=2) == [
        "demo-20260102t03040…",
        "✓ in ✓ pool ▸ tasks",
        "up     █████████████",
        "tasks  █████╳▒▒▒▒░░░",
    ]


@pytest.mark.parametrize(
    ("price", "target", "width", "right"),
    [
        (PRICE, "azure", 80, "about 1.20 EUR · 1h 00m"),
        (PRICE, "local", 80, "about 1.20 EUR on Azure · 1h 00m"),
        (PRICE, "azure", 50, "1h 00m"),
        (replace(PRICE, dedicated=None), "azure", 80, "1h 00m"),
        (None, "azure", 80, "1h 00m"),
    ],
    ids=["known", "elsewhere", "narrow", "lacking", "unknown"],
)
def test_what_it_has_cost_so_far_stands_beside_the_time(
    price: NodePrice | None, target: str, width: int, right: str
) -> None:
    run = replace(started(tasks=10), target=target, price=price)
    events: list[Event] = [run, job(), pool(2), node("node-1", "running"), node("node-2", "idle")]
    left = f"demo-20260102t030405z-abcd · {target}"
    assert shown(events, seconds=3_600, width=width)[1] == left + right.rjust(width - len(left))


def test_long_ids_of_nodes_are_listed_by_their_ends() -> None:
    ids = [f"tvmps_{number}{'ab' * 31}0_d" for number in range(2)]
    events: list[Event] = [started(tasks=0), job(), pool(2)]
    events.extend(node(each, "idle") for each in ids)
    assert shown(events)[-2:] == [
        "       ○ tvmps_0abababa...bab0_d    idle",
        "       ○ tvmps_1abababa...bab0_d    idle",
    ]


def test_a_run_without_tasks_or_files() -> None:
    assert shown([started(tasks=0)]) == [
        "",
        "demo-20260102t030405z-abcd · local                                            0s",
        "✓ inputs up   · pool   · tasks   · outputs down   ▸ clean-up",
        "",
        "tasks  ░░░░░░░░░░░░░░░░░░░░░░░  0/0 tasks",
        "       █ 0 succeeded   ▒ 0 running",
    ]


def test_before_there_is_a_job() -> None:
    doing = Doing()
    doing.begin("making containers")
    assert shown([started(tasks=3, files=2, size=20)], gauges=Gauges(doing=doing))[1:5] == [
        "demo-20260102t030405z-abcd · local                                            0s",
        "▸ inputs up   · pool   · tasks   · outputs down   · clean-up   making containers",
        "",
        "up     ░░░░░░░░░░░░░░░░░░░░░░░  0/2 files          0 B",
    ]


def test_a_large_file_on_its_way_counts_byte_by_byte() -> None:
    under_way = UnderWay()
    moving = under_way.begin(is_up=True, size=3_000_000)
    moving.add(1_500_000)
    gauges = Gauges(under_way=under_way)
    events = [started(tasks=1, files=1, size=3_000_000)]
    line = shown(events, gauges=gauges, seconds=3)[4]
    assert line == "up     ████████████░░░░░░░░░░░  0/1 file        1.5 MB"


def test_all_states_of_nodes_have_a_sign_and_a_word() -> None:
    events: list[Event] = [started(tasks=1), job(), pool(len(STATES) * 2)]
    events.extend(node(f"n{number}-{state}", state) for number in (1, 2) for state in STATES)
    lines = shown(events, width=80, height=40, slots=None)
    first = next(at for at, line in enumerate(lines) if line.startswith("pool"))
    assert lines[first:] == [
        "pool   32 nodes",
        "       + _ v ○ ← – ↓ ↻ ↺ █ ◌ ✗ ? ! ↑ ◔ + _ v ○ ← – ↓ ↻ ↺ █ ◌ ✗ ? ! ↑ ◔",
        "       ✗ start task failed 2   ! unusable 2   ? unknown 2   – offline 2",
        "       ↓ preempted 2   ↻ rebooting 2   ↺ reimaging 2   ↑ upgrading its system 2",
        "       ◔ start task running 2   + creating 2   ◌ starting 2   ← leaving 2",
        "       v deallocating 2   _ deallocated 2   █ running 2   ○ idle 2",
    ]


def test_a_pool_larger_than_the_window_shows_the_worst_of_several_nodes() -> None:
    states = ["running"] * 5_000
    states[4_999] = "unusable"
    states[0] = "starttaskfailed"
    events: list[Event] = [started(tasks=9_000), job(), pool(5_000)]
    events.extend(node(f"n{number:04}", state) for number, state in enumerate(states))
    lines = shown(events, width=80, height=24)
    first = next(at for at, line in enumerate(lines) if line.startswith("pool"))
    assert lines[first] == (
        "pool   5,000 nodes, 0 of 5,000 slots busy, a cell is 8 nodes: the worst of them"
    )
    cells = "".join(line.strip() for line in lines[first + 1 : -1])
    assert cells == "✗" + "█" * 623 + "!"
    assert lines[-1] == "       ✗ start task failed 1   ! unusable 1   █ running 4,998"


def test_resize_errors_and_trouble_of_a_service_stay_in_sight() -> None:
    gauges = Gauges(troubles=lambda: {"Azure Batch": "Azure Batch has been out of reach"})
    events: list[Event] = [
        started(tasks=4),
        job(),
        pool(0, target=4, errors=("AllocationFailed: not \x1b[31menough",)),
    ]
    lines = shown(events, gauges=gauges)
    assert lines[3:] == [
        "",
        "tasks  ░░░░░░░░░░░░░░░░░░░░░░░  0/4 tasks                        –             –",
        "       █ 0 succeeded   ▒ 0 running   ░ 4 waiting",
        "! Azure Batch has been out of reach",
        r"! pool: AllocationFailed: not \x1b[31menough",
        "",
        "pool   0 of 4 nodes, resizing",
    ]


def test_a_wide_window_shows_what_runs_where_with_odd_names_cut_to_their_cells() -> None:
    items = {
        "00006": "宽" * 100 + ".mp4",
        "00007": "\u202egpj.exe\x1b[2J",
        "00008": "שלום 🎬.mov",
    }
    lines = shown(at_work(), width=120, height=30, slots=2, items=items, seconds=62)
    first = lines.index("running")
    assert all(cell_len(line) <= 120 for line in lines)
    assert [line[:58].rstrip() for line in lines[first : first + 4]] == [
        "running",
        "00006  " + "宽" * 17 + "… node-2   1m 02s",
        r"00007  \u202egpj.exe\x1b[2J                node-1   1m 02s",
        "00008  שלום 🎬.mov                         node-2   1m 02s",
    ]


def test_a_terminal_without_these_signs_gets_others() -> None:
    lines = shown(at_work(), slots=2, signs=ASCII)
    assert "".join(lines).isascii()


def test_a_terminal_that_writes_names_as_escapes_has_room_for_these() -> None:
    items = {f"{number:05}": "日本語" * 40 for number in range(1, 11)}
    doing = Doing(step="deleting pool 日本")
    seen = shown(
        at_work(),
        slots=2,
        width=120,
        height=40,
        items=items,
        signs=ASCII,
        gauges=Gauges(doing=doing),
    )
    assert any(line.startswith("00008  \\u65e5\\u672c") for line in seen)
    assert all(line.isascii() and len(line) <= 120 for line in seen)


def test_tasks_that_have_ended_and_are_not_home_do_not_run() -> None:
    doing = Doing(coming_home=lambda: 2)
    lines = shown(at_work(), slots=None, gauges=Gauges(doing=doing))
    assert lines[6] == (
        "       █ 4 succeeded   ╳ 1 failed   ▓ 2 coming home   ▒ 1 running   ░ 2 waiting"
    )


def test_tasks_that_never_ran_have_not_failed() -> None:
    never = [
        replace(finished(each, succeeded=False), node=None, cause=cause)
        for each, cause in ((9, "DependencyFailed"), (10, "Halted"))
    ]
    lines = shown([*at_work(), *never], slots=2)
    assert lines[5].split()[2:4] == ["7/10", "tasks"]
    assert lines[6] == "       █ 4 succeeded   ╳ 1 failed   ╳ 2 never ran   ▒ 3 running"


def test_further_tries_are_counted() -> None:
    events = [*at_work(), TaskRetried(task="00006", retries=1, cause="timeout")]
    assert shown(events, slots=2)[6] == (
        "       █ 4 succeeded   ╳ 1 failed   ▒ 2 running   ░ 3 waiting   1 run again"
    )


def test_the_end_says_what_it_is_at_and_what_did_not_come_to_its_end() -> None:
    doing = Doing()
    doing.end("deleting pool pool-1")
    line = shown(at_work(), slots=2, width=100, gauges=Gauges(doing=doing))[2]
    assert line == (
        "✓ inputs up   ✓ pool   ✗ tasks   · outputs down   ▸ clean-up".ljust(80)
        + "deleting pool pool-1"
    )
