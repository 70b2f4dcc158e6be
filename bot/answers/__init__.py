"""Answers to questions about what the watch sees, one file a question, each with its usage line.

The bot has no cloud client: every answer is read from the ledger and says when that was seen. To answer
another question, write its file and name it in `ANSWERS`.
"""

from bot.answers import acknowledging, balance, forecast, incidents, lag, mutes
from bot.answers.asking import Answer

ANSWERS: tuple[Answer, ...] = (
    lag.ANSWER,
    balance.ANSWER,
    forecast.ANSWER,
    incidents.ANSWER,
    acknowledging.ANSWER,
    mutes.MUTE,
    mutes.UNMUTE,
)
