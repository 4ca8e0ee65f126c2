"""How fast something goes, and how long the rest of it takes, from counts at some times.

It must not know what is counted, nor read a clock.
"""

from __future__ import annotations

from collections import deque

_MOST_SAMPLES = 400


class Pace:
    """A number that grows, as it was at some times: the newest exactly, older ones more coarsely.

    Times are in seconds, of whatever clock, and do not go back.
    """

    def __init__(self, *, window: float, least_seconds: float) -> None:
        """`window` is what counts as now; of less than `least_seconds` nothing is said."""
        self._window = window
        self._least = least_seconds
        self._samples: deque[tuple[float, float]] = deque()

    def __len__(self) -> int:
        """How many samples are kept."""
        return len(self._samples)

    def note(self, time: float, count: float) -> None:
        """It is so much now. What goes back, as where a run begins anew, counts from there."""
        samples = self._samples
        if samples and count < samples[-1][1]:
            samples.clear()
        if len(samples) > 1 and count == samples[-1][1] == samples[-2][1]:
            samples.pop()  # of a standstill only its ends matter
        samples.append((time, count))
        if len(samples) > _MOST_SAMPLES:
            self._thin()

    def rate(self) -> float | None:
        """How many a second within the window; None where that says nothing yet."""
        if not self._samples:
            return None
        now, count = self._samples[-1]
        since, before = self._samples[0]
        for time, number in reversed(self._samples):
            if time <= now - self._window:
                since, before = time, number
                break
        return self._over(now - since, count - before)

    def seconds_left(self, left: float, *, wave: float = 0) -> float | None:
        """How long so many more take; None where there is not enough to say.

        What comes in waves, as tasks on nodes that begin them together, is told from whole ones:
        from the time in which the last two of so many came, or all of them.
        """
        if not self._samples or left <= 0:
            return None
        now, count = self._samples[-1]
        since, before = self._samples[0]
        if count - before < wave:
            return None
        if wave:
            found = None
            for time, number in reversed(self._samples):
                if number > count - 2 * wave:
                    continue
                if found is not None and number < found:
                    break
                # Of a standstill the beginning: then the wave before had ended.
                since, before, found = time, number, number
            rate = self._over(now - since, count - before)
        else:
            rate = self.rate()
        return left / rate if rate else None

    def _over(self, seconds: float, count: float) -> float | None:
        return count / seconds if seconds >= self._least else None

    def _thin(self) -> None:
        """Drops every second one of the older half."""
        samples = list(self._samples)
        half = len(samples) // 2
        self._samples = deque([*samples[:half:2], *samples[half:]])
