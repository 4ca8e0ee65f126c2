"""What takes the place of templates with faults while rules look at the rest of a spec.

It knows nothing of the rules: so there are two sets that have as little in common as can be, and
what is wrong with both is wrong whatever the faulty texts were to be.
"""

from __future__ import annotations

from dataclasses import replace

from runner.spec.parsing.leaves import Leaves
from runner.spec.parsing.places import Kind
from runner.spec.templates.pattern import compile_pattern
from runner.spec.templates.template import compile_template
from runner.spec.templates.url import compile_url


def fill_in(leaves: Leaves) -> tuple[Leaves, ...]:
    """The leaves, twice where some are faulty: with names of single files, and with folders."""
    if not leaves.faulty:
        return (leaves,)
    return (
        _filled(leaves, name="file-{}.one", pattern="file-{}.one"),
        _filled(leaves, name="folder-{}/", pattern="folder-{}/**/*.other-{}"),
    )


def _filled(leaves: Leaves, *, name: str, pattern: str) -> Leaves:
    """The leaves with texts of these forms for the faulty ones, each with a number of its own."""
    patterns, texts = dict(leaves.patterns), dict(leaves.texts)
    for number, (pointer, kind) in enumerate(leaves.faulty.items()):
        if kind is Kind.PATTERN:
            patterns[pointer] = compile_pattern(pattern.format(number, number))
        elif kind is Kind.URL:
            texts[pointer] = compile_url(f"https://example.com/{number}")
        else:
            texts[pointer] = compile_template(name.format(number))
    return replace(leaves, patterns=patterns, texts=texts, faulty={})
