"""Text on its way in, the rich_text made of it, and manifests that are wrong."""

from pathlib import Path
from typing import Any

import pytest

from lab.slack.manifest import ManifestMistake, load_manifest, parse_manifest
from lab.slack.rich_text import rich_text_block
from lab.slack.server import DEFAULT_MANIFEST, create_workspace
from lab.slack.text import from_bot, from_person


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a & b", "a &amp; b"),
        ("a &amp; b", "a &amp; b"),
        ("1 < 2 > 0", "1 &lt; 2 &gt; 0"),
        ("<@U1> <#C1|x> <!here>", "<@U1> <#C1|x> <!here>"),
        ("see https://example.com/a?b=1.", "see <https://example.com/a?b=1>."),
        ("<https://example.com|here>", "<https://example.com|here>"),
        ("@ann stays text", "@ann stays text"),
    ],
)
def test_a_bots_text_is_escaped_once(given: str, kept: str) -> None:
    assert from_bot(given) == kept
    assert from_bot(kept) == kept


def test_a_persons_names_become_mentions() -> None:
    workspace = create_workspace(public_url="http://127.0.0.1:1")
    text = from_person("@bob, @nobody: see #kafka <now> @here me@bob.example", workspace=workspace)
    assert text == ("<@U0LAB0BOB1>, @nobody: see <#C0LABKAFKA|> &lt;now&gt; <!here> me@bob.example")


def test_mrkdwn_becomes_rich_text() -> None:
    text = "*bold _both_* `x &lt; y`\n&gt; said <@U1>\n```\ncode\n```\n<https://a.b|link> :tada:"
    block = rich_text_block(text, block_id="b")
    kinds = [part["type"] for part in block["elements"]]
    assert kinds == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_preformatted",
        "rich_text_section",
    ]
    first, quote, code, last = (part["elements"] for part in block["elements"])
    assert first[1] == {"type": "text", "text": "both", "style": {"bold": True, "italic": True}}
    assert first[3] == {"type": "text", "text": "x < y", "style": {"code": True}}
    assert quote == [{"type": "text", "text": "said "}, {"type": "user", "user_id": "U1"}]
    assert code == [{"type": "text", "text": "code"}]
    assert last[0] == {"type": "link", "url": "https://a.b", "text": "link"}
    assert last[2] == {"type": "emoji", "name": "tada"}


def test_the_products_manifest_asks_for_the_least() -> None:
    manifest = load_manifest(DEFAULT_MANIFEST)
    assert manifest.command("/kafka") is not None
    assert set(manifest.scopes) == {
        "commands",
        "chat:write",
        "users:read",
        "usergroups:read",
        "channels:history",
        "groups:history",
        "files:write",
    }
    assert manifest.events == ("message.channels", "message.groups")


GOOD: dict[str, Any] = {
    "display_information": {"name": "x"},
    "features": {"slash_commands": [{"command": "/x", "description": "d"}]},
    "oauth_config": {"scopes": {"bot": ["commands"]}},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"display_information": {}}, "display_information.name is missing"),
        ({"features": {"slash_commands": [{"command": "x"}]}}, "must be / and a word"),
        ({"features": {"slash_commands": [{"command": "/x"}]}}, "lacks a description"),
        ({"oauth_config": {}}, "lacks `commands`"),
        ({"settings": {"event_subscriptions": {"bot_events": ["mesage"]}}}, "the lab knows"),
        (
            {"settings": {"event_subscriptions": {"bot_events": ["message.channels"]}}},
            "needs the bot scope `channels:history`",
        ),
        ({"settings": "x"}, "must be a mapping"),
    ],
)
def test_a_wrong_manifest_is_refused_by_key(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ManifestMistake, match=words):
        parse_manifest({**GOOD, **change})


def test_a_manifest_that_is_no_yaml_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(ManifestMistake, match=r"manifest\.yaml is not YAML"):
        load_manifest(path)
    with pytest.raises(ManifestMistake, match="cannot be read"):
        load_manifest(tmp_path / "absent.yaml")
