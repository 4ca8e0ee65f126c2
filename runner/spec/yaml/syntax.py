"""YAML syntax errors in a user's words: what was probably meant, and how to write it.

It looks at the text around the place where PyYAML gave up, and knows nothing of a spec's keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from runner.frozen import dataclass
from runner.spec.problem import Problem
from runner.spec.yaml.source import Source
from runner.spec.yaml.traps import find_odd_space

_TAB_INDENT = re.compile(r"[ -]*\t")
_MISSING_SPACE = re.compile(r"\s*(?:- +)?([A-Za-z_][A-Za-z0-9_-]*):(?=[^\s/:])")
_UNQUOTED_TEMPLATE = re.compile(r"(?:^\s*|[:,\[-]\s+)(\{\{)")
_COMMENT_CUT = re.compile(r"\S\s+(#)")
_HIDDEN_BRACKET = re.compile(r"[^\S\r\n](#)[^\r\n]*?([\]}])")
_QUOTE_OR_BLOCK_VALUE = re.compile(r"""(?::|-)\s+["'|>]""")
_BARE_INDICATORS = {
    "*": "starts an alias",
    "&": "starts an anchor",
    "!": "starts a tag",
    "%": "has a meaning of its own",
    "@": "is reserved",
    "`": "is reserved",
}
_QUOTE_IT = "put the value in quotes"
_QUOTE_OR_BLOCK = "put the value in quotes or in a block (`|`)"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clue:
    """What the parser said, and where; `opened` is the offset of what it was in the middle of."""

    source: Source
    offset: int
    opened: int | None
    words: str

    @property
    def found(self) -> str:
        return self.source.text[self.offset : self.offset + 1]

    @property
    def line(self) -> int:
        """The line of the error, or the last one before it that says something."""
        number = self.source.position(self.offset).line
        if self.source.line(number).strip():
            return number
        return self._last_line_above(number) or number

    @property
    def line_before(self) -> int | None:
        """The line before `line` that says something."""
        return self._last_line_above(self.line)

    def _last_line_above(self, number: int) -> int | None:
        above = self.source.text[: self.source.line_start(number)].rstrip()
        return self.source.position(len(above) - 1).line if above else None

    def says(self, *words: str) -> bool:
        return any(word in self.words for word in words)

    def problem(
        self, start: int, message: str, hint: str | None = None, *, code: str = "yaml-syntax"
    ) -> Problem:
        return self.source.problem(start, start + 1, code=code, message=message, hint=hint)


def explain_syntax_error(source: Source, error: Exception) -> Problem:
    """One problem for an error of `yaml.parse`."""
    where = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    opened = getattr(error, "context_mark", None)
    clue = _Clue(
        source=source,
        offset=min(where.index if where else 0, len(source.text)),
        opened=opened.index if opened else None,
        words=f"{getattr(error, 'context', '')}: {getattr(error, 'problem', error)}",
    )
    for detect in _DETECTORS:
        problem = detect(clue)
        if problem is not None:
            return problem
    return clue.problem(clue.offset, "the YAML cannot be read from here on")


def _tab_indentation(clue: _Clue) -> Problem | None:
    for number in (clue.line, clue.line_before):
        tab = _TAB_INDENT.match(clue.source.line(number)) if number else None
        if number and tab:
            start = clue.source.line_start(number) + tab.end() - 1
            hint = "YAML indents with spaces only"
            return clue.problem(start, "a tab indents here", hint, code="tab-indentation")
    return None


def _odd_space(clue: _Clue) -> Problem | None:
    """What stands around the place of the error; anywhere else such a character may be text."""
    for number in (clue.line, clue.line_before):
        line = clue.source.line(number) if number else ""
        trap = find_odd_space(line)
        if number and trap:
            start = clue.source.line_start(number) + trap.start
            return clue.problem(start, trap.message, trap.hint, code=trap.code)
    return None


def _unquoted_template(clue: _Clue) -> Problem | None:
    found = _UNQUOTED_TEMPLATE.search(clue.source.line(clue.line))
    if found is None:
        return None
    message = "`{{` at the start of a plain value is a YAML mapping, not an expression"
    hint = 'put the whole value in quotes: "{{ ... }}"'
    start = clue.source.line_start(clue.line) + found.start(1)
    return clue.problem(start, message, hint, code="unquoted-template")


