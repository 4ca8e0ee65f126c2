"""What containers are called, what fills them, and who writes them."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
containers:
  input: {upload: [{from: data}]}
  media: {existing: media, prefix: 2026/}
  mid: {}
  done: {name: results, download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  users: [{name: worker, password_secret: WORKER}]
  start_task: {command: echo start, resources: [{from: input}]}
tasks:
  merge: {command: cat *, needs: [split, count], resources: [{from: mid}], outputs: [{pattern: all, to: done}]}
  split: {command: echo, for_each: input, outputs: [{pattern: "{{ file.name }}", to: mid}]}
  count: {command: echo, for_each: {outputs_of: split}, run_as: {name: worker}}
  other: {command: echo, for_each: {matrix: {file: {files: media}, size: [1, 2]}}}
"""  # noqa: E501


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("name: results", "name: results-20261121"),
    ("existing: media, prefix", "existing: topics-20261121t105930z-rzuv-output, prefix"),
    ("{from: mid}", "{from: media}"),
    ("  mid: {}", "  mid: {upload: [{from: x, to: a/b}]}"),
    ("from: input}]}\ntasks", "from: done}]}\ntasks"),
    ("dedicated: 2", "dedicated: 3"),
    (
        "tasks:\n",
        (
            "job: {preparation: {command: echo},"
            " release: {command: echo, resources: [{from: mid}]}}\ntasks:\n"
        ),
    ),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


GATHER = (
    "empty it first, `if_not_empty: clear`, or leave `name` out; to take all that is there say so"
    " in `merge`: `resources: [{{from: {}}}]`"
)
BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "  mid: {}\n",
        "  mid: {}\n  logs: {}\n",
        [
            (
                "7:3 reserved-role",
                "the role `logs` is taken: a run keeps its tasks' output there",
                "give the container another role",
            ),
        ],
    ),
    (
        "name: results",
        "name: topics-20261121t105930z-rzuv-output",
        [
            (
                "7:16 container-name",
                (
                    "`topics-20261121t105930z-rzuv-output` is named like a container that a run "
                    "makes for itself"
                ),
                "give it a name of your own, or write `existing:` to read what a run has left",
            ),
        ],
    ),
    (
        "name: results",
        "name: media",
        [
            (
                "7:16 same-container",
                "`media` and `done` are both the container `media`, which the run writes",
                "use one role for both; `include` and `prefix` choose files where it is used",
            ),
        ],
    ),
    ("  mid: {}\n", "  mid: {}\n  more: {existing: media, prefix: 2025/}\n", []),
    (
        "to: done",
        "to: media",
        [
            (
                "15:105 output-into-existing",
                "`media` is an existing container, which is only read",
                (
                    "to write into a container of your own, give it as `name:` in place of "
                    "`existing:`"
                ),
            ),
        ],
    ),
    (
        "to: mid",
        "to: input",
        [
            (
                "15:69 no-files",
                "`mid` has no `upload`: there are no files to bring",
                "give the container `mid` an `upload`, such as `upload: [{from: data}]`",
            ),
            (
                "16:86 output-into-input",
                "`input` holds the input files; outputs would mix with them",
                "add a container for the outputs, such as `output: {download: true}`",
            ),
        ],
    ),
    (
        "files: media}, size",
        "files: mid}, size",
        [
            (
                "18:60 no-input",
                "`mid` is filled by `split`: its files are not known when the tasks are made",
                "for each file that the step leaves: `for_each: {outputs_of: split}`",
            ),
        ],
    ),
    (
        "  input: {upload: [{from: data}]}",
        "  input: {name: films}",
        [
            (
                "4:3 no-input",
                "`input` has no `upload`: there are no files to run tasks for",
                "for the files that it holds already write `existing: films` in place of `name:`",
            ),
        ],
    ),
    (
        "for_each: input",
        "for_each: mid",
        [
            (
                "6:3 no-input",
                "`mid` has no `upload`: there are no files to run tasks for",
                "for example `upload: [{from: data}]`",
            ),
            (
                "16:84 output-into-input",
                "`mid` holds the input files; outputs would mix with them",
                "add a container for the outputs, such as `output: {download: true}`",
            ),
        ],
    ),
    (
        "  input: {upload: [{from: data}]}",
        "  input: {}",
        [
            (
                "4:3 no-input",
                "`input` has no `upload`: there are no files to run tasks for",
                "for example `upload: [{from: data}]`",
            ),
            (
                "13:56 no-files",
                "`input` has no `upload`: there are no files to bring",
                "give the container `input` an `upload`, such as `upload: [{from: data}]`",
            ),
        ],
    ),
    (
        "from: input}]}\ntasks",
        "from: mid}]}\ntasks",
        [
            (
                "13:56 no-files",
                "`mid` is still empty then: only steps write it",
                "give the container `mid` an `upload`, such as `upload: [{from: data}]`",
            ),
        ],
    ),
    (
        "tasks:\n",
        "job: {preparation: {command: echo, resources: [{from: mid}]}}\ntasks:\n",
        [
            (
                "14:55 no-files",
                "`mid` is still empty then: only steps write it",
                "give the container `mid` an `upload`, such as `upload: [{from: data}]`",
            ),
        ],
    ),
    (
        "needs: [split, count], ",
        "",
        [
            (
                "15:46 missing-needs",
                "`mid` is filled by `split`, which `merge` does not wait for",
                "add `needs: split`",
            ),
        ],
    ),
    (
        "to: mid",
        "to: done",
        [
            (
                "7:16 gathers-old-files",
                "`merge` gathers all that lies in `done`, also what earlier runs left there",
                GATHER.format("done"),
            ),
            (
                "15:69 no-files",
                "`mid` has no `upload`: there are no files to bring",
                "give the container `mid` an `upload`, such as `upload: [{from: data}]`",
            ),
        ],
    ),
    (
        "  mid: {}",
        "  mid: {upload: [{from: x, to: ../b}]}",
        [
            (
                "6:32 upload-path",
                "`../b` is no folder of a container",
                "write it without `.`, `..` and `//`, such as `data/2026`",
            ),
        ],
    ),
    (
        "  mid: {}",
        "  mid: {upload: [{from: x, to: a//b}]}",
        [
            (
                "6:32 upload-path",
                "`a//b` is no folder of a container",
                "write it without `.`, `..` and `//`, such as `data/2026`",
            ),
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


@pytest.mark.parametrize(
    ("container", "resource", "is_refused"),
    [
        ("{name: own}", "media", True),
        ("{name: own, if_not_empty: keep}", "media", True),
        ("{name: own, upload: [{from: x}]}", "media", True),
        ("{name: own}", "mid", False),
        ("{name: own, if_not_empty: clear}", "media", False),
        ("{name: own, if_not_empty: refuse}", "media", False),
        ("{}", "media", False),
    ],
)
def test_what_a_step_gathers_by_itself_is_of_this_run(
    container: str, resource: str, is_refused: bool
) -> None:
    text = edited(SPEC, "mid: {}", f"mid: {container}")
    text = edited(text, "resources: [{from: mid}]", f"resources: [{{from: {resource}}}]")
    message = "`merge` gathers all that lies in `mid`, also what earlier runs left there"
    assert facts_of(text) == (
        [("6:15 gathers-old-files", message, GATHER.format("mid"))] if is_refused else []
    )
    per_file = edited(text, "merge: {command: cat *,", "merge: {command: cat *, for_each: input,")
    assert facts_of(per_file) == []
