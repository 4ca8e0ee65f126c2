"""A run without any key: signed in to Entra ID, over TLS, with signatures by user delegation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.canaries import Canaries
from tests.e2e.conftest import User
from tests.e2e.entra import sign_in
from tests.fakes.tokens import make_token

SPEC = """\
version: 1
name: signed-in
containers:
  input: {upload: [{from: words}]}
  output: {download: true}
pool: {image: {publisher: debian, offer: debian-12, sku: "12"}, vm_size: a, nodes: {dedicated: 1}}
task:
  for_each: input
  command: tr a-z A-Z < {{ file.path }} > {{ file.stem }}.upper
  outputs: [{pattern: "{{ file.stem }}.upper", to: output}]
"""


@pytest.fixture
def signed_in(user: User) -> Iterator[User]:
    """A user who has no key, and an emulator over TLS."""
    with sign_in(user) as somebody:
        yield somebody


def test_a_run_without_keys(signed_in: User) -> None:
    signed_in.write("signed-in.yaml", SPEC)
    for name in ("one", "two"):
        signed_in.write(f"words/{name}.txt", name)

    # How each token begins: none is ever printed or written.
    canaries = Canaries({"token": make_token("").partition(".")[0]})
    with canaries.watching_processes():
        done = signed_in.with_environ(AZURE_LOG_LEVEL="DEBUG").run("signed-in.yaml", "--json")

    assert done.returncode == 0, done.stderr
    canaries.say("a run without keys", done.stdout, done.stderr)
    assert canaries.find(signed_in.folder) == []
    assert canaries.find_signatures(signed_in.folder) == []
    results = signed_in.folder / "results" / "signed-in" / "output"
    found = {path.name: path.read_text() for path in results.rglob("*") if path.is_file()}
    assert found == {"one.upper": "ONE", "two.upper": "TWO"}


def test_a_certificate_that_nobody_vouches_for_is_said(signed_in: User) -> None:
    signed_in.write("signed-in.yaml", SPEC)
    signed_in.write("words/one.txt", "one")
    environ = {k: v for k, v in signed_in.environ.items() if k != "REQUESTS_CA_BUNDLE"}

    done = User(signed_in.folder, environ).run("signed-in.yaml")

    assert done.returncode == 3
    assert "certificate" in done.stderr
