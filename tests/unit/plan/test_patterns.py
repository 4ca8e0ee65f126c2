"""Which names patterns take: the short cut for all files agrees with the matcher it spares."""

from __future__ import annotations

import random

import pytest
from wcmatch import glob

from runner.plan.patterns import file_matcher, sees_hidden
from runner.spec.model.sources import FilePatterns


def names(seed: int) -> list[str]:
    """Names of all shapes, as a disk may have them."""
    chance = random.Random(seed)
    parts = ["a", ".b", "c.d", "..e", "-", " ", "\u00e9", "[x]", "*", "a\nb", "...", "{x}"]
    return ["/".join(chance.choices(parts, k=chance.randint(1, 4))) for _ in range(2_000)]


def test_all_files_are_those_that_the_default_pattern_takes() -> None:
    short = file_matcher(FilePatterns())
    whole = glob.compile("**/*", flags=glob.GLOBSTAR | glob.FORCEUNIX | glob.CASE)
    for name in names(1):
        assert short(name) == whole.match(name), name


@pytest.mark.parametrize(
    "include", ["**/*", "*", "*/?.b", "[.]b", "**/.*", ".b/**", "\\.b/*", "**/[!a]b", "a/**/.b"]
)
def test_folders_that_are_not_looked_into_hold_nothing_that_is_wanted(include: str) -> None:
    patterns = FilePatterns(include=(include,), exclude=("nothing",))
    matches = file_matcher(patterns)
    if not sees_hidden(patterns):
        for name in names(2):
            is_hidden = any(part.startswith(".") for part in name.split("/"))
            assert not (is_hidden and matches(name)), name
