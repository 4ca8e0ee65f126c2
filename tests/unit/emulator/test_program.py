"""The emulator as a process: how it starts, what it prints, and that it always ends."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

PAGE = r"http://127\.0\.0\.1:[0-9]+/#token=[A-Za-z0-9_-]{24}"
EMULATOR = [sys.executable, "-m", "runner.emulator"]


@contextmanager
def start(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """An emulator that is gone after the block, whatever happens in it."""
    with subprocess.Popen(
        [*EMULATOR, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line; one that never comes runs into the test's time-out."""
    assert process.stdout is not None
    return process.stdout.readline()


def stop(process: subprocess.Popen[str]) -> str:
    """Ends an emulator and returns what else it had printed."""
    process.terminate()
    rest, _ = process.communicate(timeout=60)
    return rest


def port_of(line: str) -> int:
    endpoint: str = json.loads(line)["batch"]["endpoint"]
    port = urlsplit(endpoint).port
    assert port is not None
    return port


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        select.select([], [], [], 0.02)


def run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [*EMULATOR, *arguments], capture_output=True, check=False, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_at_once_though_connections_are_open(number: signal.Signals) -> None:
    with start("--json", "--isolation", "none") as process:
        port = port_of(read_line(process))
        with socket.create_connection(("127.0.0.1", port)) as idle:
            idle.sendall(b"GET /localstorage?comp=list HTTP/1.1\r\nHost: h\r\n\r\n")
            assert idle.recv(100).startswith(b"HTTP/1.1 401")

            process.send_signal(number)
            _, errors = process.communicate(timeout=60)

    said = "emulator: nodes are folders, and tasks are processes of this machine\n"
    assert (process.returncode, errors) == (0, said)
    assert not is_open(port)


def test_the_json_line_says_where_the_services_are() -> None:
    with start("--json") as process:
        document = json.loads(read_line(process))
        rest = stop(process)

    authority = urlsplit(document["batch"]["endpoint"]).netloc
    key = document["storage"]["key"]
    assert len(base64.b64decode(key, validate=True)) == 64
    assert document == {
        "batch": {
            "endpoint": f"http://{authority}/localbatch",
            "account": "localbatch",
            "key": document["batch"]["key"],
        },
        "storage": {
            "blob_endpoint": f"http://{authority}/localstorage",
            "account": "localstorage",
            "key": key,
            "connection_string": (
                f"DefaultEndpointsProtocol=http;AccountName=localstorage;AccountKey={key};"
                f"BlobEndpoint=http://{authority}/localstorage;"
            ),
        },
        "dashboard": document["dashboard"],
    }
    assert re.fullmatch(PAGE, document["dashboard"])
    assert rest == ""


def ask_page(address: str, path: str) -> tuple[int, bytes]:
    """What the page's port answers to who has the token."""
    origin, _, token = address.partition("/#token=")
    request = Request(f"{origin}{path}", headers={"Authorization": f"Bearer {token}"})
    with urlopen(request, timeout=60) as response:
        return response.status, response.read()


def test_people_are_told_where_the_page_is_and_programs_find_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start("--data", str(data), "--isolation", "none") as process:
        assert process.stderr is not None
        process.stderr.readline()
        said = process.stderr.readline()
        read_line(process)
        address = (data / "dashboard").read_text(encoding="ascii").rstrip("\n")
        mode = (data / "dashboard").stat().st_mode
        status, overview = ask_page(address, "/.emulator/dashboard/overview")
        stop(process)

    assert said == f"emulator: the dashboard is at {address}\n"
    assert re.fullmatch(PAGE, address)
    assert oct(mode) == "0o100600"
    assert (status, json.loads(overview)["faults"]) == (200, 0)
    assert not (data / "dashboard").exists()


def test_the_token_of_the_page_stays_as_long_as_the_keys(tmp_path: Path) -> None:
    tokens = []
    for data in ("one", "one", "two"):
        with start("--json", "--data", str(tmp_path / data)) as process:
            tokens.append(json.loads(read_line(process))["dashboard"].partition("#")[2])
            stop(process)

    assert tokens[0] == tokens[1] != tokens[2]


