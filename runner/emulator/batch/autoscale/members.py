"""The methods of metrics and the members of timestamps.

It must not know functions or names. Source: "Obtain sample data" and "Types" of "Create a formula
to automatically scale compute nodes in a Batch pool".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from runner.emulator.batch.autoscale.samples import PERIOD, Series
from runner.emulator.batch.autoscale.values import UnsuitableError, Value, type_of

Window = tuple[datetime, datetime]
MethodBody = Callable[[Series, Sequence[Value], datetime], Value]


class InsufficientDataError(Exception):
    """There are not as many samples as are asked for; the message has the service's form."""


def _get_sample(series: Series, arguments: Sequence[Value], now: datetime) -> Value:
    match tuple(arguments):
        case (float(count),):
            if not count >= 1:
                raise UnsuitableError("The number of samples is at least 1")
            values = tuple(value for _, value in series.points)
            if not values:
                raise _insufficient(series, 100, 0)
            return values[-int(min(count, len(values))) :]
        case (*moments, float(percent)):
            window = _window(moments, now)
            _demand(series, window, percent)
        case _:
            window = _window(arguments, now)
            # Nothing is not a basis for anything, whatever share would do.
            _demand(series, window, 0)
    return series.within(*window)


def _demand(series: Series, window: Window, percent: float) -> None:
    found = series.percent(*window)
    if found < percent or not found:
        raise _insufficient(series, max(1, percent), found)


def _insufficient(series: Series, wanted: float, found: float) -> InsufficientDataError:
    return InsufficientDataError(
        f"Insufficient data from data set: {series.name} wanted {wanted:g}%, received {int(found)}%"
    )


def _get_sample_percent(series: Series, arguments: Sequence[Value], now: datetime) -> Value:
    return series.percent(*_window(arguments, now))


def _window(moments: Sequence[Value], now: datetime) -> Window:
    """From one moment to another, or to now; an interval is how long ago."""
    if len(moments) not in (1, 2):
        raise UnsuitableError("A start, and possibly an end, are taken")
    ends = [_moment(moment, now) for moment in moments]
    if len(ends) == 1:
        ends.append(now)
    return min(ends), max(ends)


def _moment(value: Value, now: datetime) -> datetime:
    match value:
        case datetime():
            return value
        case timedelta():
            try:
                return now - value
            except OverflowError:
                raise UnsuitableError("The time is out of range") from None
        case _:
            raise UnsuitableError(f"A timestamp or timeinterval is needed, not a {type_of(value)}")


def _get_sample_period(series: Series, arguments: Sequence[Value], now: datetime) -> Value:
    del series, now
    _refuse_arguments(arguments)
    return PERIOD


def _count(series: Series, arguments: Sequence[Value], now: datetime) -> Value:
    del now
    _refuse_arguments(arguments)
    return float(len(series.points))


def _history_begin_time(series: Series, arguments: Sequence[Value], now: datetime) -> Value:
    del now
    _refuse_arguments(arguments)
    if not series.points:
        raise _insufficient(series, 1, 0)
    return series.points[0][0]


def _refuse_arguments(arguments: Sequence[Value]) -> None:
    if arguments:
        raise UnsuitableError("No argument is taken")


METHODS: Mapping[str, MethodBody] = {
    "GetSample": _get_sample,
    "GetSamplePercent": _get_sample_percent,
    "GetSamplePeriod": _get_sample_period,
    "Count": _count,
    "HistoryBeginTime": _history_begin_time,
}

# Monday is 1, and Sunday 0 as in .NET, whose numbers the documentation has.
MEMBERS: Mapping[str, Callable[[datetime], float]] = {
    "year": lambda moment: float(moment.year),
    "month": lambda moment: float(moment.month),
    "day": lambda moment: float(moment.day),
    "weekday": lambda moment: float(moment.isoweekday() % 7),
    "hour": lambda moment: float(moment.hour),
    "minute": lambda moment: float(moment.minute),
    "second": lambda moment: float(moment.second),
}


def member_of(value: Value, name: str) -> Value:
    """`value.name`; raises `UnsuitableError`."""
    if not isinstance(value, datetime):
        raise UnsuitableError(f"A {type_of(value)} has no member {name}")
    return MEMBERS[name](value.astimezone(timezone.utc))
