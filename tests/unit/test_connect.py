"""A target is chosen from what the user says, and its services are opened only then."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from runner.connect import Target, choose_target, open_azure, read_azure_settings
from runner.errors import (
    InterruptedRunError,
    ServiceTroubleError,
    ServiceUnreachableError,
    UsageError,
)
from runner.run.stop import Stop
from tests.unit.remote.stub import Canned, Stub, batch_answer, batch_error


@pytest.mark.parametrize(
    ("explicit", "environ", "target", "why"),
    [
        ("local", {"BATCH_RUN_TARGET": "azure"}, "local", "as `--target` says"),
        ("azure", {}, "azure", "as `--target` says"),
        (
            None,
            {"BATCH_RUN_TARGET": "local", "AZURE_BATCH_ENDPOINT": "https://x"},
            "local",
            "as BATCH_RUN_TARGET says",
        ),
        (
            None,
            {"BATCH_RUN_TARGET": "", "AZURE_BATCH_ENDPOINT": "https://x"},
            "azure",
            "since AZURE_BATCH_ENDPOINT is set",
        ),
        (None, {"AZURE_BATCH_ENDPOINT": ""}, "local", "since AZURE_BATCH_ENDPOINT is not set"),
    ],
)
def test_a_target_is_chosen_and_why(
    explicit: str | None, environ: dict[str, str], target: Target, why: str
) -> None:
    choice = choose_target(explicit, environ)

    assert (choice.target, choice.why) == (target, why)


@pytest.mark.parametrize(
    ("explicit", "environ", "message"),
    [
        (None, {"BATCH_RUN_TARGET": "aws"}, "unknown target `aws` in BATCH_RUN_TARGET"),
        ("Azure", {}, "unknown target `Azure` in --target"),
    ],
)
def test_an_unknown_target_is_refused(
    explicit: str | None, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        choose_target(explicit, environ)

    assert caught.value.message == message
    assert caught.value.hint == "the targets are `azure` and `local`"


def test_an_account_out_of_reach_is_found_at_once() -> None:
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": "http://127.0.0.1:1/acct",
            "AZURE_BATCH_ACCESS_KEY": "a2V5",
            "AZURE_STORAGE_CONNECTION_STRING": "AccountName=s;AccountKey=a2V5",
        }
    )

    with pytest.raises(ServiceUnreachableError) as caught:
        open_azure(settings)

    assert caught.value.message == (
        "Azure Batch at http://127.0.0.1:1/acct is out of reach: Connection refused"
    )


def test_a_wait_for_a_service_ends_with_the_wish_to_stop() -> None:
    stub = Stub()
    threading.Thread(target=stub.server.serve_forever, daemon=True).start()
    containers = b'<?xml version="1.0"?><EnumerationResults><Containers/></EnumerationResults>'
    listing = Canned(body=containers, headers={"Content-Type": "application/xml"})
    stub.answer(batch_answer({"value": []}), listing, batch_error(503, "ServerBusy", "Busy."))
    settings = read_azure_settings(
        {
            "AZURE_BATCH_ENDPOINT": stub.endpoint,
            "AZURE_BATCH_ACCESS_KEY": "a2V5",
            "AZURE_STORAGE_CONNECTION_STRING": "AccountName=s;AccountKey=a2V5;"
            f"BlobEndpoint={stub.endpoint}",
        }
    )
    stop, told = Stop(), list[str]()
    with open_azure(settings, patience=timedelta(hours=1)) as services:
        services.heed(stop, told.append)
        threading.Timer(0.3, stop.request).start()
        with pytest.raises(InterruptedRunError):
            services.batch.job_status("x")
        with pytest.raises(InterruptedRunError):
            services.blobs.has_container("x")

        # What is asked once the wish is heeded is the cleanup, for which there is some patience.
        stop.heed()
        services.endurance.patience = replace(services.endurance.patience, hurried_seconds=0.1)
        with pytest.raises(ServiceTroubleError) as caught:
            services.batch.job_status("x")
    stub.server.shutdown()
    stub.server.server_close()
    assert caught.value.message.startswith(
        "Azure Batch could not show job `x`: it has answered 503 ServerBusy"
    )
    assert told == []


def test_the_azure_libraries_are_not_loaded_before_they_are_needed() -> None:
    program = (
        "import sys, runner.connect\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'requests')])"
    )

    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert output == "[]\n"
