"""Puts the page of a run together: parts as HTML, data, style and script, and the page's policy.

It must not know what the parts show, nor where the page goes.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from string import Template

from runner import __version__
from runner.report.page import sections
from runner.report.page.data import data_as_json
from runner.report.page.durations import durations_as_html
from runner.report.page.failures import failures
from runner.report.page.markup import badge_of_run, command, moment, section, text
from runner.report.page.provenance import provenance
from runner.report.page.view import PageView
from runner.run.records.standing import Standing

_HERE = Path(__file__).parent
# In one scope of their own, in this order: of what others declare each may use functions at any
# time, and constants of those before it.
_SCRIPT = (
    "run",
    "words",
    "elements",
    "search",
    "details",
    "tasks",
    "lanes",
    "span",
    "overview",
    "bars",
    "walking",
    "timeline",
    "colours",
    "start",
)
_PARTS = (
    ("summary", "Summary"),
    ("failures", "Failures"),
    ("timeline", "Timeline"),
    ("durations", "Durations"),
    ("nodes", "Nodes"),
    ("attempts", "Attempts"),
    ("tasks", "Tasks"),
    ("files", "Files"),
    ("cost", "Cost"),
    ("provenance", "Provenance"),
)


def page_of(view: PageView) -> str:
    """The whole page. Its policy lets its own style and script be, and nothing else be fetched."""
    style, script = _read("style.css"), _script()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    record = view.record
    return Template(_read("page.html")).substitute(
        policy=policy,
        title=text(f"{record.workload}: {view.standing.value} ({record.run})"),
        style=style,
        script=script,
        workload=text(record.workload),
        run=text(record.run),
        badge=badge_of_run(view.standing),
        nav=_navigation(),
        notes=_notes(view),
        sections=_sections(view),
        version=text(__version__),
        made=moment(view.made),
        data=data_as_json(view),
    )


def _sections(view: PageView) -> str:
    return "".join(
        (
            section("summary", "Summary", sections.tiles(view)),
            failures(view),
            section("timeline", "Timeline", _TIMELINE if view.lanes else _NO_TIMELINE),
            section("durations", "Durations", durations_as_html(view.trace.tasks)),
            sections.nodes(view),
            sections.attempts(view),
            sections.tasks(view),
            sections.files(view),
            sections.cost(view),
            provenance(view),
        )
    )


_NO_TIMELINE = '<p class="quiet">No task was seen on a node.</p>'
_TIMELINE = (
    '<noscript><p class="quiet">The timeline needs JavaScript; the list of nodes below says how'
    " busy each was, and trace.tsv has all times.</p></noscript>"
    '<div id="timeline-place"></div>'
    '<p class="quiet">Of a task the service tells when its node began with it and when it was over.'
    " When the command itself began and ended it does not tell: <em>running</em> includes what the"
    " node downloads first. <em>Uploading</em> is drawn from when the first result was whole in"
    " storage for sure, which tells whole seconds; only of results that were brought home is it"
    " known. Slots are given to tasks in the order of their starts.</p>"
)


def _notes(view: PageView) -> str:
    match view.standing:
        case Standing.DRIVEN | Standing.DETACHED | Standing.NOT_AWAITED:
            words = (
                f"This run was in progress when the page was made, at {moment(view.made)}."
                f" {_last_seen(view)}"
                f" {command(f'batch-run report {view.record.run}')} makes the page anew."
            )
        case Standing.ABANDONED | Standing.INTERRUPTED | Standing.BROKEN_OFF:
            why = ": its client has died" if view.standing is Standing.ABANDONED else ""
            words = (
                f"This run did not come to its end{why}. {_last_seen(view)}"
                f" {command(f'batch-run resume {view.record.run}')} goes on with it."
            )
        case _:
            return ""
    return f'<p class="note">{words}</p>'


def _last_seen(view: PageView) -> str:
    if view.trace.seen is None:
        return "Nothing was seen of it."
    return (
        f"The last thing seen of it is of {moment(view.trace.seen)}, and all is shown as it was"
        " then."
    )


def _navigation() -> str:
    links = "".join(f'<li><a href="#{name}">{title}</a></li>' for name, title in _PARTS)
    return f"<ul>{links}</ul>"


@cache
def _script() -> str:
    parts = "\n".join(_read(f"script/{name}.js") for name in _SCRIPT)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """As a policy names what it lets be. Source: Content Security Policy Level 3, 2.3.1."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
