"""What a step is: it looks at the world, says how far it is, and acts.

The worker's rhythm, one short tick at a time:

1. `look` reads the cluster's truth and answers `NotStarted`, `Underway`, `Finished` or `Broken`.
2. Where something is to be done (`NotStarted`, or `Underway(act=True)`), `intend` says what must be
   remembered *before* the effect (prior throttles, the version an update was sent with). The worker
   saves that to the ledger.
3. `act` has the effect, once, and may return more to remember.

Because `look` reads the cluster and not our notes, a repeated tick never repeats an effect; because
the intention is stored first, a killed worker leaves nothing nobody knows of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from changes.ports import Json, World
from changes.tagged import Tagged, Value

Memory = Mapping[str, Json]


class NotStarted(Value):
    """Nothing was done yet: act."""


class Underway(Value):
    """On its way. `done` of `total` in `unit`; `hold` says why it waits; `act` = there is more to do.

    `upkeep` = that act only keeps safe what runs already, so a pause does not stop it. `say` is told
    in the thread once per step; `over` is told when a hold ends with this look, in place of "the
    reason is gone".

    `running` = how many things are on their way, and `left` how much of them (in `unit`) is still to
    come. `stuck` is what to hold with should neither `left` shrink nor `note` change for a while
    (`progress.STUCK_AFTER`): the step knows what it waits for, the run since when.
    """

    note: str = ""
    done: float = 0
    total: float = 0
    unit: str = ""
    hold: str = ""
    act: bool = False
    upkeep: bool = False
    say: str = ""
    over: str = ""
    running: int = 0
    left: float = 0
    stuck: str = ""


class Finished(Value):
    """The cluster is as the step wants it. `memory` is what later steps and the outcome need."""

    note: str = ""
    memory: Mapping[str, Json] = {}


class Broken(Value):
    """It cannot go on by itself. `unknown` = nobody can know yet what happened: a person must look."""

    words: str
    unknown: bool = False


class TryAgain(Value):
    """The act was refused for a reason that may pass; the next tick looks again first."""

    words: str


Look = NotStarted | Underway | Finished | Broken
Acted = Memory | TryAgain | Broken


class Step(Tagged):
    """Base of all steps; a change defines its own beside itself or takes shared ones."""

    permissions: ClassVar[tuple[str, ...]] = ()
    """IAM actions this step needs; docs, deploy/ and doctor are derived from these."""
    marks_chart: ClassVar[bool] = False
    """Is its start worth a vertical line in the pictures?"""
    minds_lag: ClassVar[bool] = False
    """Does it want to know which consumer groups are in trouble (`World.lag`)?"""

    def title(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} must have a title")

    async def look(self, world: World) -> Look:
        raise NotImplementedError(f"{type(self).__name__} must be able to look")

    async def intend(self, world: World) -> Memory:
        """What must be remembered before `act`; reads only."""
        del world
        return {}

    async def act(self, world: World) -> Acted:
        """The effect; the world's memory already holds the intention. Returns more to remember."""
        raise NotImplementedError(f"{type(self).__name__} cannot act")

    async def undo(self, world: World) -> Look:
        """One act towards undoing; called until `Finished`. The default: nothing to undo."""
        del world
        return Finished()
