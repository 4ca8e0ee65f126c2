"""Reads a formula: statements separated by semicolons.

It must not know which names, functions and members there are.
"""

from __future__ import annotations

from runner.emulator.batch.autoscale.faults import FaultKind, FormulaError, Position
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
    height_of,
)
from runner.emulator.batch.autoscale.tokens import Token, TokenKind, cut

MOST_STATEMENTS = 100
"""From "Create a formula to automatically scale compute nodes"."""

_DEEPEST = 50
_TALLEST = 120
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", "<=", ">", ">="),
    ("+", "-"),
    ("*", "/"),
)


def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a formula; raises `FormulaError`."""
    return _Parser(tuple(cut(text))).formula()


class _Parser:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def formula(self) -> tuple[Statement, ...]:
        statements: list[Statement] = []
        while self._peek().kind is not TokenKind.END:
            if self._take(";"):
                continue
            if len(statements) == MOST_STATEMENTS:
                raise _fault(
                    self._peek().position, f"There are more than {MOST_STATEMENTS} statements"
                )
            statements.append(self._statement())
            if self._peek().kind is not TokenKind.END:
                self._expect(";")
        if not statements:
            raise _fault(Position(1, 1), "The formula is empty")
        return tuple(statements)

    def _statement(self) -> Statement:
        first, second = self._peek(), self._peek(1)
        assigns = first.kind is TokenKind.NAME and second.text == "="
        assigns = assigns and second.kind is TokenKind.MARK
        self._next += 2 if assigns else 0
        value = self._expression()
        # A long chain of operators is a tall tree too, and trees are walked by recursion.
        if height_of(value) > _TALLEST:
            raise _fault(first.position, "The expression has too many operators")
        return Statement(at=first.position, name=first.text if assigns else None, value=value)

    def _expression(self) -> Expression:
        # Each parenthesis, bracket and sign passes here or through `_unary`.
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _fault(self._peek().position, "The expression is nested too deeply")
        test = self._binary(0)
        mark = self._peek()
        if self._take("?"):
            then = self._expression()
            self._expect(":")
            otherwise = self._expression()
            test = Choice(at=mark.position, test=test, then=then, otherwise=otherwise)
        self._depth -= 1
        return test

    def _binary(self, level: int) -> Expression:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while True:
            mark = self._peek()
            if mark.kind is not TokenKind.MARK or mark.text not in _LEVELS[level]:
                return left
            self._next += 1
            right = self._binary(level + 1)
            left = Binary(at=mark.position, operator=mark.text, left=left, right=right)

    def _unary(self) -> Expression:
        mark = self._peek()
        signs: list[Token] = []
        while self._take("-") or self._take("!"):
            signs.append(mark)
            mark = self._peek()
        if len(signs) > _DEEPEST:
            raise _fault(mark.position, "The expression is nested too deeply")
        operand = self._postfix()
        for sign in reversed(signs):
            operand = Unary(at=sign.position, operator=sign.text, operand=operand)
        return operand

    def _postfix(self) -> Expression:
        target = self._primary()
        start = target.at
        links = 0
        while self._take("."):
            links += 1
            if links > _DEEPEST:
                raise _fault(self._peek().position, "The expression is nested too deeply")
            name = self._peek()
            if name.kind is not TokenKind.NAME or name.text.startswith("$"):
                raise _unexpected(name, "the name of a member")
            self._next += 1
            if self._take("("):
                arguments = self._list(")")
                target = Method(at=start, target=target, method=name.text, arguments=arguments)
            else:
                target = Member(at=start, target=target, member=name.text)
        return target

    def _primary(self) -> Expression:
        token = self._peek()
        self._next += 1
        match token.kind:
            case TokenKind.NUMBER:
                return Number(at=token.position, value=float(token.text))
            case TokenKind.STRING:
                return String(at=token.position, value=token.text)
            case TokenKind.NAME:
                if not token.text.startswith("$") and self._take("("):
                    arguments = self._list(")")
                    return Call(at=token.position, function=token.text, arguments=arguments)
                return Name(at=token.position, name=token.text)
            case TokenKind.MARK | TokenKind.END:
                pass
        if token.text == "(" and token.kind is TokenKind.MARK:
            inner = self._expression()
            self._expect(")")
            return inner
        if token.text == "[" and token.kind is TokenKind.MARK:
            return Vector(at=token.position, items=self._list("]"))
        raise _unexpected(token, "an expression")

    def _list(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        if self._take(end):
            return ()
        while True:
            items.append(self._expression())
            if self._take(end):
                return tuple(items)
            self._expect(",")

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self, text: str) -> bool:
        token = self._peek()
        found = token.kind is TokenKind.MARK and token.text == text
        self._next += found
        return found

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise _unexpected(self._peek(), f"'{text}'")


def _unexpected(token: Token, wanted: str) -> FormulaError:
    return _fault(token.position, f"Unexpected '{token.text}', {wanted} is expected")


def _fault(position: Position, text: str) -> FormulaError:
    return FormulaError(position, text, kind=FaultKind.SYNTAX)
