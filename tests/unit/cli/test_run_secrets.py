"""Secrets come from their own variables alone, and every one that is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.secret_values import read_secrets
from runner.errors import ExitCode
from runner.spec.messages import render_problem
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, make_workload

NAMED = SPEC.replace(
    "  nodes: {dedicated: 1}\n",
    """\
  nodes: {dedicated: 1}
  registries:
    - {server: a.azurecr.io, user: puller, password_secret: REGISTRY}
  mounts:
    - {path: one, blob: {account: a, container: c, key_secret: KEY}}
    - {path: two, blob: {account: a, container: c, sas_secret: SAS}}
    - path: four
      file_share: {account: a, url: "https://a.file.core.windows.net/s", key_secret: KEY}
    - {path: five, nfs: {source: "host:/path"}}
    - {path: six, cifs: {source: //host/share, user: me, password_secret: CIFS}}
  users:
    - {name: worker, password_secret: USER}
""",
)
NAMED = NAMED.replace(
    "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}", "ubuntu 22.04 containers"
).replace("task:\n", "task:\n  container: {image: a.azurecr.io/tool}\n")
EXISTING = SPEC[: SPEC.index("pool:")] + "pool: {existing: p}\n" + SPEC[SPEC.index("task:") :]
VALUES = {
    "BATCH_RUN_SECRET_REGISTRY": "r",
    "BATCH_RUN_SECRET_KEY": "k",
    "BATCH_RUN_SECRET_SAS": "s",
    "BATCH_RUN_SECRET_CIFS": "c",
    "BATCH_RUN_SECRET_USER": "u",
}


def test_just_those_that_the_pool_names_are_read(tmp_path: Path) -> None:
    environ = {**VALUES, "BATCH_RUN_SECRET_OTHER": "o", "KEY": "not this"}

    assert read_secrets(make_workload(tmp_path, NAMED), environ) == {
        "REGISTRY": "r",
        "KEY": "k",
        "SAS": "s",
        "CIFS": "c",
        "USER": "u",
    }


@pytest.mark.parametrize(
    "text",
    [SPEC, SPEC.replace(SPEC[SPEC.index("pool:") : SPEC.index("task:")], "pool: {existing: p}\n")],
)
def test_a_pool_that_names_none_needs_none(tmp_path: Path, text: str) -> None:
    assert read_secrets(make_workload(tmp_path, text), VALUES) == {}


def test_every_missing_one_is_named_at_its_place(tmp_path: Path) -> None:
    environ = {**VALUES, "BATCH_RUN_SECRET_KEY": "", "BATCH_RUN_SECRET_USER": ""}

    with pytest.raises(SpecError) as caught:
        read_secrets(make_workload(tmp_path, NAMED), environ)

    assert caught.value.exit_code == ExitCode.USAGE
    assert [f"{each.location()}: {each.message}" for each in caught.value.problems] == [
        "spec.yaml:14:64: the environment variable BATCH_RUN_SECRET_KEY is not set",
        "spec.yaml:17:86: the environment variable BATCH_RUN_SECRET_KEY is not set",
        "spec.yaml:21:39: the environment variable BATCH_RUN_SECRET_USER is not set",
    ]
    assert render_problem(caught.value.problems[-1]) == (
        "spec.yaml:21:39: missing-secret: the environment variable BATCH_RUN_SECRET_USER is not"
        " set\n"
        "      - {name: worker, password_secret: USER}\n"
        "                                        ^^^^\n"
        "hint: it holds the value of this secret; a spec never does"
    )
