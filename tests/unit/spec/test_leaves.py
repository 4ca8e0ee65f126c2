"""Which strings are templates, what each may speak of, and where its faults are shown."""

from __future__ import annotations

from collections.abc import Callable

from runner.spec.document import Document, read_document
from runner.spec.leaves import compile_leaves, find_cut_commands
from runner.spec.problem import Position, Span

Edit = Callable[[str, str], str]


def read(text: str) -> Document:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None
    assert problems == ()
    return document


def test_each_string_is_compiled_as_what_it_is(spec: str) -> None:
    leaves, problems = compile_leaves(read(spec))
    assert problems == ()
    assert set(leaves.commands) == {("task", "command"), ("pool", "start_task", "command")}
    assert set(leaves.patterns) == {("task", "outputs", 0, "pattern")}
    assert set(leaves.texts) == {
        ("task", "environment", "LANG"),
        ("task", "environment", "SOURCE"),
    }
    assert set(leaves.early) == {("pool", "nodes", "spot")}


def test_names_and_descriptions_are_literal(edit: Edit) -> None:
    leaves, problems = compile_leaves(
        read(edit("description: Everything at once", "description: what `{{ this }}` does"))
    )
    assert problems == ()
    assert ("description",) not in leaves.early


def test_a_fault_is_shown_where_it_stands_in_the_file(edit: Edit) -> None:
    command = "command: python3 tool.py {{ file.path }} {{ parameters.rate }}"
    text = edit(command, "command: |\n    echo start\n    cat {{ file.pth }}\n")
    _, problems = compile_leaves(read(text))
    (problem,) = problems
    line = text.splitlines()[problem.span.start.line - 1]
    assert line == "    cat {{ file.pth }}"
    shown = line[problem.span.start.column - 1 : problem.span.end.column - 1]
    assert "file.pth" in shown
    assert problem.source_line == line


def test_a_fault_in_a_list_is_shown_at_its_item(edit: Edit) -> None:
    command = "command: python3 tool.py {{ file.path }} {{ parameters.rate }}"
    text = edit(command, 'command: [python3, -u, "{{ file.path }}", "{{ file.pth }}"]')
    _, problems = compile_leaves(read(text))
    (problem,) = problems
    line = text.splitlines()[problem.span.start.line - 1]
    assert "file.pth" in line[problem.span.start.column - 1 : problem.span.end.column - 1]


def test_what_each_place_can_speak_of(edit: Edit) -> None:
    start_command = 'command: cp tool.py "$AZ_BATCH_NODE_SHARED_DIR"'
    for old, new, count in (
        (start_command, "command: echo {{ run.id }} {{ parameters.rate }}", 0),
        (start_command, "command: echo {{ file.path }}", 1),
        (start_command, "command: echo {{ index }}", 1),
        ("LANG: C.UTF-8", 'LANG: "{{ run.id }} {{ index }} {{ file.url }}"', 0),
        ("vm_size: Standard_D2s_v5", 'vm_size: "{{ parameters.rate }}"', 0),
        ("vm_size: Standard_D2s_v5", 'vm_size: "{{ run.id }}"', 1),
        ("from: data,", 'from: "{{ file.path }}",', 1),
    ):
        _, problems = compile_leaves(read(edit(old, new)))
        assert len(problems) == count, new


def test_faults_are_found_whatever_else_is_wrong() -> None:
    text = (
        "parameters: 5\ntask: {command: [1, 2], environment: [x], outputs: {pattern: '{{ a }}'}}\n"
    )
    leaves, problems = compile_leaves(read(text))
    assert leaves.commands == {}
    assert len(problems) == 1


def test_a_comment_that_cuts_a_command() -> None:
    text = "task:\n  command: grep -c  # x\n  timeout: 5m  # fine\npool: {}\n"
    (problem,) = find_cut_commands(read(text))
    assert problem.span == Span(start=Position(line=2, column=21), end=Position(line=2, column=22))
    assert problem.code == "comment-cut"
    assert problem.message == "` #` starts a YAML comment here and ends the command"
    assert problem.hint == (
        "write the command as a block (`|`) or in quotes; a comment on it goes on a line of its own"
    )


def test_comments_that_cut_nothing() -> None:
    text = (
        "task:\n  # 1\n  command: 'a # b' # 2\npool:\n  start_task:\n    command: | # 3\n      x\n"
    )
    assert list(find_cut_commands(read(text))) == []
