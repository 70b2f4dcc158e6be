"""What is wrong with a file, where, and what would be right: a value, shown to whoever edits it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from changes.tagged import Value


class Problem(Value):
    """`line` and `column` count from 1; 0 = the file as a whole."""

    file: str
    line: int = 0
    column: int = 0
    message: str
    suggestion: str = ""

    def words(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}: {self.message}{hint}"


class Problems(tuple[Problem, ...]):
    """Never empty when it is handed out instead of a result."""

    __slots__ = ()

    def words(self) -> str:
        return "\n".join(problem.words() for problem in self)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest name, or nothing; `messageexpression` is near `messageExpression`."""
    by_folded = {plain(one): one for one in known}
    near = difflib.get_close_matches(plain(name), list(by_folded), n=1, cutoff=0.6)
    return f"did you mean `{by_folded[near[0]]}`?" if near else ""


def plain(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
