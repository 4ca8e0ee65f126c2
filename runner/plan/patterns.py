"""Which files `include` and `exclude` take.

It knows nothing of disks or containers: a pattern is matched against a path with `/`.
"""

from __future__ import annotations

from collections.abc import Callable

from runner.spec.model.sources import FilePatterns

_MAY_BE_A_DOT = frozenset(".\\[({@+!")


def file_matcher(patterns: FilePatterns) -> Callable[[str], bool]:
    """Whether a path is taken. `*` and `**` pass over names with a leading dot, as in a shell."""
    if patterns.takes_all:
        return _is_visible  # what `**/*` comes to, without the cost of a regular expression
    from wcmatch import glob  # many specs take all files, and need none of it

    flags = glob.GLOBSTAR | glob.FORCEUNIX
    flags |= glob.CASE if patterns.case_sensitive else glob.IGNORECASE
    matcher = glob.compile(
        list(patterns.include), flags=flags, exclude=list(patterns.exclude) or None
    )
    return matcher.match


def sees_hidden(patterns: FilePatterns) -> bool:
    """Whether a name with a leading dot may be taken: whether any pattern has one written out."""
    return any(
        part[:1] in _MAY_BE_A_DOT for pattern in patterns.include for part in pattern.split("/")
    )


def _is_visible(path: str) -> bool:
    return not path.startswith(".") and "/." not in path