def test_there_may_be_no_page(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with start("--json", "--no-dashboard", "--data", str(data)) as process:
        document = json.loads(read_line(process))
        stop(process)

    assert "dashboard" not in document
    assert not (data / "dashboard").exists()


def test_a_port_of_the_page_that_is_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("--dashboard-port", str(port))

    assert ended == (2, "", f"emulator: port {port} on 127.0.0.1 is in use\n")


def test_the_export_lines_can_be_taken_by_a_shell(tmp_path: Path) -> None:
    with start("--data", str(tmp_path)) as process:
        lines = [read_line(process) for _ in range(4)]
        rest = stop(process)

    exported = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    keys = json.loads((tmp_path / "accounts.json").read_text())
    authority = urlsplit(exported["AZURE_BATCH_ENDPOINT"]).netloc
    assert exported == {
        "AZURE_BATCH_ENDPOINT": f"http://{authority}/localbatch",
        "AZURE_BATCH_ACCOUNT": "localbatch",
        "AZURE_BATCH_ACCESS_KEY": keys["localbatch"],
        "AZURE_STORAGE_CONNECTION_STRING": (
            f"DefaultEndpointsProtocol=http;AccountName=localstorage;"
            f"AccountKey={keys['localstorage']};BlobEndpoint=http://{authority}/localstorage;"
        ),
    }
    assert rest == ""


def test_a_restart_with_the_same_directory_has_the_same_keys(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with start("--json", "--data", str(tmp_path)) as process:
            document = json.loads(read_line(process))
            stop(process)
        keys.append((document["batch"]["key"], document["storage"]["key"]))

    assert keys[0] == keys[1]


def test_it_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*EMULATOR, "--json", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        port = port_of(read_line(process))
        assert [path.name[:19] for path in tmp_path.iterdir()] == ["batch-run-emulator-"]

        process.communicate(timeout=60)

    assert process.returncode == 0
    assert not is_open(port)
    assert list(tmp_path.iterdir()) == []


def test_it_ends_when_the_program_that_started_it_is_killed(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import subprocess, sys
        emulator = subprocess.Popen(
            [sys.executable, "-m", "runner.emulator", "--json", "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        print(emulator.pid, emulator.stdout.readline(), flush=True)
        emulator.wait()
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    number, line = read_line(parent).split(" ", 1)
    port = port_of(line)
    assert is_open(port)

    parent.kill()
    parent.communicate(timeout=60)

    wait_until(lambda: not is_open(port), "the port stayed open")
    wait_until(lambda: not is_running(int(number)), "the emulator went on")
    assert list(tmp_path.iterdir()) == []


def is_running(number: int) -> bool:
    """Whether the process is there and not a corpse that nobody has buried."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(number)], capture_output=True, check=False, text=True
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_a_port_in_use_is_said_in_one_line() -> None:
    with start("--json") as process:
        port = port_of(read_line(process))
        second = run("--port", str(port))
        stop(process)

    assert second == (2, "", f"emulator: port {port} on 127.0.0.1 is in use\n")


def test_a_directory_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with start("--json", "--data", str(tmp_path)) as process:
        read_line(process)
        second = run("--data", str(tmp_path))
        stop(process)

    message = f"emulator: data directory {tmp_path} is in use by another emulator\n"
    assert second == (2, "", message)


def test_a_directory_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")

    assert run("--data", str(path / "below")) == (
        2,
        "",
        f"emulator: data directory {path / 'below'} cannot be used: Not a directory\n",
    )


def test_an_address_of_the_network_is_refused() -> None:
    code, output, errors = run("--host", "0.0.0.0")

    assert (code, output) == (2, "")
    assert errors == (
        "emulator: `0.0.0.0` is not a loopback address: whoever reaches the emulator can run "
        "commands as you, so it listens on 127.0.0.0/8 or ::1 only\n"
    )


def test_requests_are_recorded_where_asked_for(tmp_path: Path) -> None:
    record = tmp_path / "record.jsonl"
    with start("--json", "--record", str(record)) as process:
        port = port_of(read_line(process))
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /localstorage/c/b?sig=abc HTTP/1.1\r\nHost: h\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 403")
        stop(process)

    line = json.loads(record.read_text())
    assert (line["service"], line["query"], line["status"]) == ("blob", {"sig": "***"}, 403)


def test_a_record_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    assert run("--record", str(tmp_path)) == (
        2,
        "",
        f"emulator: record {tmp_path} cannot be written: Is a directory\n",
    )


def test_more_accounts_are_announced(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"second": "c2Vjb25k", "localbatch": "Zmlyc3Q="}))
    more = ["--batch-account", "second:files", "--storage-account", "files", "--keys", str(keys)]

    with start("--json", *more) as process:
        document = json.loads(read_line(process))
        stop(process)
    with start("--data", str(tmp_path / "data"), *more) as process:
        lines = [read_line(process) for _ in range(8)]
        stop(process)

    origin = document["batch"]["endpoint"].removesuffix("/localbatch")
    first, second = document["accounts"]["batch"]
    assert (first["key"], document["batch"]["key"]) == ("Zmlyc3Q=", "Zmlyc3Q=")
    assert second == {
        "endpoint": f"{origin}/second",
        "account": "second",
        "key": "c2Vjb25k",
        "auto_storage": "files",
    }
    assert [account["account"] for account in document["accounts"]["storage"]] == [
        "localstorage",
        "files",
    ]
    exported = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert list(exported) == [
        "AZURE_BATCH_ENDPOINT",
        "AZURE_BATCH_ACCOUNT",
        "AZURE_BATCH_ACCESS_KEY",
        "AZURE_BATCH_ENDPOINT_SECOND",
        "AZURE_BATCH_ACCOUNT_SECOND",
        "AZURE_BATCH_ACCESS_KEY_SECOND",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_STORAGE_CONNECTION_STRING_FILES",
    ]
    assert exported["AZURE_BATCH_ACCESS_KEY_SECOND"] == "c2Vjb25k"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--batch-account", "x"],
            "`x` is not the name of an account: 3 to 24 lower-case letters and digits",
        ),
        (["--keys", "/none"], "keys /none cannot be read: No such file or directory"),
    ],
)
def test_accounts_that_cannot_be_are_said_in_one_line(arguments: list[str], message: str) -> None:
    assert run(*arguments) == (2, "", f"emulator: {message}\n")


def test_over_tls_clients_are_told_whom_to_trust(tmp_path: Path) -> None:
    with start("--json", "--tls", "--data", str(tmp_path)) as process:
        document = json.loads(read_line(process))
        context = ssl.create_default_context(cafile=document["tls"]["ca_file"])
        with (
            socket.create_connection(("127.0.0.1", port_of(json.dumps(document)))) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"GET /localstorage?comp=list HTTP/1.1\r\nHost: h\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 401")
            # An open connection does not hold up the end.
            process.terminate()
            _, errors = process.communicate(timeout=60)
    with start("--tls", "--data", str(tmp_path)) as process:
        lines = [read_line(process) for _ in range(8)]
        stop(process)

    assert document["batch"]["endpoint"].startswith("https://127.0.0.1:")
    assert document["storage"]["blob_endpoint"].startswith("https://127.0.0.1:")
    assert document["storage"]["connection_string"].startswith("DefaultEndpointsProtocol=https;")
    files = {name: tmp_path / "tls" / f"{name}.pem" for name in ("ca", "ca-bundle")}
    assert document["tls"] == {"ca_file": str(files["ca"]), "ca_bundle": str(files["ca-bundle"])}
    assert (
        "emulator: access tokens of Entra ID are taken if their claims fit;"
        " their signatures are not verified\n"
    ) in errors
    exported = dict(shlex.split(line)[1].split("=", 1) for line in lines[4:])
    assert exported == {
        "SSL_CERT_FILE": str(files["ca-bundle"]),
        "REQUESTS_CA_BUNDLE": str(files["ca-bundle"]),
        "CURL_CA_BUNDLE": str(files["ca-bundle"]),
        "NODE_EXTRA_CA_CERTS": str(files["ca"]),
    }


def test_a_certificate_needs_its_key() -> None:
    assert run("--cert", "/none") == (2, "", "emulator: `--cert` and `--key` need each other\n")


def test_nothing_is_loaded_that_may_not_be_needed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", *EMULATOR[1:], "--json", "--data", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        _, errors = process.communicate(timeout=60)
    loaded = {line.rpartition("|")[2].strip() for line in errors.splitlines() if "|" in line}

    assert {"runner.emulator.batch.service", "runner.emulator.server.connection"} <= loaded
    # What only TLS, tokens, packages, HTTP of nodes or few formulas need, and what nothing may.
    unwanted = {"cryptography", "multiprocessing", "pydoc", "statistics", "unittest", "zipfile"}
    unwanted |= {"azure", "jinja2", "jsonschema", "requests", "rich", "uvicorn", "yaml"}
    unwanted |= {"difflib", "mimetypes", "platform", "shutil", "typing_extensions", "uuid"}
    assert not unwanted & {name.partition(".")[0] for name in loaded}
    assert not {"email.parser", "http.client", "xml.etree.ElementTree"} & loaded
    assert "runner.emulator.server.certificates" not in loaded
    assert "runner.emulator.batch.isolation.container_nodes" not in loaded
    assert "runner.emulator.batch.autoscale.evaluate" not in loaded


@pytest.mark.parametrize(
    ("closed", "reason"), [(">&-", "it is closed"), (">/dev/full", "no space left on device")]
)
def test_it_does_not_run_where_nobody_can_be_told_its_ports(closed: str, reason: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *EMULATOR, "--no-dashboard", "--isolation", "none"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 3
    told = done.stderr.splitlines()[-1]
    assert told == f"emulator: cannot write to standard output: {reason}"
