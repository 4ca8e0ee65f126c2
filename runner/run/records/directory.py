"""Which runs there are below a folder, and which of them is meant by a name.

It must not know what is in a run's directory, nor what is done with it.
"""

from __future__ import annotations

from pathlib import Path

from runner.errors import UsageError, describe_os_error
from runner.run.records.places import LAST, RUNS
from runner.spec.suggestion import suggest


def list_runs(working_directory: Path) -> tuple[Path, ...]:
    """The directories of all runs, the oldest first; none where there is no run yet."""
    folder = working_directory / RUNS
    try:
        found = [each for each in folder.iterdir() if each.is_dir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise UsageError(f"cannot list `{folder}`: {describe_os_error(error)}") from error
    return tuple(sorted(found, key=_when_made))


def find_run(working_directory: Path, name: str | None = None) -> Path:
    """The directory of a run: by its id, by how no other's id starts, or the last one.

    Raises `UsageError` where there is none, or more than one.
    """
    if name is None:
        return _last_run(working_directory)
    runs = list_runs(working_directory)
    for each in runs:
        if each.name == name:
            return each
    meant = [each for each in runs if each.name.startswith(name)] if name else []
    if len(meant) == 1:
        return meant[0]
    if meant:
        names = ", ".join(f"`{each.name}`" for each in meant[-3:])
        more = f" and {len(meant) - 3} more" if len(meant) > 3 else ""
        raise UsageError(f"`{name}` may be several runs: {names}{more}", hint="give more of the id")
    raise UsageError(
        f"there is no run `{name}` below `{working_directory / RUNS}`",
        hint=suggest(name, [each.name for each in reversed(runs)], label="runs")
        if runs
        else "runs are kept in the folder that they were started in",
    )


def _last_run(working_directory: Path) -> Path:
    last = working_directory / LAST
    try:
        name = last.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        if list_runs(working_directory):
            raise UsageError(
                f"`{working_directory / RUNS}` has no last run, only trials: name the one you mean",
                hint="`batch-run runs` lists them",
            ) from error
        raise UsageError(
            f"there is no run below `{working_directory / RUNS}`",
            hint="runs are kept in the folder that they were started in",
        ) from error
    except (OSError, ValueError) as error:
        reason = describe_os_error(error) if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"cannot read `{last}`: {reason}") from error
    directory = working_directory / RUNS / name
    if not name or not directory.is_dir():
        raise UsageError(
            f"the last run, `{name}`, is not there any more", hint="`batch-run runs` lists them"
        )
    return directory


def _when_made(directory: Path) -> tuple[str, str]:
    """Ids end with the time and four characters of chance; workloads differ before it."""
    parts = directory.name.rsplit("-", 2)
    return (parts[1] if len(parts) == 3 else "", directory.name)
