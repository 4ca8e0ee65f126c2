"""Resources that are known to be missing before the run, and those that nobody can know of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.plans import lines, make_plan, refused, spec_of

FILES = ("in.txt", "models/a.bin", "models/sub/b.bin", "models.txt")


def models(container: str, resource: str, more: str = "", for_each: str = "input") -> str:
    """A spec with a container of these files, one of which is a resource."""
    return spec_of(
        "tasks:\n"
        "  use:\n"
        f"    for_each: {for_each}\n"
        "    command: echo\n"
        f"    resources: [{{from: models, {resource}}}]\n"
        f"{more}",
        containers="  models:\n"
        "    upload: [{from: data/models}, {from: data/models.txt}]\n" + container,
    )


NEWLINE = "\n"
NAMED = "    name: my-models\n"
LISTED = "its files: `a.bin`, `models.txt`, `sub/b.bin`"


@pytest.mark.parametrize(
    ("resource", "column", "message", "hint"),
    [
        (
            "file: nope.txt",
            "38",
            "no file of `models` is named `nope.txt`",
            f"did you mean `models.txt`? {LISTED}",
        ),
        (
            "file: b.bin",
            "38",
            "no file of `models` is named `b.bin`",
            f"did you mean `a.bin`? {LISTED}",
        ),
        ("file: sub", "38", "no file of `models` is named `sub`", LISTED),
        (
            "prefix: models/",
            "40",
            "no file of `models` has a name that starts with `models/`",
            f"did you mean `models.txt`? {LISTED}",
        ),
        ("prefix: zz", "40", "no file of `models` has a name that starts with `zz`", LISTED),
        (
            'file: "{{ file.stem }}.bin"',
            "39",
            "no file of `models` is named `in.bin` (for `in.txt`)",
            f"did you mean `a.bin`? {LISTED}",
        ),
    ],
)
@pytest.mark.parametrize(
    "container",
    ["", f"{NAMED}    if_not_empty: clear\n", f"{NAMED}    if_not_empty: refuse\n"],
)
def test_what_is_missing(
    tmp_path: Path, resource: str, column: str, message: str, hint: str, container: str
) -> None:
    text = models(container, resource, for_each='{files: input, include: ["in.txt"]}')
    (problem,) = refused(tmp_path, text, FILES)
    assert lines((problem,)) == [
        f"spec.yaml:{17 + container.count(NEWLINE)}:{column}: no-such-file: {message}"
    ]
    assert problem.hint == hint


@pytest.mark.parametrize(
    "resource",
    ["file: a.bin", "file: sub/b.bin", "prefix: su", "prefix: sub/", "to: all"],
)
def test_what_is_there(tmp_path: Path, resource: str) -> None:
    assert len(make_plan(tmp_path, models("", resource), FILES).tasks) == 4


@pytest.mark.parametrize("resource", ["file: nope.txt", "prefix: zz"])
@pytest.mark.parametrize(
    ("container", "more"),
    [
        (NAMED, ""),  # earlier runs may have left it
        (
            "",
            "  train:\n    command: echo\n    outputs: [{pattern: nope.txt, to: models}]\n",
        ),
    ],
)
def test_what_may_be_there(tmp_path: Path, resource: str, container: str, more: str) -> None:
    text = models(container, resource, more)
    if more:
        text = text.replace("    for_each: input\n", "    needs: train\n")
    assert make_plan(tmp_path, text, FILES).tasks


def test_for_a_node_command_and_for_all_nodes_of_a_task(tmp_path: Path) -> None:
    text = spec_of(
        "task:\n"
        "  command: echo\n"
        "  instances: {count: 1, coordination: echo, resources: [{from: input, file: x}]}\n",
        job="  preparation: {command: echo, resources: [{from: input, file: y}]}\n",
        pool="  inter_node_communication: true\n",
    )
    assert lines(refused(tmp_path, text)) == [
        "spec.yaml:13:64: no-such-file: no file of `input` is named `y`",
        "spec.yaml:16:77: no-such-file: no file of `input` is named `x`",
    ]
