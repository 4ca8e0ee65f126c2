"""The failures of a run for the page: those that are alike once, each with its words and commands.

It must not know what else the page shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runner.report.as_text import CONSEQUENCES, describe_cause, describe_place, plural
from runner.report.grouping import FailureGroup, group_failures
from runner.report.page.markup import commands, lines, section, text
from runner.report.page.view import PageView
from runner.run.events import StartTaskFailed

_MOST_GROUPS = 50
_MOST_NAMED = 12


def failures(view: PageView) -> str:
    """What failed first comes first; empty where nothing did."""
    report = view.report
    parts = [*_nodes_failed(report.start_task_failures, view.record.run)]
    if report.error is not None:
        parts.append(f'<p class="note bad">The run ended with: {text(report.error)}</p>')
    parts += [f'<p class="note bad">The pool: {text(each)}</p>' for each in report.pool_errors]
    groups = group_failures(report.failures, run=view.record.run)
    parts += [_group(group, view) for group in groups[:_MOST_GROUPS]]
    if len(groups) > _MOST_GROUPS:
        parts.append(
            f'<p class="quiet">{len(groups) - _MOST_GROUPS:,} more kinds of failures are in the'
            " list of tasks, and in <code>report.json</code>.</p>"
        )
    parts += _consequences(view)
    if not parts:
        words = "Nothing has failed so far." if view.goes_on else "Nothing has failed."
        return section("failures", "Failures", f'<p class="quiet">{words}</p>')
    if report.failures and not view.goes_on and view.again is not None:
        again = commands([f"{view.again} --only failed"])
        parts.append(f"<h3>Run again what failed</h3>{again}")
    failed = sum(len(group.tasks) for group in groups)
    return section("failures", "Failures", "".join(parts), count=f"{failed:,}" if failed else "")


def _group(group: FailureGroup, view: PageView) -> str:
    first = group.first
    run = view.record.run
    if len(group.tasks) == 1:
        title = f"task {first.task}{_item(first.item)}: {describe_cause(first)}"
        where = f"failed{describe_place(first)}"
    else:
        title = f"{len(group.tasks):,} tasks failed alike: {describe_cause(first)}"
        where = f"first task {first.task}{_item(first.item)}{describe_place(first)}"
    body = f'<h3><span class="bad">✗</span> {text(title)}</h3><p class="quiet">{text(where)}</p>'
    if first.stderr_tail:
        body += f'<pre tabindex="0" aria-label="End of stderr">{lines(first.stderr_tail)}</pre>'
    else:
        body += '<p class="quiet">Nothing was written to stderr.</p>'
    others = group.tasks[1:]
    if others:
        named = ", ".join(f"{each.task}{_item(each.item)}" for each in others[:_MOST_NAMED])
        more = len(others) - _MOST_NAMED
        body += f"<p>Also {text(named)}{f' and {more:,} more' if more > 0 else ''}.</p>"
    body += (
        f'<p><a href="#tasks" data-open="{text(first.task)}">Task {text(first.task)} among all'
        " tasks</a></p>"
    )
    return body + commands(
        [f"batch-run logs {first.task} {run}", f"batch-run explain {first.task} {run}"]
    )


def _nodes_failed(failed: Sequence[StartTaskFailed], run: str) -> Iterator[str]:
    for each in failed[:1]:
        cause = each.message if each.exit_code is None else f"exit code {each.exit_code}"
        others = f", and on {plural(len(failed) - 1, 'other')}" if len(failed) > 1 else ""
        title = (
            f"the {each.command} failed on node {each.node}{others}: {cause or 'no reason given'}"
        )
        yield f'<h3><span class="bad">✗</span> {text(title)}</h3>'
        if each.stderr_tail:
            yield f'<pre tabindex="0" aria-label="End of stderr">{lines(each.stderr_tail)}</pre>'
        yield commands([f"batch-run logs --start-task {run}"])


def _consequences(view: PageView) -> Iterator[str]:
    """Tasks whose fault it is not."""
    for cause, words in CONSEQUENCES.items():
        count = sum(each.cause == cause for each in view.report.failures)
        if count:
            first = next(each for each in view.report.failures if each.cause == cause)
            yield (
                f"<p>{plural(count, 'task')} {text(words)}"
                f"{f': {text(first.message)}' if first.message else ''}.</p>"
            )


def _item(item: str) -> str:
    return f" ({item})" if item else ""
