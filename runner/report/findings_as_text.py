"""Findings as a person reads them: a line each below the name of its area, and the fix below it.

It must not know how they came about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runner.report.as_text import plural, printable
from runner.run.diagnosis.finding import Finding, Group, Verdict

_CHECK_COLUMNS = 17
_VERDICT_COLUMNS = 9
_NAMED = 5
_COLORS = {
    Verdict.OK: "\x1b[32m",
    Verdict.UNKNOWN: "\x1b[36m",
    Verdict.WARNING: "\x1b[33m",
    Verdict.ERROR: "\x1b[31m",
}
_WORDS = re.compile(r"(?:`[^`]+`|\S)+")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


def group_lines(group: Group, *, colors: bool, width: int) -> Iterator[str]:
    """The lines of an area, at most `width` columns wide where words allow that."""
    title = group.area.value + (f" {group.name}" if group.name else "")
    yield f"{_BOLD}{printable(title)}{_PLAIN}" if colors else printable(title)
    for finding in group.findings:
        yield from _finding_lines(finding, colors=colors, width=width)


def summary(groups: Iterable[Group], *, seconds: float) -> str:
    """How many findings of each kind there are, the worst first."""
    groups = tuple(groups)
    counts = dict.fromkeys(reversed(Verdict), 0)
    for group in groups:
        for finding in group.findings:
            counts[finding.verdict] += 1
    wrong = [each.check for group in groups for each in group.findings if _is_wrong(each)]
    words = {
        Verdict.ERROR: f"{plural(counts[Verdict.ERROR], 'error')} ({_list(wrong)})",
        Verdict.WARNING: plural(counts[Verdict.WARNING], "warning"),
        Verdict.UNKNOWN: f"{counts[Verdict.UNKNOWN]} unknown",
        Verdict.OK: f"{counts[Verdict.OK]} ok",
    }
    told = ", ".join(words[verdict] for verdict, count in counts.items() if count)
    return f"{told}, in {seconds:.1f} s"


def _is_wrong(finding: Finding) -> bool:
    return finding.verdict is Verdict.ERROR


def _list(checks: list[str]) -> str:
    """The first of them, each once: whoever reads the last line knows where to look."""
    names = list(dict.fromkeys(checks))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _finding_lines(finding: Finding, *, colors: bool, width: int) -> Iterator[str]:
    verdict = f"{finding.verdict.value:<{_VERDICT_COLUMNS}}"
    if colors:
        verdict = f"{_COLORS[finding.verdict]}{verdict}{_PLAIN}"
    indent = " " * (2 + _VERDICT_COLUMNS + _CHECK_COLUMNS)
    room = max(width - len(indent), 40)
    place = "" if finding.problem is None else f"{finding.problem.location()}: "
    seen = _wrap(printable(f"{place}{finding.seen}"), room)
    check = f"{finding.check:<{_CHECK_COLUMNS}}"
    if len(finding.check) >= _CHECK_COLUMNS:
        check = f"{finding.check} "
    yield f"  {verdict}{check}{seen[0]}"
    for line in seen[1:]:
        yield f"{indent}{line}"
    if finding.fix:
        fix = _wrap(printable(finding.fix), room - 5)
        yield f"{indent}fix: {fix[0]}"
        for line in fix[1:]:
            yield f"{indent}     {line}"


def _wrap(text: str, room: int) -> list[str]:
    """Lines at spaces; what stands in backticks, or is long, stays whole for those who copy it."""
    lines: list[str] = []
    line = ""
    for word in _WORDS.findall(text):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]
