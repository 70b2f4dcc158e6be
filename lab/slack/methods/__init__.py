"""The Web API's methods, one module per family; importing this package registers them all."""

from lab.slack.methods import (
    basics,
    chat,
    conversations,
    files,
    history,
    people,
    reactions,
    views,
)

__all__ = ["basics", "chat", "conversations", "files", "history", "people", "reactions", "views"]
