"""The only module that knows CEL (cel-expr-python): compile at load, evaluate to a clean answer.

The surprising truths: variables are declared *with dots in their names* and a type, which is what
lets a typo fail at load with its column; and a runtime error (division by zero, a value that is not
known) is returned as a value and raises nothing, so only a BOOL that is true counts as true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from cel_expr_python import cel

Scalar = int | float | str | bool
VariableType = Literal["int", "double", "string", "bool", "list<string>"]

CHARACTERS_MAX = 2000
TYPES = {
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "list<string>": cel.Type.List(cel.Type.STRING),
}
COMPLAINT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*?)(?:\n| \[INVALID|$)", re.DOTALL)
UNKNOWN_VALUE = re.compile(r'No value with name "([^"]+)"')


class BadExpression(NamedTuple):
    """Why it cannot be used; line and column count from 1 within the expression."""

    message: str
    line: int = 1
    column: int = 1


class Answer(NamedTuple):
    """`value` is None when evaluation failed, and `error` says why."""

    value: bool | str | None
    error: str = ""

    @property
    def true(self) -> bool:
        return self.value is True


class Compiled:
    """One expression, typed and ready; safe to share between threads and after a fork."""

    def __init__(self, source: str, expression: cel.Expression) -> None:
        self.source = source
        self._expression = expression

    def evaluate(self, values: Mapping[str, Scalar | list[str]]) -> Answer:
        try:
            found = self._expression.eval(data=dict(values))
        except RuntimeError as stopped:  # how the library ends an expression that runs too long
            return Answer(None, reason_in(str(stopped)))
        if found.type() == cel.Type.BOOL or found.type() == cel.Type.STRING:
            return Answer(found.value())
        said = str(found.value())
        if unknown := UNKNOWN_VALUE.search(said):
            return Answer(None, f"`{unknown[1]}` is not known")
        return Answer(None, reason_in(said))


def reason_in(said: str) -> str:
    """`INVALID_ARGUMENT: divide by zero` without its codes."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", said)


def compiled(
    source: str, *, variables: Mapping[str, VariableType], gives: Literal["bool", "string"]
) -> Compiled | BadExpression:
    if len(source) > CHARACTERS_MAX:
        return BadExpression(f"the expression is longer than {CHARACTERS_MAX} characters")
    environment = cel.NewEnv(variables={name: TYPES[kind] for name, kind in variables.items()})
    try:
        expression = environment.compile(source)
    except RuntimeError as wrong:  # the only class the library raises, for every kind of mistake
        return complaint(source, str(wrong))
    if expression.return_type() != TYPES[gives]:
        kind = str(expression.return_type().name()).lower()
        wanted = "true or false" if gives == "bool" else "text"
        return BadExpression(f"must give {wanted}, not {kind}")
    return Compiled(source, expression)


def complaint(source: str, said: str) -> BadExpression:
    """The first complaint; CEL points at the last dot of a name, people look at its beginning."""
    found = COMPLAINT.search(said)
    if not found:
        return BadExpression(said.splitlines()[0])
    line, column, message = int(found[1]), int(found[2]), found[3].strip()
    name = re.search(r"undeclared reference to '([^']+)'", message)
    if not name:
        return BadExpression(message.replace("_", " ").replace("  ", " "), line, column)
    text = (source.splitlines() or [""])[line - 1]
    start = text.rfind(name[1], 0, column + len(name[1]))
    return BadExpression(f"`{name[1]}` is not known", line, start + 1 if start >= 0 else column)
