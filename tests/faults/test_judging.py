"""The judge itself: a table of zeros means nothing unless each kind of damage turns one of them up."""

from __future__ import annotations

from collections import Counter

import pytest

from changes.ports import World
from changes.steps import Finished, Look
from changes.steps_throttles import RemoveThrottles
from ledger import connect
from tests.faults.far_cluster import Truth
from tests.faults.judging import Ending, Judged, Row, ending, judge, judged, table
from tests.faults.life import THE_REQUEST, Shop, live
from tests.faults.moments import Passed


def test_each_kind_of_damage_is_seen(shop: Shop) -> None:
    live(shop)
    line, ledger = shop.line(), connect(shop.redis_url)
    truth, request = line.truth(), ledger.load(THE_REQUEST)
    assert request is not None
    end = ending(ledger, request)

    def found(seen: Truth = truth, expected: Ending = end) -> Judged:
        return judged(ledger, request, seen, expected)

    line_more = Ending(end.state, end.decisions + Counter(["Step 9"]), end.events)
    line_less = Ending(end.state, end.decisions - Counter([*end.decisions][:1]), end.events)
    moved_back = {key: tuple(reversed(replicas)) for key, replicas in truth.replicas.items()}
    assert found().good
    assert found(truth._replace(accepted_updates=2)).doubled == ("2 updates of MSK",)
    assert found(truth._replace(accepted_updates=0)).lost == ("MSK was never asked",)
    assert found(truth._replace(left_behind=("throttle on topic orders",))).left
    assert all("move of" in words for words in found(truth._replace(replicas=moved_back)).lost)
    assert found(truth._replace(replicas=moved_back)).lost
    assert found(expected=line_more).lost == ("line 'Step 9'",)
    assert len(found(expected=line_less).doubled) == 1
    ledger.close()
    line.close()


def test_a_product_that_forgets_its_throttles_is_caught(
    shop: Shop, faultless: tuple[list[Passed], Ending], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sees_none_left(_step: RemoveThrottles, _world: World) -> Look:
        return Finished(note="no throttle is left")

    monkeypatch.setattr(RemoveThrottles, "look", sees_none_left)
    live(shop)
    found = judge(shop, faultless=faultless[1])
    assert found.done
    assert any(words.startswith("throttle on broker") for words in found.left)


def test_the_table_counts_cases_and_names_groups(
    shop: Shop, faultless: tuple[list[Passed], Ending]
) -> None:
    told = Row("a group")
    told.note("nothing was asked", judge(shop, faultless=faultless[1]))
    lines = table([told])
    assert lines[2].split()[:4] == ["a", "group", "1", "0"]
    with pytest.raises(AssertionError, match="nothing was asked"):
        told.holds()
