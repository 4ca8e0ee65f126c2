"""When rules strike: by scope, count and chance, and always the same for a seed."""

from __future__ import annotations

from runner.emulator.faults.choose import Faults
from runner.emulator.faults.parse import parse_option

LISTING = {"service": "batch", "account": "one", "operation": "list_tasks"}
PUTTING = {"service": "blob", "account": "two", "operation": "put_blob"}


def faults(*texts: str, seed: int = 1) -> Faults:
    return Faults([parse_option(text) for text in texts], seed=seed)


def pattern(chosen: Faults, count: int, subject: dict[str, str] = LISTING) -> str:
    """A mark for each request that is struck, a dot for each other."""
    return "".join("X" if chosen.of_request(subject) else "." for _ in range(count))


def test_a_rule_without_more_strikes_everything() -> None:
    assert pattern(faults("503"), 3) == "XXX"
    assert pattern(faults("503"), 3, PUTTING) == "XXX"


def test_a_rule_strikes_what_all_its_patterns_fit() -> None:
    assert pattern(faults("503 service=blob"), 1) == "."
    assert pattern(faults("503 operation=get_*,LIST_*"), 1) == "X"
    assert pattern(faults("503 operation=list_tasks account=two"), 1) == "."
    assert pattern(faults("503 operation=list_tasks account=o?e"), 1) == "X"


def test_a_rule_counts() -> None:
    assert pattern(faults("503 first=2"), 5) == "XX..."
    assert pattern(faults("503 every=3"), 7) == "..X..X."
    assert pattern(faults("503 after=2"), 5) == "..XXX"
    assert pattern(faults("503 after=1 every=2 first=2"), 8) == "..X.X..."


def test_only_requests_that_fit_are_counted() -> None:
    chosen = faults("503 service=batch after=1")
    pattern(chosen, 5, PUTTING)
    assert pattern(chosen, 2) == ".X"
    (active,) = chosen
    assert (active.chances, active.strikes) == (2, 1)


def test_a_seed_repeats_what_was_drawn_whatever_else_is_asked() -> None:
    first = pattern(faults("503 rate=0.3"), 200)
    assert 30 < first.count("X") < 90
    assert pattern(faults("503 rate=0.3"), 200) == first
    assert pattern(faults("503 rate=0.3", seed=2), 200) != first
    mixed = faults("503 rate=0.3 service=batch", "500 rate=0.5 service=blob")
    seen = ""
    for _ in range(200):
        pattern(mixed, 3, PUTTING)
        seen += pattern(mixed, 1)
    assert seen == first


def test_delays_add_up_and_the_first_other_fault_decides() -> None:
    chosen = faults("reset every=2", "latency=1s", "503", "latency=2s")
    names = [[strike.name for strike in chosen.of_request(LISTING)] for _ in range(2)]
    assert names == [
        ["2:latency", "4:latency", "3:503"],
        ["2:latency", "4:latency", "1:reset=before"],
    ]
    assert [(active.chances, active.strikes) for active in chosen] == [
        (2, 1),
        (2, 2),
        (2, 1),
        (2, 2),
    ]


def test_rules_come_and_go() -> None:
    chosen = faults("503")
    heard: list[bool] = []
    chosen.listen(lambda: heard.append(chosen.strikes_requests))
    assert chosen.strikes_requests
    assert [active.number for active in chosen.add([parse_option("reset")])] == [2]
    assert chosen.remove(1)
    assert not chosen.remove(1)
    chosen.replace(())
    assert heard == [True, True, False]
    assert [active.number for active in chosen.replace([parse_option("503")])] == [1]


def test_skews_add_up() -> None:
    chosen = faults("clock=+20m", "clock=-5m")
    assert chosen.skew.total_seconds() == 900
    chosen.replace(())
    assert chosen.skew.total_seconds() == 0
