"""Expressions: an allow-list of syntax, compiled to closures that look names up in a scope.

It knows nothing of the text around an expression. No code is generated and no attribute of a Python
object is ever read, so there is nothing to break out of.
"""

from __future__ import annotations

import dataclasses
from dataclasses import field

from jinja2 import nodes

from runner.frozen import dataclass
from runner.spec.suggestion import closest
from runner.spec.templates.fault import Reference, TemplateError, TemplateFault
from runner.spec.templates.filters import FILTERS
from runner.spec.templates.lookup import Evaluate, MissingError, Scope, Step, look_up
from runner.spec.templates.syntax_tree import SyntaxTree, parse_expression
from runner.spec.templates.values import (
    NoValueError,
    bounded,
    calculate,
    compare,
    concatenate,
    cut_out,
    signed,
)

_RAW = "raw"
_DEFAULT = "default"
_FILTER_NAMES = (*FILTERS, _DEFAULT, _RAW)
_SIGNS: dict[type[nodes.Expr], str] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
}
_REFUSED: dict[type[nodes.Node], tuple[str, str | None]] = {
    nodes.Call: ("calls are not allowed in an expression", "filters are: `{{ value | lower }}`"),
    nodes.Dict: ("a mapping cannot be written in an expression", None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A compiled expression.

    `evaluate` raises `TemplateError`. `is_raw` where it ends in `| raw`; `constant` is its text
    where it is nothing but one quoted text.
    """

    offset: int
    length: int
    evaluate: Evaluate = field(compare=False, repr=False)
    references: tuple[Reference, ...]
    is_raw: bool
    constant: str | None

    def fault(self, code: str, message: str, hint: str | None = None) -> TemplateFault:
        """A fault of the expression as a whole."""
        return TemplateFault(
            offset=self.offset, length=self.length, code=code, message=message, hint=hint
        )


def compile_expression(source: str, offset: int, *, start: int, end: int) -> Expression:
    """The expression `source` at `offset`, with its braces from `start` to `end` of the leaf.

    Raises `TemplateError` with all that is wrong in it.
    """
    tree = parse_expression(source, offset)
    root = tree.root
    is_raw = isinstance(root, nodes.Filter) and root.name == _RAW
    compiler = _Compiler(tree)
    if isinstance(root, nodes.Filter) and is_raw and root.node is not None:
        compiler.check_arguments(root, 0, 0)
        root = root.node
    inner = compiler.compile(root)
    if compiler.faults:
        raise TemplateError(compiler.faults)
    # Names place their faults themselves; without a call around it, a field is found twice as fast.
    is_reference = isinstance(root, (nodes.Name, nodes.Getattr))
    evaluate = inner if is_reference else _located(inner, start, end - start)
    if not compiler.references:
        value = evaluate({})  # what speaks of nothing is wrong, or done, before anything runs
        evaluate = _always(value)
    constant = root.value if isinstance(root, nodes.Const) else None
    return Expression(
        offset=start,
        length=end - start,
        evaluate=evaluate,
        references=tuple(compiler.references),
        is_raw=is_raw,
        constant=constant if isinstance(constant, str) and not is_raw else None,
    )


def _always(value: object) -> Evaluate:
    return lambda _: value


def _located(evaluate: Evaluate, offset: int, length: int) -> Evaluate:
    def run(scope: Scope) -> object:
        try:
            return evaluate(scope)
        except NoValueError as error:
            fault = TemplateFault(
                offset=offset,
                length=length,
                code="bad-value",
                message=error.message,
                hint=error.hint,
            )
            raise TemplateError((fault,)) from error

    return run


@dataclasses.dataclass(slots=True)
class _Compiler:
    tree: SyntaxTree
    faults: list[TemplateFault] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)

    def compile(self, node: nodes.Node) -> Evaluate:
        match node:
            case nodes.Const():
                return self._constant(node)
            case nodes.Getitem(arg=nodes.Slice() as bounds):
                return self._slice(node, bounds)
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._reference(node, optional=False)
            case nodes.Filter():
                return self._filter(node)
            case nodes.Test():
                return self._test(node)
            case nodes.Concat():
                return self._concat(node)
            case nodes.BinExpr():
                return self._binary(node)
            case nodes.Compare():
                return self._compare(node)
            case nodes.Neg() | nodes.Pos() | nodes.Not():
                return self._unary(node)
            case nodes.CondExpr():
                return self._conditional(node)
            case nodes.List() | nodes.Tuple():
                items = [self.compile(item) for item in node.items]
                return lambda scope: tuple(item(scope) for item in items)
            case _:
                message, hint = _REFUSED.get(
                    type(node), ("this is not allowed in an expression", None)
                )
                return self._refuse(node, message, hint)

    def _refuse(self, node: nodes.Node, message: str, hint: str | None = None) -> Evaluate:
        end = self.tree.end_behind(node.lineno, 0)
        self.faults.append(
            TemplateFault(
                offset=node.lineno,
                length=end - node.lineno,
                code="bad-expression",
                message=message,
                hint=hint,
            )
        )
        return _always(None)

    def _constant(self, node: nodes.Const) -> Evaluate:
        value: object = node.value
        if isinstance(value, (int, float)):
            try:
                bounded(value)
            except NoValueError as error:
                return self._refuse(node, error.message)
        return _always(value)

    def _reference(self, node: nodes.Node, *, optional: bool) -> Evaluate:
        """A name with its fields and items; only what is a string in the chain joins the path."""
        chain: list[Step] = []
        while isinstance(node, (nodes.Getattr, nodes.Getitem)):
            key = node.attr if isinstance(node, nodes.Getattr) else _constant_key(node)
            if key is None:
                self.compile(node.node)
                return self._refuse(node, "only a name or a number can stand in `[...]`")
            behind = 1 if isinstance(node, nodes.Getattr) else 2
            chain.append(Step(key, node.lineno, self.tree.end_behind(node.lineno, behind)))
            node = node.node
        if not isinstance(node, nodes.Name):
            if chain:
                message = "a field or an item can be taken of a name only"
                at, end = chain[-1].start, chain[-1].end
                fault = TemplateFault(
                    offset=at, length=end - at, code="bad-expression", message=message
                )
                self.faults.append(fault)
            return self.compile(node)
        chain.reverse()
        start, end = node.lineno, node.lineno + len(node.name)
        path = [node.name]
        for step in chain:
            if not isinstance(step.key, str):
                break
            path.append(step.key)
            end = step.end
        self.references.append(
            Reference(path=tuple(path), offset=start, length=end - start, optional=optional)
        )
        return look_up(node.name, start, tuple(chain))

    def _slice(self, node: nodes.Getitem, bounds: nodes.Slice) -> Evaluate:
        value = self.compile(node.node)
        if bounds.step is not None:
            return self._refuse(node, "a slice takes no step", "`| reverse` turns a list around")
        start, stop = (
            _always(None) if bound is None else self.compile(bound)
            for bound in (bounds.start, bounds.stop)
        )
        return lambda scope: cut_out(value(scope), start(scope), stop(scope))

    def check_arguments(
        self, node: nodes.Filter, least: int, most: int, keywords: frozenset[str] = frozenset()
    ) -> None:
        """Refuses arguments by a name it does not have or in stars, and a wrong number of them."""
        unknown = [each.key for each in node.kwargs if each.key not in keywords]
        if keywords and unknown:
            listed = " and ".join(f"`{each}=...`" for each in sorted(keywords))
            self._refuse(node, f"`{node.name}` has no argument `{unknown[0]}`", f"it has {listed}")
        elif keywords and node.args:
            listed = " and ".join(f"`{each}=...`" for each in sorted(keywords))
            self._refuse(node, f"`{node.name}` takes its arguments by name", f"it has {listed}")
        elif unknown or node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse(node, f"`{node.name}` takes plain arguments only")
        elif not least <= len(node.args) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            arguments = "no arguments" if most == 0 else f"{count} argument{'s' * (most > 1)}"
            self._refuse(node, f"`{node.name}` takes {arguments}, not {len(node.args)}")

    def _filter(self, node: nodes.Filter) -> Evaluate:
        name = node.name
        assert node.node is not None
        is_default = name == _DEFAULT
        value = self._operand(node.node) if is_default else self.compile(node.node)
        arguments = [self.compile(argument) for argument in node.args]
        if name == _RAW:
            return self._refuse(node, "`raw` must be the last filter of an expression")
        if is_default:
            self.check_arguments(node, 1, 1)
            return _default(value, *arguments) if len(arguments) == 1 else value
        known = FILTERS.get(name)
        if known is None:
            meant = closest(name, _FILTER_NAMES)
            listed = ", ".join(f"`{each}`" for each in sorted(_FILTER_NAMES))
            hint = f"did you mean `{meant}`?" if meant else f"filters: {listed}"
            return self._refuse(node, f"there is no filter `{name}`", hint)
        self.check_arguments(node, known.least, known.most, known.keywords)
        apply = known.apply
        if node.kwargs:
            named = {str(each.key): self.compile(each.value) for each in node.kwargs}
            return lambda scope: apply(
                value(scope), **{key: argument(scope) for key, argument in named.items()}
            )
        if not arguments:
            return lambda scope: apply(value(scope))
        return lambda scope: apply(value(scope), *[argument(scope) for argument in arguments])

    def _operand(self, node: nodes.Node) -> Evaluate:
        """What may be missing."""
        is_slice = isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)
        if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)) and not is_slice:
            return self._reference(node, optional=True)
        return self.compile(node)

    def _test(self, node: nodes.Test) -> Evaluate:
        if node.name != "defined" or node.args or node.kwargs:
            self.compile(node.node)
            return self._refuse(node, f"there is no test `{node.name}`", "there is `is defined`")
        value = self._operand(node.node)

        def is_defined(scope: Scope) -> bool:
            try:
                value(scope)
            except MissingError:
                return False
            return True

        return is_defined

    def _concat(self, node: nodes.Concat) -> Evaluate:
        parts = [self.compile(part) for part in node.nodes]
        return lambda scope: concatenate([part(scope) for part in parts])

    def _binary(self, node: nodes.BinExpr) -> Evaluate:
        if isinstance(node, nodes.Pow):
            return self._refuse(node, "`**` is not allowed in an expression")
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node, nodes.And):
            return lambda scope: left(scope) and right(scope)
        if isinstance(node, nodes.Or):
            return lambda scope: left(scope) or right(scope)
        sign = _SIGNS[type(node)]
        return lambda scope: calculate(sign, left(scope), right(scope))

    def _compare(self, node: nodes.Compare) -> Evaluate:
        first = self.compile(node.expr)
        rest = [(operand.op, self.compile(operand.expr)) for operand in node.ops]

        def run(scope: Scope) -> bool:
            left = first(scope)
            for relation, operand in rest:
                right = operand(scope)
                if not compare(relation, left, right):
                    return False
                left = right
            return True

        return run

    def _unary(self, node: nodes.UnaryExpr) -> Evaluate:
        value = self.compile(node.node)
        if isinstance(node, nodes.Not):
            return lambda scope: not value(scope)
        sign = "-" if isinstance(node, nodes.Neg) else "+"
        return lambda scope: signed(sign, value(scope))

    def _conditional(self, node: nodes.CondExpr) -> Evaluate:
        test, then = self.compile(node.test), self.compile(node.expr1)
        if node.expr2 is None:
            return self._refuse(node, "`if` needs an `else`", "`{{ a if condition else b }}`")
        otherwise = self.compile(node.expr2)
        return lambda scope: then(scope) if test(scope) else otherwise(scope)


def _constant_key(node: nodes.Getitem) -> str | int | None:
    key = node.arg
    sign = 1
    if isinstance(key, nodes.Neg):
        sign, key = -1, key.node
    if not isinstance(key, nodes.Const) or isinstance(key.value, bool):
        return None
    if isinstance(key.value, int):
        return sign * key.value
    return key.value if isinstance(key.value, str) and sign == 1 else None


def _default(value: Evaluate, otherwise: Evaluate) -> Evaluate:
    def run(scope: Scope) -> object:
        try:
            found = value(scope)
        except MissingError:
            found = None
        return otherwise(scope) if found is None else found

    return run
