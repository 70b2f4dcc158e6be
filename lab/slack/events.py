"""Events to the app: which it is subscribed to and may see, and Slack's stubborn redelivery of them.

Only events are redelivered, never commands or clicks; a redelivery has the same event_id in a new envelope.
"""

from lab.slack.entities import Channel, Json
from lab.slack.manifest import EVENT_SCOPES
from lab.slack.workspace import Workspace


def message_event(workspace: Workspace, channel: Channel, inner: Json) -> None:
    """A message or one of its subtypes, where the bot is a member."""
    event = {
        "type": "message",
        **{k: v for k, v in inner.items() if k != "team" or "subtype" not in inner},
        "channel": channel.id,
        "event_ts": inner.get("event_ts") or inner["ts"],
        "channel_type": channel.event_type,
    }
    subscription = f"message.{'im' if channel.is_im else channel.scope_stem}"
    _emit(workspace, channel, subscription=subscription, event=event)
    mention = f"<@{workspace.bot.id}"
    if "subtype" not in inner and mention in inner.get("text", "") and not channel.is_im:
        kept = {k: v for k, v in event.items() if k != "channel_type"}
        _emit(workspace, channel, subscription="app_mention", event={**kept, "type": "app_mention"})


def other_event(workspace: Workspace, event: Json, *, channel: Channel | None = None) -> None:
    _emit(workspace, channel, subscription=event["type"], event=event)


def _emit(workspace: Workspace, channel: Channel | None, *, subscription: str, event: Json) -> None:
    if subscription not in workspace.manifest.events or not workspace.manifest.socket_mode:
        return
    scope = EVENT_SCOPES[subscription]
    if scope and scope not in workspace.manifest.scopes:
        return
    if channel is not None and workspace.bot.id not in channel.members:
        return
    workspace.spawn(_deliver(workspace, _callback(workspace, event)))


def _callback(workspace: Workspace, event: Json) -> Json:
    return {
        "token": "lab-verification-token",
        "team_id": workspace.team_id,
        "context_team_id": workspace.team_id,
        "context_enterprise_id": None,
        "api_app_id": workspace.seed.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.mint.id("Ev"),
        "event_time": int(workspace.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": workspace.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{workspace.mint.hex(24)}",
    }


async def _deliver(workspace: Workspace, callback: Json) -> None:
    waits = (0.0, *workspace.quirks.event_retry_seconds)
    unnoticed_seconds = 0.0
    envelope_id = workspace.mint.uuid()
    for attempt, wait in enumerate(waits):
        await workspace.clock.sleep(seconds=max(wait, unnoticed_seconds))
        outcome = await workspace.sockets.send(
            kind="events_api",
            payload=callback,
            accepts_response_payload=False,
            retry=(attempt, "timeout" if attempt else ""),
            envelope_id=envelope_id,
        )
        if outcome.acked:
            return
        # Slack notices a missing connection no sooner than a missing ack.
        unnoticed_seconds = 0.0 if outcome.status == "timeout" else workspace.quirks.ack_seconds
        if not workspace.quirks.retry_keeps_envelope_id:
            envelope_id = workspace.mint.uuid()
    workspace.log.write("delivery", type="events_api", status="given up", payload=callback)
