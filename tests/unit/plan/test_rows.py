"""Files of rows: what they hold, and what is wrong with them, to the column."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.plan.rows import read_rows
from runner.spec.model.sources import RowsFormat, RowsOf
from runner.spec.problem import Problem
from runner.spec.templates.values import keeps_sign
from tests.fakes.plans import lines, make_workload


def read(
    folder: Path, content: bytes, format_: RowsFormat
) -> tuple[list[Mapping[str, object]], tuple[Problem, ...]]:
    """The rows of a file, and its problems."""
    name = f"rows.{format_.value}"
    (folder / name).write_bytes(content)
    return look(folder, name, format_)


def look(
    folder: Path, name: str, format_: RowsFormat = RowsFormat.CSV
) -> tuple[list[Mapping[str, object]], tuple[Problem, ...]]:
    """The same of a file that need not be there."""
    source = RowsOf(path=name, format=format_, pointer=("task", "for_each"))
    table, problems = read_rows(source, folder, make_workload(folder).document)
    return [table[index] for index in range(len(table))], problems


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"id,name\n1,a\n2,b\n", [{"id": "1", "name": "a"}, {"id": "2", "name": "b"}]),
        (b"id,name\r\n1,a", [{"id": "1", "name": "a"}]),
        (b"\xef\xbb\xbfid\n1\n", [{"id": "1"}]),
        (b'id,name\n1,"a,b"\n', [{"id": "1", "name": "a,b"}]),
        (b'id,name\n1,"say ""a"""\n', [{"id": "1", "name": 'say "a"'}]),
        (b'id,name\r\n1,"two\r\nlines"\r\n', [{"id": "1", "name": "two\r\nlines"}]),
        (b'"id", name \n1, a \n', [{"id": "1", "name": " a "}]),
        (b"id,name\n\n1,\n,\n", [{"id": "1", "name": ""}]),
        (b"sep=;\r\nid;name\r\n1;a,b\r\n", [{"id": "1", "name": "a,b"}]),
        (b"id;name\n1;a,b\n", [{"id": "1", "name": "a,b"}]),
        ("id\n\u00fc\U0001f600\n".encode(), [{"id": "\u00fc\U0001f600"}]),
        (b'id\n5" pipe\n', [{"id": '5" pipe'}]),
    ],
)
def test_csv(tmp_path: Path, content: bytes, wanted: list[dict[str, str]]) -> None:
    assert read(tmp_path, content, RowsFormat.CSV) == (wanted, ())


def test_tsv(tmp_path: Path) -> None:
    found = read(tmp_path, b'id\tname\n1\t"a\tb,c"\n', RowsFormat.TSV)
    assert found == ([{"id": "1", "name": "a\tb,c"}], ())


@pytest.mark.parametrize("format_", [RowsFormat.JSON, RowsFormat.JSONL])
def test_json_keeps_types(tmp_path: Path, format_: RowsFormat) -> None:
    objects = [
        b'{"a": 1, "b": 1.50, "c": true, "d": null, "e": "\\u00fc"}',
        b'{"b": -9223372036854775808}',
    ]
    if format_ is RowsFormat.JSON:
        content = b"[\n " + b",\n ".join(objects) + b"\n]\n"
    else:
        content = b"\xef\xbb\xbf" + b"\n\n".join(objects)
    rows, problems = read(tmp_path, content, format_)
    assert problems == ()
    assert rows == [
        {"a": 1, "b": 1.5, "c": True, "d": None, "e": "\u00fc"},
        {"b": -(2**63)},
    ]
    assert type(rows[0]["a"]) is int
    assert rows[0]["c"] is True


@pytest.mark.parametrize("format_", [RowsFormat.JSON, RowsFormat.JSONL])
@pytest.mark.parametrize(
    "number", ["12345678901234567890", "9223372036854775808", "-9223372036854775809", "9" * 5_000]
)
def test_a_long_integer_of_json_is_kept_as_it_is_written(
    tmp_path: Path, format_: RowsFormat, number: str
) -> None:
    content = f'{{"a": {number}, "b": "x"}}'
    if format_ is RowsFormat.JSON:
        content = f"[{content}]"
    rows, problems = read(tmp_path, content.encode(), format_)
    assert problems == ()
    assert rows == [{"a": number, "b": "x"}]


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        (RowsFormat.CSV, b"a,b,c\n-1.5e+3,-x,- 3\n"),
        (RowsFormat.TSV, b'a\tb\tc\n"-1.5e+3"\t-x\t- 3\n'),
        (RowsFormat.JSON, b'[{"a": "-1.5e+3", "b": "-x", "c": "- 3"}]'),
    ],
)
def test_a_cell_that_is_a_negative_number_keeps_its_sign(
    tmp_path: Path, format_: RowsFormat, content: bytes
) -> None:
    (row,), problems = read(tmp_path, content, format_)
    assert problems == ()
    assert row == {"a": "-1.5e+3", "b": "-x", "c": "- 3"}
    assert [keeps_sign(each) for each in row.values()] == [True, False, False]


