"""Results on their way through JSON, into a table and into a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.contest import OURS, Entry, Target, judge
from tests.benchmarks.results import (
    Results,
    ResultsError,
    RowResult,
    read_results,
    write_results,
)
from tests.benchmarks.samples import Cost, Sample
from tests.benchmarks.tables import (
    BEGIN,
    END,
    MarkersError,
    as_markdown,
    as_text,
    replace_between,
)


def results() -> Results:
    cost = Cost(role="client", user_seconds=0.5, system_seconds=0.25, peak_bytes=80_000_000)
    entries = (
        Entry(
            name=OURS,
            command="batch-run cat.yaml",
            samples=(Sample(wall_seconds=2.0, costs=(cost,), figures={"requests": 5}),),
        ),
        Entry(name="make", command="make | tee", samples=(Sample(wall_seconds=4.0),)),
        Entry(name="hq", missing="`hq` is not installed"),
    )
    targets = (
        Target(what="wall", beside="make", factor=0.8),
        Target(what="wall", beside="hq", factor=1.0),
        Target(what="wall", beside="make"),
    )
    row = RowResult(
        name="cat",
        title="3 copies",
        entries=entries,
        verdicts=judge(targets, entries),
        load_before=0.25,
    )
    failed = RowResult(name="mp3", title="3 MP3s", load_before=0.5, failure="no ffmpeg\nat all")
    return Results(
        machine={
            "cpu": "A CPU",
            "cores": 2,
            "memory_bytes": 8 * 2**30,
            "kernel": "6.1",
            "python": "3.11.7",
        },
        versions={"batch-run": "revision abc", "make": "4.3"},
        options={"rounds": 5, "warm_ups": 1, "scale": 0.5, "seed": 6},
        rows=(row, failed),
    )


def test_results_are_the_same_after_json(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_results(results(), path)
    assert read_results(path) == results()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read `{path}`: No such file or directory"),
        ("{", "`{path}` holds no results of the benchmarks"),
        ("[]", "`{path}` holds no results of the benchmarks"),
        ('{"format": 2}', "`{path}` has format 2, not 1"),
        ('{"format": 1, "rows": []}', "`{path}` holds no results of the benchmarks"),
    ],
)
def test_what_is_no_results(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "figures.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultsError) as caught:
        read_results(path)
    assert str(caught.value) == words.format(path=path)


def test_a_row_that_failed_is_not_whole() -> None:
    assert not results().is_whole


def test_a_table_for_a_terminal() -> None:
    times = "\N{MULTIPLICATION SIGN}"
    assert as_text(results()).splitlines() == [
        "row  what                     measured  beside it     ratio  target        met",
        f"cat  wall                     2.00 s    make: 4.00 s  0.50   ≤ 0.8 {times} make  yes",
        f"cat  wall                     2.00 s    hq: ?                ≤ 1 {times} hq      ?",
        "cat  wall                     2.00 s    make: 4.00 s  0.50",
        "mp3  not measured: no ffmpeg",
        "",
        "hq: `hq` is not installed",
    ]


def test_a_table_for_a_page() -> None:
    times = "\N{MULTIPLICATION SIGN}"
    assert as_markdown(results()).splitlines() == [
        (
            "Measured with batch-run revision abc, make 4.3. Medians of 5 after 1 to warm up,"
            f" sizes {times} 0.5, on 2 cores of A CPU, 8 GiB, Linux 6.1, Python 3.11.7; load"
            " average before the rows 0.2 to 0.5."
        ),
        "",
        "| what | measured | beside it | ratio | target | met |",
        "|---|---|---|---|---|---|",
        "| **3 copies** | | | | | |",
        f"| wall | 2.00 s | make: 4.00 s | 0.50 | ≤ 0.8 {times} make | yes |",
        f"| wall | 2.00 s | hq: ? |  | ≤ 1 {times} hq | ? |",
        "| wall | 2.00 s | make: 4.00 s | 0.50 |  |  |",
        "| **3 MP3s** | | | | | |",
        "| not measured: no ffmpeg |  |  |  |  |  |",
        "",
        "- hq: `hq` is not installed",
    ]


def test_figures_replace_those_between_markers() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nbehind\n"
    once = replace_between(page, BEGIN, END, "new")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nbehind\n"
    assert replace_between(once, BEGIN, END, "new") == once
    with pytest.raises(MarkersError) as caught:
        replace_between("a page", BEGIN, END, "new")
    assert str(caught.value) == f"the page has no `{BEGIN}` with `{END}` behind it"
