"""What a run was made of, for the page: spec, versions, machines, and where all of it is.

It must not know what became of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.report.page.markup import facts, lines, moment, section, text
from runner.report.page.view import PageView
from runner.run.records.git_state import GitState


def provenance(view: PageView) -> str:
    """A list of facts, and the spec's text."""
    record = view.record
    pairs = [
        ("run", f'<span class="mono">{text(record.run)}</span>'),
        ("created", moment(record.created)),
        ("target", text(record.target)),
        ("Batch account", text(record.batch_endpoint or "")),
        ("storage account", text(record.storage_endpoint or "")),
        ("spec", f"<code>{text(record.spec)}</code>"),
        ("git", _git(record.git)),
        *_parameters(record.parameters),
        *_machines(view.plan),
        ("job", text(view.report.job or "")),
        ("pool", text(view.report.pool or "")),
        ("batch-run", text(record.version)),
        *((name, text(version)) for name, version in record.made_with.items()),
        ("output directory", f"<code>{text(record.output_directory)}</code>"),
    ]
    body = facts(pairs)
    if view.spec is not None:
        body += (
            "<details><summary>The spec as it was</summary>"
            f'<pre tabindex="0">{lines(view.spec)}</pre></details>'
        )
    return section("provenance", "Provenance", body)


def _git(git: GitState | None) -> str:
    if git is None:
        return ""
    branch = "" if git.branch is None else f" on {text(git.branch)}"
    if git.commit is None:
        return f"no commit is known{branch}"
    match git.changed:
        case True:
            changed = "; files of the spec's folder had changed since"
        case False:
            changed = "; the files of the spec's folder were as git had noted them"
        case None:
            changed = "; whether files had changed is not known"
    return f"<code>{text(git.commit)}</code>{branch}{changed}"


def _parameters(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if parameters:
        listed = ", ".join(f"{name}={value}" for name, value in parameters.items())
        yield "parameters", f"<code>{text(listed)}</code>"


def _machines(plan: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    pool = (plan or {}).get("pool") or {}
    image = pool.get("image")
    if isinstance(image, Mapping):
        words = [image.get(key) for key in ("publisher", "offer", "sku", "version", "id")]
        yield "image", text(" ".join(str(word) for word in words if word))
    elif image:
        yield "image", text(image)
    if pool.get("vm_size"):
        yield "VM size", text(pool["vm_size"])
    if "dedicated_nodes" in pool:
        kinds = (("dedicated", pool["dedicated_nodes"]), ("spot", pool["spot_nodes"]))
        asked = ", ".join(f"{number} {kind}" for kind, number in kinds if number)
        yield "nodes asked for", text(asked)
    if pool.get("task_slots_per_node"):
        yield "slots a node", text(pool["task_slots_per_node"])
