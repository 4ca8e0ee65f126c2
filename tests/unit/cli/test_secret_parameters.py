"""Values of secret parameters: where they may come from, and that no message quotes them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from runner.cli.dispatch import run_command
from runner.cli.secret_values import asks, read_secrets
from runner.cli.secret_variables import secrets_in
from runner.cli.signals import Interruptions
from runner.cli.specs import load
from runner.cli.world import World
from runner.errors import ExitCode
from runner.run.records.redaction import Redaction
from runner.spec.messages import render_problem
from runner.spec.model.terms import SecretName
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, write_spec
from tests.unit.cli.worlds import make_terminal, make_world

VALUE = "canary-hunter2"
PARAMETERS = """\
parameters:
  token: {type: string, secret: true, pattern: "[a-z0-9-]+", description: of the service}
  plain: {type: string, default: x}
"""
USED = SPEC.replace(
    "  for_each: input\n", '  for_each: input\n  environment: {T: "{{ parameters.token }}"}\n'
)


def words(*parameters: str, file: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(params=file, parameters=list(parameters), json=False, quiet=False)


def secrets_of(
    folder: Path,
    *parameters: str,
    file: str | None = None,
    environ: dict[str, str] | None = None,
    world: World | None = None,
) -> dict[SecretName, str]:
    """What a run would have; `file` is the text of a file of parameters."""
    write_spec(folder, PARAMETERS + USED)
    world = world or make_world(folder)[0]
    if file is not None:
        (folder / "v.yaml").write_text(file)
    arguments = words(*parameters, file=None if file is None else "v.yaml")
    workload, _ = load("spec.yaml", arguments, world)
    assert "token" not in workload.parameters
    assert VALUE not in repr(workload)
    return read_secrets(workload, environ or {}, ask=asks(world, quietly=False))


def shown(error: SpecError) -> str:
    text = "\n".join(map(render_problem, error.problems))
    assert VALUE not in text
    return text


def test_from_the_environment(tmp_path: Path) -> None:
    assert secrets_of(tmp_path, environ={"BATCH_RUN_SECRET_TOKEN": VALUE}) == {"TOKEN": VALUE}


def test_from_a_file_which_wins(tmp_path: Path) -> None:
    environ = {"BATCH_RUN_SECRET_TOKEN": "of-the-environment"}
    assert secrets_of(tmp_path, file=f"token: {VALUE}\n", environ=environ) == {"TOKEN": VALUE}


def test_from_somebody_who_is_asked(tmp_path: Path) -> None:
    world, screen = make_terminal(tmp_path, f"short\nWith Capitals\n{VALUE}\n")
    assert secrets_of(tmp_path, world=world) == {"TOKEN": VALUE}
    assert screen.getvalue() == (
        "`token`: of the service (a secret; it is not shown)\n"
        "token: \n  must have at least 8 characters\n"
        "token: \n  must match `[a-z0-9-]+`, and does not\n"
        "token: \n"
    )


def test_somebody_who_gives_no_answer(tmp_path: Path) -> None:
    world, _ = make_terminal(tmp_path, "")
    with pytest.raises(SpecError):
        secrets_of(tmp_path, world=world)


def test_from_nowhere(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        secrets_of(tmp_path)
    assert shown(caught.value) == (
        "spec.yaml:2:3: missing-secret: the environment variable BATCH_RUN_SECRET_TOKEN is not"
        " set\n"
        '    token: {type: string, secret: true, pattern: "[a-z0-9-]+", description: of the'
        " service}\n"
        "    ^^^^^\n"
        "hint: it holds the value of the secret `token`, or a file for `--params` does"
    )


def test_not_from_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        secrets_of(tmp_path, f"token={VALUE}")
    assert [(each.location(), each.code, each.message) for each in caught.value.problems] == [
        (
            "spec.yaml:2:3",
            "exposed-secret",
            "the secret `token` is given by `-p`, where others can read it",
        )
    ]
    assert caught.value.problems[0].hint == (
        "set BATCH_RUN_SECRET_TOKEN, or write it into a file for `--params`"
    )
    assert VALUE not in shown(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("short", "the value of BATCH_RUN_SECRET_TOKEN must have at least 8 characters"),
        (
            f"{VALUE} {VALUE}",
            "the value of BATCH_RUN_SECRET_TOKEN must match `[a-z0-9-]+`, and does not",
        ),
        (
            f"{VALUE}\udcff",
            (
                "the value of BATCH_RUN_SECRET_TOKEN must be UTF-8 without a NUL: it is a"
                " variable's value"
            ),
        ),
    ],
)
def test_what_the_parameter_does_not_take(tmp_path: Path, value: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        secrets_of(tmp_path, environ={"BATCH_RUN_SECRET_TOKEN": value})
    assert [each.message for each in caught.value.problems] == [message]
    shown(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            f'token: "{VALUE}\n',
            'v.yaml:1:8: yaml-syntax: the quote " that opens here is never closed',
        ),
        (f"tokne: {VALUE}\n", "v.yaml:1:1: unknown-parameter: `tokne` is given, but is not a"),
        (f"token: [{VALUE}]\n", "v.yaml:1:8: parameter-value: the value of `token` is not text,"),
        (
            "token: 12345678901\n",
            "v.yaml:1:8: wrong-type: the value given for `token` must be text",
        ),
        (f"token: {VALUE}X\n", "v.yaml:1:8: bad-value: the value given for `token` must match"),
        (f"plain: [{VALUE}]\n", "v.yaml:1:8: parameter-value: the value of `plain` is not text,"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_without_its_lines(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(SpecError) as caught:
        secrets_of(tmp_path, file=text)
    assert shown(caught.value).startswith(told)
    assert text.strip() not in shown(caught.value)


def test_a_file_of_a_spec_without_secrets_shows_its_lines(tmp_path: Path) -> None:
    write_spec(tmp_path, PARAMETERS.replace(", secret: true", ", default: x") + SPEC)
    (tmp_path / "v.yaml").write_text("tokne: x\n")
    with pytest.raises(SpecError) as caught:
        load("spec.yaml", words(file="v.yaml"), make_world(tmp_path)[0])
    assert "\n  tokne: x\n" in render_problem(caught.value.problems[0])


def test_plans_and_checks_need_no_value(tmp_path: Path) -> None:
    write_spec(tmp_path, PARAMETERS + USED)
    for arguments in (
        ["validate", "spec.yaml"],
        ["plan", "spec.yaml"],
        ["plan", "spec.yaml", "--json"],
    ):
        world, _, stderr = make_world(tmp_path)
        assert run_command(arguments, world, Interruptions()) == ExitCode.SUCCESS, stderr.getvalue()


def test_variables_that_hold_secrets() -> None:
    environ = {
        "AZURE_BATCH_ACCESS_KEY": "batch-key==",
        "AZURE_STORAGE_CONNECTION_STRING": "AccountName=me;AccountKey=storage-key==;X=y",
        "BATCH_RUN_SECRET_TOKEN": "token-value",
        "AZURE_CLIENT_SECRET": " client-secret ",
        "AZURE_STORAGE_SAS_TOKEN": "?sv=1&sig=signature-value",
        "AZURE_STORAGE_ACCOUNT": "me",
        "PATH": "/bin",
    }
    assert set(secrets_in(environ)) == {
        "batch-key==",
        "AccountName=me;AccountKey=storage-key==;X=y",
        "storage-key==",
        "token-value",
        "client-secret",
        "?sv=1&sig=signature-value",
        "signature-value",
    }


def test_a_bug_is_told_and_kept_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    world, _, stderr = make_world(tmp_path)
    world.redaction = Redaction([VALUE])

    class Falling(dict[str, str]):
        def get(self, *_: object) -> str:
            raise RuntimeError(f"it was {VALUE}")

    world.environ = Falling()
    write_spec(tmp_path, SPEC)
    assert run_command(["run", "spec.yaml"], world, Interruptions()) == ExitCode.BUG
    (kept,) = tmp_path.glob("batch-run-bug-*.txt")
    assert "batch-run: a bug in batch-run: RuntimeError: it was REDACTED" in stderr.getvalue()
    assert "RuntimeError: it was REDACTED" in kept.read_text()
    assert VALUE not in kept.read_text() + stderr.getvalue()


def test_all_that_a_world_says_and_writes(tmp_path: Path) -> None:
    world, stdout, stderr = make_world(tmp_path)
    world.redaction.learn(VALUE)
    world.say(f"said {VALUE}")
    world.print(f"printed {VALUE}")
    world.write(f"written {VALUE}\n".encode())
    assert stderr.getvalue() == "said REDACTED\n"
    assert stdout.content == b"printed REDACTED\nwritten REDACTED\n"
