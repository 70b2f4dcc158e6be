"""Behaviour of Slack that is not proven, one named switch each.

Each default is our best reading; flip one when a real workspace shows otherwise, and assert on none of them exactly.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    bot_text_gets_rich_text: bool = True
    unknown_thread_is_refused: bool = True
    reply_ts_is_rerooted: bool = True
    click_response_replaces_original: bool = False
    private_channel_name_in_commands: str = "privategroup"
    ticket_seconds: float = 30.0
    metadata_bytes_max: int = 8192
    blocks_characters_max: int = 13_200
    text_characters_max: int = 40_000
    response_url_uses_max: int = 5
    response_url_seconds: float = 1800.0
    trigger_seconds: float = 3.0
    ack_seconds: float = 3.0
    event_retry_seconds: tuple[float, ...] = (0.0, 60.0, 300.0)
    retry_keeps_envelope_id: bool = False
    file_share_seconds: float = 0.4
    history_page_max: int = 999
    sockets_max: int = 10
    server_ping_seconds: float = 10.0
    socket_seconds: float = 18_060.0
    debug_socket_seconds: float = 360.0
