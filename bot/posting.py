"""Putting a drawing into Slack so that it arrives: whole, else simpler, else as text.

The surprising truth: Slack rejects a whole message for one bad block, and an approval card that did
not arrive is worse than a plain one. What Slack objected to goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.calls import SaidNo, send
from bot.cards.blocks import Block, Drawn, section, words_of

log = logging.getLogger(__name__)

BAD_BLOCKS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long")
ONLY_TEXT_LETTERS_MAX = 3000

Json = dict[str, Any]


async def put(
    client: AsyncWebClient, method: str, drawn: Drawn, *, metadata: Json, **where: Any
) -> Mapping[str, Any]:
    """`chat.postMessage` or `chat.update`, with fewer blocks each time Slack refuses them."""
    refused: SaidNo | None = None
    for face in faces(drawn):
        try:
            return await send(
                client,
                method,
                text=face.text,
                blocks=list(face.blocks),
                metadata=metadata,
                unfurl_links=False,
                unfurl_media=False,
                **where,
            )
        except SaidNo as no:
            if no.code not in BAD_BLOCKS:
                raise
            log.error("%s refused %d blocks, trying simpler ones: %s", method, len(face.blocks), no)
            refused = no
    raise refused or SaidNo(method, "no face to show")


def faces(drawn: Drawn) -> Iterator[Drawn]:
    """The message as drawn; then every block as plain section, buttons kept; then text alone."""
    yield drawn
    simpler = [one for block in drawn.blocks for one in simplified(block)]
    yield Drawn(text=drawn.text, blocks=tuple(simpler))
    yield Drawn(text=drawn.text[:ONLY_TEXT_LETTERS_MAX], blocks=())


def simplified(block: Block) -> list[Block]:
    if block["type"] == "actions":
        bare = ("type", "text", "action_id", "value", "style", "options", "placeholder")
        elements = [{k: v for k, v in one.items() if k in bare} for one in block["elements"]]
        return [{"type": "actions", "elements": elements}]
    return [section("\n".join(words))] if (words := words_of(block)) else []
