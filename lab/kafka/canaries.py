"""MSK's canary topics, which every MSK cluster has and nobody may delete.

The surprising truth: they are here so that the product meets them. Plans and lag views must leave them
out, and only a cluster that has them can show that they do.
"""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from lab.children import ChildFailed

CANARY = "__amazon_msk_canary"
CANARY_STATE = "__amazon_msk_canary_state"
_TOPICS = (
    NewTopic(CANARY, 3, 3),
    NewTopic(CANARY_STATE, 3, 3, topic_configs={"cleanup.policy": "compact"}),
)


async def create_canaries(*, bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(list(_TOPICS))
    finally:
        await admin.close()
    for name, code, *_ in answer.topic_errors:
        if code != 0:
            raise ChildFailed(f"creating {name}: {for_code(code).__name__}")
