"""One expression as a syntax tree of Jinja's, in which each node knows its offset in the leaf.

It knows nothing of what the nodes mean, nor which of them are allowed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TOKEN_EOF, TokenStream
from jinja2.parser import Parser

from runner.frozen import dataclass
from runner.spec.templates.fault import TemplateError, TemplateFault

# Jinja's parser goes down by recursion, so what bounds its depth bounds our stack.
_MOST_CHARACTERS = 10_000
_MOST_TOKENS = 200
_MOST_BRACKETS = 12
_LONGEST_NUMBER_CHARACTERS = 40

_ENVIRONMENT = Environment(autoescape=False)  # noqa: S701 - parses only, renders nothing
_BLANK = frozenset({"whitespace"})
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\n\\'\"abfnrtvxuU0123")


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    kind: str
    text: str

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """The root node, whose `lineno` and those of all below it are offsets in the leaf."""

    root: nodes.Expr
    tokens: tuple[_Token, ...]

    def end_behind(self, offset: int, count: int) -> int:
        """Where the token ends that is `count` tokens behind the one which holds `offset`."""
        starts = [token.start for token in self.tokens]
        index = bisect_right(starts, offset) - 1 + count
        return self.tokens[min(index, len(self.tokens) - 1)].end


def parse_expression(source: str, offset: int) -> SyntaxTree:
    """The tree of `source`, which stands at `offset` of its leaf; raises `TemplateError`."""
    if len(source) > _MOST_CHARACTERS:
        message = f"the expression is longer than {_MOST_CHARACTERS} characters"
        raise _error(offset, len(source), message)
    if not source.strip():
        message = "the expression is empty"
        raise _error(offset, len(source), message, "literal braces: `{{ '{{' }}`")
    tokens = tuple(_tokens(source, offset))
    for token in tokens:
        _check(token)
    _check_depth(tokens, offset, len(source))
    end = tokens[-1].end
    numbered = [(token.start, token.kind, token.text) for token in tokens]
    numbered.append((end, TOKEN_EOF, ""))
    parser = Parser(_ENVIRONMENT, "", state="variable")
    try:
        # The lexer's line numbers go through the parser untouched: ours are offsets.
        parser.stream = TokenStream(_ENVIRONMENT.lexer.wrap(numbered), None, None)
        root = parser.parse_expression()
        if not parser.stream.eos:
            parser.stream.expect("eof")
    except TemplateSyntaxError as error:
        raise _unreadable(tokens, error.lineno, end) from error
    return SyntaxTree(root, tokens)


def _error(offset: int, length: int, message: str, hint: str | None = None) -> TemplateError:
    fault = TemplateFault(
        offset=offset, length=length, code="bad-expression", message=message, hint=hint
    )
    return TemplateError((fault,))


def _tokens(source: str, offset: int) -> Iterator[_Token]:
    """The tokens without white space. Jinja counts lines, so places are sums of lengths."""
    text = source.replace("\r", " ").rstrip()
    at = offset
    try:
        for _, kind, part in _ENVIRONMENT.lexer.tokeniter(text, None, state="variable"):
            if kind not in {"variable_begin", "variable_end"} and kind not in _BLANK:
                yield _Token(at, kind, part)
            at += len(part)
    except TemplateSyntaxError as error:
        wrong = text[at - offset : at - offset + 1]
        message = f"`{wrong}` cannot stand here in an expression"
        raise _error(at, 1, message) from error


def _check(token: _Token) -> None:
    """What would be a warning, a lone surrogate or an endless number further on."""
    if token.kind in {"integer", "float"} and len(token.text) > _LONGEST_NUMBER_CHARACTERS:
        raise _error(token.start, len(token.text), "the number is too long")
    if token.kind == "name" and not token.text.isidentifier():
        raise _error(token.start, len(token.text), f"`{token.text}` is not a name")
    if token.kind != "string":
        return
    for escape in _ESCAPE.finditer(token.text):
        if escape.group(1) not in _KNOWN_ESCAPES:
            raise _error(
                token.start + escape.start(),
                2,
                f"`{escape.group()}` is not an escape",
                f"a backslash is written twice: `\\{escape.group()}`",
            )
    decoded = token.text[1:-1].encode("ascii", "backslashreplace")
    try:
        decoded.decode("unicode-escape").encode()
    except UnicodeError as error:
        message = "the text has an escape that is no character"
        raise _error(token.start, len(token.text), message) from error


def _check_depth(tokens: tuple[_Token, ...], offset: int, length: int) -> None:
    if len(tokens) > _MOST_TOKENS:
        message = f"the expression has more than {_MOST_TOKENS} parts"
        raise _error(offset, length, message)
    depth = 0
    for token in tokens:
        depth += (token.text in {"(", "[", "{"}) - (token.text in {")", "]", "}"})
        if depth > _MOST_BRACKETS:
            message = f"brackets are nested more than {_MOST_BRACKETS} deep"
            raise _error(token.start, 1, message)


def _unreadable(tokens: tuple[_Token, ...], at: int, end: int) -> TemplateError:
    for token in tokens:
        if token.start <= at < token.end:
            return _error(token.start, len(token.text), f"`{token.text}` is not expected here")
    return _error(max(end - 1, 0), 1, "the expression ends too early")
