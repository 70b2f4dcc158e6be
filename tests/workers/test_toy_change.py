"""The next change costs one file: a toy from a temporary folder goes from typed words to *done*.

Nothing of Ottla is edited for it. Grammar, help, policy facts, plan, card, steps and docs page all
come from the file.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from bot.cards.request import draw
from changes.catalog import CATALOG, find
from changes.grammar import Asked, Mistake, parse
from changes.grammar_help import help_text
from changes.grammar_usage import usages_of
from changes.lifecycle import State
from changes.pages import change_page
from lab.slack.validate import validate_blocks
from tests.workers.conftest import Floor

TOY = '''
"""Wave at a cluster a number of times, for tests.

Waving has no effect on any broker.
"""

from changes.change import Change
from changes.plan import CannotPlan, CardLine, Plan
from changes.preconditions import BrokersAre
from changes.steps import Finished, NotStarted, Step


class Wave(Change):
    usage = "wave <times>"
    examples = ("wave 3", "wave 3 because it is Friday")
    policy_fact_types = {"wave.times": "int"}

    times: int

    def describe(self):
        return f"Wave {self.times} times at {self.cluster}"

    def plan(self, facts, limits):
        if self.times < 1:
            return CannotPlan(words="waving less than once is not waving", would_pass="1")
        return Plan(
            change=self,
            cluster_arn=facts.msk.arn,
            msk_current_version=facts.msk.current_version,
            summary=f"{self.times} waves",
            steps=(WaveOnce(number=1), WaveOnce(number=2)),
            lines=(CardLine(label="Waves", text=str(self.times)),),
            preconditions=(BrokersAre(racks={b.broker_id: b.rack for b in facts.brokers}),),
            policy_facts={"wave.times": self.times},
        )


class WaveOnce(Step):
    """Wave one time."""

    permissions = ("kafka:DescribeClusterV2",)

    number: int

    def title(self):
        return f"Wave {self.number}"

    async def look(self, world):
        if world.memory.get(f"waved_{self.number}"):
            return Finished(note="waved")
        return NotStarted()

    async def act(self, world):
        return {f"waved_{self.number}": True}
'''

RULES = """
policies:
  - name: waving
    match: {environments: [lab], changes: [wave]}
    rules:
      - {name: not too often, expression: wave.times <= 5, message: five waves are enough}
    approvals:
      - {count: 1, groups: [S0LABKAPPR], label: "@kafka-approvers"}
    examples:
      - {name: three, facts: {wave.times: 3}, expect: needs_approvals}
      - {name: nine, facts: {wave.times: 9}, expect: denied, reason_contains: five waves}
"""


async def test_a_toy_change_is_one_file_and_runs_to_done(redis_url: str, tmp_path: Path) -> None:
    toys, rules = tmp_path / "toys", tmp_path / "policies"
    toys.mkdir()
    rules.mkdir()
    (toys / "toy_wave.py").write_text(dedent(TOY))
    (rules / "waving.yaml").write_text(RULES)
    (wave,) = find(toys)
    catalog = (*CATALOG, wave)
    usages = usages_of(catalog, ())

    typed = parse(
        "wave 3 because it is Friday",
        usages=usages,
        clusters=["orders-lab"],
        default_cluster="orders-lab",
    )
    assert isinstance(typed, Asked)
    mistake = parse("wave x", usages=usages, clusters=["orders-lab"], default_cluster="orders-lab")
    assert isinstance(mistake, Mistake)
    assert "wave" in help_text(usages)

    floor = Floor(redis_url=redis_url, folder=rules, catalog=catalog)
    asked = floor.ask(typed.change, because=typed.because)
    await floor.tick(asked)
    card = draw(floor.now(asked))
    assert validate_blocks(list(card.blocks)) == []
    assert "Wave 3 times at orders-lab" in str(card.blocks)
    floor.approve(asked)
    done = await floor.until_ended(asked)
    assert done.state is State.DONE
    assert [line.text for line in done.log if line.text.startswith("Step")] == [
        "Step 1 of 2 done: Wave 1 (waved)",
        "Step 2 of 2 done: Wave 2 (waved)",
    ]

    too_many = floor.ask(wave.model_validate({"cluster": "orders-lab", "times": 9}))
    await floor.tick(too_many)
    verdict = floor.now(too_many).verdict
    assert verdict is not None
    assert verdict.reasons[0].message == "five waves are enough"
    page = change_page(wave)
    assert page.startswith("# `/kafka wave <times>`")
    assert "kafka:DescribeClusterV2" in page
