"""A plan for people who have to say yes: what moves, how long, what it costs, what cannot be undone."""

from __future__ import annotations

from bot.cards.blocks import Block, bullets, context, fields, section
from bot.cards.quantities import between, counted, dollars_per_month, in_bytes
from bot.cards.text import prose
from changes.plan import Impact, Plan

RISKS = {"low": "🟢 low", "medium": "🟠 medium", "high": "🔴 high"}
VALUE_LETTERS_MAX = 400
LINES_SHOWN_MAX = 8


def meaning(plan: Plan) -> list[Block]:
    """Summary, figures as fields, then warnings and what cannot be undone."""
    shown = plan.lines[:LINES_SHOWN_MAX]
    lines = [(prose(line.label), prose(line.text, letters_max=VALUE_LETTERS_MAX)) for line in shown]
    blocks = [section(f"*{prose(plan.summary)}*"), *fields([*impact(plan.impact), *lines])]
    if len(shown) < len(plan.lines):
        blocks.append(context(f"… and {len(plan.lines) - len(shown)} more figures"))
    if cautions := _cautions(plan):
        blocks.append(section(cautions))
    return blocks


def impact(figures: Impact) -> list[tuple[str, str]]:
    """Label and value, only those that say something for this change."""
    pairs = [("Takes", _duration(figures)), ("Risk", RISKS[figures.risk])]
    if figures.replicas_moved:
        pairs.insert(0, ("Moves", _moves(figures)))
    elif figures.leaders_changed:
        pairs.insert(0, ("Moves", _leaders(figures)))
    return [*pairs, ("Cost", dollars_per_month(figures.cost_usd_per_month))]


def _leaders(figures: Impact) -> str:
    return f"{counted(figures.leaders_changed, 'leader')} to another broker"


def _moves(figures: Impact) -> str:
    """The bytes beside their lower bound, which tells whether a better plan could exist."""
    replicas = counted(figures.replicas_moved, "replica")
    partitions = counted(figures.partitions_touched, "partition")
    lines = [f"{in_bytes(figures.bytes_moved)} · {replicas} of {partitions}"]
    if figures.leaders_changed:
        lines.append(_leaders(figures))
    return "\n".join([*lines, _least(figures)])


def _least(figures: Impact) -> str:
    """The bound is that of a perfect balance; a plan within its tolerance may need even less."""
    if figures.bytes_moved <= figures.bytes_lower_bound:
        return "no plan for this balance moves less"
    return f"no plan can move less than {in_bytes(figures.bytes_lower_bound)}"


def _duration(figures: Impact) -> str:
    words = between(figures.duration_seconds_low, figures.duration_seconds_high)
    if figures.batches and figures.throttle_bytes_per_second:
        throttle = in_bytes(figures.throttle_bytes_per_second)
        words += f"\n{counted(figures.batches, 'batch', 'batches')} at {throttle}/s per broker"
    return words


def _cautions(plan: Plan) -> str:
    parts = []
    if plan.warnings:
        warnings = (prose(warning) for warning in plan.warnings)
        parts.append("⚠️ *Mind*\n" + bullets(warnings))
    if plan.cannot_be_undone:
        lost = (prose(one) for one in plan.cannot_be_undone)
        parts.append("🔒 *Cannot be undone*\n" + bullets(lost))
    if plan.undo:
        parts.append(f"↩️ *Undo* · {prose(plan.undo, letters_max=VALUE_LETTERS_MAX)}")
    return "\n".join(parts)
