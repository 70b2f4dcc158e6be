"""The dialog that asks why somebody rejects."""

from __future__ import annotations

import json

from bot.cards.blocks import Block, plain_text

REJECT_DIALOG = "request:reject_dialog"
REASON = "reason"
REASON_LETTERS_MAX = 500


def reject_dialog(*, request_id: str, revision: int, channel: str) -> Block:
    """It carries id, revision and where to answer; the truth comes from the ledger on submit."""
    kept = json.dumps({"value": f"{request_id}:{revision}", "channel": channel})
    return {
        "type": "modal",
        "callback_id": REJECT_DIALOG,
        "private_metadata": kept,
        "title": plain_text(f"Reject {request_id}", letters_max=24),
        "submit": plain_text("Reject", letters_max=24),
        "close": plain_text("Not yet", letters_max=24),
        "blocks": [
            {
                "type": "input",
                "block_id": REASON,
                "label": plain_text("Why?", letters_max=2000),
                "hint": plain_text(
                    "The requester reads this: what would have to be different?", letters_max=2000
                ),
                "element": {
                    "type": "plain_text_input",
                    "action_id": REASON,
                    "multiline": True,
                    "min_length": 3,
                    "max_length": REASON_LETTERS_MAX,
                    "focus_on_load": True,
                },
            }
        ],
    }
