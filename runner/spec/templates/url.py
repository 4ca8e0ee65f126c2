"""Templates of URLs: a value inside one is percent-encoded, so that it stays where it stands.

It knows nothing of what is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from runner.spec.templates.expression import Expression
from runner.spec.templates.lookup import Evaluate, Scope
from runner.spec.templates.segments import Literal, Segment
from runner.spec.templates.template import Template, TemplateError, compile_template, text_of

_ENCODED = re.compile(r"\|\s*urlencode\s*(\(\s*\)\s*)?\}\}\Z")


def compile_url(text: str) -> Template:
    """The template of a URL; raises `TemplateError` with all that is wrong in its syntax.

    A value in a path keeps its `/`; behind a `?` or `#` it does not. One that the text starts
    with is a URL itself; `| raw` takes any as it is, and `| urlencode` has done the work.
    """
    template = compile_template(text)
    return replace(template, segments=tuple(_encoded(text, template.segments)))


def _encoded(text: str, segments: tuple[Segment, ...]) -> Iterator[Segment]:
    before = ""
    for segment in segments:
        if isinstance(segment, Literal):
            before += segment.text
            yield segment
            continue
        written = text[segment.offset : segment.offset + segment.length]
        is_done = segment.is_raw or segment.constant is not None or _ENCODED.search(written)
        if is_done or not before.strip():
            yield segment
        else:
            safe = "" if "?" in before or "#" in before else "/"
            yield replace(segment, evaluate=_quoting(segment, safe))


def _quoting(expression: Expression, safe: str) -> Evaluate:
    def run(scope: Scope) -> object:
        try:
            return quote(text_of(expression, scope), safe=safe)
        except UnicodeEncodeError as error:
            message = "the value holds half a character, which no URL can"
            raise TemplateError((expression.fault("bad-value", message),)) from error

    return run
