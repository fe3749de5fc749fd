"""The mutants of a module: Cosmic Ray's operators, one change each.

Left out, because no test can tell them from the original: changes of annotations, of how a dataclass stores
its fields and of what a cache keeps, a static method that is called on its class, and an identity test for an
equality test (`is` for `==`) or the other way round.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

Place = tuple[int, int]

SAME = frozenset({"Eq_Is", "Is_Eq", "NotEq_IsNot", "IsNot_NotEq"})
BINARY = frozenset({"Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul"})
BITWISE = frozenset({"BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitAnd", "Pow_Mul", "LShift_RShift"})
"""One replacement for each binary operator: the other nine die of a wrong type or say the same."""


class Mutant(NamedTuple):
    operator: str
    occurrence: int
    line: int


def mutants(source: str) -> list[Mutant]:
    """Every mutant, in the order of the lines."""
    tree, outside = get_ast(source), _unasked(source)
    some = []
    for name in filter(_is_used, operator_names()):
        operator = get_operator(name)()
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        some += [
            Mutant(name, number, start[0])
            for number, (start, _) in enumerate(places)
            if not any(first <= start < last for first, last in outside)
        ]
    return sorted(some, key=lambda mutant: (mutant.line, mutant.operator, mutant.occurrence))


def mutated(source: str, mutant: Mutant) -> str:
    code = mutate_code(source, get_operator(mutant.operator)(), mutant.occurrence)
    if code is None:
        raise ValueError(f"there is no such mutant: {mutant}")
    return str(code)


def _is_used(name: str) -> bool:
    kind = name.partition("/")[2]
    if "Variable" in kind:  # they need names of variables
        return False
    if kind.startswith("ReplaceComparisonOperator_"):
        return not kind.endswith(tuple(SAME))
    if kind.startswith("ReplaceBinaryOperator_"):
        return kind.removeprefix("ReplaceBinaryOperator_") in BINARY | BITWISE
    return True


def _unasked(source: str) -> list[tuple[Place, Place]]:
    """Where what is left out begins and ends. A decorator begins with the @ before its expression."""
    return [
        ((part.lineno, part.col_offset - 1), (part.end_lineno or 0, part.end_col_offset or 0))
        for node in ast.walk(ast.parse(source))
        for part in _beside(node)
    ]


def _beside(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
        yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if node.returns is not None:
            yield node.returns
        yield from (part for part in node.decorator_list if _changes_nothing(part))
    elif isinstance(node, ast.ClassDef):
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call):
                yield from (word.value for word in decorator.keywords)


def _changes_nothing(decorator: ast.expr) -> bool:
    named = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(named, ast.Name) and named.id in ("lru_cache", "cache", "staticmethod")
