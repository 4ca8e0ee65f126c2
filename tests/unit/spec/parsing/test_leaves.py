"""Which strings are templates, what each may speak of, and where its faults are shown."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.spec.document import Document, read_document
from runner.spec.parsing.leaves import Leaves, compile_leaves, find_cut_commands
from runner.spec.problem import Position, Span
from runner.spec.shells.shell import Shell

Edit = Callable[[str, str], str]


def read(text: str) -> Document:
    document, problems = read_document("spec.yaml", text.encode())
    assert document is not None
    assert problems == ()
    return document


def leaves_of(text: str, shell: Shell = Shell.BASH) -> Leaves:
    leaves, problems = compile_leaves(read(text), shell=shell)
    assert problems == ()
    return leaves


def messages(text: str) -> list[tuple[str, str | None]]:
    _, problems = compile_leaves(read(text))
    return [(each.message, each.hint) for each in problems]


def test_each_string_is_compiled_as_what_it_is(spec: str) -> None:
    leaves = leaves_of(spec)
    assert set(leaves.commands) == {("task", "command"), ("pool", "start_task", "command")}
    assert set(leaves.patterns) == {("task", "outputs", 0, "pattern")}
    assert set(leaves.texts) == {
        ("task", "environment", "LANG"),
        ("task", "environment", "SOURCE"),
    }
    assert set(leaves.early) == {("pool", "nodes", "spot")}


EVERYWHERE = """\
parameters: {p: {type: string, default: x}}
containers: {a: {upload: [{from: "{{ parameters.p }}"}]}}
pool:
  vm_size: "{{ parameters.p }}"
  start_task:
    command: [a, "{{ run.id }}"]
    environment: {A: a}
    resources: [{from: a, prefix: "{{ run.id }}", to: x}]
job:
  environment: {A: "{{ run.id }}"}
  metadata: {a: "{{ parameters.p }}"}
  preparation: {command: a, environment: {A: a}, resources: [{from: a, file: x}]}
  release: {command: a, resources: [{url: u, to: t, mode: "0{{ parameters.p }}"}]}
tasks:
  command:
    command: a
    for_each: {list: ["{{ parameters.p }}", command]}
    environment: {command: "{{ item }}"}
    resources: [{from: a, file: "{{ item }}", to: t}, {url: "{{ item }}", to: t}]
    outputs: [{pattern: "{{ item }}", to: a, path: "{{ index }}"}]
    container: {image: "{{ item }}", options: "{{ parameters.p }}"}
    instances: {count: 1, coordination: [a], resources: [{from: a, prefix: p}]}
    extra: {command: "{{ parameters.p }}"}
  other: {command: b, timeout: "{{ parameters.p }}m"}