CSV_FAULTS = [
    (b"id,name\n1\n", "rows.csv:2:2: row-length: the row has 1 cell for 2 columns"),
    (b"id,name\n1,a,b,c\n", "rows.csv:2:5: row-length: the row has 4 cells for 2 columns"),
    (
        b'id,name\n1,"a\nb",c\n',
        "rows.csv:3:4: row-length: the row has 3 cells for 2 columns",
    ),
    (b"id,,x\n1,2,3\n", "rows.csv:1:4: no-header: column 2 has no name"),
    (b"id,x,id\n", "rows.csv:1:6: duplicate-column: columns 1 and 3 are both named `id`"),
    (b"", "rows.csv:1:1: no-header: the file is empty"),
    (
        b"\n\n",
        "rows.csv:1:1: no-header: the file has no header: its first line names the columns",
    ),
    (b"id\n\xff\n", "rows.csv:2:1: encoding: byte 0xff is not UTF-8"),
    (b"\xef\xbb\xbfid,\xc3\xbc,\xff\n", "rows.csv:1:6: encoding: byte 0xff is not UTF-8"),
    (b"\xff\xfei\0d\0\n\0", "rows.csv:1:1: encoding: the file is UTF-16, not UTF-8"),
    (b"id\na\0b\n", "rows.csv:2:2: binary: the file is binary: it holds a NUL character"),
    (
        b'id,name\n1,"a\n2,b\n',
        "rows.csv:2:3: unclosed-quote: the double quote is never closed",
    ),
    (
        b'id,name\n1,"a"b\n',
        "rows.csv:2:6: bad-quote: a quoted cell goes on behind its closing double quote",
    ),
    (
        b"id,name\r1,a\r",
        "rows.csv:1:8: line-break: a carriage return without a line feed stands outside quotes",
    ),
    (
        b'id\n"' + b"x" * 200_000 + b'"\n',
        "rows.csv:2:1: too-large: the cell has more than 131,072 characters",
    ),
    (
        b"id,n\n" + b"x" * 200_000 + b",2\n",
        "rows.csv:2:1: too-large: the cell has more than 131,072 characters",
    ),
    (
        b'id,n,m\n1,"' + b'""x' * 70_000 + b'",3\n',
        "rows.csv:2:3: too-large: the cell has more than 131,072 characters",
    ),
    (
        b'id,n\n"1\n",' + b"x" * 200_000 + b"\n",
        "rows.csv:3:3: too-large: the cell has more than 131,072 characters",
    ),
    (
        b'id,n\n1,"' + b"2\n" * 100_000,
        "rows.csv:2:3: too-large: the cell has more than 131,072 characters",
    ),
    (b"x" * 1_000_001, "rows.csv:1:1: too-large: the line has more than 1,000,000 bytes"),
    (b'id\n"a\n\xff"\n', "rows.csv:3:1: encoding: byte 0xff is not UTF-8"),
]


@pytest.mark.parametrize(("content", "wanted"), CSV_FAULTS)
def test_what_is_wrong_with_csv(tmp_path: Path, content: bytes, wanted: str) -> None:
    _, problems = read(tmp_path, content, RowsFormat.CSV)
    assert lines(problems) == [wanted]


def test_a_cell_of_many_characters(tmp_path: Path) -> None:
    """The most that there may be; quotes written twice count once."""
    cell = "x" * 65_536 + '"' * 65_536
    content = f'id,n\n1,"{cell.replace(chr(34), chr(34) * 2)}"\n'
    assert read(tmp_path, content.encode(), RowsFormat.CSV) == ([{"id": "1", "n": cell}], ())
    _, (problem,) = read(tmp_path, content.replace("x", "xx", 1).encode(), RowsFormat.CSV)
    assert lines((problem,)) == [
        "rows.csv:2:3: too-large: the cell has more than 131,072 characters"
    ]
    assert problem.hint == "if that is too much, the double quote at its start is closed too late"


