"""Asks many questions side by side, each on a thread of its own, and none for longer than a limit.

It must not know what is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from queue import Empty

from runner.errors import BatchRunError, ServiceUnreachableError
from runner.run.clock import Clock
from runner.run.diagnosis.answers import Question
from runner.run.taking import Inbox

_LOOK_SECONDS = 0.2


def ask_all(
    questions: Mapping[str, Question], *, clock: Clock, seconds: float
) -> Iterator[tuple[str, object]]:
    """Each answer as it comes, or the `BatchRunError` that came instead, by question.

    What has not answered when the seconds have passed is out of reach: its thread is let go, and
    keeps nobody from ending. Whatever else a question raises is raised here.
    """
    answers: Inbox[tuple[str, object]] = Inbox()

    def ask(name: str, question: Question) -> None:
        try:
            answers.put((name, question()))
        except Exception as error:  # noqa: BLE001 - a thread cannot raise to its caller
            answers.put((name, error))

    for name, question in questions.items():
        # Not a pool's threads: those would be waited for when the program ends.
        threading.Thread(target=ask, args=(name, question), name=name, daemon=True).start()
    waiting = dict.fromkeys(questions)
    until = clock.monotonic() + seconds
    while waiting and (left := until - clock.monotonic()) > 0:
        try:
            # In pieces, so that a signal is heeded on every system.
            name, answer = answers.take(min(left, _LOOK_SECONDS))
        except Empty:
            continue
        if isinstance(answer, Exception) and not isinstance(answer, BatchRunError):
            raise answer
        del waiting[name]
        yield name, answer
    for name in waiting:
        yield (
            name,
            ServiceUnreachableError(
                f"no answer within {seconds:g} seconds", hint="check the network, and ask again"
            ),
        )
