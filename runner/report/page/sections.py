"""The parts of the page as they are read without a script, each a function of what it shows.

They must not know how the page is put together, nor what the script adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import nlargest
from typing import Any

from runner.report.as_text import format_bytes, format_seconds, plural
from runner.report.cost import NOT_COUNTED, describe_cost
from runner.report.digest import CAUSES_OF_RETRIES
from runner.report.page.markup import (
    UNKNOWN,
    badge_of_task,
    facts,
    section,
    table,
    text,
)
from runner.report.page.view import PageView, all_hidden_are_fine, tasks_shown
from runner.report.toll import toll_of
from runner.report.trace import NodeRow, TaskRow, TaskState

MOST_ROWS = 1_000
"""So many tasks, and nodes, are in the page for readers without a script."""
_LARGEST = 12
_THEN = "when last seen"
# In the words of the digest; those that were planned alone are not added.
_TOLD_BY_CAUSE = frozenset({TaskState.PLANNED, TaskState.FAILED, TaskState.NEVER_RAN})
_KINDS = {True: "dedicated", False: "spot", None: UNKNOWN}


def tiles(view: PageView) -> str:
    """The run in numbers."""
    report = view.report
    counts = count_states(view)
    pairs: list[tuple[str, str, str]] = [("tasks", f"{report.tasks:,}", "")]
    pairs += [
        (state.value, f"{counts[state]:,}", "" if state.is_over or view.goes_on else _THEN)
        for state in TaskState
        if counts.get(state) and state not in _TOLD_BY_CAUSE
    ]
    pairs += [(words, f"{count:,}", "") for count, words in toll_of(report).over]
    not_added = (
        report.tasks - report.left_out - sum(counts.values()) + counts.get(TaskState.PLANNED, 0)
    )
    if not_added > 0 and not report.halted:
        pairs.append(("not added yet" if view.goes_on else "not added", f"{not_added:,}", ""))
    if report.left_out:
        pairs.append(("left out", f"{report.left_out:,}", "nobody asked for them"))
    if report.retries:
        pairs.append(("more attempts", f"{report.retries:,}", ""))
    wall = report.wall_seconds
    if wall is None and view.trace.began is not None and view.trace.seen is not None:
        wall = (view.trace.seen - view.trace.began).total_seconds()
    if wall is not None:
        words = "so far" if view.goes_on else "until it was last seen"
        pairs.append(("from begin to end" if report.ended else words, format_seconds(wall), ""))
    if report.times.seconds:
        pairs.append(("task time in all", format_seconds(report.times.seconds), ""))
    if view.lanes:
        pairs.append(("nodes", f"{len(view.lanes):,}", _busy(view)))
    if report.uploaded_files or report.unchanged_files:
        count = report.uploaded_files + report.unchanged_files
        pairs.append(("inputs", format_bytes(report.input_bytes), plural(count, "file")))
    if report.downloaded_files:
        size = format_bytes(report.downloaded_bytes)
        pairs.append(("results", size, plural(report.downloaded_files, "file")))
    body = "".join(
        f"<div><dt>{text(name)}{f'<small>{text(more)}</small>' if more else ''}</dt>"
        f"<dd>{text(number)}</dd></div>"
        for name, number, more in pairs
    )
    bar = _share_bar(counts, not_added) if report.tasks else ""
    return f'<dl class="tiles">{body}</dl>{bar}'


def count_states(view: PageView) -> dict[TaskState, int]:
    """How many tasks there are in each state."""
    counts: dict[TaskState, int] = {}
    for row in view.trace.tasks:
        counts[row.state] = counts.get(row.state, 0) + 1
    return counts


def _busy(view: PageView) -> str:
    whole = sum(lane.seconds * lane.slots for lane in view.lanes)
    busy = sum(lane.busy_seconds for lane in view.lanes)
    return f"{min(1.0, busy / whole):.0%} busy" if whole else ""


def _share_bar(counts: Mapping[TaskState, int], not_added: int) -> str:
    """How the tasks have ended so far, as one bar; the numbers stand above it."""
    total = max(1, sum(counts.values()) + max(0, not_added))
    x, parts = 0.0, []
    for state, kind in (
        (TaskState.SUCCEEDED, "good"),
        (TaskState.SKIPPED, "good"),
        (TaskState.FAILED, "bad"),
        (TaskState.RUNNING, "busy"),
        (TaskState.RETRYING, "again"),
        (TaskState.NEVER_RAN, "wait"),
    ):
        width = 100 * counts.get(state, 0) / total
        if width:
            parts.append(
                f'<rect class="fill-{kind}" x="{x:.2f}" y="0" width="{width:.2f}" height="1"/>'
            )
            x += width
    return (
        '<svg class="share" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def nodes(view: PageView) -> str:
    """A line a node."""
    if not view.lanes:
        return section("nodes", "Nodes", '<p class="quiet">No node was seen.</p>')
    rows = (
        (
            f"{number:,}",
            f'<span class="mono">{text(lane.node.id)}</span>',
            _KINDS[lane.node.dedicated],
            format_seconds(lane.seconds),
            f"{lane.slots:,}",
            f"{lane.attempts:,}",
            _meter(lane.busy_share),
            f"{lane.busy_share:.0%}",
            text(_time_by_state(lane.node)),
        )
        for number, lane in enumerate(view.lanes[:MOST_ROWS], start=1)
    )
    heads = ("#", "node", "kind", "there#", "slots#", "attempts#", "", "busy#", "seen as")
    body = table("Nodes in the order in which they were seen", heads, rows)
    if len(view.lanes) > MOST_ROWS:
        body += f'<p class="quiet">{len(view.lanes) - MOST_ROWS:,} more are not listed.</p>'
    body += (
        '<p class="quiet">Busy is the time of the attempts on a node, as a share of the time of all'
        " its slots while it was there. States are as they were seen: nodes are looked at every few"
        " seconds, more rarely in a long run.</p>"
    )
    return section("nodes", "Nodes", body, count=f"{len(view.lanes):,}")


def _meter(share: float) -> str:
    return (
        '<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="fill-there" width="100" height="8"/><rect class="fill-busy"'
        f' width="{100 * share:.1f}" height="8"/></svg>'
    )


def _time_by_state(node: NodeRow) -> str:
    times: dict[str, float] = {}
    for each in node.states:
        if each.until is not None:
            spent = (each.until - each.since).total_seconds()
            times[each.state] = times.get(each.state, 0.0) + spent
        else:
            times.setdefault(each.state, 0.0)
    return ", ".join(f"{state} {format_seconds(spent)}" for state, spent in times.items())


def attempts(view: PageView) -> str:
    """Why tasks were run again."""
    report = view.report
    if not report.retries:
        return section("attempts", "Attempts", '<p class="quiet">No task was run again.</p>')
    again = [row for row in view.trace.tasks if row.times_begun > 1]
    saved = sum(row.state is TaskState.SUCCEEDED for row in again)
    causes = sorted(report.retry_causes.items(), key=lambda each: (-each[1], each[0]))
    body = (
        f"<p>{plural(len(again), 'task')} of {report.tasks:,} had more than one attempt; "
        f"{saved:,} of them succeeded in the end.</p>"
        + table(
            "Attempts that were followed by another, by their cause",
            ("cause", "attempts#"),
            ((text(CAUSES_OF_RETRIES.get(cause, cause)), f"{count:,}") for cause, count in causes),
        )
    )
    return section("attempts", "Attempts", body, count=f"{report.retries:,} more")


def tasks(view: PageView) -> str:
    """The tasks: all, or some of many; the script puts all into the same place."""
    shown = tasks_shown(view.trace, MOST_ROWS)
    total = len(view.trace.tasks)
    which = "tasks that succeeded" if all_hidden_are_fine(view.trace, shown) else "tasks"
    note = (
        f'<p class="quiet" id="tasks-note">{total - len(shown):,} {which} are not in this list:'
        " <code>trace.tsv</code> has all.</p>"
        if len(shown) < total
        else ""
    )
    rows = "".join(map(_task_row, shown))
    body = (
        '<div id="task-controls"></div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Tasks"><table id="task-table">'
        "<caption>The last attempt of each task</caption>"
        '<thead><tr><th scope="col">task</th><th scope="col">item</th><th scope="col">state</th>'
        '<th scope="col" class="optional">step</th><th scope="col" class="number optional">'
        'attempts</th><th scope="col" class="number optional">waited</th>'
        '<th scope="col" class="number">ran</th><th scope="col" class="number">exit</th>'
        '<th scope="col" class="number optional">results</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{note}"
        '<div id="task-pages" class="pages"></div>'
    )
    return section("tasks", "Tasks", body, count=f"{total:,}")


def _task_row(row: TaskRow) -> str:
    waited, ran = row.queue_seconds, row.run_seconds
    results = format_bytes(row.output_bytes) if row.output_files else UNKNOWN
    return (
        f'<tr><td class="mono">{text(row.id)}</td><td class="name">{text(row.item)}</td>'
        f'<td>{badge_of_task(row.state)}</td><td class="optional">{text(row.step or "")}</td>'
        f'<td class="number optional">{row.times_begun}</td>'
        f'<td class="number optional">{UNKNOWN if waited is None else format_seconds(waited)}</td>'
        f'<td class="number">{UNKNOWN if ran is None else format_seconds(ran)}</td>'
        f'<td class="number">{UNKNOWN if row.exit_code is None else row.exit_code}</td>'
        f'<td class="number optional">{results}</td></tr>'
    )


def files(view: PageView) -> str:
    """What went up and came home, container by container."""
    trace = view.trace
    rows = [
        (
            "up" if going is trace.inputs else "home",
            text(role),
            f"{each.count:,}",
            format_bytes(each.bytes),
            f"{each.unchanged:,}" if going is trace.inputs else UNKNOWN,
        )
        for going in (trace.inputs, trace.outputs)
        for role, each in going.items()
    ]
    if not rows:
        return section("files", "Inputs and outputs", '<p class="quiet">No file was moved.</p>')
    body = table(
        "Files by container", ("direction", "container", "files#", "size#", "there already#"), rows
    )
    largest = nlargest(_LARGEST, _outputs(view), key=lambda each: each[2])
    if largest:
        body += table(
            "The largest results",
            ("task", "file", "size#"),
            (
                (f'<span class="mono">{text(task)}</span>', text(name), format_bytes(size))
                for task, name, size in largest
            ),
        )
        place = text(view.record.output_directory)
        body += f'<p class="quiet">Results are in <code>{place}</code>.</p>'
    return section("files", "Inputs and outputs", body)


def _outputs(view: PageView) -> Iterator[tuple[str, str, int]]:
    for row in view.trace.tasks:
        for each in row.outputs:
            yield row.id, f"{each.role}/{each.blob}", each.bytes


def cost(view: PageView) -> str:
    """What the nodes have cost."""
    found = view.cost
    line = describe_cost(found)
    if line is None:
        return section("cost", "Cost", '<p class="quiet">No node was seen: nothing to pay for.</p>')
    price = found.price
    body = f"<p>{text(line.removeprefix('cost: '))}</p>" + facts(
        (
            ("node-hours, dedicated", f"{found.node_hours_dedicated:,.4f}"),
            ("node-hours, spot", f"{found.node_hours_spot:,.4f}"),
            ("VM size", text(found.vm_size or "")),
            ("price", "" if price is None else text(_prices(price, found.currency))),
            ("source", "" if price is None else text(price.source)),
        )
    )
    return section("cost", "Cost", f'{body}<p class="quiet">{text(NOT_COUNTED.capitalize())}.</p>')


def _prices(price: Any, currency: str | None) -> str:
    kinds = (("dedicated", price.dedicated), ("spot", price.spot))
    known = (f"{kind} {each} {currency} an hour" for kind, each in kinds if each is not None)
    return ", ".join(known)