JSON_FAULTS = [
    (b"", "1:1: json: a file of rows is a list of objects, not nothing"),
    (b'{"a": 1}', '1:1: json: a file of rows is a list of objects, not `{"a": 1}`'),
    (b"[]x", "1:3: json: there is more behind the end of the list"),
    (b"[\n 1]", "2:2: not-an-object: a row is an object, not a number"),
    (b"[{}]", "1:2: empty-row: the row has no columns"),
    (b"[null]", "1:2: not-an-object: a row is an object, not null"),
    (b'[{"a": 1},\n  {"a": 2, "a": 3}]', "2:3: duplicate-key: key `a` stands here twice"),
    (b'[{"a": {}}]', "1:2: nested-value: the value of `a` is an object: a row is flat"),
    (b'[{"a": [1]}]', "1:2: nested-value: the value of `a` is a list: a row is flat"),
    (b'[{"a": NaN}]', "1:2: bad-value: `NaN` is no number that JSON knows"),
    (b"[12345678901234567890]", "1:2: not-an-object: a row is an object, not a number"),
    (b'[{"a": -1e999}]', "1:2: bad-value: the value of `a` is too large for a number"),
    (b'[{"a": -Infinity}]', "1:2: bad-value: `-Infinity` is no number that JSON knows"),
    (b'[{"a": 1e999}]', "1:2: bad-value: the value of `a` is too large for a number"),
    (b'[{"a": "\\ud800"}]', "1:2: bad-value: half of a surrogate pair is no character"),
    (b'[{"a": "\\u0000"}]', "1:2: binary: the value of `a` holds a NUL character"),
    (b'[{"": 1}]', "1:2: no-header: a key of the row is empty"),
    (b'[{"a": 1}\n{"a": 2}]', "2:1: json: a `,` or the list's `]` is missing here"),
    (b'[{"a": 1},\n {"a" 2}]', "2:7: json: this is no JSON: expecting ':' delimiter"),
    (b'[{"a": 1},]', "1:11: json: this is no JSON: expecting value"),
    (b'[{"a": 1}', "1:10: json: a `,` or the list's `]` is missing here"),
    (b"[" * 100_000, "1:2: nested-value: the row is nested too deeply"),
    (b'[{"a": "\xff"}]', "1:9: encoding: byte 0xff is not UTF-8"),
]


@pytest.mark.parametrize(("content", "wanted"), JSON_FAULTS)
def test_what_is_wrong_with_json(tmp_path: Path, content: bytes, wanted: str) -> None:
    _, problems = read(tmp_path, content, RowsFormat.JSON)
    assert lines(problems) == [f"rows.json:{wanted}"]


def test_what_is_wrong_with_jsonl(tmp_path: Path) -> None:
    content = b'{"a": 1}\n [1]\n{"a": 1} x\n{"a"\n{"a": 2}\n'
    rows, problems = read(tmp_path, content, RowsFormat.JSONL)
    assert rows == [{"a": 1}, {"a": 2}]
    assert lines(problems) == [
        "rows.jsonl:2:2: not-an-object: a row is an object, not a list",
        "rows.jsonl:3:10: json: there is more behind the end of the object",
        "rows.jsonl:4:5: json: this is no JSON: expecting ':' delimiter",
    ]


def test_at_most_a_hundred_are_shown(tmp_path: Path) -> None:
    _, problems = read(tmp_path, b"a,b\n" + b"1\n" * 5_000, RowsFormat.CSV)
    assert len(problems) == 100
    assert problems[-1].location() == "rows.csv:101:2"
    assert problems[-1].source_line == "1"


def test_files_that_cannot_be_read_are_problems_of_the_spec(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").write_text("id\n")
    for name, wanted in (
        ("none.csv", f"rows: there is no file `{tmp_path}/none.csv`"),
        ("folder", f"rows: cannot read `{tmp_path}/folder`: is a directory"),
        ("a\0b", f"rows: cannot read `{tmp_path}/a\\x00b`: embedded null byte"),
        ("empty.csv", "rows: `empty.csv` has no rows: there is nothing to run tasks for"),
    ):
        rows, (problem,) = look(tmp_path, name)
        assert rows == []
        assert f"{problem.code}: {problem.message}" == wanted
        assert problem.file == "spec.yaml"


SEEDS: Mapping[RowsFormat, bytes] = {
    RowsFormat.CSV: b'id,name,note\r\n1,a,"x ""y"",\r\nz"\r\n2,b,\r\n',
    RowsFormat.TSV: b'\xef\xbb\xbfid\tname\n1\t"a\tb"\n',
    RowsFormat.JSON: b'[{"a": 1, "b": "x"},\n {"a": 2.5e3, "b": null}]\n',
    RowsFormat.JSONL: b'{"a": true}\n{"a": "\\u00fc"}\n',
}
PIECES = (
    b'"',
    b",",
    b"\t",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b"\xc3",
    b"[",
    b"{",
    b"}",
    b"]",
    b":",
    b"-",
)


@pytest.mark.parametrize("format_", list(RowsFormat))
def test_files_that_are_damaged_have_rows_or_problems(tmp_path: Path, format_: RowsFormat) -> None:
    chance = random.Random(format_.value)
    source = RowsOf(path="rows", format=format_, pointer=("task", "for_each"))
    document = make_workload(tmp_path).document
    refused = 0
    for _ in range(1_000):
        content = bytearray(SEEDS[format_])
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(content) + 1)
            match chance.randrange(3):
                case 0:
                    content[at:at] = chance.choice(PIECES)
                case 1:
                    del content[at : at + chance.randint(1, 5)]
                case _:
                    content[at : at + 1] = bytes([chance.randrange(256)])
        (tmp_path / "rows").write_bytes(content)
        table, problems = read_rows(source, tmp_path, document)
        assert len(table) or problems
        for index in range(len(table)):
            assert table[index]
        refused += bool(problems)
        lines_there = content.count(b"\n") + 1
        for problem in problems:
            if problem.file == "rows":
                assert 1 <= problem.span.start.line <= lines_there
                assert 1 <= problem.span.start.column <= len(content) + 1
    assert refused > 200
