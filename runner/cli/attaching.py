"""Shows a run that another process of this machine drives, until it ends.

It must not know how a run is driven, and leaves the run as it is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.cli.audience import Audience
from runner.cli.live.display import choose_display
from runner.cli.resuming import Resumption, load_again, plan_again, resume_run
from runner.cli.signals import Interruptions
from runner.cli.world import World
from runner.errors import ExitCode, InterruptedRunError, StoppedWaitingError, UsageError
from runner.run.events import CleanupFinished, Event, RunFinished
from runner.run.records.driving import Driver, DriverPresentError, find_driver
from runner.run.records.following import Following
from runner.run.records.reading import event_from_line
from runner.run.records.record import RunRecord, read_record
from runner.run.records.standing import find_standing
from runner.run.stop import Stop


def attach_run(
    directory: Path, resumption: Resumption, world: World, interruptions: Interruptions
) -> int:
    """Follows whoever drives the run, or where nobody does, goes on with it; the run's exit code.

    Raises `StoppedWaitingError` where who drove it dies.
    """
    record = read_record(directory)
    driver = find_driver(directory)
    if driver is None:
        if find_standing(directory, record, driver=None).is_resumable and not resumption.quiet:
            world.say(f"nobody drives run {record.run}: it goes on from here, and Ctrl-C ends it")
        try:
            return resume_run(directory, resumption, world, interruptions)
        except DriverPresentError as error:
            # Somebody was faster.
            driver = error.driver
    if resumption.prepared is not None:
        # Whoever drives it has services, and may do so for hours.
        resumption.prepared.discard()
        resumption = replace(resumption, prepared=None)
    if resumption.output is not None:
        raise UsageError(
            f"`--output` is for a run that nobody drives, and {_name(driver)} drives `{record.run}`"
        )
    end = _follow(directory, record, driver, resumption, world, interruptions)
    match end:
        case RunFinished():
            return end.exit_code
        case ExitCode():
            return end
        case CleanupFinished() if record.detached:
            world.say(f"who started run {record.run} has left it to go on by itself")
            return resume_run(directory, resumption, world, interruptions)
        case _:
            raise StoppedWaitingError(
                f"{_name(driver)}, which drove run `{record.run}`, has died",
                hint=f"`batch-run resume {record.run}` goes on with it",
            )


def _follow(
    directory: Path,
    record: RunRecord,
    driver: Driver | None,
    resumption: Resumption,
    world: World,
    interruptions: Interruptions,
) -> Event | ExitCode | None:
    """The last event that whoever drives the run has written; 130 where somebody interrupts us."""
    plan = plan_again(record, directory, load_again(record, directory))
    audience = Audience(
        plan,
        display=choose_display(world, plan, quiet=resumption.quiet),
        directory=directory,
        world=world,
        as_json=resumption.as_json,
    )
    if not resumption.quiet:
        audience.say(f"following {_name(driver)}, which drives run {record.run}")
    stop = Stop()
    interruptions.say = audience.say
    interruptions.stop = stop.request
    last: Event | None = None
    try:
        following = Following(directory)
        for number, line in enumerate(following.follow(world.clock, stop), start=1):
            told = event_from_line(line, following.path, number)
            last = None if told is None else told[1]
            if last is not None:
                audience.hear(last, line)
    except InterruptedRunError:
        audience.finish(lambda: stop.requested)
        world.say(f"run {record.run} goes on; `batch-run attach {record.run}` follows it again")
        return ExitCode.INTERRUPTED
    finally:
        # Whatever happens, the terminal is left as it was.
        audience.stop_showing()
    audience.finish(lambda: stop.requested)
    if isinstance(last, RunFinished):
        audience.say_end(record=record)
    return last


def _name(driver: Driver | None) -> str:
    return "another process" if driver is None else f"process {driver.pid}"
