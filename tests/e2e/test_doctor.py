"""`doctor`: what would keep a run from going well, and one task that is tried for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.run.records.driving import drive
from runner.run.results.results_store import results_folder
from tests.data.documents import check_directory
from tests.e2e.accounts import open_accounts
from tests.e2e.canaries import Canaries
from tests.e2e.conftest import Emulator, User, start_emulator, wait_until
from tests.e2e.entra import sign_in
from tests.fakes.tokens import OBJECT_ID, TENANT, make_token

SPEC = """\
version: 1
name: demo
containers:
  input: {upload: [{from: words}]}
  output: {name: mine, download: true, delete: never}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 20}
  keep: 2h
  start_task: {command: echo ready}
task:
  for_each: input
  command: tr a-z A-Z < {{ file.path }} > {{ file.stem }}.upper
  outputs: [{pattern: "{{ file.stem }}.upper", to: output}]
"""
WRONG_KEY = "d3Jvbmc="


@pytest.fixture
def azure(user: User, shared_emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    write_spec(user, SPEC)
    return user.with_environ(**shared_emulator.environ)


def write_spec(user: User, text: str) -> None:
    user.write("demo.yaml", text)
    for name in ("one", "two"):
        user.write(f"words/{name}.txt", name)


def findings(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    """The last finding of each check, as data."""
    return {each["check"]: each for each in json.loads(done.stdout)["findings"]}


def unwrapped(text: str) -> str:
    """Each finding in a line of its own, however wide it was shown."""
    return re.sub(r"\n {28} *", " ", text)


def test_a_whole_screen(azure: User, shared_emulator: Emulator) -> None:
    canaries = Canaries(
        {"batch": shared_emulator.batch["key"], "storage": shared_emulator.storage["key"]}
    )
    done = azure.run("doctor", "demo.yaml", "--target", "azure")
    assert done.returncode == 0, done.stderr
    canaries.say("doctor", done.stdout, done.stderr)
    place = shared_emulator.batch["endpoint"].partition("://")[2]
    shown = re.sub(r"(?s)(versions ).*?(?=  ok       variables)", r"\1\n", done.stdout)
    shown = re.sub(r"[\d.,]+ GiB", "N GiB", shown)
    assert (
        shown
        == f"""\
this machine
  ok       target           azure, as `--target` says
  ok       versions{" "}
  ok       variables        set: AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCOUNT, AZURE_BATCH_ACCESS_KEY,
                            AZURE_STORAGE_CONNECTION_STRING
  ok       folder           runs can be written down here
  ok       disk             N GiB free for results
endpoints
  ok       batch-endpoint   {place} answers on this machine
  ok       storage-endpoint {place.replace("localbatch", "localstorage")} answers on this machine
  ok       clock            this machine's clock and the services' agree
credentials and rights
  ok       batch-account    the key in AZURE_BATCH_ACCESS_KEY lists pools
  ok       batch-jobs       the key in AZURE_BATCH_ACCESS_KEY reads jobs
  ok       storage-account  the key in AZURE_STORAGE_CONNECTION_STRING lists containers: 0
  ok       storage-blobs    the key in AZURE_STORAGE_CONNECTION_STRING reads blobs
  ok       signatures       nodes get signatures (SAS) that the account's key makes
  ok       storage-kind     StorageV2, Standard_LRS
the accounts
  ok       pools            none
  ok       jobs             0 that are not over
  unknown  quotas           runs speak to the Batch service, which tells none
                            fix: set AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP and `az login`;
                                 or `az batch account show --name localbatch --resource-group GROUP`
                                 shows them
  ok       leftovers        runs have left nothing
spec demo.yaml
  ok       tasks            2 tasks; 2 files to bring up (6 B)
  ok       vm-size          Standard_D2s_v5: 2 cores a node
  ok       image            canonical/ubuntu-24_04-lts/server: node agent batch.node.ubuntu 24.04,
                            verified by Batch
  ok       image-end        no end of Batch's support is announced
  ok       generation       Standard_D2s_v5 starts images of generation 2
  unknown  cores            40 dedicated cores needed; the quota is not known
                            fix: the line on quotas says how to see
  ok       container        `mine` is not there yet, and will be made
