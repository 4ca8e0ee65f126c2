"""The outcome of a replay in words: how many requests were compared, equal, and excused by what.

It must not know how anything is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.conformance.recordings.exceptions import Verdict, Why


def report(compared: int, verdict: Verdict, not_sent: Mapping[tuple[str, int], str]) -> str:
    """Some lines; every open difference is one of them."""
    return "\n".join(_lines(compared, verdict, not_sent))


def _lines(
    compared: int, verdict: Verdict, not_sent: Mapping[tuple[str, int], str]
) -> Iterator[str]:
    excused = {(d.source, d.number) for d, _ in verdict.excused}
    different = {(d.source, d.number) for d in verdict.open}
    equal = compared - len(excused | different)
    yield (
        f"{compared} compared: {equal} equal in all, {len(excused - different)} with excused"
        f" differences, {len(different)} different; {len(not_sent)} not sent"
    )
    for why in Why:
        found = {(d.source, d.number) for d, reason in verdict.excused if reason is why}
        yield f"  {len(found):3} {why.value}"
    for (source, number), reason in not_sent.items():
        yield f"  not sent: {source} {number}: {reason}"
    for difference in verdict.open:
        yield str(difference)
    for rule in verdict.idle:
        yield f"excuses nothing: {rule}"
