"""Golden answers of the expression language: what a rule may rely on, and what must never pass."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from policies.expressions import BadExpression, Compiled, VariableType, compiled

VARIABLES: dict[str, VariableType] = {
    "scale.brokers": "int",
    "plan.cost": "double",
    "plan.known": "bool",
    "request.because": "string",
    "request.groups": "list<string>",
}
VALUES: dict[str, Any] = {
    "scale.brokers": 6,
    "plan.cost": 3.5,
    "plan.known": True,
    "request.because": "lag",
    "request.groups": ["S1"],
}


def ready(source: str, gives: Literal["bool", "string"] = "bool") -> Compiled:
    found = compiled(source, variables=VARIABLES, gives=gives)
    assert isinstance(found, Compiled), found
    return found


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("scale.brokers <= 12", True),
        ("scale.brokers <= 5", False),
        ("double(scale.brokers) < plan.cost * 2.0", True),
        ("request.because.contains('lag') && size(request.because) == 3", True),
        ("'S1' in request.groups", True),
        ("!plan.known || plan.cost < 1.0", False),
        ("true || 1 / 0 == 1", True),
        ("request.groups.exists(g, g == 'S2')", False),
    ],
)
def test_answers_cleanly(source: str, answer: bool) -> None:
    assert ready(source).evaluate(VALUES).value is answer


@pytest.mark.parametrize(
    ("source", "values", "error"),
    [
        ("1 / (scale.brokers - 6) == 1", VALUES, "divide by zero"),
        ("scale.brokers < 3", {}, "`scale.brokers` is not known"),
        ("scale.brokers < 3", {"scale.brokers": "6"}, "Unexpected value type"),
        ("scale.brokers < 3", {"scale.brokers": 2**70}, "too big"),
        ("request.because.matches('[')", VALUES, "invalid regular expression"),
        ("request.groups[5] == ''", VALUES, "Index error"),
    ],
)
def test_what_cannot_be_evaluated_is_not_true(
    source: str, values: dict[str, Any], error: str
) -> None:
    answer = ready(source).evaluate(values)
    assert not answer.true
    assert answer.value is None
    assert error in answer.error


def test_a_bomb_is_stopped() -> None:
    inner = ".map(a, request.groups" * 6 + ")" * 6
    answer = ready(f"size(request.groups{inner}) > 0").evaluate(
        {**VALUES, "request.groups": ["x"] * 200}
    )
    assert answer.value is None
    assert answer.error == "Iteration budget exceeded"


@pytest.mark.parametrize(
    ("source", "gives", "bad"),
    [
        ("scale.borkers <= 12", "bool", BadExpression("`scale.borkers` is not known", 1, 1)),
        ("1 > 0 &&\n  scale.bro > 1", "bool", BadExpression("`scale.bro` is not known", 2, 3)),
        ("'é' == request.bec", "bool", BadExpression("`request.bec` is not known", 1, 8)),
        ("scale.brokers", "bool", BadExpression("must give true or false, not int")),
        ("scale.brokers > 1", "string", BadExpression("must give text, not bool")),
        ("x" * 2001, "bool", BadExpression("the expression is longer than 2000 characters")),
    ],
)
def test_is_refused_at_load_with_its_place(
    source: str, gives: Literal["bool", "string"], bad: BadExpression
) -> None:
    assert compiled(source, variables=VARIABLES, gives=gives) == bad


@pytest.mark.parametrize("source", ["", "scale.brokers <=", "scale.brokers < 12.0", "é", "f(1)"])
def test_nonsense_is_a_value_and_raises_nothing(source: str) -> None:
    assert isinstance(compiled(source, variables=VARIABLES, gives="bool"), BadExpression)