"""


def test_every_place_of_a_template() -> None:
    leaves = leaves_of(EVERYWHERE)
    step = ("tasks", "command")
    assert set(leaves.commands) == {
        ("pool", "start_task", "command"),
        ("job", "preparation", "command"),
        ("job", "release", "command"),
        (*step, "command"),
        (*step, "instances", "coordination"),
        ("tasks", "other", "command"),
    }
    assert set(leaves.patterns) == {(*step, "outputs", 0, "pattern")}
    assert set(leaves.texts) == {
        ("pool", "start_task", "environment", "A"),
        ("pool", "start_task", "resources", 0, "prefix"),
        ("pool", "start_task", "resources", 0, "to"),
        ("job", "environment", "A"),
        ("job", "preparation", "environment", "A"),
        ("job", "preparation", "resources", 0, "file"),
        ("job", "release", "resources", 0, "url"),
        ("job", "release", "resources", 0, "to"),
        (*step, "environment", "command"),
        (*step, "resources", 0, "file"),
        (*step, "resources", 0, "to"),
        (*step, "resources", 1, "url"),
        (*step, "resources", 1, "to"),
        (*step, "outputs", 0, "path"),
        (*step, "container", "image"),
        (*step, "instances", "resources", 0, "prefix"),
    }
    assert set(leaves.early) == {
        ("containers", "a", "upload", 0, "from"),
        ("pool", "vm_size"),
        ("job", "metadata", "a"),
        ("job", "release", "resources", 0, "mode"),
        (*step, "for_each", "list", 0),
        (*step, "container", "options"),
        (*step, "extra", "command"),
        ("tasks", "other", "timeout"),
    }


def test_names_and_descriptions_are_literal(edit: Edit) -> None:
    leaves = leaves_of(edit("description: Everything at once", "description: what `{{ this }}` is"))
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


FILE = "{{ file.path }} {{ file.url }}"
SIZE = "{{ file.size }}"
FILES = "{{ files | length }}"
ITEM = "{{ item }} {{ item.anything }}"
ROW = "{{ row.size }}"
OTHER = "{{ row.other }}"
ALWAYS = "{{ parameters.p }} {{ index }} {{ run.id }}"


@pytest.mark.parametrize(
    ("source", "known", "unknown"),
    [
        (None, [ALWAYS], [FILE, FILES, ITEM, ROW]),
        ("input", [FILE, SIZE, ALWAYS], [FILES, ITEM, ROW]),
        ("{files: input}", [FILE, SIZE, ALWAYS], [FILES, ITEM, ROW]),
        ("{files: input, chunk: 2}", [FILES, ALWAYS], [FILE, ITEM, ROW]),
        ("{outputs_of: other}", [FILE, ALWAYS], [FILES, ITEM, ROW, SIZE]),
        ("{list: [a]}", [ITEM, ALWAYS], [FILE, FILES, ROW]),
        ("{range: {from: 1, to: 2}}", [ITEM, ALWAYS], [FILE, FILES, ROW]),
        ("{rows: a.csv}", [ITEM, ROW, OTHER, ALWAYS], [FILE, FILES]),
        ("{matrix: {size: [1]}}", [ROW, "{{ item.size }}", ALWAYS], [FILE, FILES, OTHER]),
        ("{zip: {size: [1]}}", [ROW, "{{ item.size }}", ALWAYS], [FILE, FILES, OTHER]),
        ("{matrix: {size: {files: a}}}", [ROW, "{{ row.size.path }}", FILE], [FILES, OTHER]),
        ("{zip: {size: {files: a, chunk: 2}, b: [1]}}", [ROW, FILES], [FILE, OTHER]),
        ("{matrix: {size: {files: a}, b: {files: b}}}", [ROW], [FILE, FILES, OTHER]),
        # What the schema refuses is not judged as well.
        ("{list: [a], rows: a.csv}", [FILE, FILES, ITEM, ROW, OTHER], []),
        ("{lst: [a]}", [FILE, FILES, ITEM, ROW, OTHER], []),
        ("[input]", [FILE, FILES, ITEM, ROW, OTHER], []),
        ("{matrix: 5}", [FILE, FILES, ITEM, ROW, OTHER], []),
    ],
)
def test_what_a_source_gives(source: str | None, known: list[str], unknown: list[str]) -> None:
    for text, is_known in (*((each, True) for each in known), *((each, False) for each in unknown)):
        for_each = "" if source is None else f"  for_each: {source}\n"
        written = f"parameters: {{p: {{}}}}\ntask:\n{for_each}  environment: {{A: '{text}'}}\n"
        assert (messages(written) == []) is is_known, text


@pytest.mark.parametrize(
    ("source", "name", "hint"),
    [
        ("{list: [a]}", "file", "`file` comes from `for_each: ROLE`, or from `outputs_of`"),
        ("input", "files", "`files` comes from `for_each: {files: ROLE, chunk: N}`"),
        (
            "input",
            "item",
            "`item` comes from `for_each` with `list`, `range`, `rows`, `matrix` or `zip`",
        ),
        ("input", "row", "`row` comes from `for_each` with `rows`, `matrix` or `zip`"),
        ("input", "rate", "did you mean `parameters.rate`?"),
        ("{matrix: {size: [1]}}", "size", "did you mean `row.size`?"),
        ("input", "indx", "did you mean `index`?"),
        ("{rows: a.csv}", "indx", "did you mean `index`?"),
        ("{rows: a.csv}", "size", "a column is `row.size`"),
    ],
)
def test_an_undefined_name_says_what_would_give_it(source: str, name: str, hint: str) -> None:
    text = (
        f"parameters: {{rate: {{}}}}\ntask: {{for_each: {source}, command: 'a {{{{ {name} }}}}'}}"
    )
    assert messages(text) == [(f"`{name}` is not defined", hint)]


def test_what_nodes_cannot_speak_of() -> None:
    only = "is a task's own; here `parameters` and `run.id` can be used"
    text = "job: {release: {command: 'a {{ file.path }}'}, environment: {A: '{{ index }}'}}\n"
    assert messages(text) == [
        ("`file` is not defined", f"`file` {only}"),
        ("`index` is not defined", f"`index` {only}"),
    ]
    assert messages("pool: {vm_size: '{{ file.path }}'}") == [
        ("`file` is not defined", "what can be used: `parameters`")
    ]


def test_an_expression_that_stands_wrong_hides_no_name() -> None:
    text = "task: {for_each: a, command: \"a '{{ file.path }}' {{ file.pth }} {{ row }}\"}\n"
    found = [message for message, _ in messages(text)]
    assert len(found) == 3
    assert found[1:] == ["`file.pth` is not defined", "`row` is not defined"]
    text = 'task: {for_each: a, command: [sh, -c, "{{ file.path }}", "{{ file.pth }}"]}\n'
    _, problems = compile_leaves(read(text))
    assert [each.code for each in problems] == ["misplaced-expression", "undefined"]
    assert problems[1].span.start == Position(line=1, column=text.index("file.pth") + 1)


def test_a_command_is_written_for_its_shell() -> None:
    text = "task: {{command: 'a', {}}}\njob: {{preparation: {{command: [a, b]}}}}\n"
    leaves = leaves_of(text.format("shell: sh, instances: {coordination: b}"))
    assert leaves.commands["task", "command"].shell is Shell.SH
    assert leaves.commands["task", "instances", "coordination"].shell is Shell.SH
    assert leaves.commands["job", "preparation", "command"].shell is Shell.BASH
    leaves = leaves_of(text.format("x: 1"), Shell.SH)
    assert leaves.commands["task", "command"].shell is Shell.SH


def test_where_the_shell_cannot_be_told_only_expressions_are_judged() -> None:
    text = "task: {shell: zsh, command: \"a '{{ index }}' {{ x }} {{ y | }}\"}\n"
    _, problems = compile_leaves(read(text))
    assert [each.code for each in problems] == ["bad-expression", "undefined"]
    _, problems = compile_leaves(read(text.replace("shell: zsh, ", "")), shell=None)
    assert [each.code for each in problems] == ["bad-expression", "undefined"]


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ("https://e.org/{{ item }}", "https://e.org/a%20b/%C3%A9%3F%25"),
        ("https://e.org/x?q={{ item }}&r=1", "https://e.org/x?q=a%20b%2F%C3%A9%3F%25&r=1"),
        ("https://e.org/{{ item | urlencode }}", "https://e.org/a%20b/%C3%A9%3F%25"),
        ("https://e.org/{{ item | raw }}", "https://e.org/a b/é?%"),
        ("{{ item }}/x", "a b/é?%/x"),
        ("https://e.org/{{ '{{' }}", "https://e.org/{{"),
        ("https://e.org/{{ index }}", "https://e.org/7"),
    ],
)
def test_values_inside_a_url_are_percent_encoded(written: str, rendered: str) -> None:
    text = f'task: {{for_each: {{list: [a]}}, resources: [{{url: "{written}", to: t}}]}}\n'
    url = leaves_of(text).texts["task", "resources", 0, "url"]
    assert url.render_text({"item": "a b/é?%", "index": 7}) == rendered


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