def _missing_space(clue: _Clue) -> Problem | None:
    if not clue.says("mapping values are not allowed", "expected ':'", "expected key"):
        return None
    for number in (clue.line_before, clue.line):
        found = _MISSING_SPACE.match(clue.source.line(number)) if number else None
        if number and found:
            start = clue.source.line_start(number) + found.end(1)
            name = found.group(1)
            message = f"a space is missing after `{name}:`"
            return clue.problem(start, message, f"write `{name}: ...`", code="missing-space")
    return None


def _cut_by_comment(clue: _Clue) -> Problem | None:
    before = clue.line_before
    if before is None or not clue.says("expected key", "expected ':'", "<block end>"):
        return None
    line = clue.source.line(before)
    cut = _COMMENT_CUT.search(line)
    if cut is not None and line[: cut.start(1)].rstrip()[-1] in "}]":
        return None
    goes_on = _indent(clue.source.line(clue.line)) >= _indent(line)
    if cut is None or not goes_on or _QUOTE_OR_BLOCK_VALUE.search(line):
        return None
    message = "` #` starts a comment and ends the value, which goes on in the next line"
    hint = "use a block (`|`), where `#` is plain text, or put the value in quotes"
    start = clue.source.line_start(before) + cut.start(1)
    return clue.problem(start, message, hint, code="comment-cut")


def _block_ended_by_comment(clue: _Clue) -> Problem | None:
    before = clue.line_before
    if before is None or not clue.says("expected key", "<block end>"):
        return None
    line = clue.source.line(before)
    if not line.lstrip().startswith("#") or _indent(line) >= _indent(clue.source.line(clue.line)):
        return None
    message = "this comment is indented less than the text above it, which ends here"
    hint = "indent the `#` as the text is, where it is part of it, or remove the line"
    start = clue.source.line_start(before) + _indent(line)
    return clue.problem(start, message, hint, code="comment-cut")


def _second_colon(clue: _Clue) -> Problem | None:
    if not clue.says("mapping values are not allowed"):
        return None
    start = clue.source.line_start(clue.line)
    if ": " in clue.source.text[start : clue.offset]:
        return clue.problem(clue.offset, "a plain value cannot hold `: `", _QUOTE_OR_BLOCK)
    before = clue.source.line(clue.line_before) if clue.line_before else ""
    if clue.line_before and ":" not in before:
        end = clue.source.line_start(clue.line_before) + len(before.rstrip())
        return clue.problem(end - 1, f"a `:` is missing after `{before.strip()[:40]}`")
    message = "this key is indented deeper than the value above it allows"
    hint = "align it with the other keys of its mapping"
    return clue.problem(start + _indent(clue.source.line(clue.line)), message, hint)


def _list_in_line(clue: _Clue) -> Problem | None:
    if not clue.says("sequence entries are not allowed"):
        return None
    hint = f"start the list on the next line, or {_QUOTE_IT}"
    return clue.problem(clue.offset, "a list cannot start behind `key: `", hint)


def _bare_indicator(clue: _Clue) -> Problem | None:
    at = clue.offset
    if clue.says("alphabetic or numeric", "scanning a tag", "parsing a tag"):
        at = clue.opened if clue.opened is not None else at
    elif not clue.says("cannot start any token", "tag handle"):
        return None
    character = clue.source.text[at : at + 1]
    if character not in _BARE_INDICATORS:
        return None
    shown = "a backtick" if character == "`" else f"`{character}`"
    message = f"{shown} at the start of a plain value {_BARE_INDICATORS[character]}"
    return clue.problem(at, message, _QUOTE_IT)


def _escape(clue: _Clue) -> Problem | None:
    if not clue.says("escape", "hexdecimal"):
        return None
    hint = "write the backslash twice, or use single quotes"
    return clue.problem(clue.offset, "double quotes do not know this escape", hint)


def _block_header(clue: _Clue) -> Problem | None:
    if not clue.says("scanning a block scalar"):
        return None
    hint = "start the text on the next line, indented by spaces"
    return clue.problem(clue.offset, "this cannot stand behind `|` or `>`", hint)


