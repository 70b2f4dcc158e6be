"""Everything a card had to leave out, for the one person who asks with `show`.

A command's answers are at most five, so even this has an end; it says so and where the rest is.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.cards.blocks import Block, Drawn, message, section
from bot.cards.request import draw
from bot.cards.text import prose, when
from changes.request import Request

ANSWERS_MAX = 3
"""Beside the acknowledgement and the card itself: five uses of a response_url in all."""
ANSWER_LETTERS_MAX = 9000
SECTION_LETTERS_MAX = 2800
LINES_SHOWN_MAX = 30


def show_whole(request: Request, *, link: str) -> list[Drawn]:
    """The card without buttons, then whatever it had to shorten, then its thread's last lines."""
    card = draw(request)
    blocks = [block for block in card.blocks if block["type"] != "actions"]
    if link:
        blocks.insert(2, section(f"<{link}|Open its card and thread>"))
    first = message(blocks, pointer="")
    lines = [*(_left_out(request) if card.shortened else ()), *_thread(request)]
    return [first, *_packed(lines)]


def _left_out(request: Request) -> Iterator[str]:
    """Every list of the plan and the verdict, whole."""
    plan, verdict = request.plan, request.verdict
    lists = {
        "What changed": request.differences,
        "Figures": [f"{line.label}: {line.text}" for line in plan.lines] if plan else (),
        "Mind": plan.warnings if plan else (),
        "Cannot be undone": plan.cannot_be_undone if plan else (),
        "Steps": [step.title() for step in plan.steps] if plan else (),
        "The policies say": [
            f"{one.message} (would pass: {one.would_pass or 'nothing'})"
            for one in (verdict.reasons if verdict else ())
        ],
    }
    for name, items in lists.items():
        if items:
            yield f"*{name}*"
            yield from (f"• {prose(item, letters_max=2000)}" for item in items)


def _thread(request: Request) -> Iterator[str]:
    if request.log:
        yield "*Thread*"
    for line in request.log[-LINES_SHOWN_MAX:]:
        yield f"{when(line.at)} {prose(line.text, letters_max=600, mentions=True)}"


def _packed(lines: list[str]) -> list[Drawn]:
    """Lines into sections, sections into messages, the last of which says if there is more."""
    sections: list[str] = []
    for line in lines:
        if sections and len(sections[-1]) + len(line) < SECTION_LETTERS_MAX:
            sections[-1] += f"\n{line}"
        else:
            sections.append(line)
    per_message = ANSWER_LETTERS_MAX // SECTION_LETTERS_MAX
    fitting = sections[: ANSWERS_MAX * per_message]
    if len(fitting) < len(sections):
        fitting[-1] = "… there is more than Slack lets me show; `python -m ledger show` has it."
    blocks: list[Block] = [section(one) for one in fitting]
    return [
        message(blocks[start : start + per_message], pointer="")
        for start in range(0, len(blocks), per_message)
    ]
