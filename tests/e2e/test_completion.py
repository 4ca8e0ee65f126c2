"""Lines are completed in real shells: commands, options, specs, runs and tasks."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import User
from tests.e2e.shells import open_shell

SPEC = """\
version: 1
name: bad
parameters:
  wrong: {type: integer, default: 3, description: which one fails}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
task:
  for_each: {list: [one, two, three]}
  command: test {{ index }} != {{ parameters.wrong }}
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, user_environ: dict[str, str]) -> User:
    """A folder with a run of which a task has failed, and specs with odd names."""
    folder = tmp_path_factory.mktemp("used")
    user = User(folder, user_environ)
    user.write("bad.yaml", SPEC)
    user.write("bad.txt", "no spec")
    user.write("two words.yaml", SPEC)
    user.write("it's.yml", SPEC)
    user.write("$HOME;x.yaml", SPEC)
    (folder / "folder").mkdir()
    user.write("folder/inner.yaml", SPEC)
    done = user.run("bad.yaml", "-p", "wrong=2", "--isolation", "none")
    assert done.returncode == 1, done.stderr
    return user


def quoted(name: str) -> set[str]:
    """The ways in which shells write a name so that it stays one word."""
    backslashed = "".join(f"\\{each}" if each in " '$;" else each for each in name)
    return {backslashed, f"'{name}'", f'"{name}"'}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_lines_are_completed(name: str, used: User) -> None:
    run = used.last_run().name
    with open_shell(name, used.folder, used.environ) as shell:
        for typed, whole in {
            "batch-run stat": "batch-run status ",
            "batch-run run bad.yaml --dry": "batch-run run bad.yaml --dry",
            "batch-run run bad.yaml --det": "batch-run run bad.yaml --detach ",
            "batch-run run --target az": "batch-run run --target azure ",
            "batch-run run --target=az": "batch-run run --target=azure ",
            "batch-run validate ba": "batch-run validate bad.yaml ",
            "batch-run ba": "batch-run bad.yaml ",
            "batch-run run bad.yaml -p wr": "batch-run run bad.yaml -p wrong=",
            "batch-run status b": f"batch-run status {run} ",
            "batch-run logs 3": "batch-run logs 3 ",
            "batch-run logs 0003 b": f"batch-run logs 0003 {run} ",
            "batch-run run bad.yaml --only fai": "batch-run run bad.yaml --only failed ",
            "batch-run new mine --from topw": "batch-run new mine --from topwords ",
            "batch-run run --output fol": "batch-run run --output folder/",
            "batch-run run --output=fol": "batch-run run --output=folder/",
            "batch-run completion fi": "batch-run completion fish ",
        }.items():
            assert shell.complete(typed) == whole
        for typed, file in {
            "batch-run tw": "two words.yaml",
            "batch-run run it": "it's.yml",
            "batch-run run \\$": "$HOME;x.yaml",
        }.items():
            before = typed[: typed.rindex(" ") + 1]
            line = shell.complete(typed)
            assert line in {f"{before}{word} " for word in quoted(file)}
        assert shell.complete("batch-run fol").rstrip() == "batch-run folder/"
