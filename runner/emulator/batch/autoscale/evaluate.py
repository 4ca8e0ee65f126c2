"""Evaluates a formula on samples: how many nodes a pool should have.

It must not know pools, nor when formulas are evaluated.
"""

from __future__ import annotations

from runner.emulator.batch.autoscale.evaluation import Evaluation, Targets
from runner.emulator.batch.autoscale.faults import FaultKind, FormulaError
from runner.emulator.batch.autoscale.functions import (
    FUNCTIONS,
    Outside,
    StoppedError,
    flatten,
)
from runner.emulator.batch.autoscale.members import METHODS, InsufficientDataError, member_of
from runner.emulator.batch.autoscale.names import (
    DEDICATED,
    INTERVALS,
    OPTION,
    OPTIONS,
    SPOT,
    TARGET_ALIASES,
    check_names,
)
from runner.emulator.batch.autoscale.parse import parse
from runner.emulator.batch.autoscale.samples import ALIASES, MEASURED, OF_MACHINES, History, Series
from runner.emulator.batch.autoscale.syntax import (
    Binary,
    Call,
    Choice,
    Expression,
    Member,
    Method,
    Name,
    Number,
    Statement,
    String,
    Unary,
    Vector,
)
from runner.emulator.batch.autoscale.values import (
    Keyword,
    UnsuitableError,
    Value,
    as_operand,
    combine,
    invert,
    is_true,
    show,
    type_of,
)
from runner.emulator.never import unforeseen

_LARGEST_TARGET = 2**31 - 1


def check_formula(text: str) -> None:
    """Raises `FormulaError` for what can be known without samples: syntax and names."""
    check_names(parse(text))


def evaluate(text: str, history: History, current: Targets, outside: Outside) -> Evaluation:
    """Runs a formula on the pool's samples, starting from its current targets."""
    evaluator = _Evaluator(history, current, outside)
    try:
        statements = parse(text)
        check_names(statements)
        evaluator.run(statements)
        targets = evaluator.targets()
    except FormulaError as error:
        return Evaluation(targets=current, results=evaluator.results(), fault=error.fault)
    return Evaluation(targets=targets, results=evaluator.results(), fault=None)


class _Evaluator:
    def __init__(self, history: History, current: Targets, outside: Outside) -> None:
        self._history = history
        self._outside = outside
        self._targets: dict[str, Value] = {
            DEDICATED: float(current.dedicated),
            SPOT: float(current.spot),
            OPTION: Keyword(current.option),
        }
        self._variables: dict[str, Value] = {}
        self._by_full_name: set[str] = set()

    def run(self, statements: tuple[Statement, ...]) -> None:
        """Executes the statements in order, up to a `stop()`."""
        for statement in statements:
            try:
                value = self._value(statement.value)
            except StoppedError:
                return
            if statement.name is not None:
                self._assign(statement, statement.name, value)

    def _assign(self, statement: Statement, name: str, value: Value) -> None:
        full = TARGET_ALIASES.get(name, name)
        if full not in self._targets:
            self._variables[name] = value
            return
        # Where both a name and its alias are set, the name counts.
        if full != name and full in self._by_full_name:
            return
        if full == name:
            self._by_full_name.add(full)
        try:
            self._targets[full] = _check_target(full, value)
        except UnsuitableError as error:
            raise FormulaError(statement.at, str(error)) from None

    def targets(self) -> Targets:
        """The counts as whole numbers, not below 0."""
        option = self._targets[OPTION]
        return Targets(
            dedicated=self._whole(DEDICATED),
            spot=self._whole(SPOT),
            option=option.name if isinstance(option, Keyword) else OPTIONS[0],
        )

    def _whole(self, name: str) -> int:
        value = self._targets[name]
        return max(0, int(value)) if isinstance(value, float) else 0

    def results(self) -> str:
        """All variables in the form of `autoScaleRun.results`: the service's, then by name."""
        targets = self.targets()
        shown = [
            f"{DEDICATED}={targets.dedicated}",
            f"{SPOT}={targets.spot}",
            f"{OPTION}={targets.option}",
        ]
        shown += [f"{name}={show(value)}" for name, value in sorted(self._variables.items())]
        return ";".join(shown)

    def _value(self, expression: Expression) -> Value:
        try:
            return self._compute(expression)
        except InsufficientDataError as error:
            raise FormulaError(expression.at, str(error), kind=FaultKind.DATA) from None
        except UnsuitableError as error:
            raise FormulaError(expression.at, str(error)) from None

    def _compute(self, expression: Expression) -> Value:
        match expression:
            case Number() | String():
                return expression.value
            case Name():
                return self._look_up(expression.name)
            case Vector():
                return flatten([self._value(item) for item in expression.items])
            case Unary():
                return invert(expression.operator, self._value(expression.operand))
            case Binary():
                return self._combine(expression)
            case Choice():
                chosen = is_true(self._value(expression.test))
                return self._value(expression.then if chosen else expression.otherwise)
            case Call():
                arguments = [self._value(argument) for argument in expression.arguments]
                return FUNCTIONS[expression.function](tuple(arguments), self._outside)
            case Method():
                return self._call_method(expression)
            case Member():
                return member_of(self._value(expression.target), expression.member)
            case _:
                raise unforeseen(expression)

    def _combine(self, expression: Binary) -> Value:
        left = self._value(expression.left)
        match expression.operator:
            case "&&":
                return float(is_true(left) and is_true(self._value(expression.right)))
            case "||":
                return float(is_true(left) or is_true(self._value(expression.right)))
            case mark:
                return combine(mark, left, self._value(expression.right))

    def _call_method(self, expression: Method) -> Value:
        target = self._value(expression.target)
        arguments = [as_operand(self._value(argument)) for argument in expression.arguments]
        if not isinstance(target, Series):
            raise UnsuitableError(f"A {type_of(target)} has no method {expression.method}")
        return METHODS[expression.method](target, tuple(arguments), self._outside.now)

    def _look_up(self, name: str) -> Value:
        if name in self._variables:
            return self._variables[name]
        full = TARGET_ALIASES.get(name, name)
        if full in self._targets:
            return self._targets[full]
        if name in INTERVALS:
            return INTERVALS[name]
        if name in OPTIONS:
            return Keyword(name)
        metric = ALIASES.get(name, name)
        assert metric in MEASURED or metric in OF_MACHINES
        return self._history.of(metric)


def _check_target(name: str, value: Value) -> Value:
    value = as_operand(value)
    if name == OPTION:
        if not isinstance(value, Keyword):
            raise UnsuitableError(f"{name} is one of {', '.join(OPTIONS)}")
        return value
    if not isinstance(value, float):
        raise UnsuitableError(f"{name} is a double, and not a {type_of(value)}")
    if not abs(value) <= _LARGEST_TARGET:
        raise UnsuitableError(f"{name} is not a number of nodes: {show(value)}")
    return value
