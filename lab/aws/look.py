"""How one picture is made up: its colours, its sizes, its ruler, and whether words fit at all."""

from __future__ import annotations

from dataclasses import dataclass

from lab.aws.theme import Sizes, Theme
from lab.aws.typeset import Ruler


@dataclass(frozen=True)
class Look:
    """What every drawing function of one picture shares."""

    theme: Theme
    sizes: Sizes
    ruler: Ruler
    wordy: bool
