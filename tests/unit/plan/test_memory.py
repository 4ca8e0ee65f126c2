"""Plans of many files and rows hold names and sizes, and no object for each of them."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from runner.plan.file_table import FileTableBuilder, Origin
from runner.plan.model import InputFile, TaskPlan
from runner.plan.rows import RowTable
from tests.fakes.plans import make_plan

COUNT = 20_000


def test_a_file_costs_its_name_and_a_few_numbers() -> None:
    tracemalloc.start()
    try:
        builder = FileTableBuilder((Origin(source=Path("/data")),))
        for number in range(COUNT):
            builder.add(f"folder/file-{number:07}.mp4", number, origin=0)
        table = builder.build()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < COUNT * 60
    assert table[COUNT - 1] == InputFile(
        source=Path("/data/folder/file-0019999.mp4"),
        blob="folder/file-0019999.mp4",
        path="folder/file-0019999.mp4",
        size_bytes=19_999,
    )
    assert [each.size_bytes for each in table[5:7]] == [5, 6]


def test_a_row_costs_its_text() -> None:
    tracemalloc.start()
    try:
        table = RowTable()
        for number in range(COUNT):
            table.append({"id": str(number), "name": "x" * 20})
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < COUNT * 80
    assert table[7] == {"id": "7", "name": "x" * 20}
    assert table.columns == ("id", "name")


def test_no_task_is_kept(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=tuple(f"{number}.txt" for number in range(50)))
    assert len(plan.tasks) == 50
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, TaskPlan)]


def test_the_last_tasks_that_were_asked_for_are_not_rendered_again(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=tuple(f"{number}.txt" for number in range(500)))
    first = plan.tasks[0]
    assert plan.tasks[0] is first
    assert plan.tasks[-1] is plan.tasks[499]
    assert plan.tasks[:500][0] == first
    gc.collect()
    assert len([each for each in gc.get_objects() if isinstance(each, TaskPlan)]) < 100
