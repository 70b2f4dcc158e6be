"""`/kafka lag [GROUP]`: the worst groups with their counts, or one group in full."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answers.asking import Answer, Asker, Seen, seen_or_words
from bot.answers.names import found
from bot.cards.blocks import Drawn
from bot.cards.help import told
from bot.cards.lag import all_groups, one_group
from bot.doors import Doors
from changes.grammar import Question, Usage

USAGE = Usage(
    line="lag [<group>] [on <cluster>]",
    means="lag",
    examples=("lag", "lag payments", "lag payments on orders-prod"),
    help="How far consumer groups are behind: the worst ones, or one in full.",
)


async def lag(doors: Doors, question: Question, asker: Asker) -> Sequence[Drawn]:
    seen = await seen_or_words(doors, question, asker)
    if not isinstance(seen, Seen):
        return seen
    group = question.arguments.get("group")
    if group is None:
        return [all_groups(seen.view, age=seen.age)]
    lines = {one.group: one for one in seen.view.groups}
    match = found(group, lines, what="consumer group", where=seen.view.cluster)
    if isinstance(match, str):
        return [told(f"{match}{_left_out(seen)}")]
    return [one_group(seen.view, lines[match.name], age=seen.age)]


def _left_out(seen: Seen) -> str:
    """With more groups than a view holds, a healthy one may be missing from it."""
    hidden = seen.view.groups_total - len(seen.view.groups)
    if hidden <= 0:
        return ""
    return (
        f" Only the {len(seen.view.groups):,} worst of {seen.view.groups_total:,} are known here."
    )


ANSWER = Answer(USAGE, lag)
