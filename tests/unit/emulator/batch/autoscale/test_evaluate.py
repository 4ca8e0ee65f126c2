"""Formulas evaluated on samples: what they come to, and where they are wrong."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone

import pytest

from runner.emulator.batch.autoscale.evaluate import check_formula, evaluate
from runner.emulator.batch.autoscale.evaluation import Evaluation, Targets
from runner.emulator.batch.autoscale.faults import FaultKind, FormulaError
from runner.emulator.batch.autoscale.functions import Outside
from runner.emulator.batch.autoscale.samples import History, Sample

# A Friday afternoon.
NOW = datetime(2026, 1, 2, 15, 4, 5, 678000, tzinfo=timezone.utc)
OUTSIDE = Outside(now=NOW, random=lambda: 0.25)
CURRENT = Targets(dedicated=4, spot=1, option="requeue")


def history(*pending: float) -> History:
    """Samples of pending tasks, the last of them taken now."""
    made = History()
    for place, value in enumerate(pending):
        made.add(
            Sample(
                moment=NOW - timedelta(seconds=30 * (len(pending) - 1 - place)),
                values={
                    "$PendingTasks": value,
                    "$ActiveTasks": value / 2,
                    "$CurrentDedicatedNodes": 3.0,
                    "$TaskSlotsPerNode": 4.0,
                },
            )
        )
    return made


def run(formula: str, *pending: float) -> Evaluation:
    return evaluate(formula, history(*pending), CURRENT, OUTSIDE)


def value_of(expression: str, *pending: float) -> str:
    """How the value of an expression is shown."""
    evaluation = run(f"x = {expression};", *pending)
    assert evaluation.fault is None, evaluation.fault
    return evaluation.results.rpartition("x=")[2]


def fault_of(formula: str, *pending: float) -> tuple[FaultKind, str]:
    evaluation = run(formula, *pending)
    assert evaluation.fault is not None, evaluation.results
    assert evaluation.targets == CURRENT
    return evaluation.fault.kind, str(evaluation.fault)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("1 + 2 * 3 - 4 / 2", "5"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("-2 * -3", "6"),
        ("--2", "2"),
        ("!0 + !7", "1"),
        ("1 / 3 * 3", "1"),
        (".5 + 1e2", "100.5"),
        ("1 / 0", "inf"),
        ("0 / 0", "nan"),
        ("1 < 2 && 2 <= 2 || 1 / 0 > 3", "1"),
        ("1 == 1 != 0", "1"),
        ("0 ? 1 : 0 ? 2 : 3", "3"),
        ("1 ? 0 ? 1 : 2 : 3", "2"),
        ("[1, [2, 3], 4] * 2", "[2,4,6,8]"),
        ("[1, 2] + [3, 4]", "[4,6]"),
        ('"a" < "b"', "1"),
        ("requeue == terminate", "0"),
        ("TimeInterval_Minute * 5 == TimeInterval_Second * 300", "1"),
        ("2 * TimeInterval_Hour / 4 < TimeInterval_Hour", "1"),
        ("-TimeInterval_Hour + TimeInterval_Day", "23:00:00"),
        ("time()", "2026-01-02T15:04:05.678Z"),
        ("time() + -6 * TimeInterval_Hour", "2026-01-02T09:04:05.678Z"),
        ("TimeInterval_Week + time()", "2026-01-09T15:04:05.678Z"),
        ('time() - time("2026-01-01T15:04:05.678Z") == TimeInterval_Day', "1"),
        ('time("2026-02").month', "2"),
        ('time("Sun, 04 Jan 2026 05:06:07 GMT").weekday', "0"),
        ('time("2026-01-04T23:30:00-02:00").weekday', "1"),
        ("time().year + time().month + time().day", "2029"),
        ("time().weekday", "5"),
        ("time().hour * 10000 + time().minute * 100 + time().second", "150405"),
        ("avg(1, [2, 3], 6)", "3"),
        ("sum() + len() + count([1, 2])", "2"),
        ("min(3, [2, 1]) + max([5], 4)", "6"),
        ("std([2, 4, 4, 4, 5, 5, 7, 9])", "2.138089935299395"),
        ("norm(3, 4)", "5"),
        ("range([1, 5, 3])", "4"),
        ("lg(8) + ln(exp(2)) + log(1000)", "8"),
        ("lg([2, 4])", "[1,2]"),
        ("ln(vec(1))", "[0]"),
        ("ln(0)", "-inf"),
        ("floor(1.7) + ceil(1.2) + round(2.5) + round(-2.5)", "3"),
        ("floor([1.5, -1.5])", "[1,-2]"),
        ("percentile([4, 1, 3, 2], 50)", "2.5"),
        ("val([7, 8, 9], 2)", "9"),
        ("sort([3, 1, 2])", "[1,2,3]"),
        ("rand()", "0.25"),
        ('startsWith("abc", "ab") + endsWith("abc", "ab")', "1"),
    ],
)
def test_expressions(expression: str, shown: str) -> None:
    assert value_of(expression) == shown


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("$PendingTasks.GetSample(1)", "[9]"),
        ("$PendingTasks.GetSample(3)", "[7,8,9]"),
        ("$PendingTasks.GetSample(100)", "[0,1,2,3,4,5,6,7,8,9]"),
        ("$PendingTasks.GetSample(TimeInterval_Minute)", "[7,8,9]"),
        ("$PendingTasks.GetSample(TimeInterval_Minute, 3 * TimeInterval_Minute)", "[3,4,5,6,7]"),
        ("$PendingTasks.GetSample(time() - (time() - time()), 1)", None),
        ("$PendingTasks.GetSample(TimeInterval_Minute * 5, 100)", "[0,1,2,3,4,5,6,7,8,9]"),
        ("$PendingTasks.GetSamplePercent(TimeInterval_Minute * 10)", "50"),
        ("$PendingTasks.GetSamplePercent(TimeInterval_Minute * 2)", "100"),
        ("$CPUPercent.GetSamplePercent(TimeInterval_Minute * 10)", "0"),
        ("$PendingTasks.GetSamplePeriod() == 30 * TimeInterval_Second", "1"),
        ("$PendingTasks.Count() + $CPUPercent.Count()", "10"),
        ("$PendingTasks.HistoryBeginTime()", "2026-01-02T14:59:35.678Z"),
        ("$PendingTasks * 2 + $ActiveTasks", "22.5"),
        ("max($PendingTasks, 3) / $TaskSlotsPerNode", "2.25"),
        ("$CurrentDedicated + $TargetDedicated", "7"),
    ],
)
def test_samples(expression: str, shown: str | None) -> None:
    pending = [float(value) for value in range(10)]
    if shown is None:
        assert fault_of(f"x = {expression};", *pending)[0] is FaultKind.EVALUATION
    else:
        assert value_of(expression, *pending) == shown


def test_the_formula_of_pending_tasks() -> None:
    formula = """
    // Start small, and follow the queue once there are enough samples.
    smallest = 1;
    largest = 25;
    percent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
    wanted = percent < 70 ? smallest : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
    $TargetDedicatedNodes = min(largest, wanted);
    $NodeDeallocationOption = taskcompletion;
    """
    assert run(formula, 40).targets == Targets(dedicated=1, spot=1, option="taskcompletion")
    assert run(formula, *[40] * 7).targets.dedicated == 25
    evaluation = run(formula, *[12] * 7)
    assert evaluation.fault is None
    assert evaluation.results == (
        "$TargetDedicatedNodes=12;$TargetLowPriorityNodes=1;$NodeDeallocationOption=taskcompletion;"
        "largest=25;percent=100;smallest=1;wanted=12"
    )


def test_the_formula_of_office_hours() -> None:
    formula = (
        "$now = time(); $work = $now.hour >= 8 && $now.hour < 18;"
        " $week = $now.weekday >= 1 && $now.weekday <= 5; $TargetDedicated = $work && $week ? 20:10"
    )
    assert run(formula).targets.dedicated == 20
    friday_night = Outside(now=NOW + timedelta(hours=4), random=lambda: 0.0)
    assert evaluate(formula, History(), CURRENT, friday_night).targets.dedicated == 10


def test_targets_are_whole_numbers_from_0_and_aliases_yield_to_names() -> None:
    assert run("$TargetDedicatedNodes = 2.9; $TargetLowPriority = -3;").targets == Targets(
        dedicated=2, spot=0, option="requeue"
    )
    both = "$TargetDedicatedNodes = 2; $TargetDedicated = 7;"
    assert run(both).targets.dedicated == 2
    assert run("$TargetDedicated = 7; $TargetDedicatedNodes = 2;").targets.dedicated == 2


def test_a_formula_can_stop() -> None:
    evaluation = run("$TargetDedicatedNodes = 7; stop(); $TargetDedicatedNodes = 9;")
    assert (evaluation.fault, evaluation.targets.dedicated) == (None, 7)


def test_what_is_not_chosen_is_not_evaluated() -> None:
    assert value_of("1 ? 2 : avg($CPUPercent.GetSample(TimeInterval_Minute))") == "2"
    assert value_of("0 && avg($CPUPercent.GetSample(TimeInterval_Minute))") == "0"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("$something_useless", "Line 1, Col 1: Undefined symbol: $something_useless"),
        ("x = 1;\n  y = x + z;", "Line 2, Col 11: Undefined symbol: z"),
        ("x = x + 1;", "Line 1, Col 5: Undefined symbol: x"),
        ("x = middle(1);", "Line 1, Col 5: Undefined symbol: middle"),
        ("x = $PendingTasks.GetAll();", "Line 1, Col 5: Undefined symbol: GetAll"),
        ("x = time().century;", "Line 1, Col 5: Undefined symbol: century"),
        ("$PendingTasks = 1;", "Line 1, Col 1: $PendingTasks cannot be assigned to"),
        ("x = 1\ny = 2", "Line 2, Col 1: Unexpected 'y', ';' is expected"),
        ("x = (1 + 2;", "Line 1, Col 11: Unexpected ';', ')' is expected"),
        ("x = 1 +", "Line 1, Col 8: Unexpected 'end of formula', an expression is expected"),
        ("x = 1 ? 2;", "Line 1, Col 10: Unexpected ';', ':' is expected"),
        ("x = y.3", "Line 1, Col 6: Unexpected '.3', ';' is expected"),
        ('x = "abc', "Line 1, Col 5: Unterminated string"),
        ("x = 3 # 4", "Line 1, Col 7: Unexpected character: #"),
        ("// nothing\n", "Line 1, Col 1: The formula is empty"),
        ("x = " + "(" * 4000, "Line 1, Col 55: The expression is nested too deeply"),
        ("x = " + "-" * 4000 + "1", "Line 1, Col 4005: The expression is nested too deeply"),
        ("x = 1" + "+1" * 4000, "Line 1, Col 1: The expression has too many operators"),
        ("x = time()" + ".a" * 4000, "Line 1, Col 112: The expression is nested too deeply"),
        ("x = 1;" * 101, "Line 1, Col 601: There are more than 100 statements"),
    ],
)
def test_faults_of_the_text(formula: str, text: str) -> None:
    assert fault_of(formula) == (FaultKind.SYNTAX, text)
    with pytest.raises(FormulaError) as caught:
        check_formula(formula)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("x = [1] < 2;", "Line 1, Col 9: There is no operation doubleVec < double"),
        (
            "x = time() - TimeInterval_Day;",
            "Line 1, Col 12: There is no operation timestamp - timeinterval",
        ),
        ("x = [1] + [1, 2];", "Line 1, Col 9: The vectors have the lengths 1 and 2"),
        ("x = -time();", "Line 1, Col 5: There is no operation -timestamp"),
        ("x = time() ? 1 : 2;", "Line 1, Col 12: A double is needed, and not a timestamp"),
        ("x = avg();", "Line 1, Col 5: At least 1 value is needed"),
        ('x = avg("a");', "Line 1, Col 5: A double or doubleVec is needed, not a string"),
        ("x = val([1], 1);", "Line 1, Col 5: There is no element 1 in a vector of 1"),
        ("x = rand(1);", "Line 1, Col 5: No argument is taken"),
        (
            'x = time("soon");',
            "Line 1, Col 5: 'soon' is not a time in the form of W3C-DTF or RFC 1123",
        ),
        ("x = (1).GetSample(1);", "Line 1, Col 6: A double has no method GetSample"),
        ("x = (1).year;", "Line 1, Col 6: A double has no member year"),
        (
            "$TargetDedicatedNodes = [1];",
            "Line 1, Col 1: $TargetDedicatedNodes is a double, and not a doubleVec",
        ),
        (
            "$TargetDedicatedNodes = 1 / 0;",
            "Line 1, Col 1: $TargetDedicatedNodes is not a number of nodes: inf",
        ),
        (
            "$TargetDedicatedNodes = 0 / 0;",
            "Line 1, Col 1: $TargetDedicatedNodes is not a number of nodes: nan",
        ),
        (
            "$NodeDeallocationOption = 1;",
            (
                "Line 1, Col 1: $NodeDeallocationOption is one of"
                " requeue, terminate, taskcompletion, retaineddata"
            ),
        ),
        (
            "x = TimeInterval_Year * 1e9;",
            "Line 1, Col 23: The result is out of range",
        ),
        ("x = time() + TimeInterval_Year * 1e5;", "Line 1, Col 12: The result is out of range"),
        (
            "x = $PendingTasks.GetSamplePercent(TimeInterval_Year * 1e5);",
            "Line 1, Col 5: The time is out of range",
        ),
        ("x = $CPUPercent + 1;", "Line 1, Col 17: $CPUPercent has no samples"),
        (
            "v = [1, 1];" + "v = [v, v];" * 30,
            "Line 1, Col 181: The vector is longer than 100000",
        ),
    ],
)
def test_faults_of_the_evaluation(formula: str, text: str) -> None:
    assert fault_of(formula, 1) == (FaultKind.EVALUATION, text)


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (
            "x = 1;\n$TargetDedicatedNodes = avg($CPUPercent.GetSample(TimeInterval_Minute * 5));",
            "Line 2, Col 29: Insufficient data from data set: $CPUPercent wanted 1%, received 0%",
        ),
        (
            "x = $ActiveTasks.GetSample(TimeInterval_Minute * 5, 70);",
            "Line 1, Col 5: Insufficient data from data set: $ActiveTasks wanted 70%, received 50%",
        ),
        (
            "x = $CPUPercent.GetSample(1);",
            "Line 1, Col 5: Insufficient data from data set: $CPUPercent wanted 100%, received 0%",
        ),
    ],
)
def test_missing_samples(formula: str, text: str) -> None:
    assert fault_of(formula, 1, 2, 3, 4, 5) == (FaultKind.DATA, text)


def test_a_history_forgets_what_is_older_than_a_day() -> None:
    kept = History()
    for number in range(3000):
        moment = NOW + number * timedelta(seconds=30)
        kept.add(Sample(moment=moment, values={"$PendingTasks": float(number)}))
    points = kept.of("$PendingTasks").points
    assert (len(points), points[0][1], points[-1][1]) == (2880, 120.0, 2999.0)


WORDS = [
    "$PendingTasks",
    "$CPUPercent",
    "$TargetDedicatedNodes",
    "$NodeDeallocationOption",
    "x",
    "y",
    "requeue",
    "1",
    "2",
    "0",
    ".5",
    "1e308",
    '"a"',
    '"2026-01-01"',
    "TimeInterval_Year",
    "TimeInterval_100ns",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    "=",
    "==",
    "!=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "!",
    "&&",
    "||",
    "?",
    ":",
    ".GetSample(",
    ".GetSamplePercent(",
    ".Count(",
    ".year",
    "time(",
    "avg(",
    "min(",
    "std(",
    "val(",
    "lg(",
    "exp(",
    "round(",
    "norm(",
    "percentile(",
    "sort(",
    "vec(",
    "startsWith(",
    "stop(",
    "rand(",
]


def test_whatever_is_written_ends_in_a_result_or_a_fault() -> None:
    chance = random.Random(1)
    faults = 0
    for _ in range(20_000):
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 12))]
        formula = "x = 1; y = [1, 2]; $TargetDedicatedNodes = " + " ".join(words)
        evaluation = run(formula, 1, 2, 3)
        assert evaluation.results.startswith("$TargetDedicatedNodes=")
        faults += evaluation.fault is not None
    assert 10_000 < faults < 20_000


@pytest.mark.parametrize("size", [1, 2, 3])
def test_expressions_that_are_made_right_do_not_fail_otherwise(size: int) -> None:
    chance = random.Random(size)
    leaves = (
        "1",
        "0",
        "1e308",
        "-2.5",
        "$PendingTasks",
        "[1, 2, 3]",
        "time()",
        "TimeInterval_Year",
    )
    calls = ("avg", "exp", "lg", "ln", "log", "norm", "std", "sum", "floor", "range", "percentile")

    def make(depth: int) -> str:
        if depth == 0:
            return chance.choice(leaves)
        if chance.random() < 0.5:
            return f"({make(depth - 1)} {chance.choice('+-*/<>')} {make(depth - 1)})"
        return f"{chance.choice(calls)}({make(depth - 1)}, {make(depth - 1)})"

    for _ in range(3000):
        fault = run(f"x = {make(size)};", 1, 2, 3).fault
        assert fault is None or fault.kind is FaultKind.EVALUATION
