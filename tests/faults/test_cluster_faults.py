"""MSK, Kafka and CloudWatch silent, answering 500 after having acted, throttling: held, then gone on.

No process dies here; the job itself must survive each single call of its life going wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import pytest

from changes.ports import Refused, Unreachable
from tests.faults.judging import Ending, judge, row
from tests.faults.life import Shop, live
from tests.faults.moments import Moments, Passed
from tests.faults.playing import new_day

pytestmark = pytest.mark.fault
Kind = Literal["silent", "silent for long", "acted, then 500", "refused for now"]
LONG_CALLS = 12
Result = TypeVar("Result")


@dataclass
class Upset(Moments):
    """Calls of the ports go wrong at one number, reads and effects counted together."""

    call: int = -1
    kind: Kind = "silent"
    calls: list[str] = field(default_factory=list)

    def reading(self, name: str, ask: Callable[[], Result]) -> Result:
        return self._answered(name, ask, effect=False)

    def passing(
        self,
        role: str,
        name: str,
        whole: Callable[[], Result],
        *,
        half: Callable[[], object] | None = None,
    ) -> Result:
        if " " in name:  # the ledger's doings are sentences; another file upsets those
            return whole()
        del role, half
        return self._answered(name, whole, effect=True)

    def _answered(self, name: str, call: Callable[[], Result], *, effect: bool) -> Result:
        number = len(self.calls)
        self.calls.append(name if effect else f"reading {name}")
        length = LONG_CALLS if self.kind == "silent for long" else 1
        if not self.call <= number < self.call + length or self.call < 0:
            return call()
        if self.kind == "refused for now":
            refused: Result = refusal(name)
            return refused
        if self.kind == "acted, then 500":
            call()
        raise Unreachable(f"{name}: {self.kind}")


def refusal(name: str) -> Any:
    """As MSK throttles; Kafka's refusals are per partition, so a silent controller stands for them."""
    if name == "update_broker_count":
        return Refused(words="Too many requests (429)", passing=True)
    raise Unreachable(f"{name}: the broker is not the controller any more")


def calls_of_a_job(shop: Shop) -> list[str]:
    upset = Upset()
    live(shop, upset)
    return upset.calls


def numbers(calls: list[str], kind: Kind) -> list[int]:
    if kind == "silent":
        return list(range(len(calls)))
    if kind == "silent for long":
        return list(range(0, len(calls), 8))
    return [number for number, name in enumerate(calls) if not name.startswith("reading")]


@pytest.mark.parametrize(
    "kind", ["silent", "silent for long", "acted, then 500", "refused for now"]
)
def test_each_call_going_wrong(
    kind: Kind, shop: Shop, faultless: tuple[list[Passed], Ending]
) -> None:
    _, end = faultless
    calls = calls_of_a_job(shop)
    with row(f"MSK, Kafka, CloudWatch: one call {kind}") as told:
        for number in numbers(calls, kind):
            new_day(shop)
            live(shop, Upset(call=number, kind=kind))
            told.note(f"{calls[number]} (call {number})", judge(shop, faultless=end))