"""
    )
    assert re.fullmatch(r"2 unknown, 23 ok, in [\d.]+ s\n", done.stderr)
    assert not (azure.folder / ".batch-run").exists()


def test_wrong_keys_are_told_each_by_its_variable(azure: User) -> None:
    account = "AccountName=localstorage"
    blobs = re.search(r"BlobEndpoint=[^;]+", azure.environ["AZURE_STORAGE_CONNECTION_STRING"])
    assert blobs is not None
    wrong = azure.with_environ(
        AZURE_BATCH_ACCESS_KEY=WRONG_KEY,
        AZURE_STORAGE_CONNECTION_STRING=f"{account};AccountKey={WRONG_KEY};{blobs[0]}",
    )
    done = wrong.run("doctor", "--json", "--target", "azure")
    assert done.returncode == 3
    found = findings(done)
    for check, variable in (
        ("batch-account", "AZURE_BATCH_ACCESS_KEY"),
        ("storage-account", "AZURE_STORAGE_CONNECTION_STRING"),
    ):
        assert found[check]["verdict"] == "error"
        assert "AuthenticationFailed" in found[check]["seen"]
        assert found[check]["fix"].startswith(f"check that {variable} is a key of `local")
    assert WRONG_KEY not in done.stdout + done.stderr


def test_a_dead_network_gives_findings_and_no_hang(azure: User) -> None:
    """A run bears with it for 15 minutes, which is longer than a test may take."""
    done = azure.with_environ(AZURE_BATCH_ENDPOINT="http://127.0.0.1:9/localbatch").run(
        "doctor", "demo.yaml", "--json", "--target", "azure"
    )
    assert done.returncode == 3
    found = findings(done)
    assert found["batch-endpoint"]["seen"] == "no connection to 127.0.0.1:9: connection refused"
    assert (found["batch-account"]["verdict"], found["image"]["verdict"]) == ("unknown", "unknown")
    assert found["storage-account"]["verdict"] == "ok"


def test_variables_that_are_missing_and_a_spec_beside(azure: User) -> None:
    environ = {
        name: value
        for name, value in azure.environ.items()
        if name != "AZURE_STORAGE_CONNECTION_STRING"
    }
    done = User(azure.folder, environ).run("doctor", "demo.yaml", "--target", "azure")
    assert done.returncode == 2
    assert "  error    variables        missing environment variables for Azure:" in done.stdout
    assert "AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT" in unwrapped(done.stdout)
    assert "  ok       spec             valid; what it needs" in done.stdout


def test_problems_of_a_spec_are_at_their_places(azure: User) -> None:
    azure.write("odd.yaml", SPEC.replace("ubuntu-24_04-lts", "ubuntu-24_04-ltss"))
    azure.write("bad.yaml", SPEC.replace("nodes: {dedicated: 20}", "nodes: 2"))
    azure.write(
        "old.yaml",
        SPEC.replace("{upload: [{from: words}]}", "{existing: media}").replace(
            "ubuntu-24_04-lts, sku: server", "0001-com-ubuntu-server-focal, sku: 20_04-lts"
        ),
    )
    done = azure.run("doctor", "odd.yaml", "bad.yaml", "old.yaml", "gone.yaml", "--target", "azure")
    assert done.returncode == 2
    for line in (
        "error    image            odd.yaml:7:10: image `canonical/ubuntu-24_04-ltss/server` is",
        "error    wrong-type       bad.yaml:9:10: `pool.nodes` must be a mapping",
        "warning  image-end        old.yaml:7:10: Batch's support of",
        "error    container        old.yaml:4:21: there is no container `media` for `input`",
        "error    spec             there is no file `gone.yaml`",
    ):
        assert line in done.stdout


def test_secrets_that_nobody_gives_are_told_before(azure: User) -> None:
    azure.write(
        "secret.yaml",
        SPEC.replace(
            "containers:", "parameters: {token: {type: string, secret: true}}\ncontainers:"
        ).replace(
            "  for_each: input",
            "  environment: {TOKEN: '{{ parameters.token }}'}\n  for_each: input",
        ),
    )
    done = azure.run("doctor", "secret.yaml", "--target", "azure", "--json")
    assert done.returncode == 2
    missing = findings(done)["missing-secret"]
    assert missing["seen"] == "the environment variable BATCH_RUN_SECRET_TOKEN is not set"
    given = azure.with_environ(BATCH_RUN_SECRET_TOKEN="not to be seen")
    done = given.run("doctor", "secret.yaml", "--target", "azure", "--json")
    assert done.returncode == 0, done.stdout
    assert "not to be seen" not in done.stdout + done.stderr


def test_here_without_an_account(user: User) -> None:
    write_spec(user, SPEC)
    done = user.run("doctor", "demo.yaml", "--json")
    assert done.returncode == 0, done.stdout
    found = findings(done)
    assert found["target"]["seen"] == "local, since AZURE_BATCH_ENDPOINT is not set"
    assert found["services"]["verdict"] == "ok"
    assert found["image"]["verdict"] == "ok"


@pytest.fixture
def late(user: User, tmp_path: Any, pytestconfig: pytest.Config) -> Iterator[User]:
    """A user of accounts whose clock is 20 minutes behind."""
    write_spec(user, SPEC)
    with start_emulator(
        user.environ, tmp_path, "", pytestconfig, "--fault", "clock=-20m"
    ) as emulator:
        yield user.with_environ(**emulator.environ)


def test_a_clock_that_is_wrong_is_told_as_such(late: User) -> None:
    done = late.run("doctor", "--json", "--target", "azure")
    found = findings(done)
    assert found["clock"]["verdict"] == "error"
    assert found["clock"]["seen"].startswith("this machine is 20 minutes ahead of ")
    assert found["clock"]["fix"] == (
        "set this machine's clock by the network (on Linux `timedatectl set-ntp true`)"
    )


def test_a_firewall_and_a_role_are_told_apart(azure: User, shared_emulator: Emulator) -> None:
    refuse(
        shared_emulator,
        {"service": "batch", "operation": ["list_pools"], "code": "AuthorizationFailure"},
        {
            "service": "blob",
            "operation": ["get_blob_properties"],
            "code": "AuthorizationPermissionMismatch",
        },
    )
    try:
        done = azure.run("doctor", "demo.yaml", "--target", "azure", "--json")
    finally:
        refuse(shared_emulator)
    assert done.returncode == 3
    found = findings(done)
    assert found["batch-account"]["fix"].startswith(
        "the account's network lets nobody in from here: `az batch account show --name localbatch"
    )
    assert found["storage-blobs"]["fix"].startswith(
        "the role `Storage Blob Data Contributor` is missing: `az role assignment create"
    )
    assert found["storage-account"]["verdict"] == "ok"


def refuse(emulator: Emulator, *rules: Mapping[str, object]) -> None:
    """Has it answer 403 by these rules, in place of all others."""
    origin = emulator.batch["endpoint"].rpartition("/")[0]
    request = urllib.request.Request(
        f"{origin}/.emulator/faults",
        data=json.dumps([{"fault": "403", **rule} for rule in rules]).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request).close()


@pytest.fixture
def signed_in(user: User) -> Iterator[User]:
    """A user who has no key, and an emulator over TLS."""
    with sign_in(user) as somebody:
        yield somebody


def test_signed_in_without_keys(signed_in: User) -> None:
    canaries = Canaries({"token": make_token("").partition(".")[0]})
    done = signed_in.run("doctor", "--json", "--target", "azure")
    canaries.say("doctor without keys", done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout
    found = findings(done)
    assert found["signed-in"]["seen"] == f"application {OBJECT_ID} of tenant {TENANT}"
    assert found["batch-account"]["seen"] == "who is signed in lists pools"
    assert found["signatures"]["verdict"] == "warning"
    assert (found["batch-writes"]["verdict"], found["storage-writes"]["verdict"]) == (
        "unknown",
        "unknown",
    )
    untrusting = {name: each for name, each in signed_in.environ.items() if "BUNDLE" not in name}
    done = User(signed_in.folder, untrusting).run("doctor", "--json", "--target", "azure")
    assert done.returncode == 3
    seen = findings(done)["batch-endpoint"]["seen"]
    assert seen.startswith("the certificate of ")
    assert "is not trusted: " in seen


def tried(user: User, *others: Path) -> Path:
    """The directory of the one run that is none of the others; what it keeps fits the schemas."""
    runs = user.folder / ".batch-run" / "runs"
    (trial,) = (each for each in runs.iterdir() if each not in others)
    check_directory(trial)
    return trial


def test_one_task_is_tried_and_nothing_is_left(azure: User, shared_emulator: Emulator) -> None:
    with open_accounts(shared_emulator) as accounts:
        accounts.make_container("mine", {"kept.txt": b"mine"})
        done = azure.run("doctor", "--run", "demo.yaml", "--target", "azure", "--yes", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert accounts.containers() == ["mine"]
        assert accounts.blobs("mine") == {"kept.txt": b"mine"}
        assert (accounts.pools(), accounts.jobs()) == ([], [])
        accounts.storage.delete_container("mine")
    run = tried(azure).name
    trial = {
        each["check"]: (each["verdict"], each["seen"])
        for each in json.loads(done.stdout)["findings"]
        if each["area"] == "trial"
    }
    assert trial["run"][1].startswith(f"{run}: ")
    assert list(trial)[-2:] == ["task", "removed"]
    assert {"job-made", "upload", "boot", "task-time", "cleanup"} <= trial.keys()
    assert trial["removed"] == (
        "ok",
        f"both accounts list none of: job schedules, jobs, pools, containers of run {run}",
    )
    assert "1 node for 45m at most: the service ends the job after 30m" in done.stderr
    results = azure.folder / "results" / "demo-doctor" / "output"
    assert [path.name for path in results.iterdir()] == ["one.upper"]


def test_what_a_trial_may_cost_is_said_first(azure: User) -> None:
    azure.write("prices.yaml", "currency: EUR\nvm_sizes:\n  Standard_D2s_v5: {dedicated: 0.12}\n")
    done = azure.run(
        *("doctor", "--run", "demo.yaml", "--target", "azure", "--prices", "prices.yaml")
    )
    assert done.returncode == 2
    assert (
        "0.09 EUR at most by prices.yaml: 1 node for 45m at most: the service ends the job after"
        " 30m, and takes the pool with it\n"
    ) in done.stderr
    # And first of all what the whole of it would cost.
    assert (
        "  ok       cost             2.40 EUR an hour for 20 dedicated nodes of Standard_D2s_v5"
        " (prices.yaml); at most 57.68 EUR by `limits.duration` (1d); and 4.80 EUR more, if no run"
        " follows in the 2h that its nodes stay (`pool.keep`)\n"
    ) in unwrapped(done.stdout)


def test_a_limit_of_cost_without_a_price_is_an_error_at_its_place(azure: User) -> None:
    azure.write("demo.yaml", SPEC.replace("pool:", "limits: {cost: 5}\npool:"))
    done = azure.run("doctor", "demo.yaml", "--target", "azure", "--json")
    assert done.returncode == 2
    cost = findings(done)["cost"]
    assert (cost["verdict"], cost["line"], cost["column"], cost["seen"]) == (
        *("error", 6, 16),
        (
            "`limits.cost` needs the price of nodes: the region is not known, whose prices Azure is"
            " to be asked for"
        ),
    )


def test_a_trial_that_fails_says_why_and_leaves_nothing(
    azure: User, shared_emulator: Emulator
) -> None:
    write_spec(azure, SPEC.replace("echo ready", '"echo no such thing >&2; exit 3"'))
    done = azure.run("doctor", "--run", "demo.yaml", "--target", "azure", "--yes", "--json")
    assert done.returncode == 1, done.stderr
    found = findings(done)
    assert found["task"]["verdict"] == "error"
    assert re.fullmatch(r"the start task failed on node \w+: no such thing", found["task"]["seen"])
    assert found["removed"]["verdict"] == "ok"
    with open_accounts(shared_emulator) as accounts:
        assert (accounts.pools(), accounts.jobs(), accounts.containers()) == ([], [], [])


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_a_trial_that_is_interrupted_leaves_nothing(azure: User, shared_emulator: Emulator) -> None:
    write_spec(azure, SPEC.replace("tr a-z A-Z <", "sleep 60; tr a-z A-Z <"))
    with azure.start(
        "doctor", "--run", "demo.yaml", "--target", "azure", "--yes", "--json"
    ) as process:
        try:
            with open_accounts(shared_emulator) as accounts:
                wait_until(
                    lambda: any(accounts.nodes(pool) for pool in accounts.pools()),
                    what="there is a node",
                )
                # A run that begins in the same folder meanwhile is nobody's trial.
                (run,) = (azure.folder / ".batch-run" / "runs").iterdir()
                other = run.with_name("other-99991231t235959z-zzzz")
                other.mkdir()
                process.send_signal(signal.SIGINT)
                stdout, stderr = process.communicate(timeout=60)
                assert process.returncode == 130, stderr
                left = (accounts.pools(), accounts.jobs(), accounts.containers())
                assert left == ([], [], [])
        finally:
            process.kill()
    told = {each["check"]: each for each in json.loads(stdout)["findings"]}
    assert (told["task"]["verdict"], told["removed"]["verdict"]) == ("error", "ok")
    assert told["removed"]["seen"].endswith(f" of run {run.name}")
    assert list(other.iterdir()) == []


def test_a_trial_here_leaves_the_last_run_as_it_was(user: User) -> None:
    write_spec(user, SPEC)
    assert user.run("demo.yaml", "--quiet").returncode == 0
    before = user.last_run()
    done = user.run("doctor", "--run", "demo.yaml", "--within", "5m")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the trial\n" in done.stdout
    assert "have ended, and their state is gone" in unwrapped(done.stdout)
    assert user.last_run() == before
    trial = tried(user, before)
    assert f"batch-run report {trial.name}" in done.stderr
    assert not (trial / "emulator").exists()
    assert user.processes() == []


def test_two_trials_of_a_spec_at_once_are_one_too_many(user: User) -> None:
    write_spec(user, SPEC)
    output = user.folder / "results" / "demo-doctor"
    folder = results_folder(user.folder, output, "demo")
    folder.mkdir(parents=True)
    with drive(folder):  # as the other does
        done = user.run("doctor", "--run", "demo.yaml", "--target", "local")
    assert done.returncode == 2
    assert done.stderr.endswith(
        f"batch-run: another run (process {os.getpid()}) works into the output directory"
        f" `{output}`\n"
        "  hint: a trial of a spec has one output directory: wait for the end of that run\n"
    )


def test_a_trial_that_cannot_write_where_its_results_go(user: User) -> None:
    write_spec(user, SPEC)
    user.write("results/demo-doctor", "a file")
    done = user.run("doctor", "--run", "demo.yaml", "--target", "local")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "batch-run: cannot write to the output directory"
        f" `{user.folder / 'results' / 'demo-doctor'}`: file exists\n"
        "  hint: try it in a folder of your own\n"
    )


def test_nobody_is_there_to_ask_what_it_may_cost(azure: User) -> None:
    done = azure.run("doctor", "--run", "demo.yaml", "--target", "azure")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "batch-run: a run on Azure costs money, and there is nobody to ask\n"
        "  hint: `--yes` says that it may\n"
    )
    assert not (azure.folder / ".batch-run" / "last").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--run",), "`--run` tries one SPEC"),
        (("--run", "a.yaml", "b.yaml"), "`--run` tries one SPEC"),
        (("--yes",), "`--yes` is for `--run`: without it nothing is made"),
        (("--within", "5m"), "`--within` is for `--run`: without it nothing is made"),
        (
            ("--run", "demo.yaml", "--within", "2d"),
            "`--within 2d`: more than nothing, and a day at most",
        ),
        (("--run", "demo.yaml", "--within", "soon"), "`--within`: not a time such as"),
    ],
)
def test_options_that_make_no_sense(user: User, words: tuple[str, ...], said: str) -> None:
    write_spec(user, SPEC)
    done = user.run("doctor", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not done.stdout
