"""Case A of the frozen benchmark, 3 → 6 brokers: what the table in the docs says, asserted."""

from __future__ import annotations

import pytest

from bench.__main__ import CASES
from bench.case import Mistake, read_case, read_plan
from bench.planning import run_planner
from changes.placement.bounds import lower_bound_bytes
from changes.placement.judge import judge
from changes.placement.measure import measure
from changes.placement.model import Placement


@pytest.fixture(scope="module")
def case_a() -> Placement:
    placement = read_case(CASES / "input_A_3to6.json.xz")
    assert not isinstance(placement, Mistake), placement.words
    return placement


def test_the_case_is_the_one_other_tools_planned_for(case_a: Placement) -> None:
    assert (len(case_a.brokers), len(case_a.partitions)) == (6, 600)
    assert len({p.topic for p in case_a.partitions}) == 43
    bounds = [lower_bound_bytes(case_a, tolerance=t) / 1e12 for t in (0, 0.05, 0.09)]
    assert bounds == pytest.approx([1.650, 1.5675, 1.5015], abs=1e-4)


def test_our_plan_is_better_than_every_peer_at_once(case_a: Placement) -> None:
    run = run_planner(case_a, case="A_3to6")
    metrics = run.row.metrics
    assert run.refused == ()
    assert metrics.bytes_over_bound is not None
    assert metrics.bytes_over_bound <= 1.005
    assert metrics.disk_max_over_mean <= 1.005
    assert metrics.disk_min_over_mean >= 0.995
    assert metrics.leaders_max_over_mean <= 1.02
    assert metrics.leaders_min_over_mean >= 0.98
    assert metrics.replicas_max_over_mean <= 1.02
    assert metrics.partitions_touched <= 310  # 300 new leaders are needed, so 300 is the floor
    assert metrics.top_replicas.worst <= 1.10  # whole numbers allow no less than 1.06
    assert metrics.top_leaders.worst <= 1.25  # and 1.20
    assert metrics.rack_violations == metrics.duplicates == metrics.factor_changes == 0


@pytest.mark.parametrize(
    ("tool", "terabytes", "moved", "touched", "disk_max", "leaders_max"),
    [
        ("cruise_control_add_broker_default_goals", 1.527, 974, 328, 1.0808, 1.100),
        ("kafka_generate", 1.682, 910, 578, 1.0297, 1.040),
        ("topicmappr_scale_auto_tol", 1.690, 162, 54, 1.0243, 1.860),
        ("yelp_count_balancer", 1.588, 900, 303, 1.0378, 1.000),
    ],
)
def test_peers_frozen_plans_measure_as_published(
    case_a: Placement,
    tool: str,
    terabytes: float,
    moved: int,
    touched: int,
    disk_max: float,
    leaders_max: float,
) -> None:
    plan = read_plan(CASES / f"A_3to6__{tool}.txt.xz", case=case_a)
    assert not isinstance(plan, Mistake), plan.words
    assert judge(case_a, plan) == ()
    metrics = measure(case_a, plan)
    assert metrics.moved_bytes / 1e12 == pytest.approx(terabytes, abs=5e-4)
    assert (metrics.replicas_moved, metrics.partitions_touched) == (moved, touched)
    assert metrics.disk_max_over_mean == pytest.approx(disk_max, abs=5e-5)
    assert metrics.leaders_max_over_mean == pytest.approx(leaders_max, abs=5e-4)
