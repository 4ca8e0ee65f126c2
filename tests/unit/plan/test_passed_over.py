"""What lies among files to bring up and is no file: it is counted, and named."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from runner.plan.model import NOTHING_PASSED_OVER, PassedOver
from runner.spec.model.terms import Role
from tests.fakes.plans import SPEC, lines, make_plan, make_workload, refused

LINK = "link to a folder"


def passed_over(folder: Path, text: str = SPEC) -> PassedOver:
    """What the plan of a spec says of it."""
    return make_plan(folder, text, ()).container(Role("input")).passed_over


def lay(folder: Path, *files: str) -> Path:
    """The folder of a spec, and a folder beside its `data` with these files."""
    make_workload(folder)
    for name in files:
        path = folder / "beside" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder / "data"


def test_links_to_folders_and_what_is_no_file(tmp_path: Path) -> None:
    data = lay(tmp_path, "x.txt")
    (data / "sub").mkdir()
    (data / "sub" / "link").symlink_to("../../beside")
    (data / "null").symlink_to("/dev/null")
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        folder = os.open(data, os.O_RDONLY)  # the path to a socket is short
        try:
            listener.bind(f"/proc/self/fd/{folder}/socket")
        finally:
            os.close(folder)
    assert passed_over(tmp_path) == PassedOver(
        count=4,
        first=(
            ("data/null", "device"),
            ("data/pipe", "named pipe"),
            ("data/socket", "socket"),
            ("data/sub/link", LINK),
        ),
    )


@pytest.mark.parametrize(
    ("patterns", "is_missed"),
    [
        ("", True),
        (", include: ['**/*.txt']", True),
        (", include: ['link/deep/*.txt', 'a.txt']", True),
        (", include: ['*.txt']", False),
        (", include: ['**/*.txt', '**/*.png'], exclude: ['**/*.out', 'link/**']", False),
    ],
)
def test_a_link_counts_where_files_behind_it_would_be_taken(
    tmp_path: Path, patterns: str, is_missed: bool
) -> None:
    data = lay(tmp_path, "deep/x.txt", "deep/y.out")
    (data / "link").symlink_to("../beside")
    text = SPEC.replace("{from: data}", f"{{from: data{patterns}}}")
    wanted = PassedOver(count=1, first=(("data/link", LINK),)) if is_missed else NOTHING_PASSED_OVER
    assert passed_over(tmp_path, text) == wanted


def test_a_link_that_is_empty_or_hidden_is_not_missed(tmp_path: Path) -> None:
    data = lay(tmp_path, ".only/hidden.txt")
    (data / "empty").symlink_to("../beside")
    (data / ".hidden").symlink_to("../beside/.only")
    assert passed_over(tmp_path) == NOTHING_PASSED_OVER


def test_circles(tmp_path: Path) -> None:
    data = lay(tmp_path)
    for name in ("one", "two", "three"):
        (data / name).symlink_to(".")
    assert passed_over(tmp_path) == PassedOver(
        count=3, first=(("data/one", LINK), ("data/three", LINK), ("data/two", LINK))
    )
    text = SPEC.replace("{from: data}", "{from: data, include: ['?.txt']}")
    assert passed_over(tmp_path, text) == NOTHING_PASSED_OVER


def test_behind_a_link_nobody_looks_for_long(tmp_path: Path) -> None:
    data = lay(tmp_path, *(f"{number}.png" for number in range(1_001)))
    (data / "link").symlink_to("../beside")
    text = SPEC.replace("{from: data}", "{from: data, include: ['**/*.txt']}")
    assert passed_over(tmp_path, text).count == 1
    (tmp_path / "beside" / "0.png").unlink()
    assert passed_over(tmp_path, text) == NOTHING_PASSED_OVER


def test_a_few_are_kept_of_many_uploads(tmp_path: Path) -> None:
    data = lay(tmp_path, "x.txt")
    for number in range(4):
        os.mkfifo(data / f"{number}")
        os.mkfifo(tmp_path / "beside" / f"{number}")
    text = SPEC.replace("{from: data}", "{from: data}, {from: beside/}")
    assert passed_over(tmp_path, text) == PassedOver(
        count=8,
        first=(
            *((f"data/{number}", "named pipe") for number in range(4)),
            ("beside/0", "named pipe"),
        ),
    )


def test_where_there_is_nothing_else(tmp_path: Path) -> None:
    data = lay(tmp_path, "x.txt")
    for each in data.iterdir():
        each.unlink()
    (data / "link").symlink_to("../beside")
    message = f"spec.yaml:5:14: no-input: no file below `{data}` matches `**/*`"
    (problem,) = refused(tmp_path, SPEC, ())
    assert lines((problem,)) == [message]
    assert problem.hint == (
        "`data/link` is a link to a folder, which is not followed: name it in `from`"
    )
    (data / "link").unlink()
    os.mkfifo(data / "pipe")
    (problem,) = refused(tmp_path, SPEC, ())
    assert lines((problem,)) == [message]
    assert problem.hint == "`data/pipe` is a named pipe, and only files are brought up"
