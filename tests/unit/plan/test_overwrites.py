"""No output takes the place of a file that the same run brings up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.plans import lines, make_plan, refused, spec_of

FILES = ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "x[1].txt")


MIX = "  mix: {upload: [{from: data}]}\n"


def writing(output: str) -> str:
    """A spec of a task for each file, with this output."""
    return spec_of(
        f"task:\n  for_each: input\n  command: echo\n  outputs: [{{{output}}}]\n",
        containers=MIX,
    )


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('pattern: "{{ file.name }}", to: mix', "task 0001 would write over `a.txt`"),
        ("pattern: out, path: '{{ index }}{{ file.path }}', to: mix", None),
        ("pattern: out, path: 'sub/{{ index }}', to: mix", None),
        (
            "pattern: out, path: '{{ file.dir }}{{ file.stem }}.txt', to: mix",
            "task 0001 would write over `a.txt`",
        ),
        ("pattern: '*.png', to: mix", None),
        ("pattern: '{{ index }}*', path: 'sub/{{ index }}', to: mix", None),
        ("pattern: '*.txt', path: \"{{ '' }}\", to: mix", "task 0001 may write over `a.txt`"),
        ("pattern: 'd*.txt', path: 'sub/{{ index }}', to: mix", None),
        ("pattern: 'out/c*.t?t', path: sub, to: mix", "task 0001 may write over `sub/c.txt`"),
        ("pattern: '**/d*.txt', path: sub, to: mix", "task 0001 may write over `sub/deep/d.txt`"),
        (
            "pattern: '{{ file.stem }}*', path: \"{{ '' }}\", to: mix",
            "task 0001 may write over `a.txt`",
        ),
        ("pattern: '{{ file.name }}', to: output", None),
    ],
)
def test_outputs_over_inputs(tmp_path: Path, output: str, said: str | None) -> None:
    text = writing(output)
    if said is None:
        assert len(make_plan(tmp_path, text, FILES).tasks) == 5
        return
    found = [each for each in refused(tmp_path, text, FILES) if each.code == "output-over-input"]
    (problem,) = found
    assert lines((problem,)) == [
        f"spec.yaml:15:13: output-over-input: {said}, which is brought up to `mix`"
    ]
    assert problem.hint == "let it go `to` a container of its own, or give it another `path`"


def test_a_name_that_looks_like_a_pattern(tmp_path: Path) -> None:
    text = writing("pattern: '{{ file.name }}', to: mix")
    (problem,) = refused(tmp_path, text, ("x[1].txt",))
    assert lines((problem,)) == [
        (
            "spec.yaml:15:13: output-over-input: task 0001 would write over `x[1].txt`, which is"
            " brought up to `mix`"
        )
    ]


def test_each_output_is_told_once_with_all_else(tmp_path: Path) -> None:
    text = spec_of(
        "tasks:\n"
        "  one: {command: echo, outputs: [{pattern: a.txt, to: mix}, {pattern: o, to: output}]}\n"
        "  two: {for_each: input, command: echo, outputs: [{pattern: o, to: output}]}\n",
        containers=MIX,
    )
    codes = [(each.code, each.span.start.line) for each in refused(tmp_path, text, FILES)]
    assert codes == [("output-over-input", 13), ("output-collision", 14)]
