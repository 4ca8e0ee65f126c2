"""Questions to somebody at a terminal: one for each parameter that has no value.

It knows nothing of specs; which values fit is the question's own to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.cli.world import World

if TYPE_CHECKING:
    from runner.spec.model.terms import ParameterValue, SecretParameter
    from runner.spec.parsing.parameters import Question


def ask_parameters(questions: tuple[Question, ...], world: World) -> dict[str, ParameterValue]:
    """The answers; none from where the input ends. Raises `InterruptedRunError` on Ctrl-C."""
    answers: dict[str, ParameterValue] = {}
    for question in questions:
        value = _ask(question, world)
        if value is None:
            break
        answers[question.name] = value
    return answers


def _ask(question: Question, world: World) -> ParameterValue | None:
    """Asks until an answer fits."""
    from runner.report.as_text import printable
    from runner.spec.parsing.parameter_value import Refusal

    what = f": {question.description}" if question.description else ""
    world.say(printable(f"`{question.name}`{what} ({question.wanted})"))
    while True:
        text = world.ask(f"{question.name}: ")
        if text is None:
            return None
        if not text:
            world.say(f"  a value is needed; an empty one is given as `-p {question.name}=`")
            continue
        if not _is_text(text):
            world.say("  must be UTF-8")
            continue
        value = question.read(text)
        if not isinstance(value, Refusal):
            return value
        world.say(printable(f"  {value.message}"))


def ask_secret(parameter: SecretParameter, world: World) -> str | None:
    """The value of a secret, typed unseen; None where the input ends."""
    from runner.report.as_text import printable
    from runner.spec.parsing.parameter_value import find_secret_refusal

    what = f": {parameter.description}" if parameter.description else ""
    world.say(printable(f"`{parameter.name}`{what} (a secret; it is not shown)"))
    while True:
        text = world.ask_secretly(f"{parameter.name}: ")
        if text is None:
            return None
        refusal = find_secret_refusal(parameter.pattern, text)
        if refusal is None:
            return text
        world.say(printable(f"  {refusal.message}"))


def _is_text(text: str) -> bool:
    """False where bytes came that no character stands for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
