"""Resources from URLs: what a node could not fetch, or should not be told, is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.plan.model import WebResource
from tests.fakes.plans import lines, make_plan, refused, spec_of

NO_URL = "it begins with `https://` or `http://` and the name of a host"
SECRET = "bring the file up into a container, or use a URL that is signed for a short time"


def listing(url: str) -> str:
    """A spec whose one item is a URL that is a resource."""
    return spec_of(
        "task:\n"
        f"  for_each: {{list: [{url!r}]}}\n"
        "  command: echo\n"
        '  resources: [{url: "{{ item }}", to: f}]\n'
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://example.org/a", "ftp://example.org/a"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("example.org/a", "example.org/a"),
        ("https:example.org", "https:example.org"),
        ("https:///a?sig=secret", "https:///a"),
        ("https://", "https://"),
        ("https://[1::/a", "https://[1::/a"),
        ("https://example.org:port/a", "https://example.org:port/a"),
        ("ftp://me:secret@example.org/a", "ftp://example.org/a"),
    ],
)
def test_what_no_node_can_fetch(tmp_path: Path, url: str, shown: str) -> None:
    (problem,) = refused(tmp_path, listing(url))
    assert lines((problem,)) == [
        f"spec.yaml:14:22: bad-url: `{shown}` is no URL that a node can fetch (for `{url}`)"
    ]
    assert problem.hint == NO_URL


@pytest.mark.parametrize("user", ["me:secret", "me", "", "a@b:c"])
def test_a_password_in_a_url(tmp_path: Path, user: str) -> None:
    text = spec_of(
        "task:\n"
        "  command: echo\n"
        f'  resources: [{{url: "https://{user}@example.org/a?x={{{{ run.id }}}}", to: f}}]\n'
    )
    (problem,) = refused(tmp_path, text)
    assert "\n".join(lines((problem,))) == (
        "spec.yaml:13:22: bad-url: the URL `https://example.org/a` has a user or a password in it,"
        " which all who may look at the job could read"
    )
    assert problem.hint == SECRET


def test_of_a_start_task(tmp_path: Path) -> None:
    text = spec_of(
        "task: {command: echo}\n",
        pool="  start_task:\n"
        "    command: echo\n"
        "    resources: [{url: 'https://me:secret@example.org/a', to: f}]\n",
    )
    assert "\n".join(lines(refused(tmp_path, text))) == (
        "spec.yaml:13:24: bad-url: the URL `https://example.org/a` has a user or a password in it,"
        " which all who may look at the job could read"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a@b?x=c@d",
        "http://127.0.0.1:8080/a",
        "HTTPS://example.org",
    ],
)
def test_what_nodes_can_fetch(tmp_path: Path, url: str) -> None:
    (task,) = make_plan(tmp_path, listing(url)).tasks
    assert task.resources == (WebResource(url=url, path="f"),)