def _directive(clue: _Clue) -> Problem | None:
    if not clue.says("incompatible YAML document", "directive"):
        return None
    return clue.problem(clue.offset, "this `%` line cannot be read", "remove the line")


def _unclosed_quote(clue: _Clue) -> Problem | None:
    if clue.opened is None or not clue.says("quoted scalar"):
        return None
    quote = clue.source.text[clue.opened : clue.opened + 1]
    return clue.problem(clue.opened, f"the quote {quote} that opens here is never closed")


def _unclosed_bracket(clue: _Clue) -> Problem | None:
    text = clue.source.text
    if clue.opened is None or not clue.says("flow sequence", "flow mapping"):
        return None
    bracket = text[clue.opened : clue.opened + 1]
    closing = {"[": "]", "{": "}"}.get(bracket)
    if closing is None:
        return None
    hidden = _hidden_bracket(clue, clue.opened)
    if hidden is not None:
        return hidden
    rest_of_line = text[clue.opened : clue.offset]
    if "\n" not in rest_of_line and text[clue.offset : clue.offset + 1].strip():
        hint = "a value that holds `,`, brackets or quotes stands in quotes as a whole"
        return clue.problem(clue.offset, f"`,` or `{closing}` is missing here", hint)
    message = f"the `{bracket}` that opens here is not closed by `{closing}`"
    return clue.problem(clue.opened, message)


def _hidden_bracket(clue: _Clue, start: int) -> Problem | None:
    """A ` #` behind offset `start`, in its line, with a closing bracket in the comment."""
    number = clue.source.position(start).line
    line_start = clue.source.line_start(number)
    hidden = _HIDDEN_BRACKET.search(clue.source.line(number), start - line_start)
    if hidden is None:
        return None
    message = f"` #` starts a comment here, which hides the `{hidden.group(2)}`"
    return clue.problem(line_start + hidden.start(1), message, _QUOTE_IT, code="comment-cut")


def _content(clue: _Clue) -> Problem | None:
    if not clue.says("node content"):
        return None
    if not clue.found.strip():
        behind = len(clue.source.text[: clue.offset].rstrip())
        hidden = _hidden_bracket(clue, clue.source.line_start(clue.source.position(behind).line))
        if hidden is not None:
            return hidden
        return clue.problem(behind, "a value is missing here")
    return clue.problem(clue.offset, f"a value cannot start with `{clue.found}`", _QUOTE_IT)


def _structure(clue: _Clue) -> Problem | None:
    if not clue.says("expected key", "expected '-'", "<block end>"):
        return None
    if clue.found == ":":
        return clue.problem(clue.offset, "a key is missing before this `:`", code="empty-key")
    start = clue.source.line_start(clue.source.position(clue.offset).line)
    if clue.source.text[start : clue.offset].strip():
        return clue.problem(clue.offset, "the value has ended before this", _QUOTE_OR_BLOCK)
    hint = "align it with the other entries; a value of several lines is indented below its key"
    return clue.problem(clue.offset, "the indentation does not fit the lines above", hint)


def _behind_the_end(clue: _Clue) -> Problem | None:
    if not clue.says("<document start>"):
        return None
    for number in range(clue.line - 1, 0, -1):
        if clue.source.line(number).startswith("..."):
            start = clue.source.line_start(number)
            return clue.problem(start, "`...` ends the document before its end", "remove the line")
    return None


def _missing_colon(clue: _Clue) -> Problem | None:
    if not clue.says("expected ':'"):
        return None
    hint = "is a `:` missing, or is the line indented too little to belong to the one above?"
    start = clue.source.line_start(clue.line) + _indent(clue.source.line(clue.line))
    return clue.problem(start, "a `key: value` is expected here", hint)


_DETECTORS: tuple[Callable[[_Clue], Problem | None], ...] = (
    _tab_indentation,
    _odd_space,
    _unquoted_template,
    _missing_space,
    _cut_by_comment,
    _block_ended_by_comment,
    _second_colon,
    _list_in_line,
    _bare_indicator,
    _escape,
    _block_header,
    _directive,
    _unclosed_quote,
    _unclosed_bracket,
    _content,
    _structure,
    _behind_the_end,
    _missing_colon,
)
"""In the order of trust: what the text itself shows comes before what the parser said."""


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
